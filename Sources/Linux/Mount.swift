// SPDX-License-Identifier: Apache-2.0
// Mounts as descriptors: a tree is cloned or made out of sight, given its flags there, and only
// then attached, so that it is never visible with fewer restrictions than it was asked to have.

internal import CLinux
internal import Glibc
public import SystemPackage

/// Restrictions of a mount.
///
/// The corresponding C constants begin with `MOUNT_ATTR_`.
public struct MountAttributes: OptionSet, Sendable {
  /// The bits of the C constants.
  public let rawValue: UInt32

  /// The set with these bits.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Nothing can be written.
  ///
  /// The corresponding C constant is `MOUNT_ATTR_RDONLY`.
  public static let readOnly = MountAttributes(rawValue: UInt32(MOUNT_ATTR_RDONLY))
  /// Set-user-ID bits mean nothing.
  ///
  /// The corresponding C constant is `MOUNT_ATTR_NOSUID`.
  public static let noSetUserID = MountAttributes(rawValue: UInt32(MOUNT_ATTR_NOSUID))
  /// Device files cannot be opened.
  ///
  /// The corresponding C constant is `MOUNT_ATTR_NODEV`.
  public static let noDevices = MountAttributes(rawValue: UInt32(MOUNT_ATTR_NODEV))
  /// Nothing can be executed.
  ///
  /// The corresponding C constant is `MOUNT_ATTR_NOEXEC`.
  public static let noExecution = MountAttributes(rawValue: UInt32(MOUNT_ATTR_NOEXEC))
}

/// Whether mounts and unmounts that happen elsewhere show up in a tree.
///
/// See mount_namespaces(7).
public enum MountPropagation: Sendable {
  /// Left as it is.
  case unchanged
  /// What happens on the host shows up, and nothing goes back.
  case slave
  /// Nothing shows up.
  case isolated

  var flags: UInt64 {
    switch self {
    case .unchanged: 0
    case .slave: UInt64(MS_SLAVE)
    case .isolated: UInt64(MS_PRIVATE)
    }
  }
}

/// A tree of mounts that is attached nowhere yet, or the place where it has been attached.
public struct MountTree: ~Copyable {
  /// A descriptor of the tree's root.
  public let descriptor: OwnedDescriptor

  /// Takes over a descriptor of a mount.
  public init(_ descriptor: consuming OwnedDescriptor) {
    self.descriptor = descriptor
  }

  /// Clones what is mounted at and below `path`, found as this process finds it.
  ///
  /// See open_tree(2), OPEN_TREE_CLONE.
  ///
  /// Where `followsLink` is false, a link that the path ends in is an error when it is attached.
  public static func clone(
    of path: FilePath, followsLink: Bool = true
  ) throws(SystemCallError) -> MountTree {
    var flags = cloneFlags | UInt32(LINUX_AT_RECURSIVE)
    if !followsLink { flags |= UInt32(LINUX_AT_SYMLINK_NOFOLLOW) }
    let result = unsafe path.withPlatformString {
      unsafe linux_open_tree(AT_FDCWD, $0, flags)
    }
    return MountTree(OwnedDescriptor(try check(result, "open_tree")))
  }

  /// Clones what is mounted at and below an open file or directory.
  public static func clone(at number: CInt) throws(SystemCallError) -> MountTree {
    let flags = cloneFlags | UInt32(LINUX_AT_RECURSIVE | LINUX_AT_EMPTY_PATH)
    return MountTree(
      OwnedDescriptor(try check(unsafe linux_open_tree(number, "", flags), "open_tree")))
  }

  /// Clones what is mounted at and below `name` in `directory`, which must itself be attached; a
  /// link by this name is not followed.
  public static func clone(
    of name: FilePath, in directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> MountTree {
    let number = directory.rawValue
    let result = unsafe name.withPlatformString {
      unsafe linux_open_tree(
        number, $0, cloneFlags | UInt32(LINUX_AT_RECURSIVE | LINUX_AT_SYMLINK_NOFOLLOW))
    }
    return MountTree(OwnedDescriptor(try check(result, "open_tree")))
  }

  private static let cloneFlags = UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC)

  /// Adds restrictions to every mount of the tree; those that it has already stay.
  ///
  /// See mount_setattr(2), AT_RECURSIVE.
  public borrowing func restrict(
    _ attributes: MountAttributes, propagation: MountPropagation = .unchanged
  ) throws(SystemCallError) {
    let flags = UInt32(LINUX_AT_EMPTY_PATH | LINUX_AT_RECURSIVE)
    let result = unsafe linux_mount_setattr(
      descriptor.rawValue, "", flags, UInt64(attributes.rawValue), 0, propagation.flags)
    try check(result, "mount_setattr")
  }

  /// Adds restrictions to the mount at the tree's root alone, which must be a mount point.
  public borrowing func restrictThisMount(_ attributes: MountAttributes) throws(SystemCallError) {
    let result = unsafe linux_mount_setattr(
      descriptor.rawValue, "", UInt32(LINUX_AT_EMPTY_PATH), UInt64(attributes.rawValue), 0, 0)
    try check(result, "mount_setattr")
  }

  /// Attaches the tree at an open place.
  ///
  /// See move_mount(2).
  public borrowing func attach(at place: borrowing OwnedDescriptor) throws(SystemCallError) {
    let flags = UInt32(MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
    let result = unsafe linux_move_mount(descriptor.rawValue, "", place.rawValue, "", flags)
    try check(result, "move_mount")
  }

  /// Attaches the tree on `name` in `directory`, a name that was just made there.
  public borrowing func attach(
    on name: FilePath, in directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    let place = directory.rawValue
    let result = unsafe name.withPlatformString {
      unsafe linux_move_mount(
        descriptor.rawValue, "", place, $0, UInt32(MOVE_MOUNT_F_EMPTY_PATH))
    }
    try check(result, "move_mount")
  }

  /// The tree's root as a plain descriptor, for looking up what lies below it.
  public consuming func asDirectory() -> OwnedDescriptor { descriptor }
}

extension StaticString {
  /// The text as C has it; literals end with a NUL.
  @unsafe var cString: UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
  }
}

/// The mount namespace of this process, as a whole.
public enum MountNamespace {
  /// Keeps what is mounted here from showing up on the host.
  ///
  /// See mount_namespaces(7).
  public static func becomeSlave() throws(SystemCallError) {
    let result = unsafe linux_mount_setattr(
      AT_FDCWD, "/", UInt32(LINUX_AT_RECURSIVE), 0, 0, MountPropagation.slave.flags)
    try check(result, "mount_setattr")
  }

  /// Makes everything that is mounted here read-only, and keeps that from showing up on the host.
  ///
  /// See mount_setattr(2), AT_RECURSIVE.
  public static func becomeReadOnly() throws(SystemCallError) {
    let result = unsafe linux_mount_setattr(
      AT_FDCWD, "/", UInt32(LINUX_AT_RECURSIVE), UInt64(MountAttributes.readOnly.rawValue), 0,
      MountPropagation.slave.flags)
    try check(result, "mount_setattr")
  }

  /// Makes the mount at the working directory the root of the namespace and stacks the old root on
  /// `oldRoot`, which is looked up there.
  ///
  /// See pivot_root(2).
  public static func pivotRoot(to newRoot: StaticString, oldRoot: StaticString)
    throws(SystemCallError)
  {
    try check(unsafe linux_pivot_root(newRoot.cString, oldRoot.cString), "pivot_root")
  }

  /// Takes away the mount at `path` and all that is mounted below it, at once and for good as far
  /// as lookups go.
  ///
  /// See umount2(2), MNT_DETACH.
  public static func detach(_ path: StaticString) throws(SystemCallError) {
    try check(unsafe linux_umount(path.cString, CInt(MNT_DETACH)), "umount2")
  }
}
