// SPDX-License-Identifier: Apache-2.0
// A namespace by a descriptor: its number, its parent, its owner.

internal import CLinux
internal import Glibc
internal import SystemPackage

/// An open namespace.
///
/// See namespaces(7), ioctl_ns(2).
public struct OpenNamespace: ~Copyable {
  /// The descriptor.
  public let descriptor: OwnedDescriptor
  /// The number that tells it from all others of the machine, as in `net:[4026532196]`.
  public let number: UInt64

  /// Takes over a descriptor of a file of /proc/PID/ns.
  public init(_ descriptor: consuming OwnedDescriptor) throws(SystemCallError) {
    number = try descriptor.fileIdentity().inode
    self.descriptor = descriptor
  }

  /// Gives up the descriptor.
  public consuming func release() -> CInt { descriptor.release() }

  /// The parent of this user or pid namespace; nil where that is not this process's own or below.
  public borrowing func parent() throws(SystemCallError) -> OpenNamespace? {
    let result = linux_namespace_parent(descriptor.rawValue)
    if result == -EPERM { return nil }
    return try OpenNamespace(OwnedDescriptor(try check(result, "ioctl(NS_GET_PARENT)")))
  }

  /// The user namespace that owns this namespace of another kind.
  public borrowing func userNamespace() throws(SystemCallError) -> OpenNamespace {
    try OpenNamespace(
      OwnedDescriptor(
        try check(linux_namespace_user(descriptor.rawValue), "ioctl(NS_GET_USERNS)")))
  }

  /// The user who made this user namespace, as this process counts users.
  public borrowing func owner() throws(SystemCallError) -> UInt32 {
    var owner: uid_t = 0
    try check(
      unsafe linux_namespace_owner(descriptor.rawValue, &owner), "ioctl(NS_GET_OWNER_UID)")
    return owner
  }
}
