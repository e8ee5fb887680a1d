// SPDX-License-Identifier: Apache-2.0
// The new root under construction: where it is mounted, how paths in it are resolved, and how it
// becomes the root.

internal import Linux
internal import SystemPackage
internal import Text

/// A root file system under construction.
///
/// A tmpfs called the base holds two mount points. The host's tree is mounted on `old` and stays
/// the process's root for now, so that a source means what it means to the caller, magic links
/// included. The base is the parent of that tree, not a part of it, and so cannot be bound by
/// accident. The new root is mounted on `new` and is reached only through a descriptor.
struct NewRoot: ~Copyable {
  /// The launch that it is made for.
  let plan: LaunchPlan
  let base: OwnedDescriptor
  /// The device of the base.
  let baseDevice: UInt64
  /// The devices of the other file systems created for this sandbox, which vanish with it.
  var otherDevices: [UInt64] = []
  var root: OwnedDescriptor
  var rootFile: FileIdentity
  /// The channel to the monitor, which learns what is created on the host.
  let monitor: CInt
  /// The directory reported to the monitor last, and how many were reported.
  var lastTold: CInt = -1
  var directoriesTold = 0
  var leftovers: [Leftover] = []
  /// The directories of the host that are locked, by open descriptors.
  var locks: [(directory: CInt, identity: FileIdentity)] = []
  /// The permissions of directories created on the way to a destination.
  var parents = FilePermissions.standardDirectory
  /// Whether the base has a directory that stays empty.
  var hasEmptyDirectory = false
  /// The same of a file.
  var hasEmptyFile = false
  /// The command's file, if a search would not find it.
  var program: ByteString?
  /// The number of temporary overlays, which names their layers.
  var overlays = 0

  /// Builds the base and mounts the host's tree in it.
  ///
  /// Needs CAP_SYS_ADMIN and a new mount namespace.
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
      // From here a relative source is not found. From any other directory it would name another
      // file.
      try base.makeDirectory("nowhere", .standardDirectory)
      try CurrentProcess.changeDirectory(to: base.openEntry("nowhere"))
    }
    let (device, file) = (try base.status().device, try root.fileIdentity())
    return NewRoot(
      plan: plan, base: base, baseDevice: device, root: root, rootFile: file, monitor: monitor)
  }

  /// Makes the new root the root of the namespace and detaches the host's tree.
  consuming func enter() throws(SystemCallError) {
    // pivot_root requires that the old root, the base, is the process's root.
    try CurrentProcess.changeDirectory(to: base)
    try CurrentProcess.changeRootToWorkingDirectory()
    try CurrentProcess.changeDirectory(to: root)
    // With `.` for both names the old root ends up stacked on the new one, where no path leads to
    // it. A single unmount then removes base and host; each unmount costs an RCU grace period.
    try MountNamespace.pivotRoot(to: ".", oldRoot: ".")
    try MountNamespace.detach(".")
  }
}

// MARK: - Places

extension NewRoot {
  /// How many dangling links are followed: as many links as the kernel follows in one path.
  static let maximumLinks = 40

  /// Opens the directory `path`; if it does not exist, creates it and its parents.
  ///
  /// If `isPlace` is true, something may be mounted on it.
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

  /// Resolves `path` as the command will; if it does not exist, creates a directory or an empty
  /// file.
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
      // Only a directory has such an entry.
      return .found(try directory(path.removingLastComponent(), permissions: parents))
    }
    if path.lastComponent?.kind == .parentDirectory {
      // This entry cannot be created, but its directory can.
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

  /// Resolves `path` after creating it has failed.
  private mutating func place(
    _ path: FilePath, _ kind: FileKind, _ permissions: FilePermissions,
    after error: SystemCallError, of entry: borrowing Entry, links: Int
  ) throws(SystemCallError) -> Place {
    // A name that exists but cannot be opened is a dangling link: its target is created, in the new
    // root.
    if error.errno == .fileExists,
      let target = try? entry.directory.symbolicLinkTarget(entry.name)
    {
      let targetPath = path.removingLastComponent().pushing(target.path)
      return try place(targetPath, kind, permissions, links: links)
    }
    do throws(SystemCallError) {
      // In a path such as `a/../a`, resolving the first half has created the second. Or another
      // launch has created it meanwhile.
      return .found(try settled(path, .location))
    } catch let other {
      guard other.errno == .noSuchFileOrDirectory else { throw other.about(ByteString(path)) }
      guard [.fileExists, .noSuchFileOrDirectory].contains(error.errno),
        links < NewRoot.maximumLinks
      else { throw error.about(ByteString(path)) }
      // The other launch has removed it again, or its directory.
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
    try create(entry, kind) { () throws(SystemCallError) in
      switch kind {
      case .directory: try entry.directory.makeDirectory(entry.name, permissions)
      case .other: try entry.directory.makeFile(entry.name, permissions)
      }
    }
  }
}
