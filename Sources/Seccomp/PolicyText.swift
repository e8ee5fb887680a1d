// SPDX-License-Identifier: Apache-2.0
// The text of a policy: built in, or from a file.

internal import Linux
internal import SystemPackage
internal import Text

/// The text of a policy.
struct PolicyText: Sendable {
  /// What messages call it.
  let name: String
  let content: String
  /// Tells it from every other text.
  let identity: Identity
  /// The directory that names in it begin at.
  let directory: FilePath

  /// Two texts are the same if these are.
  enum Identity: Equatable, Sendable {
    case builtIn(String)
    case file(FileIdentity)
  }

  /// The largest file that is read, in bytes.
  private static let maximumSize = 1 << 20

  /// A text that comes with the program.
  static func builtIn(_ name: String, _ content: String) -> PolicyText {
    PolicyText(name: name, content: content, identity: .builtIn(name), directory: "")
  }

  /// The built-in policy `name`, or else the file of that name.
  ///
  /// A file that another file includes is looked for beside it.
  static func named(
    _ name: ByteString, from includer: PolicyText? = nil, _ library: PolicyLibrary,
    at position: Position
  ) throws(PolicyError) -> PolicyText {
    if let text = library.policy(name.text) { return text }
    // An absolute path replaces the directory.
    let path = (includer?.directory ?? "").pushing(name.path)
    do throws(SystemCallError) {
      let file = try UserText.open(path)
      // The beginning tells a program, which may be too large for a policy.
      let start = try? Descriptors.bytes(of: file.rawValue, at: 0, count: 4)
      if start?.starts(with: [0x7f] + Array("ELF".utf8)) != true {
        let bytes = try Descriptors.contents(of: file.rawValue, limit: maximumSize)
        return PolicyText(
          name: name.quoted, content: String(decoding: bytes, as: UTF8.self),
          identity: .file(try file.fileIdentity()), directory: path.removingLastComponent())
      }
    } catch {
      throw missing(name, error, library, at: position)
    }
    throw PolicyError(
      position,
      "expected a policy, and \(name.quoted) is a program; built in are "
        + library.names.joined(separator: ", "))
  }

  private static func missing(
    _ name: ByteString, _ error: SystemCallError, _ library: PolicyLibrary, at position: Position
  ) -> PolicyError {
    if error.errno == .illegalSeek {
      return PolicyError(position, "the policy \(name.quoted) is a FIFO; \(UserText.pipeRemedy)")
    }
    var sentence = "can't read the policy \(name.quoted): \(error.reason)"
    if error.errno == .noSuchFileOrDirectory, !name.bytes.contains(UInt8(ascii: "/")) {
      let names = library.names
      sentence +=
        "; built in are \(names.joined(separator: ", "))"
        + PolicyError.suggestion(for: name.text, among: names)
    }
    return PolicyError(position, sentence)
  }
}

/// The policies that have names.
struct PolicyLibrary: Sendable {
  /// The groups that every policy knows.
  let groups: PolicyText
  /// The names, in the order of lists.
  let names: [String]
  /// The text of a policy; nil if no policy has that name.
  let policy: @Sendable (String) -> PolicyText?

  /// What comes with the program.
  static var builtIn: PolicyLibrary {
    PolicyLibrary(
      groups: .builtIn("groups.policy", BuiltInPolicy.groups.description),
      names: BuiltInPolicy.all.map(\.name),
      policy: { name in
        (BuiltInPolicy.named(name)?.text ?? BuiltInPolicy.part(name)).map { text in
          .builtIn(name + ".policy", text.description)
        }
      })
  }
}
