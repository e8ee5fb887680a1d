// SPDX-License-Identifier: Apache-2.0
// The text of a wrapper script.

internal import Linux
public import Text

/// A shell script that starts a program in a sandbox.
public enum WrapperScript {
  /// Marks files that --wrap has written.
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
    text += Array("exec ".utf8) + launcher.shellWord
    for option in options {
      text += Array(" \\\n ".utf8)
      for word in option { text += Array(" ".utf8) + word.shellWord }
    }
    return text + Array(" \\\n  -- ".utf8) + program.shellWord + Array(" \"$@\"\n".utf8)
  }
}
