// SPDX-License-Identifier: Apache-2.0
// One thing that the command did not get.

internal import Linux
internal import Text

/// One thing that the command did not get.
struct Finding {
  /// How it was kept from the command.
  enum Kind: String {
    case notShown = "not-shown"
    case readOnly = "read-only"
    /// A name at which something is mounted.
    case fixed = "not-replaceable"
    case notPermitted = "not-permitted"
    case noNetwork = "no-network"
    case noMember = "no-member"
    case noBusName = "no-bus-name"
    case refused
    case capability
    /// What an option forbids, whatever the policy says.
    case forbidden
    case unreadable
  }

  let kind: Kind
  /// The path, address, call or capability.
  var subject: ByteString
  /// What asked for it.
  var programs: [ByteString]
  /// How often.
  var count: Int
  /// When it was asked for last.
  var last: Int
  /// The options that would give it to the command; empty if none should.
  var options: [ByteString] = []
  /// What speaks against that.
  var objection: String?
  /// The name of a program that was looked for in PATH; the subject is where the caller's PATH has it.
  var program: ByteString?
  /// What else there is to know of these options.
  var note = ""
  /// Whether something was to be changed or made there.
  var isForWriting = false
  /// Whether its name was to be removed or given to another file, which changes its directory.
  var isForReplacing = false
  /// Whether the call needs the capability for new namespaces.
  var needsNamespaces = false
  /// Whether it was asked for as what it leads to, and not only looked at for a link, as programs do with each
  /// directory of a path.
  var isFollowed = false
  /// The accesses that were asked for.
  var accesses: [FileAccess] = []
  /// Whether nearly every program looks for it, and does without.
  var isUsual = false
  /// Whether every program of a kind asks for it, so that it is unlikely to be the cause.
  var isUnlikely = false
  /// Whether it belongs to the host's system, so that it can be shown without a second thought.
  var isOfSystem = false

  /// The most programs that are named.
  static let mostPrograms = 3
}
