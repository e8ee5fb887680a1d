// SPDX-License-Identifier: Apache-2.0
// The text of a wrapper script.

public import Linux

/// A shell script that starts a program in a sandbox.
public enum WrapperScript {
  /// What tells files that --wrap has written from others.
  public static let mark = "# Written by nestbox --wrap"

  /// The script.
  /// - Parameters:
  ///   - launcher: The path of this program.
  ///   - options: The options, each with its operands.
  ///   - program: The path of the program that is started.
  /// - Returns: The script's text.
  public static func text(
    launcher: ByteString, options: [[ByteString]], program: ByteString
  ) -> [UInt8] {
    var text = Array("#!/bin/sh\n\(mark), which replaces it when it is run again.\n".utf8)
    text += Array("exec ".utf8) + quoted(launcher)
    for option in options {
      text += Array(" \\\n ".utf8)
      for word in option { text += Array(" ".utf8) + quoted(word) }
    }
    return text + Array(" \\\n  -- ".utf8) + quoted(program) + Array(" \"$@\"\n".utf8)
  }

  /// The word as the shell reads it: nothing has a meaning between single quotes but the next one.
  private static func quoted(_ word: ByteString) -> [UInt8] {
    if !word.isEmpty && word.bytes.allSatisfy(isPlain) { return Array(word.bytes) }
    var quoted = [UInt8(ascii: "'")]
    for byte in word.bytes {
      quoted += byte == UInt8(ascii: "'") ? Array(#"'\''"#.utf8) : [byte]
    }
    return quoted + [UInt8(ascii: "'")]
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-_/.,:+@%=".utf8.contains(byte)
    }
  }
}
