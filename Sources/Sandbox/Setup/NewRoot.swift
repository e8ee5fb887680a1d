// SPDX-License-Identifier: Apache-2.0
// The new root while it is being made: where it hangs, how places in it are found, and how it
// becomes the root.

internal import Linux
internal import SystemPackage
internal import Text

/// A root file system in the making.
///
/// A tmpfs called the base holds two mount points. The host's tree hangs on `old` and stays the
/// process's root for now, so that sources mean what they mean to the caller, magic links and all;
/// being a parent of that tree rather than a part of it, the base can never be bound by accident.
/// The new root hangs on `new` and is reached through a descriptor alone.
struct NewRoot: ~Copyable {
  /// The launch that it is made for.
  let plan: LaunchPlan
  let base: OwnedDescriptor
  /// The device of the base.
  let baseDevice: UInt64
  /// The devices of the other file systems that were made for this sandbox and go away with it.
  var otherDevices: [UInt64] = []
  var root: OwnedDescriptor
  var rootFile: FileIdentity
  /// The channel to the monitor, which is told of what is made on the host.
  let monitor: CInt
  /// The directory of which it was told last, and of how many.
  var lastTold: CInt = -1
  var directoriesTold = 0
  var leftovers: [Leftover] = []
  /// The directories of the host that are locked, by open descriptors.
  var locks: [(directory: CInt, identity: FileIdentity)] = []
  /// What directories get that are made on the way to a destination.
  var parents = FilePermissions.standardDirectory
  /// Whether the base has a directory that stays empty.
  var hasEmptyDirectory = false
  /// The command's file, where the search for it would not find it.
  var program: ByteString?
  /// How many temporary overlays there are, for the names of their layers.
  var overlays = 0

  /// Builds the base and hangs the host's tree into it.
  ///
  /// Needs CAP_SYS_ADMIN and a mount namespace of its own.
  static func make(
    for plan: LaunchPlan, telling monitor: CInt
  ) throws(SystemCallError) -> NewRoot {
    let host = try OwnedDescriptor.open("/", .directory)
    let caller = try? OwnedDescriptor.open(".", .directory)

    let tmpfs = try MountTree.make("tmpfs", [.noSetUserID, .noDevices]) {
      context throws(SystemCallError) in try context.set("mode", to: "0755")
    }
    try tmpfs.descriptor.makeDirectory("new", .standardDirectory)
    try tmpfs.descriptor.makeDirectory("old", .standardDirectory)
    try tmpfs.attach(at: host)
    let base = tmpfs.asDirectory()

    // pivot_root rather than a mount below the old root: a recursive bind of `/` would then show
    // the new root inside itself, and `..` would lead from the host's directories into it.
    try CurrentProcess.changeDirectory(to: base)
    try MountNamespace.pivotRoot(to: ".", oldRoot: "old")

    let tree = try MountTree.clone(of: "new", in: base)
    try tree.attach(on: "new", in: base)
    let root = tree.asDirectory()

    try CurrentProcess.changeDirectory(to: host)
    try CurrentProcess.changeRootToWorkingDirectory()
    if let caller {
      try CurrentProcess.changeDirectory(to: caller)
    } else {
      // A relative source is then not found. From any other place it would be another file.
      try base.makeDirectory("nowhere", .standardDirectory)
      try CurrentProcess.changeDirectory(to: base.openEntry("nowhere"))
    }
    let (device, file) = (try base.status().device, try root.fileIdentity())
    return NewRoot(
      plan: plan, base: base, baseDevice: device, root: root, rootFile: file, monitor: monitor)
  }

  /// Makes the new root the root of the namespace and lets go of the host's tree.
  consuming func enter() throws(SystemCallError) {
    // pivot_root demands that the old root is the process's own, which is the base.
    try CurrentProcess.changeDirectory(to: base)
    try CurrentProcess.changeRootToWorkingDirectory()
    try CurrentProcess.changeDirectory(to: root)
    // With both names `.` the old root ends up stacked on the new one, where no name leads to it;
    // one unmount, of which each costs a grace period of the kernel, then takes base and host.
    try MountNamespace.pivotRoot(to: ".", oldRoot: ".")
    try MountNamespace.detach(".")
  }
}

// MARK: - Places

extension NewRoot {
  /// How many links that lead nowhere are followed, as many as the kernel follows in one path.
  static let maximumLinks = 40

  /// Opens the directory `path`, which is made, and its parents too, where it does not exist.
  ///
  /// Something may be mounted on it where `isPlace` is true.
  mutating func directory(
    _ path: FilePath, permissions: FilePermissions = .standardDirectory, isPlace: Bool = true
  ) throws(SystemCallError) -> OwnedDescriptor {
    do throws(SystemCallError) {
      return isPlace ? try settled(path, .directory) : try root.openInRoot(path, .directory)
    } catch {
      guard error.errno == .noSuchFileOrDirectory else { throw error.about(ByteString(path)) }
    }
    if path.lastComponent?.kind == .currentDirectory {
      return try directory(
        path.removingLastComponent(), permissions: permissions, isPlace: isPlace)
    }
    return try place(path, .directory, permissions).opened()
  }

  /// Finds `path` as it will mean inside; what does not exist is made, as a directory or as an
  /// empty file.
  mutating func place(
    _ path: FilePath, _ kind: FileKind, _ permissions: FilePermissions, links: Int = 0
  ) throws(SystemCallError) -> Place {
    do throws(SystemCallError) {
      return .found(try settled(path, .location))
    } catch {
      guard error.errno == .noSuchFileOrDirectory, links < NewRoot.maximumLinks else {
        throw error.about(ByteString(path))
      }
    }
    if path.lastComponent?.kind == .currentDirectory {
      // Only a directory has that in it.
      return .found(try directory(path.removingLastComponent(), permissions: parents))
    }
    if path.lastComponent?.kind == .parentDirectory {
      // It cannot be made, but what it is the parent of can.
      _ = try directory(path.removingLastComponent(), permissions: parents, isPlace: false)
      return .found(try root.openInRoot(path, .location))
    }
    let entry = try entry(for: path)
    do throws(SystemCallError) {
      try make(entry, kind, permissions)
    } catch {
      return try place(path, kind, permissions, after: error, of: entry, links: links + 1)
    }
    return .made(entry)
  }

  /// Finds `path` where it could not be made.
  private mutating func place(
    _ path: FilePath, _ kind: FileKind, _ permissions: FilePermissions,
    after error: SystemCallError, of entry: borrowing Entry, links: Int
  ) throws(SystemCallError) -> Place {
    // A name that exists and cannot be opened is a link that leads nowhere: what it names is made,
    // in the new root.
    if error.errno == .fileExists,
      let target = try? entry.directory.symbolicLinkTarget(entry.name)
    {
      let targetPath = path.removingLastComponent().pushing(target.path)
      return try place(targetPath, kind, permissions, links: links)
    }
    do throws(SystemCallError) {
      // A path such as `a/../a`, of which the first half was made on the way to the second. Or
      // another launch has made it by now.
      return .found(try settled(path, .location))
    } catch let other {
      guard other.errno == .noSuchFileOrDirectory else { throw other.about(ByteString(path)) }
      guard [.fileExists, .noSuchFileOrDirectory].contains(error.errno),
        links < NewRoot.maximumLinks
      else { throw error.about(ByteString(path)) }
      // Which has taken it back, or the directory that this was to lie in.
      return try place(path, kind, permissions, links: links)
    }
  }

  /// Where something is to be mounted.
  enum Place: ~Copyable {
    /// It existed.
    case found(OwnedDescriptor)
    /// It has just been made.
    case made(Entry)

    /// The place as an open descriptor.
    consuming func opened() throws(SystemCallError) -> OwnedDescriptor {
      switch consume self {
      case .found(let descriptor): return descriptor
      case .made(let entry): return try entry.directory.openEntry(entry.name)
      }
    }
  }

  /// A name in an open directory.
  struct Entry: ~Copyable {
    let directory: OwnedDescriptor
    let name: FilePath
  }

  /// Opens the directory that is to hold `path`.
  mutating func entry(for path: FilePath) throws(SystemCallError) -> Entry {
    guard let last = path.lastComponent, last.kind == .regular else {
      throw SystemCallError(
        call: "openat2", subject: ByteString(path),
        errno: path.isEmpty ? .noSuchFileOrDirectory : .fileExists)
    }
    let parent = path.removingLastComponent()
    // A relative destination is one that begins at the root.
    return Entry(
      directory: try directory(
        parent.isEmpty ? "/" : parent, permissions: parents, isPlace: false),
      name: FilePath(root: nil, [last]))
  }

  mutating func make(
    _ entry: borrowing Entry, _ kind: FileKind, _ permissions: FilePermissions
  ) throws(SystemCallError) {
    let identity = try entry.directory.fileIdentity()
    let directory = lock(entry.directory, identity)
    switch kind {
    case .directory: try entry.directory.makeDirectory(entry.name, permissions)
    case .other: try entry.directory.makeFile(entry.name, permissions)
    }
    remember(entry, kind, directory)
  }
}
