// SPDX-License-Identifier: Apache-2.0
// The name under which the caller started the program, and its consequences.

internal import Linux
internal import Options
internal import SystemPackage
internal import Text

/// The program that the caller started, by name: nestbox or bwrap.
struct Persona {
  /// The name as the caller typed it.
  let program: ByteString
  /// Whether it takes bubblewrap's place.
  let isBubblewrap: Bool

  /// The release of bubblewrap with the command line that this program understands.
  static let bubblewrapRelease = "0.12.0"

  /// Reads the name: the last part of argv[0], or, if that is neither name, of the executable file.
  ///
  /// Programs that start /proc/self/exe again need the latter.
  init(_ argument: ByteString?) {
    let program = argument ?? ""
    self.program = program.isEmpty ? "nestbox" : program
    let name = program.baseName.bytes
    isBubblewrap =
      name.elementsEqual("bwrap".utf8)
      || !name.elementsEqual("nestbox".utf8)
        && CurrentProcess.executable?.lastComponent?.string == "bwrap"
  }

  /// The prefix of messages.
  var prefix: String { isBubblewrap ? "bwrap: " : "nestbox: " }

  /// The text for `--version`.
  var version: String {
    isBubblewrap
      ? "bubblewrap \(Persona.bubblewrapRelease)" : "nestbox \(Release.version)"
  }

  /// The path to the program, for scripts that start it from another directory.
  ///
  /// It keeps links, because an upgrade may move the file that they lead to.
  func path(_ surroundings: Surroundings) -> ByteString {
    let found =
      program.bytes.contains(UInt8(ascii: "/"))
      ? surroundings.absolute(program)
      : try? ProgramSearch.find(program, in: surroundings.variable("PATH"))
    return found ?? CurrentProcess.executable.map { ByteString($0) } ?? program
  }

  /// The profile for a command line without options about files; bubblewrap has none.
  var standardProfile: ByteString? { isBubblewrap ? nil : "untrusted" }

  /// The exit status if nestbox fails before the command starts.
  var failure: UInt8 { isBubblewrap ? 1 : 125 }
}
