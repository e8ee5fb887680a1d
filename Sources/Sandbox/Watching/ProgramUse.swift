// SPDX-License-Identifier: Apache-2.0
// What well-known programs do to the files that their lines name: which option helps depends on that, and a
// program that finds no file does not go on to the call that would tell.

internal import Linux
internal import SystemPackage
internal import Text

/// What a program does to the files that its line names.
enum ProgramUse {
  /// It changes them.
  case changes
  /// It removes their names, or gives these to other files.
  case replaces

  private static let changing: Set<ByteString> = [
    "chmod", "chown", "chgrp", "touch", "truncate", "tee", "setfacl", "shred",
  ]

  private static let replacing: Set<ByteString> = [
    "rm", "rmdir", "unlink", "mv", "gzip", "gunzip", "bzip2", "bunzip2", "xz", "unxz",
  ]

  /// Programs that replace files if an option says so.
  private static let editing: Set<ByteString> = ["sed", "perl", "ruby"]

  /// Nil for programs that only read, or that are not known; `words` are the program's, if they are known.
  fileprivate init?(of program: ByteString, _ words: some Sequence<ByteString>) {
    if ProgramUse.changing.contains(program) {
      self = .changes
    } else if ProgramUse.replacing.contains(program)
      || ProgramUse.editing.contains(program) && words.contains(where: ProgramUse.isInPlace)
    {
      self = .replaces
    } else {
      return nil
    }
  }

  /// Whether a program's line in a script ends with this byte.
  fileprivate static func endsLine(_ byte: UInt8) -> Bool { ";&|()\n`".utf8.contains(byte) }

  /// Whether a word in a script ends with this byte.
  fileprivate static func endsWord(_ byte: UInt8) -> Bool { " \t\"'".utf8.contains(byte) }

  /// Whether a word is the option to edit files in place, alone or behind others, as in `-pi.bak`.
  private static func isInPlace(_ word: ByteString) -> Bool {
    let bytes = word.bytes
    if bytes.starts(with: "--".utf8) { return bytes.starts(with: "--in-place".utf8) }
    // After one of these letters, the rest of the word is its value.
    let letters = bytes.dropFirst().prefix { !"efIMmx".utf8.contains($0) }
    return bytes.first == UInt8(ascii: "-") && letters.contains(UInt8(ascii: "i"))
  }
}

extension ResolvedSandbox {
  /// What a program of the sandbox does to the files that it names.
  func use(by program: ByteString) -> ProgramUse? {
    let words = Array(sandbox.command.dropFirst())
    guard program != commandName else { return ProgramUse(of: program, words) }
    // A shell may have the program's line as a word.
    let lines = words.prefix(ArgumentWord.most).flatMap {
      $0.bytes.split(whereSeparator: ProgramUse.endsLine)
    }
    for line in lines {
      let words = line.split(whereSeparator: ProgramUse.endsWord).map { ByteString($0) }
      guard let place = words.firstIndex(where: { $0.baseName == program }) else { continue }
      if let use = ProgramUse(of: program, words[(place + 1)...]) { return use }
    }
    return ProgramUse(of: program, [])
  }

  /// Whether `path` is the directory into which the command moves files.
  func isTarget(_ path: FilePath) -> Bool {
    guard commandName == "mv", let place = sandbox.command.last.flatMap(ArgumentWord.path),
      (try? FileFacts(at: path, followsLinks: true))?.kind == .directory
    else { return false }
    return place.fromWorkingDirectory(workingDirectory?.path)?.lexicallyNormalized()
      == path.fromWorkingDirectory(workingDirectory?.path)?.lexicallyNormalized()
  }

  /// What speaks against showing all of a directory writable, as it takes to remove or replace a name in it.
  func objection(toReplacingIn directory: FilePath, _ secrets: [FilePath]) -> String? {
    guard isShared(directory) || Secrets.isFile(directory, among: secrets) else { return nil }
    return
      "that takes all of \(ByteString(directory).quoted) writable, which has more in it: do this outside"
  }
}
