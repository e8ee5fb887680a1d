// SPDX-License-Identifier: Apache-2.0
// Where an option was written, for messages and reports.

internal import Linux
public import Text

/// The place at which an option was written.
public enum Origin: Equatable, Sendable {
  /// The command line.
  case commandLine
  /// The data of `--args`.
  case arguments
  /// A line of the profile `name`: the file at `path`, or a built-in profile if that is nil.
  case profile(name: ByteString, path: ByteString?, line: Int)

  /// The file and the line, as compilers write them; nil for what was typed.
  public var location: String? {
    guard case .profile(let name, let path, let line) = self else { return nil }
    return (path?.quoted ?? "profile " + name.quoted) + ":" + String(line)
  }

  /// Whether the other place is in the same text.
  public func isBeside(_ other: Origin) -> Bool {
    switch (self, other) {
    case (.profile(let name, let path, _), .profile(let otherName, let otherPath, _)):
      name == otherName && path == otherPath
    case (.profile, _), (_, .profile): false
    default: true
    }
  }
}

extension Origin {
  /// The place, for programs.
  public var json: JSON {
    switch self {
    case .commandLine: .string("command line")
    case .arguments: .string("--args")
    case .profile(let name, let path, let line):
      .object([
        .init("profile", .bytes(name)), .init("file", .optional(path?.text)),
        .init("line", .number(Int64(line))),
      ])
    }
  }
}
