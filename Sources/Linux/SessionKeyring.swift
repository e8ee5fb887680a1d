// SPDX-License-Identifier: Apache-2.0
// The kernel's keyrings, of which every process has one for its session.

internal import CLinux
internal import Glibc
internal import SystemPackage
internal import Text

/// The session keyring of this process.
///
/// See session-keyring(7).
public enum SessionKeyring {
  /// Changes to an empty keyring that nobody can read or write, in place of the caller's.
  ///
  /// It is one for all launches of a user that run at a time, found by its name, as the number of
  /// keys that a user may have is small (keyrings(7), maxkeys). Nothing can pass through it: its
  /// permissions allow just the search by which it is joined and the look by which it is known, and
  /// nobody may change them. In a user namespace the keyrings of the user, other than that of the
  /// session, are new ones.
  ///
  /// A name is for everybody to take: one that another user has made, that says anything else, or
  /// that somebody has invalidated, is left alone for one without a name.
  ///
  /// See keyctl(2), KEYCTL_JOIN_SESSION_KEYRING, KEYCTL_SETPERM and KEYCTL_DESCRIBE.
  public static func replace() throws(SystemCallError) {
    let joined = unsafe name.withCString {
      linux_keyctl(KEYCTL_JOIN_SESSION_KEYRING, CUnsignedLong(UInt(bitPattern: $0)), 0)
    }
    if joined < 0, isOutOfReach(CInt(truncatingIfNeeded: joined)) { return }
    // The session's already is this one, as in a sandbox in a sandbox; the kernel names it 0 then.
    if joined == 0 { return }
    let keyring = try check(CInt(truncatingIfNeeded: joined), "keyctl")
    let result = linux_keyctl(KEYCTL_SETPERM, CUnsignedLong(keyring), permissions)
    // One that exists has these permissions already, and they do not allow a change.
    if result == 0 || result == CLong(-EACCES) && isOwn(keyring) { return }
    // Whoever may search it can also have it go, and its name is known until the last of those who
    // have it has ended.
    let anonymous = linux_keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0)
    try check(CInt(truncatingIfNeeded: anonymous), "keyctl")
  }

  private static let name: ByteString = "nestbox"

  /// VIEW and SEARCH of the kernel, for the possessor and for the user.
  private static let permissions: CUnsignedLong = 0x0909_0000

  /// Whether a keyring is one that this user's launches have made.
  private static func isOwn(_ keyring: CInt) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 128)
    let length = unsafe buffer.withUnsafeMutableBytes { bytes -> CLong in
      guard let start = bytes.baseAddress else { return -CLong(EINVAL) }
      return unsafe linux_keyctl_describe(keyring, start, bytes.count)
    }
    guard length > 0 else { return false }
    // The group may be another, as after newgrp(1).
    let parts = ByteString(buffer).text.split(separator: ";", maxSplits: 4)
    return parts.count == 5 && parts[1] == String(geteuid()) && parts[3] == "09090000"
  }

  /// Whether the kernel has no keys, or whoever runs this process hides them with a filter, as
  /// container engines do: they are then hidden from the command as well.
  private static func isOutOfReach(_ result: CInt) -> Bool {
    guard result == -ENOSYS || result == -EPERM else { return false }
    // KEY_SPEC_SESSION_KEYRING, which the header has as -3.
    let session = CUnsignedLong(bitPattern: -3)
    return linux_keyctl(KEYCTL_GET_KEYRING_ID, session, 0) == CLong(result)
  }
}
