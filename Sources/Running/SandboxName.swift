// SPDX-License-Identifier: Apache-2.0
// The names under which sandboxes are registered.

internal import SystemPackage
public import Text

/// The name of a sandbox.
public enum SandboxName {
  /// Which names are valid, for messages.
  public static let rule =
    "a name begins with a letter or digit, and has at most 64 letters, digits, dots, dashes and underscores"

  /// Whether `name` can be one: a letter or a digit, then up to 63 letters, digits, dots, dashes and
  /// underscores.
  public static func isValid(_ name: ByteString) -> Bool {
    guard let first = name.bytes.first, name.count <= 64, isLetterOrDigit(first) else {
      return false
    }
    return name.bytes.allSatisfy { isLetterOrDigit($0) || "._-".utf8.contains($0) }
  }

  /// The name of the file in memory that the monitor of the sandbox `name` holds.
  static func marker(_ name: ByteString) -> FilePath { FilePath("nestbox-name-" + name.text) }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}
