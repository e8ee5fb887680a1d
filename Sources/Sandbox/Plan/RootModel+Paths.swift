// SPDX-License-Identifier: Apache-2.0
// The root on paper, path by path: finding and making what a path leads to.

internal import Linux
internal import SystemPackage
internal import Text

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
  mutating func found(_ trail: Trail) -> Tree {
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
  mutating func place(
    _ path: FilePath, _ node: Node, links: Int = 0
  ) throws(SystemCallError) -> Trail {
    let missing = failure("openat2", path, .noSuchFileOrDirectory)
    guard !path.isEmpty else { throw missing }
    if case .found(let trail) = try lookUp(path) { return trail }
    guard links < PathSteps.mostLinks, let last = path.lastComponent else { throw missing }
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
