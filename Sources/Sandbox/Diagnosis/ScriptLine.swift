// SPDX-License-Identifier: Apache-2.0
// The first line of a script, read as the kernel reads it. See execve(2), Interpreter scripts.

internal import Linux
internal import SystemPackage
package import Text

/// The first line of a script.
package struct ScriptLine: Equatable {
  /// The program that the line names; empty where it names none.
  package let interpreter: ByteString
  /// Whether the name ends with a carriage return, as on Windows; `interpreter` is without it.
  package let hasCarriageReturn: Bool

  /// How many bytes the kernel looks at (BINPRM_BUF_SIZE).
  static let size = 256

  /// Reads the first bytes of a file; nil where it is no script.
  package init?(_ start: [UInt8]) {
    guard start.starts(with: "#!".utf8) else { return nil }
    let line = start.prefix(ScriptLine.size).dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
    let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    let word = words.first ?? []
    hasCarriageReturn = word.last == UInt8(ascii: "\r")
    interpreter = ByteString(hasCarriageReturn ? word.dropLast() : word)
  }

  /// Reads the regular file `path`.
  init?(at path: FilePath) {
    guard let start = try? TextFile.beginning(of: path, ScriptLine.size) else { return nil }
    self.init(start)
  }
}
