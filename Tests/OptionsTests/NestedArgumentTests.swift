// SPDX-License-Identifier: Apache-2.0
// Options that are read from a descriptor with --args.

import Linux
import Sandbox
import SystemPackage
import Testing

@testable import Options
import Text

@Suite("Nested arguments")
struct NestedArgumentTests {
  /// The draft of `words` with `@` standing for the number of a pipe that holds `data`, in which
  /// `|` stands for a NUL.
  private func parse(_ data: String, _ words: ByteString...) throws -> Draft {
    let pipe = try FileDescriptor.pipe()
    try pipe.writeEnd.closeAfter { _ = try pipe.writeEnd.writeAll(bytes(data)) }
    let number = ByteString(String(pipe.readEnd.rawValue))
    var parser = Parser()
    // The parser closes the read end, even if the data is invalid.
    try parser.parse(words.map { $0 == "@" ? number : $0 })
    return parser.draft
  }

  private func bytes(_ data: String) -> [UInt8] {
    data.utf8.map { $0 == UInt8(ascii: "|") ? 0 : $0 }
  }

  // Red: machine-made command lines mean something else than the same words typed.
  @Test(
    "The data takes the place of the option",
    arguments: ["--dir|/b|--dir|/c|", "--dir|/b|--dir|/c"])
  func place(_ data: String) throws {
    let draft = try parse(data, "--dir", "/a", "--args", "@", "--dir", "/d", "command")
    let paths = draft.sandbox.filesystem.map(\.action)
    #expect(
      paths
        == ["/a", "/b", "/c", "/d"].map {
          .directory(FilePath($0), permissions: mode(0o755))
        })
    #expect(draft.sandbox.command == ["command"])
  }

  // Red: an empty value at the end is lost, or an operand that is not there is made up.
  @Test func `An empty word counts, even the last`() throws {
    let draft = try parse("--setenv|A||", "--args", "@", "command")
    #expect(draft.sandbox.environment == [.set("A", to: "")])
    #expect(throws: UsageError("--setenv: VALUE is missing")) {
      try parse("--setenv|A|", "--args", "@", "command")
    }
  }

  // Red: a tool that has nothing to say cannot use the option.
  @Test func `Empty data adds no option`() throws {
    #expect(try parse("", "--args", "@", "command").sandbox.command == ["command"])
  }

  // Red: data from another source chooses the command, or reads any descriptor.
  @Test(
    "Neither a command nor --args may be in the data",
    arguments: [
      ("--dir|/a|command|", "--args: expected an option in the data, found command"),
      ("--|command|", "--args: expected an option in the data, found command"),
      ("--args|3|", "--args: not allowed in the data of --args"),
      ("--frobnicate|", "Unknown option --frobnicate"),
    ])
  func refused(_ data: String, _ message: String) {
    #expect(throws: UsageError(message)) { try parse(data, "--args", "@", "command") }
  }

  // Red: a second file of options is taken for a nested one.
  @Test func `--args may be given again after one has been read`() throws {
    let second = try FileDescriptor.pipe()
    try second.writeEnd.closeAfter { _ = try second.writeEnd.writeAll(bytes("--dir|/b")) }
    let number = ByteString(String(second.readEnd.rawValue))
    let draft = try parse("--dir|/a", "--args", "@", "--args", number, "command")
    #expect(draft.sandbox.filesystem.count == 2)
  }

  // Red: a mode is carried over from one source of options to another, or refused.
  @Test func `A modifier and its option may be on two sides of the data's end`() throws {
    let draft = try parse("--perms|0700", "--args", "@", "--dir", "/a", "command")
    #expect(draft.sandbox.filesystem.map(\.action) == [.directory("/a", permissions: mode(0o700))])
  }
}
