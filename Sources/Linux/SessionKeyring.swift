// SPDX-License-Identifier: Apache-2.0
// The session keyring: one of the kernel's keyrings, which every process has.

internal import CLinux
internal import Glibc
internal import SystemPackage
internal import Text

/// The session keyring of this process.
///
/// See session-keyring(7).
public enum SessionKeyring {
  /// Replaces the caller's keyring by an empty one that nobody can read or write.
  ///
  /// All launches of a user share one keyring, which they find by `name`, because a user may have
  /// only a few keys (keyrings(7), maxkeys). They cannot exchange anything through it: its
  /// permissions allow only the search, by which a launch joins it, and the view, by which a launch
  /// recognises it, and nobody may change them. The user's other keyrings are new in a user
  /// namespace.
  ///
  /// Anybody can take the name. If another user made the keyring of this name, if it has other
  /// permissions, or if somebody has invalidated it, the process gets a keyring without a name.
  ///
  /// See keyctl(2), KEYCTL_JOIN_SESSION_KEYRING, KEYCTL_SETPERM and KEYCTL_DESCRIBE.
  public static func replace(name: StaticString) throws(SystemCallError) {
    let joined = linux_keyctl(
      KEYCTL_JOIN_SESSION_KEYRING, CUnsignedLong(UInt(bitPattern: unsafe name.utf8Start)), 0)
    if joined < 0, isOutOfReach(CInt(truncatingIfNeeded: joined)) { return }
    // The session already has this keyring, as in a nested sandbox; the kernel then answers 0.
    if joined == 0 { return }
    let keyring = try check(CInt(truncatingIfNeeded: joined), "keyctl")
    let result = linux_keyctl(KEYCTL_SETPERM, CUnsignedLong(keyring), permissions)
    // If another launch made the keyring, it has these permissions, which do not allow a change.
    if result == 0 || result == CLong(-EACCES) && isOwn(keyring) { return }
    // A process that may search the keyring may also invalidate it, and the kernel keeps its name
    // until the last process that has it ends.
    let anonymous = linux_keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0)
    try check(CInt(truncatingIfNeeded: anonymous), "keyctl")
  }

  /// The permissions VIEW and SEARCH, for the possessor and for the user.
  private static let permissions: CUnsignedLong = 0x0909_0000

  /// Whether a launch of this user made the keyring.
  private static func isOwn(_ keyring: CInt) -> Bool {
    var buffer = [UInt8](zeros: 128)
    let length = unsafe buffer.withUnsafeMutableBytes { bytes -> CLong in
      guard let start = bytes.baseAddress else { return -CLong(EINVAL) }
      return unsafe linux_keyctl_describe(keyring, start, bytes.count)
    }
    guard length > 0 else { return false }
    // TYPE;USER;GROUP;PERMISSIONS;NAME. The group may differ, as after newgrp(1). Compared as it is:
    // most launches of a session come here, and lists of strings would cost them more than the call.
    var fields = Fields(ByteString(buffer).bytes, separatedBy: UInt8(ascii: ";"))
    guard fields.next() != nil, let user = fields.next(), fields.next() != nil,
      let permissions = fields.next(), fields.next() != nil
    else { return false }
    var number: UInt32 = 0
    for digit in user { number = number &* 10 &+ UInt32(digit &- UInt8(ascii: "0")) }
    return number == geteuid() && permissions.elementsEqual("09090000".utf8)
  }

  /// Whether the kernel has no keys, or a filter around this process hides them, as container
  /// engines do: the filter then hides them from the command as well.
  private static func isOutOfReach(_ result: CInt) -> Bool {
    guard result == -ENOSYS || result == -EPERM else { return false }
    // KEY_SPEC_SESSION_KEYRING, which is -3 in the header.
    let session = CUnsignedLong(bitPattern: -3)
    return linux_keyctl(KEYCTL_GET_KEYRING_ID, session, 0) == CLong(result)
  }
}
