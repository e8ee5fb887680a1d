// SPDX-License-Identifier: Apache-2.0
// The program's own words.

internal import Linux
internal import Text

/// Where the program writes.
enum Output {
  /// Writes to standard output.
  static func standardOutput(_ bytes: [UInt8]) throws(SystemCallError) {
    try Descriptors.write(bytes[...], to: 1)
  }

  /// Writes to standard error.
  ///
  /// Where that fails there is nobody to tell.
  static func standardError(_ text: String) {
    try? Descriptors.write(text, to: 2)
  }
}
