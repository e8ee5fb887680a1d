// SPDX-License-Identifier: Apache-2.0
// Mounts as descriptors: a tree is cloned or made detached, gets its flags there, and is attached
// last, so that no process ever sees it with fewer restrictions than the options ask for.

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

  /// Nobody can write.
  ///
  /// The corresponding C constant is `MOUNT_ATTR_RDONLY`.
  public static let readOnly = MountAttributes(rawValue: UInt32(MOUNT_ATTR_RDONLY))
  /// Set-user-ID bits have no effect.
  ///
  /// The corresponding C constant is `MOUNT_ATTR_NOSUID`.
  public static let noSetUserID = MountAttributes(rawValue: UInt32(MOUNT_ATTR_NOSUID))
  /// Nobody can open device files.
  ///
  /// The corresponding C constant is `MOUNT_ATTR_NODEV`.
  public static let noDevices = MountAttributes(rawValue: UInt32(MOUNT_ATTR_NODEV))
  /// Nobody can execute files.
  ///
  /// The corresponding C constant is `MOUNT_ATTR_NOEXEC`.
  public static let noExecution = MountAttributes(rawValue: UInt32(MOUNT_ATTR_NOEXEC))
}

/// Whether later mounts and unmounts on the host appear in a tree.
///
/// See mount_namespaces(7).
public enum MountPropagation: Sendable {
  /// As on the host.
  case unchanged
  /// Mounts of the host appear in the tree, and none of the tree's appear on the host.
  case slave
  /// None appear.
  case isolated
  /// None appear, and a clone of a tree around this one leaves it out.
  case excluded

  var flags: UInt64 {
    switch self {
    case .unchanged: 0
    case .slave: UInt64(MS_SLAVE)
    case .isolated: UInt64(MS_PRIVATE)
    case .excluded: UInt64(MS_UNBINDABLE)
    }
  }
}

/// A tree of mounts, detached or attached.
public struct MountTree: ~Copyable {
  /// A descriptor of the tree's root.
  public let descriptor: OwnedDescriptor

  /// Takes over a descriptor of a mount.
  public init(_ descriptor: consuming OwnedDescriptor) {
    self.descriptor = descriptor
  }

  /// Clones the tree at `path`, with all mounts below, as this process resolves the path.
  ///
  /// If `followsLink` is false and the path ends in a link, attaching the clone fails.
  /// See open_tree(2), OPEN_TREE_CLONE.
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

  /// Clones the tree at `name` in `directory`, with all mounts below.
  ///
  /// `directory` must be attached; the kernel does not follow a link of this name.
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

  /// Clones the tree at an open location, with all mounts below unless `withMountsBelow` is false.
  public static func clone(
    at location: borrowing OwnedDescriptor, withMountsBelow: Bool = true
  ) throws(SystemCallError) -> MountTree {
    var flags = cloneFlags | UInt32(LINUX_AT_EMPTY_PATH)
    if withMountsBelow { flags |= UInt32(LINUX_AT_RECURSIVE) }
    let result = unsafe linux_open_tree(location.rawValue, "", flags)
    return MountTree(OwnedDescriptor(try check(result, "open_tree")))
  }

  private static let cloneFlags = UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC)

  /// Adds restrictions to every mount of the tree, and keeps those that it has.
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

  /// Adds restrictions only to the mount at the tree's root, which must be a mount point.
  public borrowing func restrictThisMount(
    _ attributes: MountAttributes, propagation: MountPropagation = .unchanged
  ) throws(SystemCallError) {
    let result = unsafe linux_mount_setattr(
      descriptor.rawValue, "", UInt32(LINUX_AT_EMPTY_PATH), UInt64(attributes.rawValue), 0,
      propagation.flags)
    try check(result, "mount_setattr")
  }

  /// Lifts the restriction to reading from the mount at the tree's root, which must be a mount point.
  ///
  /// The kernel refuses that if the restriction comes from the host.
  public borrowing func permitWriting() throws(SystemCallError) {
    let result = unsafe linux_mount_setattr(
      descriptor.rawValue, "", UInt32(LINUX_AT_EMPTY_PATH), 0,
      UInt64(MountAttributes.readOnly.rawValue), 0)
    try check(result, "mount_setattr")
  }

  /// Attaches the tree at an open location.
  ///
  /// See move_mount(2).
  public borrowing func attach(at place: borrowing OwnedDescriptor) throws(SystemCallError) {
    let flags = UInt32(MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
    let result = unsafe linux_move_mount(descriptor.rawValue, "", place.rawValue, "", flags)
    try check(result, "move_mount")
  }

  /// Attaches the tree on `name` in `directory`, a name that the launch has just made.
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

  /// The tree's root as a plain descriptor, for lookups below it.
  public consuming func asDirectory() -> OwnedDescriptor { descriptor }
}

extension OwnedDescriptor {
  /// Whether a mount begins at this location.
  ///
  /// See statx(2), STATX_ATTR_MOUNT_ROOT.
  public borrowing func isMountPoint() throws(SystemCallError) -> Bool {
    try check(linux_is_mount_root(rawValue), "statx") != 0
  }
}

extension StaticString {
  /// The text as a C string: literals end with a NUL.
  @unsafe var cString: UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
  }
}

/// The mount namespace of this process.
public enum MountNamespace {
  /// Keeps mounts of this namespace from appearing on the host.
  ///
  /// See mount_namespaces(7).
  public static func becomeSlave() throws(SystemCallError) {
    let result = unsafe linux_mount_setattr(
      AT_FDCWD, "/", UInt32(LINUX_AT_RECURSIVE), 0, 0, MountPropagation.slave.flags)
    try check(result, "mount_setattr")
  }

  /// Makes every mount of this namespace read-only, and keeps that change from the host.
  ///
  /// See mount_setattr(2), AT_RECURSIVE.
  public static func becomeReadOnly() throws(SystemCallError) {
    let result = unsafe linux_mount_setattr(
      AT_FDCWD, "/", UInt32(LINUX_AT_RECURSIVE), UInt64(MountAttributes.readOnly.rawValue), 0,
      MountPropagation.slave.flags)
    try check(result, "mount_setattr")
  }

  /// Makes the mount at the working directory the root of the namespace, and mounts the old root on
  /// `oldRoot`, a path from there.
  ///
  /// See pivot_root(2).
  public static func pivotRoot(to newRoot: StaticString, oldRoot: StaticString)
    throws(SystemCallError)
  {
    try check(unsafe linux_pivot_root(newRoot.cString, oldRoot.cString), "pivot_root")
  }

  /// Detaches the mount at `path` with all mounts below: from then on no lookup reaches them.
  ///
  /// See umount2(2), MNT_DETACH.
  public static func detach(_ path: StaticString) throws(SystemCallError) {
    try check(unsafe linux_umount(path.cString, CInt(MNT_DETACH)), "umount2")
  }
}
