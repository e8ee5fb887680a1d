// SPDX-License-Identifier: Apache-2.0
// The program's own words.

internal import Linux

/// Where the program writes.
enum Output {
  /// Writes to standard output; answers whether it was taken.
  static func standardOutput(_ text: String) -> Bool {
    (try? Descriptors.write(text, to: 1)) != nil
  }

  /// Writes to standard error.
  ///
  /// Where that fails there is nobody to tell.
  static func standardError(_ text: String) {
    try? Descriptors.write(text, to: 2)
  }
}
