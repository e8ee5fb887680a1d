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

  /// The nearest directory above a path of the host that exists.
  private func existingAncestor(of path: FilePath) throws(SystemCallError) -> FoundFile {
    var ancestor = path.isAbsolute ? path : FilePath(".").pushing(path)
    repeat { ancestor.removeLastComponent() } while host.look(at: ancestor) == nil
    return try host.follow(ancestor)
  }

  func hostRoot() -> FilePath { "/" }

  func hostWorkingDirectory() throws(SystemCallError) -> FilePath { try host.follow(".").path }

  func hostEntry(
    _ name: FilePath.Component, in directory: borrowing FilePath
  ) throws(SystemCallError) -> FilePath {
    var path = copy directory
    if name.kind == .parentDirectory {
      path.removeLastComponent()
      return path
    }
    path.append(name)
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

  mutating func makeHostDirectory(_ path: FilePath) {
    if host.look(at: path) == nil { madeOnHost.append(path) }
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
    host.target(of: path).map { ByteString($0) }
  }
}

// MARK: - New file systems

extension RootModel {
  private mutating func add(_ type: String, _ content: Content, isReadOnly: Bool) -> Tree {
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

  mutating func forgetFile() {
    if let index = mounts.lastIndex(where: { $0.content == .file }) {
      mounts[index].isNameless = true
    }
  }

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
    return add("overlay", .layers(overlay.layers), isReadOnly: overlay.writes == .refused)
  }

  /// Fails if a layer of an overlay is not a directory of the host.
  private func require(_ layer: FilePath, _ option: String?) throws(LaunchError) {
    do throws(SystemCallError) {
      guard try host.follow(layer).kind == .directory else {
        throw failure("open", layer, .notDirectory)
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
    if mounts[place.mount].isNameless {
      throw failure("move_mount", path, .noSuchFileOrDirectory)
    }
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

// MARK: - Paths

extension RootModel {
  mutating func directory(
    at path: FilePath, _ permissions: FilePermissions
  ) throws(SystemCallError) -> Tree { found(try directory(path)) }

  mutating func existing(at path: FilePath) throws(SystemCallError) -> Tree {
    guard case .found(let trail) = try lookUp(path) else {
      throw failure("openat2", path, .noSuchFileOrDirectory)
    }
    return found(trail)
  }

  /// Notes where the destination of an operation leads: the first place found.
  private mutating func found(_ trail: Trail) -> Tree {
    if current?.place == nil { current?.place = trail.path }
    return Tree(position: trail.end, place: trail.path)
  }

  func entry(at path: FilePath) -> RootEntry? {
    guard let name = path.lastComponent, let parent = find(path.removingLastComponent()) else {
      return path.components.isEmpty ? .other : nil
    }
    return switch node(at: step(from: parent.end, to: name)) {
    case nil: nil
    case .link(let target): .link(ByteString(target))
    default: .other
    }
  }

  func isDecided(_ path: FilePath) -> Bool {
    guard case .missing(let trail, let name, _)? = try? lookUp(path) else { return true }
    // A link followed on the way counts too.
    return !path.lexicallyNormalized().starts(with: trail.path.appending(name))
  }

  /// Finds the directory `path`; if it does not exist, creates it and its parents.
  private mutating func directory(_ path: FilePath) throws(SystemCallError) -> Trail {
    let trail = try place(path, .directory)
    guard node(at: trail.end) == .directory else { throw failure("openat2", path, .notDirectory) }
    return trail
  }

  /// Finds `path`, and creates it if it does not exist.
  ///
  /// As NewRoot does it.
  private mutating func place(
    _ path: FilePath, _ node: Node, links: Int = 0
  ) throws(SystemCallError) -> Trail {
    let missing = failure("openat2", path, .noSuchFileOrDirectory)
    guard !path.isEmpty else { throw missing }
    if case .found(let trail) = try lookUp(path) { return trail }
    guard links < RootModel.maximumLinks, let last = path.lastComponent else { throw missing }
    let parent = path.removingLastComponent()
    if last.kind == .parentDirectory {
      _ = try directory(parent)
      guard let trail = find(path) else { throw missing }
      return trail
    }
    let directory = try directory(parent.isEmpty ? "/" : parent)
    // A name that exists and leads nowhere is a dangling link: its target is created.
    let entry = step(from: directory.end, to: last)
    if case .link(let target)? = self.node(at: entry) {
      return try place(parent.pushing(target), node, links: links + 1)
    }
    try make(node, last, in: directory)
    guard let trail = find(path) else { throw missing }
    return trail
  }

  /// Makes `node` in a directory.
  private mutating func make(
    _ node: Node, _ name: FilePath.Component, in directory: Trail
  ) throws(SystemCallError) {
    let path = directory.path.appending(name)
    let call = node == .directory ? "mkdirat" : "mknodat"
    try requireWritable(directory.end, path, call)
    // The caller owns what operations create; in the host's directories permissions apply.
    if case .host = mounts[directory.end.mount].content, made[key(directory.end)] == nil,
      directory.end.path.isAbsolute, !host.may(.write, directory.end.path)
    {
      let obstacle = hostPath(of: directory.end)
      current?.obstacle = obstacle
      throw failure(call, path, .permissionDenied)
    }
    let position = Position(
      mount: directory.end.mount, path: directory.end.path.appending(name))
    made[key(position)] = node
  }

  private mutating func requireWritable(
    _ position: Position, _ path: FilePath, _ call: String
  ) throws(SystemCallError) {
    guard mounts[decidingMount(at: position)].isReadOnly else { return }
    let obstacle = hostPath(of: position)
    current?.obstacle = obstacle
    throw failure(call, path, .readOnlyFileSystem)
  }

  mutating func link(_ path: FilePath, to target: ByteString) throws(SystemCallError) {
    guard let last = path.lastComponent, last.kind == .regular else {
      throw failure("symlinkat", path, .fileExists)
    }
    let parent = path.removingLastComponent()
    let directory = try directory(parent.isEmpty ? "/" : parent)
    if current?.place == nil { current?.place = directory.path.appending(last) }
    switch node(at: step(from: directory.end, to: last)) {
    case nil: try make(.link(target.path), last, in: directory)
    case .link(target.path): break
    default: throw failure("symlinkat", path, .fileExists)
    }
  }

  mutating func write(
    _ path: FilePath, _ permissions: FilePermissions,
    _ fill: (borrowing OwnedDescriptor) throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    let trail = try place(path, .file)
    _ = found(trail)
    if node(at: trail.end) == .directory { throw failure("openat2", path, .isDirectory) }
    try requireWritable(trail.end, path, "openat2")
    current?.isContent = true
  }
}

// MARK: - Names in a directory

extension RootModel {
  private func position(of name: FilePath, in directory: borrowing Tree) -> Position {
    Position(mount: directory.mount, path: directory.position.path.pushing(name))
  }

  private func place(of name: FilePath, in directory: borrowing Tree) -> FilePath {
    (directory.place ?? mounts[directory.mount].place ?? "/").pushing(name)
  }

  func names(in directory: borrowing Tree) -> [FilePath] {
    let (here, known) = (directory.position, key(directory.position))
    var names = hostPath(of: here).map { host.names(in: $0) } ?? []
    for position in Array(made.keys) + Array(attached.keys)
    where [here.mount, known.mount].contains(position.mount)
      && position.path.removingLastComponent() == here.path
    {
      if let name = position.path.lastComponent, !names.contains(name) { names.append(name) }
    }
    return names.map { FilePath(root: nil, [$0]) }
  }

  func linkTarget(_ name: FilePath, in directory: borrowing Tree) -> ByteString? {
    guard case .link(let target)? = node(at: position(of: name, in: directory)) else { return nil }
    return ByteString(target)
  }

  func isWritable(_ name: FilePath, in directory: borrowing Tree) -> Bool {
    hostPath(of: position(of: name, in: directory)).map { host.may(.write, $0) } ?? true
  }

  mutating func clone(
    _ name: FilePath, in directory: borrowing Tree
  ) throws(SystemCallError) -> Tree {
    let place = place(of: name, in: directory)
    let position = topmost(position(of: name, in: directory))
    guard let node = node(at: position) else {
      throw failure("open_tree", place, .noSuchFileOrDirectory)
    }
    let mount = mounts[decidingMount(at: position)]
    let content = hostPath(of: position).map { Content.host($0) }
    let companions = mounts.filter {
      !$0.isLost && $0.place != place && $0.place?.starts(with: place) == true
    }
    let tree = add(
      mount.type, content ?? (node == .directory ? .memory : .file), isReadOnly: mount.isReadOnly)
    for companion in companions {
      var copy = companion
      copy.bind = tree.mount
      copy.below = Array((companion.place ?? place).components.dropFirst(place.components.count))
      copy.place = nil
      mounts.append(copy)
    }
    return tree
  }

  mutating func attach(
    _ tree: borrowing Tree, on name: FilePath, in directory: borrowing Tree
  ) throws(SystemCallError) {
    let place = Tree(
      position: topmost(position(of: name, in: directory)), place: place(of: name, in: directory))
    try attach(tree, on: place)
  }

  mutating func make(_ kind: FileKind, _ name: FilePath, in directory: borrowing Tree) {
    made[key(position(of: name, in: directory))] = kind == .directory ? .directory : .file
  }

  mutating func makeLink(_ name: FilePath, to target: ByteString, in directory: borrowing Tree) {
    made[key(position(of: name, in: directory))] = .link(target.path)
  }
}
