// SPDX-License-Identifier: Apache-2.0
// The new root under construction: where it is mounted, how paths in it are resolved, and how it
// becomes the root.

internal import Linux
internal import SystemPackage
internal import Text

/// A root file system under construction.
///
/// A tmpfs called the base has the new root mounted on its directory `new`. No path leads to the
/// base: it is mounted on a directory of the host, and a clone of that directory is mounted on top.
/// So while the new root is filled, every path of the host means what it means to the caller, magic
/// links and `..` included. The kernel leaves the base out when it clones a tree around it, because
/// it is unbindable: a bind of `/` does not show the new root inside itself.
///
/// The alternative, to move the host's tree below the base first, takes a second pivot_root(2),
/// and that call looks at every task of the machine.
struct NewRoot: ~Copyable {
  /// The launch that it is made for.
  let plan: LaunchPlan
  let base: MountTree
  /// A directory of the base for files that are not in the new root, once one is needed.
  var scratch = OwnedDescriptor.none
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
  /// The directory in which the last entry was made, if it vanishes with the sandbox and nothing
  /// that was mounted since can cover it; most destinations are made beside the one before.
  private var recent: Holder?
  /// The permissions of directories created on the way to a destination.
  var parents = FilePermissions.standardDirectory
  /// Whether the scratch directory has one that stays empty.
  var hasEmptyDirectory = false
  /// The same of a file.
  var hasEmptyFile = false
  /// The command's file, if a search would not find it.
  var program: ByteString?
  /// The master of the command's terminal, if that is one of the new root's.
  var master: OwnedDescriptor?
  /// The number of temporary overlays, which names their layers.
  var overlays = 0
  /// The number of directories in memory, which names them.
  var memories = 0
  /// The number of files in memory, which names them.
  var files = 0

  /// Builds the base and mounts the new root in it.
  ///
  /// Needs CAP_SYS_ADMIN and a new mount namespace.
  static func make(
    for plan: LaunchPlan, telling monitor: CInt
  ) throws(SystemCallError) -> NewRoot {
    let place = try hiddenPlace()
    let cover = try MountTree.clone(at: place)
    let base = try MountTree.make("tmpfs", [.noSetUserID, .noDevices]) {
      context throws(SystemCallError) in try context.set("mode", to: "0755")
    }
    try base.descriptor.makeDirectory("new", .standardDirectory)
    try base.attach(at: place)
    // Only a mount can become the root.
    let tree = try MountTree.clone(of: "new", in: base.descriptor)
    try base.restrictThisMount([], propagation: .excluded)
    try tree.attach(on: "new", in: base.descriptor)
    try cover.attach(at: base.descriptor)
    let root = tree.asDirectory()
    let file = try root.fileIdentity()
    return NewRoot(
      plan: plan, base: base, baseDevice: file.device, root: root, rootFile: file,
      monitor: monitor)
  }

  /// A directory of the host to mount the base on: /proc, because nearly every root has one and
  /// hardly anything is mounted below it, so that the clone on top costs little.
  ///
  /// Never the root itself, and therefore no link: the one unmount in the end would leave the host's
  /// tree in place.
  private static func hiddenPlace() throws(SystemCallError) -> OwnedDescriptor {
    let root = try OwnedDescriptor.open("/", .directory)
    for name in ["proc", "dev", "usr", "etc"] as [FilePath] {
      do throws(SystemCallError) {
        let place = try root.openEntry(name)
        if try place.status().kind == .directory { return place }
      } catch {
        guard error.errno == .noSuchFileOrDirectory else { throw error }
      }
    }
    throw SystemCallError(call: "openat", subject: "/proc", errno: .noSuchFileOrDirectory)
  }

  /// Makes the new root the root of the namespace and detaches the host's tree.
  consuming func enter() throws(SystemCallError) {
    try CurrentProcess.changeDirectory(to: root)
    // With `.` for both names the old root ends up stacked on the new one, where no path leads to
    // it. A single unmount then removes base and host; each unmount costs an RCU grace period.
    try MountNamespace.pivotRoot(to: ".", oldRoot: ".")
    try MountNamespace.detach(".")
  }

  /// Calls `body` with a directory of the base whose files can be cloned; all of it vanishes with
  /// the sandbox.
  mutating func inScratch<Result: ~Copyable>(
    _ body: (borrowing OwnedDescriptor) throws(SystemCallError) -> Result
  ) throws(SystemCallError) -> Result {
    if !scratch.isOpen { scratch = try makeScratch() }
    return try body(scratch)
  }

  private func makeScratch() throws(SystemCallError) -> OwnedDescriptor {
    let name: FilePath = "scratch"
    try base.descriptor.makeDirectory(name, .standardDirectory)
    // No other tree is cloned meanwhile.
    try base.restrictThisMount([], propagation: .isolated)
    let tree = try MountTree.clone(at: base.descriptor, withMountsBelow: false)
    try base.restrictThisMount([], propagation: .excluded)
    try tree.attach(on: name, in: base.descriptor)
    return tree.asDirectory()
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
    if path.lastName == "." {
      return try directory(
        path.parent, permissions: permissions, isPlace: isPlace)
    }
    switch try place(path, .directory, permissions, isMissing: true) {
    case .found(let descriptor): return descriptor
    case .made(let entry):
      let descriptor = try entry.holder.directory.openEntry(entry.name)
      keep(entry)
      return descriptor
    }
  }

  /// Resolves `path` as the command will; if it does not exist, creates a directory or an empty
  /// file.
  ///
  /// If `isMissing` is true, a look-up has just failed.
  mutating func place(
    _ path: FilePath, _ kind: FileKind, _ permissions: FilePermissions, isMissing: Bool = false,
    links: Int = 0
  ) throws(SystemCallError) -> Place {
    if let entry = recentEntry(for: path) {
      do throws(SystemCallError) {
        try make(entry, kind, permissions)
        return .made(entry)
      } catch {
        guard error.errno == .fileExists else { throw error.about(ByteString(path)) }
        keep(entry)
      }
    }
    if !isMissing {
      do throws(SystemCallError) {
        return .found(try settled(path, kind == .directory ? .directory : .location))
      } catch {
        guard error.errno == .noSuchFileOrDirectory, links < NewRoot.maximumLinks else {
          throw error.about(ByteString(path))
        }
      }
    }
    if path.lastName == "." {
      // Only a directory has such an entry.
      return .found(try directory(path.parent, permissions: parents))
    }
    if path.lastName == ".." {
      // This entry cannot be created, but its directory can.
      _ = try directory(path.parent, permissions: parents, isPlace: false)
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
      let target = try? entry.holder.directory.symbolicLinkTarget(entry.name)
    {
      let targetPath = path.parent.pushing(target.path)
      return try place(targetPath, kind, permissions, links: links)
    }
    do throws(SystemCallError) {
      // In a path such as `a/../a`, resolving the first half has created the second. Or another
      // launch has created it meanwhile.
      return .found(try settled(path, kind == .directory ? .directory : .location))
    } catch let other {
      guard other.errno == .noSuchFileOrDirectory else { throw other.about(ByteString(path)) }
      guard [.fileExists, .noSuchFileOrDirectory].contains(error.errno),
        links < NewRoot.maximumLinks
      else { throw error.about(ByteString(path)) }
      // The other launch has removed it again, or its directory.
      return try place(path, kind, permissions, links: links)
    }
  }

  /// The place of a mount.
  enum Place: ~Copyable {
    /// It existed.
    case found(OwnedDescriptor)
    /// It has just been made.
    case made(Entry)
  }

  /// An open directory that holds entries.
  struct Holder: ~Copyable {
    let directory: OwnedDescriptor
    /// The path by which it was found.
    let path: FilePath
    let identity: FileIdentity

    init(_ directory: consuming OwnedDescriptor, _ path: FilePath) throws(SystemCallError) {
      identity = try directory.fileIdentity()
      self.path = path
      self.directory = directory
    }
  }

  /// A name in an open directory.
  struct Entry: ~Copyable {
    let holder: Holder
    let name: FilePath
  }

  /// The entry at `path`, if it lies in the directory of the last one that was made.
  private mutating func recentEntry(for path: FilePath) -> Entry? {
    guard let holder = recent.take() else { return nil }
    guard path.endsInName, path.parent == holder.path else {
      recent = consume holder
      return nil
    }
    return Entry(holder: holder, name: path.lastName.path)
  }

  /// Keeps the directory of an entry for the next one.
  mutating func keep(_ entry: consuming Entry) {
    if isOwn(entry.holder.identity.device) { recent = consume entry.holder } else { recent = nil }
  }

  /// Forgets the directory, because a mount may cover it.
  mutating func forgetRecent() { recent = nil }

  /// Opens the directory for the entry `path`.
  mutating func entry(for path: FilePath) throws(SystemCallError) -> Entry {
    guard path.endsInName else {
      throw SystemCallError(
        call: "openat2", subject: ByteString(path),
        errno: path.isEmpty ? .noSuchFileOrDirectory : .fileExists)
    }
    if let entry = recentEntry(for: path) { return entry }
    let parent = path.parent
    // A relative destination is one that begins at the root.
    let directory = try directory(
      parent.isEmpty ? "/" : parent, permissions: parents, isPlace: false)
    return Entry(holder: try Holder(directory, parent), name: path.lastName.path)
  }

  mutating func make(
    _ entry: borrowing Entry, _ kind: FileKind, _ permissions: FilePermissions
  ) throws(SystemCallError) {
    try create(entry, kind) { () throws(SystemCallError) in
      switch kind {
      case .directory: try entry.holder.directory.makeDirectory(entry.name, permissions)
      case .other: try entry.holder.directory.makeFile(entry.name, permissions)
      }
    }
  }
}
