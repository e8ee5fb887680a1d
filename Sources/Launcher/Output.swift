// SPDX-License-Identifier: Apache-2.0
// The program's own output.

internal import Linux
internal import Text

/// The program's standard output and error.
enum Output {
  /// Writes to standard output.
  static func standardOutput(_ bytes: [UInt8]) throws(SystemCallError) {
    try Descriptors.write(bytes[...], to: 1)
  }

  /// Writes to standard error.
  ///
  /// If that fails, nobody can be told.
  static func standardError(_ text: String) {
    try? Descriptors.write(text, to: 2)
  }
}
