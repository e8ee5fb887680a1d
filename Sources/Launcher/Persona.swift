// SPDX-License-Identifier: Apache-2.0
// Under which name the program was started, and what follows from it.

internal import Linux
internal import Options
internal import SystemPackage
internal import Text

/// The program that the caller believes to have started.
struct Persona {
  /// What it was called, as it was typed.
  let program: ByteString
  /// Whether it stands in for bubblewrap.
  let isBubblewrap: Bool

  /// The release of bubblewrap whose command line this is.
  static let bubblewrapRelease = "0.12.0"

  /// Looks at the name: the last part of argv[0], or, where that says nothing, of the executable
  /// file, as for a program that starts /proc/self/exe again.
  init(_ argument: ByteString?) {
    let program = argument ?? ""
    self.program = program.isEmpty ? "nestbox" : program
    let name = program.baseName.bytes
    isBubblewrap =
      name.elementsEqual("bwrap".utf8)
      || !name.elementsEqual("nestbox".utf8)
        && CurrentProcess.executable?.lastComponent?.string == "bwrap"
  }

  /// What messages begin with.
  var prefix: String { isBubblewrap ? "bwrap: " : "nestbox: " }

  /// What `--version` prints.
  var version: String {
    isBubblewrap
      ? "bubblewrap \(Persona.bubblewrapRelease)" : "nestbox \(Release.version)"
  }

  /// The path by which the program was found, for scripts that start it from elsewhere.
  ///
  /// The name that it was called by rather than the file behind links, which an upgrade may move.
  func path(_ surroundings: Surroundings) -> ByteString {
    let found =
      program.bytes.contains(UInt8(ascii: "/"))
      ? surroundings.absolute(program)
      : ProgramSearch.find(program, in: surroundings.variable("PATH"))
    return found ?? CurrentProcess.executable.map { ByteString($0) } ?? program
  }

  /// The profile of a command line that says nothing about files; bubblewrap has none.
  var standardProfile: ByteString? { isBubblewrap ? nil : "untrusted" }

  /// The status of a run that failed before the command.
  var failure: UInt8 { isBubblewrap ? 1 : 125 }
}
