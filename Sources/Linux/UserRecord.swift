// SPDX-License-Identifier: Apache-2.0
// Users in /etc/passwd. The C library's search would load modules at run time, which a static
// program cannot do.

internal import SystemPackage
public import Text

/// A user.
///
/// See passwd(5).
public struct UserRecord: Equatable, Sendable {
  /// The user's name.
  public let name: ByteString
  /// The home directory.
  public let home: ByteString

  /// Looks up the user with the number `user` in /etc/passwd; nil if it lists no such user.
  public static func find(_ user: UInt32) -> UserRecord? {
    guard let file = try? OwnedDescriptor.open("/etc/passwd", .reading),
      let text = try? Descriptors.contents(of: file.rawValue)
    else { return nil }
    let number = Array(String(user).utf8)
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      guard fields.count >= 6, fields[2].elementsEqual(number) else { continue }
      return UserRecord(name: ByteString(fields[0]), home: ByteString(fields[5]))
    }
    return nil
  }
}
