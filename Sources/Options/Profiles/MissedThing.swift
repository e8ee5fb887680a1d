// SPDX-License-Identifier: Apache-2.0
// What a watched command did not get, as --learn and --verify tell it.

public import Sandbox
public import Text

/// Something that a command did not get.
public struct MissedThing: Sendable {
  /// How it was kept from the command.
  public let what: String
  /// What speaks against giving it to the command; empty for nothing.
  public let objection: String
  /// The programs that asked for it.
  public let programs: String
  /// Whether nearly every program looks for it, and does without.
  public let isUsual: Bool
  /// Whether a program that fails hardly failed for it.
  public let isUnlikely: Bool
  /// What would give it to the command.
  public let options: [ByteString]

  /// Reads an item; nil for one of another kind.
  public init?(_ item: LearnedItem) {
    guard item.kind == .missing, item.notes.count >= 4 else { return nil }
    (what, objection) = (item.notes[0].text, item.notes[1].text)
    programs = item.notes[2].text
    (isUsual, isUnlikely) = (item.notes[3] == "usual", item.notes[3] == "unlikely")
    options = Array(item.notes[4...])
  }

  /// What it is, and what would give it to the command, as `text` writes options.
  public func sentence(_ subject: ByteString, _ text: ([ByteString]) -> String) -> String {
    let words =
      switch what {
      case "not-shown": "is not shown inside"
      case "read-only": "is read-only inside"
      case "not-replaceable": "can neither be removed nor replaced inside"
      case "discarded": "was changed in a layer that is thrown away, as --tmp-home makes one"
      case "reviewed": "was changed under --review, which is no part of this profile"
      case "not-permitted": "may not be used inside"
      case "no-network": "is in no network inside"
      case "no-member": "is the name of no member of the network"
      case "no-bus-name": "is a name to which the D-Bus proxy lets nothing through"
      case "unreadable": "is what nobody may read of this program"
      case "refused": "is a system call that the policy refuses"
      case "forbidden": "is what the command cannot make"
      default: "is a capability that the command lacks"
      }
    let who = programs.isEmpty ? "" : " (" + programs + ")"
    return subject.quoted + " " + words + who + ": "
      + (options.isEmpty ? objection : text(options))
  }
}
