// SPDX-License-Identifier: Apache-2.0
// The root on paper as a `RootBuilder`; NewRoot does the same with system calls.

internal import Linux
internal import SystemPackage
internal import Text

extension RootModel: RootBuilder {
  /// A file or directory by its position.
  struct Tree {
    let position: Position
    /// Where it is, inside; nil while it is detached.
    var place: FilePath?

    var mount: Int { position.mount }
  }

  /// A path without links.
  typealias HostFile = FilePath

  /// A plan does not search trees: it says what the option does.
  func matches(_ paths: HiddenPaths) -> [FilePath] { [] }

  /// The same.
  mutating func protectRepositories(in path: FilePath) throws(SystemCallError) {
    _ = try existing(at: path)
  }

  mutating func showGitDirectories(of path: FilePath) {}

  mutating func permitCommits(in path: FilePath) throws(SystemCallError) {
    _ = try existing(at: path)
  }

  mutating func passOver() { current?.isSkipped = true }

  func warn(of failure: LaunchError) {}
}

// MARK: - The host

extension RootModel {
  mutating func hostTree(
    _ path: FilePath, followsLink: Bool
  ) throws(SystemCallError) -> Tree {
    if madeOnHost.contains(path) {
      let type = host.mount(of: try existingAncestor(of: path))?.type ?? "unknown"
      return add(type, .memory, isReadOnly: false)
    }
    let found: FoundFile
    do throws(SystemCallError) {
      found = try host.follow(path)
    } catch {
      throw error.about(ByteString(path))
    }
    if let direct = directPath(of: path), found.path != direct {
      throw failure("openat2", path, .tooManySymbolicLinkLevels)
    }
    let entry = host.mount(of: found)
    // A file without a path, such as a namespace, lies on an internal mount of the kernel.
    let type = entry?.type ?? (found.path.isAbsolute ? "unknown" : "nsfs")
    let tree = add(type, .host(found.path), isReadOnly: entry?.isReadOnly == true)
    mounts[tree.mount].source = found
    for entry in host.mounts(below: found) {
      let companion = add(entry.type, .host(entry.point), isReadOnly: entry.isReadOnly)
      mounts[companion.mount].bind = tree.mount
      mounts[companion.mount].below = Array(
        entry.point.components.dropFirst(found.path.components.count))
    }
    return tree
  }

  /// Where a source lies that has to be reached without links, if it has to be; the source itself if the
  /// directory is missing.
  private func directPath(of path: FilePath) -> FilePath? {
    guard
      let (base, way) = resolved.sandbox.wayWithoutLinks(
        to: path, from: resolved.workingDirectory?.path)
    else { return nil }
    return (try? host.follow(base).path)?.pushing(way) ?? path
  }

  /// The nearest directory above a path of the host that exists.
  private func existingAncestor(of path: FilePath) throws(SystemCallError) -> FoundFile {
    var ancestor = path.isAbsolute ? path : FilePath(".").pushing(path)
    repeat { ancestor.removeLastComponent() } while host.look(at: ancestor) == nil
    return try host.follow(ancestor)
  }

  func hostRoot() -> FilePath { "/" }

  func hostWorkingDirectory() throws(SystemCallError) -> FilePath { try host.follow(".").path }

  func hostEntry(
    _ name: ByteString, in directory: borrowing FilePath
  ) throws(SystemCallError) -> FilePath {
    var path = copy directory
    if name == ".." {
      path.removeLastComponent()
      return path
    }
    path = path.pushing(name.path)
    guard host.look(at: path) != nil else {
      throw failure("openat", path, .noSuchFileOrDirectory)
    }
    return path
  }

  func linkTarget(of file: borrowing FilePath) -> ByteString? { hostLinkTarget(copy file) }

  func isMarkedExecutable(_ file: borrowing FilePath) -> Bool {
    (host.look(at: copy file)?.permissions ?? 0) & 0o111 != 0
  }

  mutating func tree(of file: borrowing FilePath) throws(SystemCallError) -> Tree {
    try hostTree(copy file, followsLink: false)
  }

  mutating func makeHostDirectory(_ path: FilePath) throws(SystemCallError) {
    guard host.look(at: path) == nil else { return }
    let base = resolved.sandbox.wayWithoutLinks(to: path, from: resolved.workingDirectory?.path)?
      .base
    if let base, (try? host.follow(base)) != nil, let direct = directPath(of: path),
      try !direct.starts(with: existingAncestor(of: path).path)
    {
      throw failure("openat2", path, .tooManySymbolicLinkLevels)
    }
    madeOnHost.append(path)
  }

  func hostPath(of descriptor: CInt) throws(SystemCallError) -> FilePath {
    try host.follow(FilePath("/proc/self/fd/" + String(descriptor))).path
  }

  func require(_ tree: borrowing Tree, toBe descriptor: CInt) {}

  func isClosedByAnother(_ path: FilePath) -> Bool {
    var directory = path
    while directory.removeLastComponent() {
      guard let found = try? host.follow(directory) else { continue }
      let facts = host.look(at: found.path)
      return facts.map { $0.kind == .directory && $0.owner != resolved.identity.user } ?? false
    }
    return false
  }

  func hostLinkTarget(_ path: FilePath) -> ByteString? {
    if let direct = directPath(of: path),
      (try? host.follow(path.parent).path) != direct.parent
    {
      return nil
    }
    return host.target(of: path).map { ByteString($0) }
  }
}

// MARK: - New file systems

extension RootModel {
  mutating func add(_ type: String, _ content: Content, isReadOnly: Bool) -> Tree {
    mounts.append(
      Mount(operation: current?.index, type: type, content: content, isReadOnly: isReadOnly))
    return Tree(position: rootPosition(of: mounts.count - 1))
  }

  mutating func make(
    _ type: StaticString, _ attributes: MountAttributes,
    _ configure: (borrowing FilesystemContext) throws(SystemCallError) -> Void
  ) -> Tree {
    // A new procfs has the same entries as the host's.
    let content: Content = "\(type)" == "proc" ? .host("/proc") : .memory
    return add("\(type)", content, isReadOnly: attributes.contains(.readOnly))
  }

  mutating func makeTerminal(in terminals: borrowing Tree) -> Tree {
    add("devpts", .file, isReadOnly: false)
  }

  mutating func sharedMemory(_ permissions: FilePermissions) -> Tree {
    add("tmpfs", .memory, isReadOnly: false)
  }

  mutating func makeFile(
    _ permissions: FilePermissions,
    _ fill: (borrowing OwnedDescriptor) throws(SystemCallError) -> Void
  ) -> Tree { add("tmpfs", .file, isReadOnly: false) }

  mutating func emptyTree(_ kind: FileKind) -> Tree {
    add("tmpfs", kind == .directory ? .memory : .file, isReadOnly: false)
  }

  mutating func makeOverlay(
    _ overlay: Overlay, for path: FilePath
  ) throws(LaunchError) -> Tree {
    for layer in overlay.sources.reversed() { try require(layer, Overlay.sourceOption) }
    if case .kept(let upper, let work) = overlay.writes {
      for layer in [upper, work] { try require(layer, nil) }
    }
    for layer in overlay.layers where resolved.namespaces.contains(.user) {
      // The kernel locks mounts below the tree when a user namespace copies them.
      guard let file = try? host.follow(layer), !host.mounts(below: file).isEmpty else { continue }
      throw LaunchError(
        .mountOverlay, option: nil, subject: ByteString(path),
        cause: SystemCallError(call: "fsconfig", errno: .invalidArgument))
    }
    let tree = add("overlay", .layers(overlay.layers), isReadOnly: overlay.writes == .refused)
    if case .review = current?.operation.action {
      mounts[tree.mount].reviewed = overlay.sources.first
    }
    return tree
  }

  /// Fails if a layer of an overlay is not a directory of the host.
  private func require(_ layer: FilePath, _ option: String?) throws(LaunchError) {
    do throws(SystemCallError) {
      let found = try host.follow(layer)
      guard found.kind == .directory else { throw failure("open", layer, .notDirectory) }
      if let direct = directPath(of: layer), found.path != direct {
        throw failure("openat2", layer, .tooManySymbolicLinkLevels)
      }
    } catch {
      throw LaunchError(
        .findSource, option: option.map { WrittenOption($0) }, subject: ByteString(layer),
        cause: error)
    }
  }

  mutating func socketTree(_ bus: Bus) -> Tree { add("tmpfs", .file, isReadOnly: false) }

  func own(_ tree: borrowing Tree) {}
}

// MARK: - Trees

extension RootModel {
  func kind(of tree: borrowing Tree) -> FileKind {
    node(at: tree.position) == .directory ? .directory : .other
  }

  func isRegularFile(_ tree: borrowing Tree) -> Bool {
    guard node(at: tree.position) == .file else { return false }
    let facts = hostPath(of: tree.position).flatMap { host.look(at: $0) }
    return facts.map { $0.kind == .regular } ?? true
  }

  func isOwn(_ tree: borrowing Tree) -> Bool { hostPath(of: tree.position) == nil }

  func isHostFile(_ place: borrowing Tree, _ path: FilePath) -> Bool {
    guard let shown = hostPath(of: place.position) else { return false }
    return shown == (try? host.follow(path))?.path
  }

  mutating func restrict(
    _ tree: borrowing Tree, _ attributes: MountAttributes, propagation: MountPropagation
  ) {
    guard attributes.contains(.readOnly) else { return }
    let top = tree.mount
    for index in mounts.indices where index == top || mounts[index].bind == top {
      mounts[index].isReadOnly = true
    }
  }

  mutating func restrictMount(
    at place: borrowing Tree, _ attributes: MountAttributes
  ) throws(SystemCallError) {
    let mount = decidingMount(at: place.position)
    guard rootPosition(of: mount).path == place.position.path else {
      throw failure("mount_setattr", place.place ?? "/", .invalidArgument)
    }
    if attributes.contains(.readOnly) { mounts[mount].isReadOnly = true }
  }

  func setPermissions(of tree: borrowing Tree, to permissions: FilePermissions) {}

  mutating func attach(
    _ tree: borrowing Tree, on place: borrowing Tree
  ) throws(SystemCallError) {
    let path = place.place ?? "/"
    guard kind(of: tree) == kind(of: place) else {
      throw failure("move_mount", path, .notDirectory)
    }
    let top = tree.mount
    if path.components.isEmpty {
      for index in mounts.indices where mounts[index].place != nil { mounts[index].isLost = true }
      root = top
    } else {
      attached[place.position] = top
    }
    mounts[top].place = path
    for index in mounts.indices where mounts[index].bind == top {
      mounts[index].place = path.appending(mounts[index].below)
    }
  }

  mutating func attach(
    _ tree: borrowing Tree, _ kind: FileKind, at path: FilePath
  ) throws(SystemCallError) {
    try attach(tree, on: found(place(path, kind == .directory ? .directory : .file)))
  }
}
