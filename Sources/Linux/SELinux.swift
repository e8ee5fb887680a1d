// SPDX-License-Identifier: Apache-2.0
// SELinux, through the kernel's files: two labels need no library.

internal import CLinux
internal import Glibc
internal import SystemPackage
public import Text

/// SELinux.
///
/// See selinux(8).
public enum SELinux {
  /// Whether the kernel has loaded a policy: its file system is then mounted and shows one.
  public static var isActive: Bool { unsafe access("/sys/fs/selinux/policyvers", R_OK) == 0 }

  /// The use of a label.
  ///
  /// See proc(5), attr.
  public enum Attribute: String, Sendable {
    /// The program that this process executes next.
    case execution = "exec"
    /// The files that this process creates from now on.
    case file = "fscreate"
  }

  /// Sets a label through `proc`, an open procfs that shows this process.
  public static func setLabel(
    _ label: ByteString, for attribute: Attribute, through proc: CInt
  ) throws(SystemCallError) {
    let path = FilePath("self/attr/" + attribute.rawValue)
    let result = unsafe path.withPlatformString {
      unsafe linux_openat(proc, $0, O_WRONLY | O_CLOEXEC, 0)
    }
    let file = OwnedDescriptor(try check(result, "openat"))
    try Descriptors.write(label.bytes, to: file.rawValue)
  }
}
