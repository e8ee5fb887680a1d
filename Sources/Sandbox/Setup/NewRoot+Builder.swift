// SPDX-License-Identifier: Apache-2.0
// `NewRoot` as a `RootBuilder`: each ability as system calls.

internal import Linux
internal import SystemPackage
internal import Text

extension NewRoot: RootBuilder {
  typealias Tree = MountTree
  typealias HostFile = OwnedDescriptor

  var resolved: ResolvedSandbox { plan.resolved }

  var terminal: FilePath? {
    plan.standard?.withholdsTerminal == true ? nil : Terminal.standard
  }

  mutating func makeTerminal(in terminals: borrowing MountTree) throws(SystemCallError) -> MountTree
  {
    let master: OwnedDescriptor
    do throws(SystemCallError) {
      master = try PseudoTerminal.open(in: terminals.descriptor)
    } catch {
      throw error.about("/dev/pts/ptmx")
    }
    let tree = try MountTree.clone(of: PseudoTerminal.name(of: master), in: terminals.descriptor)
    // One of an earlier --dev is covered, or will not be found in /dev.
    self.master = OwnedDescriptor(master.release())
    return tree
  }

  func passOver() {}

  func warn(of failure: LaunchError) {
    // If standard error is closed, the warning has no reader.
    try? Descriptors.write(plan.warningPrefix + failure.message + "\n", to: 2)
  }
}

// MARK: - The host

extension NewRoot {
  func hostTree(
    _ path: FilePath, followsLink: Bool
  ) throws(SystemCallError) -> MountTree {
    if plan.sandbox.isExamined(path) { return try MountTree.clone(at: examinedDirectory(path)) }
    if let (base, way) = wayWithoutLinks(to: path) {
      let file = try directEntry(way, below: base)
      if try file.ownLinkTarget() != nil {
        throw SystemCallError(
          call: "openat2", subject: ByteString(path), errno: .tooManySymbolicLinkLevels)
      }
      return try MountTree.clone(at: file)
    }
    do throws(SystemCallError) {
      return try MountTree.clone(of: path, followsLink: followsLink)
    } catch {
      if error.errno == .invalidArgument, let tree = NewRoot.tree(behind: path) { return tree }
      throw error
    }
  }

  /// Opens a directory that was looked at before; refuses links on the way.
  ///
  /// A process that may write to a directory on the way could put a link there since then. The
  /// working directory, and what lies below it, is found from where this process is.
  private func examinedDirectory(_ path: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    if let directory = resolved.workingDirectory?.path, path.starts(with: directory) {
      let start = try hostWorkingDirectory()
      let rest = path.components.dropFirst(directory.components.count)
      if rest.isEmpty { return start }
      return try start.openDirectlyInRoot(FilePath(root: nil, rest))
    }
    return try hostRoot().openDirectlyInRoot(path)
  }

  private func wayWithoutLinks(to path: FilePath) -> (base: FilePath, way: FilePath)? {
    plan.sandbox.wayWithoutLinks(to: path, from: resolved.workingDirectory?.path)
  }

  private func directory(withoutLinksIn base: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    if plan.sandbox.isExamined(base) { return try examinedDirectory(base) }
    return try OwnedDescriptor.open(base, .directory)
  }

  /// Opens the entry of the host at the end of `way`, which may itself be a link; refuses links on the way from
  /// `base`.
  private func directEntry(
    _ way: FilePath, below base: FilePath
  ) throws(SystemCallError) -> OwnedDescriptor {
    let start = try directory(withoutLinksIn: base)
    guard let name = way.lastComponent else { return start }
    let parent = way.removingLastComponent()
    let directory = try start.openDirectlyInRoot(parent.isEmpty ? "." : parent)
    return try directory.openEntry(FilePath(root: nil, [name]))
  }

  /// Opens a directory of the host that is a layer of an overlay.
  func layer(_ path: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    guard let (base, way) = wayWithoutLinks(to: path) else {
      return try OwnedDescriptor.open(path, .directory)
    }
    return try directory(withoutLinksIn: base).openDirectlyInRoot(way)
  }

  /// The tree behind the magic link `path`, such as /dev/fd/3 or /proc/self/exe; nil if `path` is
  /// not one.
  ///
  /// Such a link leads to a mount of the caller's namespace, which cannot be cloned here. The file
  /// can be cloned by its name, if the name leads to the same file.
  private static func tree(behind path: FilePath) -> MountTree? {
    do throws(SystemCallError) {
      let file = try OwnedDescriptor.open(path, .location)
      let tree = try MountTree.clone(of: Descriptors.path(of: file.rawValue))
      guard try tree.descriptor.fileIdentity() == file.fileIdentity() else { return nil }
      return tree
    } catch {
      return nil
    }
  }

  func hostRoot() throws(SystemCallError) -> OwnedDescriptor {
    try OwnedDescriptor.open("/", .directory)
  }

  func hostWorkingDirectory() throws(SystemCallError) -> OwnedDescriptor {
    try OwnedDescriptor.open(".", .directory)
  }

  func hostEntry(
    _ name: ByteString, in directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> OwnedDescriptor {
    try directory.openEntry(name.path)
  }

  func linkTarget(of file: borrowing OwnedDescriptor) throws(SystemCallError) -> ByteString? {
    try file.ownLinkTarget()
  }

  func isMarkedExecutable(_ file: borrowing OwnedDescriptor) throws(SystemCallError) -> Bool {
    try file.isMarkedExecutable()
  }

  func tree(of file: borrowing OwnedDescriptor) throws(SystemCallError) -> MountTree {
    try MountTree.clone(at: file)
  }

  mutating func makeHostDirectory(_ path: FilePath) throws(SystemCallError) {
    do throws(SystemCallError) {
      _ = try OwnedDescriptor.open(path, .directory)
    } catch {
      guard error.errno == .noSuchFileOrDirectory, let name = path.lastComponent,
        name.kind == .regular
      else { throw error }
      let parent = path.removingLastComponent()
      if !parent.isEmpty { try makeHostDirectory(parent) }
      let directory = try OwnedDescriptor.open(parent.isEmpty ? "." : parent, .directory)
      let entry = Entry(
        holder: try Holder(directory, parent), name: FilePath(root: nil, [name]))
      do throws(SystemCallError) {
        try make(entry, .directory, .privateDirectory)
      } catch {
        // Another launch has just made it.
        if error.errno != .fileExists { throw error }
      }
    }
  }

  func hostPath(of descriptor: CInt) throws(SystemCallError) -> FilePath {
    try Descriptors.path(of: descriptor)
  }

  func require(
    _ tree: borrowing MountTree, toBe descriptor: CInt
  ) throws(SystemCallError) {
    guard try tree.descriptor.fileIdentity() == Descriptors.fileIdentity(of: descriptor) else {
      throw SystemCallError(call: "fstat", errno: .staleNFSFileHandle)
    }
  }

  func isClosedByAnother(_ path: FilePath) -> Bool {
    var directory = path
    while directory.removeLastComponent() {
      guard let file = try? OwnedDescriptor.open(directory, .location) else { continue }
      // Only of another user's FUSE file system the kernel tells nothing.
      guard let (kind, _, owner) = try? file.status() else { return true }
      // Both numbers are those of the new user namespace; where the caller has none there, its files
      // and those of others look the same, and the option fails.
      // An error alone is no proof that the directory is closed, so ask again.
      return kind == .directory && owner != CurrentProcess.identity.user
        && !FileAccess.execute.isGranted(directory)
    }
    return false
  }

  func hostLinkTarget(_ path: FilePath) throws(SystemCallError) -> ByteString? {
    if let (base, way) = wayWithoutLinks(to: path) {
      return try directEntry(way, below: base).ownLinkTarget()
    }
    return try CurrentProcess.symbolicLinkTarget(path)
  }
}

// MARK: - New file systems

extension NewRoot {
  func make(
    _ type: StaticString, _ attributes: MountAttributes,
    _ configure: (borrowing FilesystemContext) throws(SystemCallError) -> Void
  ) throws(SystemCallError) -> MountTree {
    try MountTree.make(type, attributes, configure)
  }

  mutating func sharedMemory(_ permissions: FilePermissions) throws(SystemCallError) -> MountTree {
    memories += 1
    let name = FilePath("memory" + String(memories))
    return try inScratch { directory throws(SystemCallError) in
      try directory.makeDirectory(name, permissions)
      return try MountTree.clone(of: name, in: directory)
    }
  }

  mutating func makeFile(
    _ permissions: FilePermissions,
    _ fill: (borrowing OwnedDescriptor) throws(SystemCallError) -> Void
  ) throws(SystemCallError) -> MountTree {
    files += 1
    let name = FilePath("data" + String(files))
    return try inScratch { directory throws(SystemCallError) in
      let file = try directory.create(name, permissions)
      try fill(file)
      return try MountTree.clone(of: name, in: directory)
    }
  }

  mutating func emptyTree(_ kind: FileKind) throws(SystemCallError) -> MountTree {
    // It keeps its name, so that it can be covered in turn.
    let name: FilePath = kind == .directory ? "empty" : "nothing"
    let isMade = kind == .directory ? hasEmptyDirectory : hasEmptyFile
    if kind == .directory { hasEmptyDirectory = true } else { hasEmptyFile = true }
    return try inScratch { directory throws(SystemCallError) in
      if !isMade {
        switch kind {
        case .directory:
          try directory.makeDirectory(name, FilePermissions(rawValue: 0o555))
        case .other: try directory.makeFile(name, .mountPoint)
        }
      }
      return try MountTree.clone(of: name, in: directory)
    }
  }

  /// Waits for the sockets of `proxy`, and attaches them where their trees can be cloned.
  mutating func keepSockets(of proxy: BusProxy) throws(LaunchError) {
    let option = proxy.buses.first?.access.option
    try doing(.startBusProxy, option: option, BusProxy.program) { () throws(SystemCallError) in
      guard try Descriptors.waitForByte(proxy.helper.lifeline) else {
        // The other end is closed: the proxy ended without a report.
        throw SystemCallError(call: "read", errno: .brokenPipe)
      }
      // The kernel clones a part of a mount only if the mount is attached.
      try inScratch { directory throws(SystemCallError) in
        try directory.makeDirectory(NewRoot.sockets, .standardDirectory)
        try MountTree(OwnedDescriptor(proxy.sockets)).attach(on: NewRoot.sockets, in: directory)
      }
    }
  }

  mutating func socketTree(_ bus: Bus) throws(SystemCallError) -> MountTree {
    try inScratch { directory throws(SystemCallError) in
      try MountTree.clone(of: NewRoot.sockets.appending(bus.rawValue), in: directory)
    }
  }

  private static let sockets: FilePath = "sockets"
}

// MARK: - Trees

extension NewRoot {
  func kind(of tree: borrowing MountTree) throws(SystemCallError) -> FileKind {
    if let status = try tree.descriptor.statusIfTold() { return status.kind }
    // Opening it still shows what it is.
    let path = FilePath("/proc/self/fd/" + String(tree.descriptor.rawValue))
    return (try? OwnedDescriptor.open(path, .directory)) != nil ? .directory : .other
  }

  func isRegularFile(_ tree: borrowing MountTree) throws(SystemCallError) -> Bool {
    try tree.descriptor.isRegularFile()
  }

  func isOwn(_ tree: borrowing MountTree) throws(SystemCallError) -> Bool {
    try tree.descriptor.statusIfTold().map { isOwn($0.device) } ?? false
  }

  func isHostFile(
    _ place: borrowing MountTree, _ path: FilePath
  ) throws(SystemCallError) -> Bool {
    let file = try ifPresent { () throws(SystemCallError) in
      try OwnedDescriptor.open(path, .location)
    }
    guard let file else { return false }
    return try file.fileIdentity() == place.descriptor.fileIdentity()
  }

  func restrict(
    _ tree: borrowing MountTree, _ attributes: MountAttributes, propagation: MountPropagation
  ) throws(SystemCallError) {
    try tree.restrict(attributes, propagation: propagation)
  }

  func restrictMount(
    at place: borrowing MountTree, _ attributes: MountAttributes
  ) throws(SystemCallError) {
    try place.restrictThisMount(attributes)
  }

  func setPermissions(
    of tree: borrowing MountTree, to permissions: FilePermissions
  ) throws(SystemCallError) {
    try tree.descriptor.setPermissions(UInt32(permissions.rawValue))
  }

  mutating func attach(
    _ tree: borrowing MountTree, on place: borrowing MountTree
  ) throws(SystemCallError) {
    try attach(tree, on: place.descriptor)
  }

  mutating func attach(
    _ tree: borrowing MountTree, _ kind: FileKind, at path: FilePath
  ) throws(SystemCallError) {
    switch try place(path, kind, kind == .directory ? .standardDirectory : .mountPoint) {
    // The new entry is not a link; if somebody replaced it by one, the link is not followed.
    case .made(let entry):
      try tree.attach(on: entry.name, in: entry.holder.directory)
      keep(entry)
    case .found(let descriptor): try attach(tree, on: descriptor)
    }
  }

  /// Attaches `tree` at `place`.
  ///
  /// If that is the root itself, later lookups begin in `tree`: from the old descriptor they would
  /// end below it.
  private mutating func attach(
    _ tree: borrowing MountTree, on place: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    forgetRecent()
    // Another user's FUSE mount is not the root.
    let file = try place.fileIdentityIfTold()
    try tree.attach(at: place)
    if file == rootFile {
      root = try tree.descriptor.openInRoot(".", .directory)
      rootFile = try root.fileIdentity()
    }
  }
}
