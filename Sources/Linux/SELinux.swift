// SPDX-License-Identifier: Apache-2.0
// SELinux, as far as the kernel's own files go; no library of it is needed for two labels.

internal import CLinux
internal import Glibc
internal import SystemPackage
public import Text

/// SELinux.
///
/// See selinux(8).
public enum SELinux {
  /// Whether a policy is loaded: the file system that stands for it is mounted and not empty.
  public static var isActive: Bool { unsafe access("/sys/fs/selinux/policyvers", R_OK) == 0 }

  /// What a label is set for.
  ///
  /// See proc(5), attr.
  public enum Attribute: String, Sendable {
    /// What this process executes next.
    case execution = "exec"
    /// What this process makes from now on.
    case file = "fscreate"
  }

  /// Sets a label through an open directory of a procfs that shows this process.
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
