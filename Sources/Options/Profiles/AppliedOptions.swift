// SPDX-License-Identifier: Apache-2.0
// What a line and its profiles have set, option by option, for a profile that is learned from a run.

internal import Linux
internal import Sandbox
public import Text

/// An option of a line or of its profiles, as a learned profile may have it.
public struct AppliedOption: Sendable {
  /// The lines of the profile: the option, and before it those that modify it.
  public let lines: [[UInt8]]
  /// Which operations on the new root it asks for, by their numbers.
  public let operations: Range<Int>
  /// What becomes of it.
  public let use: Use
  /// The option as it was written.
  var option: WrittenOption?

  /// What becomes of an option.
  public enum Use: Equatable, Sendable {
    /// It stays as it is.
    case kept
    /// What was used of the files that it shows takes its place.
    case learned
    /// What was used of the things that options of this name permit takes the place of them all.
    case narrowed(ByteString)
    /// It cannot stand in a profile.
    case told(String)
  }
}

extension AppliedOption {
  /// The options that are narrowed to what a run used.
  fileprivate static let narrowed = [
    "--net-allow", "--dbus-talk", "--dbus-system-talk", "--seccomp-allow",
  ]

  /// What an option implies: with that in its place, the command gets nothing that it had not.
  static func foundation(of option: ByteString) -> String? {
    switch option {
    case "--net-allow", "--net-host": "--unshare-net"
    case "--dbus-talk", "--dbus-own", "--dbus-call": "--dbus-session"
    case "--dbus-system-talk", "--dbus-system-own", "--dbus-system-call": "--dbus-system"
    default: nil
    }
  }
}

/// Notes the options that a parser applies.
///
/// A class, so that a parser without it does not grow.
final class AppliedOptions {
  private(set) var all: [AppliedOption] = []
  /// The words of the profile's line that is read, as they are written there.
  var line: [ArraySlice<UInt8>]?
  /// Lines that modify the next option.
  private var modifiers: [[UInt8]] = []
  /// Options that were typed.
  private var typed: [String] = []
  let words: ProfileWords
  private let surroundings: Surroundings

  /// Begins to note the options of a line with this command.
  init(_ surroundings: Surroundings, command: [ByteString]) {
    self.surroundings = surroundings
    words = ProfileWords(surroundings, command: command)
  }

  /// Forgets everything: the line is read again.
  func begin() { (all, line, modifiers, typed) = ([], nil, [], []) }

  /// Notes an option that has been applied; `count` operations were there before.
  func note(
    _ option: Option, _ occurrence: Occurrence, _ operations: [FilesystemOperation],
    from count: Int
  ) {
    let text = text(option, occurrence)
    line = nil
    if !occurrence.isOfProfile { typed.append(option.name) }
    if option.traits.contains(.includes) || option.section == .general { return }
    if option.traits.contains(.isModifier) { return modifiers.append(text) }
    var lines = modifiers
    modifiers = []
    let new = count..<max(count, operations.count)
    let isLearned = !new.isEmpty && operations[new].allSatisfy(\.action.isLearned)
    if isLearned {
      all.append(
        AppliedOption(lines: [], operations: new, use: .learned, option: occurrence.option))
      return
    }
    if AppliedOptions.isOfRun(option) { return }
    lines.append(text)
    let mayStay =
      !option.traits.contains(.isForCommandLine)
      && !option.operands.contains { $0.kind == .descriptor } && !isSecret(occurrence)
    let use =
      !mayStay
      ? AppliedOption.Use.told(option.name)
      : AppliedOption.narrowed.contains(option.name)
        ? .narrowed(ByteString(option.name)) : .kept
    all.append(
      AppliedOption(
        lines: mayStay ? lines : [], operations: new, use: use, option: occurrence.option))
  }

  /// Forgets options that a later one has taken back.
  func remove(_ isGone: (WrittenOption) -> Bool) {
    all.removeAll { $0.option.map(isGone) ?? false }
  }

  /// The first option that was typed and describes a sandbox, beside the profile of `option`.
  func beside(_ option: WrittenOption) -> String? {
    let others = [option.name, "--shrink", "--json", "--verbose", "--level-prefix", "--args"]
    return typed.first { !others.contains($0) }
  }

  /// Whether the option is about this one run.
  private static func isOfRun(_ option: Option) -> Bool {
    switch option.section {
    case .running, .review, .wrapping, .monitoring: true
    default: option.name == "--usage" || option.name == "--report"
    }
  }

  /// Whether somebody typed a secret.
  private func isSecret(_ occurrence: Occurrence) -> Bool {
    occurrence.name == "--setenv" && !occurrence.isOfProfile
      && Sandbox.isLikelySecret(occurrence.text(0), occurrence.text(1))
  }

  private func text(_ option: Option, _ occurrence: Occurrence) -> [UInt8] {
    if let line {
      let text = Array(line.joined(separator: [UInt8(ascii: " ")]))
      // The learned profile lies in another directory.
      if !String(decoding: text, as: UTF8.self).includes("PROFILE_DIR") { return text }
    }
    var text = words.line([ByteString(option.name)])
    for (index, operand) in option.operands.enumerated() where index < occurrence.words.count {
      let typed = occurrence.text(index)
      let isRelative =
        (operand.kind == .hostPath || operand.kind == .hostDirectory)
        && typed.bytes.first != UInt8(ascii: "~")
      let word = isRelative ? surroundings.absolute(typed) ?? typed : typed
      text += [UInt8(ascii: " ")] + words.word(word)
    }
    return text
  }
}
