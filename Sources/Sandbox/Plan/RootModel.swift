// SPDX-License-Identifier: Apache-2.0
// The new root on paper: what NewRoot does with mounts and descriptors, this does with names, so
// that a plan can say where each destination leads and what covers what, and nothing is done.

internal import Linux
internal import SystemPackage
internal import Text

/// Why an operation will fail.
struct PlanProblem: Error, Equatable {
  /// The kernel's reason.
  let errno: Errno
  /// What it is said of: a path inside, or a source.
  let subject: FilePath
  /// Where that lies on the host, where it does.
  var host: FilePath?
}

/// A root file system on paper.
struct RootModel {
  let host: any HostFiles
  private(set) var mounts: [Mount] = []
  /// What lies on a place, the topmost mount.
  private var attached: [Position: Int] = [:]
  /// What operations have made.
  private var made: [Position: Node] = [:]
  private var root = 0
  /// The command's file, where the search for it would not find it.
  var program: FilePath?
  /// Who starts the sandbox.
  let circumstances: Circumstances

  /// What operations have to know of the sandbox as a whole.
  struct Circumstances {
    /// Whether the sandbox has a procfs of its own.
    let hasProcesses: Bool
    /// Whether user 0 starts it.
    let isRoot: Bool
    /// The terminal that standard output is.
    let terminal: FilePath?
    /// What is to be run.
    let command: [ByteString]
    /// Where it is searched for, inside.
    let searchPath: ByteString
    /// Where the caller's shell would have searched.
    let callerPath: ByteString?
    /// The caller's directory.
    let workingDirectory: FilePath?
  }

  /// A mount inside.
  struct Mount {
    /// The operation that makes it; nil for the root that is there at first and for the sockets of
    /// buses.
    let operation: Int?
    /// Where it is, inside.
    let place: FilePath
    /// The type of its file system.
    let type: String
    var isReadOnly: Bool
    /// What it shows.
    let content: Content
    /// The mount that it came along with, as a part of its source.
    var bind: Int?
    /// Whether it lies beneath a later mount on `/`, where nobody gets at it.
    var isLost = false
  }

  /// What a mount shows.
  enum Content: Equatable {
    /// Nothing but what operations make.
    case memory
    /// One file that nobody else has.
    case file
    /// A tree of the host, or a file of it.
    case host(FilePath)
    /// Trees of the host, the topmost first.
    case layers([FilePath])
  }

  /// A place in what a mount shows: a path of the host for a tree of the host.
  struct Position: Hashable {
    let mount: Int
    let path: FilePath
  }

  /// What is at a place.
  enum Node: Equatable {
    case directory, file
    case link(FilePath)
  }

  /// An empty root.
  init(_ host: any HostFiles, _ circumstances: Circumstances) {
    self.host = host
    self.circumstances = circumstances
    mounts = [
      Mount(operation: nil, place: "/", type: "tmpfs", isReadOnly: false, content: .memory)
    ]
  }
}

// MARK: - Lookups

extension RootModel {
  /// The way from the root to a place.
  struct Trail {
    var positions: [Position]
    var names: [FilePath.Component] = []

    /// The path inside without links and detours.
    var path: FilePath { FilePath(root: "/", names) }
    /// The place.
    var end: Position { positions[positions.count - 1] }

    mutating func leave() {
      guard !names.isEmpty else { return }
      names.removeLast()
      positions.removeLast()
    }
  }

  /// Where a path leads inside.
  enum Lookup {
    case found(Trail)
    /// Nothing of this name is in the directory.
    case missing(Trail, FilePath.Component, isLast: Bool)
  }

  /// How many symbolic links the kernel follows in one path.
  private static let maximumLinks = 40

  private var start: Trail { Trail(positions: [topmost(rootPosition(of: root))]) }

  /// Follows `path` inside, as openat2(2) does with RESOLVE_IN_ROOT.
  func lookUp(_ path: FilePath) throws(PlanProblem) -> Lookup {
    var trail = start
    var rest = Array(path.components.reversed())
    var links = 0
    while let name = rest.popLast() {
      switch name.kind {
      case .currentDirectory: continue
      case .parentDirectory: trail.leave()
      case .regular:
        guard node(at: trail.end) == .directory else {
          throw PlanProblem(errno: .notDirectory, subject: path)
        }
        let child = step(from: trail.end, to: name)
        switch node(at: child) {
        case nil: return .missing(trail, name, isLast: rest.isEmpty)
        case .link(let target):
          links += 1
          guard links <= RootModel.maximumLinks else {
            throw PlanProblem(errno: .tooManySymbolicLinkLevels, subject: path)
          }
          if target.isAbsolute { trail = start }
          rest += target.components.reversed()
        default:
          trail.positions.append(child)
          trail.names.append(name)
        }
      }
    }
    return .found(trail)
  }

  /// Where `path` leads inside, if it leads to something.
  func find(_ path: FilePath) -> Trail? {
    if case .found(let trail)? = try? lookUp(path) { return trail }
    return nil
  }

  private func rootPosition(of mount: Int) -> Position {
    switch mounts[mount].content {
    case .host(let path): Position(mount: mount, path: path)
    default: Position(mount: mount, path: "/")
    }
  }

  private func step(from directory: Position, to name: FilePath.Component) -> Position {
    topmost(Position(mount: directory.mount, path: directory.path.appending(name)))
  }

  private func topmost(_ position: Position) -> Position {
    var position = position
    while let mount = attached[position] { position = rootPosition(of: mount) }
    return position
  }

  /// What is at a place.
  func node(at position: Position) -> Node? {
    if let node = made[key(position)] { return node }
    switch mounts[position.mount].content {
    case .memory: return position.path == "/" ? .directory : nil
    case .file: return .file
    case .host: return hostNode(position.path)
    case .layers(let layers):
      for layer in layers {
        if let node = hostNode(layer.appending(position.path.components)) { return node }
      }
      return nil
    }
  }

  private func hostNode(_ path: FilePath) -> Node? {
    switch host.look(at: path)?.kind {
    case nil: nil
    case .directory: .directory
    case .link: host.target(of: path).map { .link($0) } ?? .file
    default: .file
    }
  }

  /// Where a place lies on the host, if it does.
  func hostPath(of position: Position) -> FilePath? {
    switch mounts[position.mount].content {
    case .host: return position.path
    case .layers(let layers):
      return layers.lazy.map { $0.appending(position.path.components) }
        .first { host.look(at: $0) != nil }
    default: return nil
    }
  }

  /// What is made through one bind of a directory shows in another.
  private func key(_ position: Position) -> Position {
    if case .host = mounts[position.mount].content {
      return Position(mount: -1, path: position.path)
    }
    return position
  }

  /// The mount that decides what may be done at a place: one that came along with a bind, or the
  /// bind itself.
  func decidingMount(at position: Position) -> Int {
    var best = position.mount
    var length = 0
    for (index, mount) in mounts.enumerated() where mount.bind == position.mount {
      guard case .host(let point) = mount.content, position.path.starts(with: point),
        point.components.count >= length
      else { continue }
      (best, length) = (index, point.components.count)
    }
    return best
  }
}

// MARK: - Changes

extension RootModel {
  /// Makes `node` in a directory.
  mutating func make(
    _ node: Node, _ name: FilePath.Component, in directory: Trail
  ) throws(PlanProblem) {
    let path = directory.path.appending(name)
    let hostPath = hostPath(of: directory.end)
    if mounts[decidingMount(at: directory.end)].isReadOnly {
      throw PlanProblem(errno: .readOnlyFileSystem, subject: path, host: hostPath)
    }
    // What an operation has made is its own; of the host, not everything may be written to.
    if case .host(let path) = mounts[directory.end.mount].content, made[key(directory.end)] == nil,
      !host.may(.write, directory.end.path), path.isAbsolute
    {
      throw PlanProblem(
        errno: .permissionDenied, subject: directory.path.appending(name), host: hostPath)
    }
    let position = Position(
      mount: directory.end.mount, path: directory.end.path.appending(name))
    made[key(position)] = node
  }

  /// Finds the directory `path`, which is made, its parents as well, where it does not exist.
  mutating func directory(_ path: FilePath) throws(PlanProblem) -> Trail {
    let trail = try place(path, .directory)
    guard node(at: trail.end) == .directory else {
      throw PlanProblem(errno: .notDirectory, subject: path)
    }
    return trail
  }

  /// Finds `path`, which is made where it does not exist.
  ///
  /// The same as `NewRoot.place`.
  mutating func place(
    _ path: FilePath, _ node: Node, links: Int = 0
  ) throws(PlanProblem) -> Trail {
    guard !path.isEmpty else { throw PlanProblem(errno: .noSuchFileOrDirectory, subject: path) }
    if case .found(let trail) = try lookUp(path) { return trail }
    guard links < RootModel.maximumLinks, let last = path.lastComponent else {
      throw PlanProblem(errno: .noSuchFileOrDirectory, subject: path)
    }
    let parent = path.removingLastComponent()
    if last.kind == .parentDirectory {
      _ = try directory(parent)
      guard let trail = find(path) else {
        throw PlanProblem(errno: .noSuchFileOrDirectory, subject: path)
      }
      return trail
    }
    let directory = try directory(parent.isEmpty ? "/" : parent)
    // A name that exists and leads nowhere is a link: what it names is made.
    let entry = step(from: directory.end, to: last)
    if case .link(let target)? = self.node(at: entry) {
      return try place(parent.pushing(target), node, links: links + 1)
    }
    try make(node, last, in: directory)
    guard let trail = find(path) else {
      throw PlanProblem(errno: .noSuchFileOrDirectory, subject: path)
    }
    return trail
  }

  /// Mounts something on a place; answers its index.
  mutating func attach(
    _ operation: Int?, _ type: String, _ content: Content, isReadOnly: Bool, at place: Trail
  ) throws(PlanProblem) -> Int {
    // The kernel mounts nothing on a file whose name is gone, as that of --bind-data is.
    if mounts[place.end.mount].content == .file {
      throw PlanProblem(errno: .noSuchFileOrDirectory, subject: place.path)
    }
    let index = mounts.count
    mounts.append(
      Mount(
        operation: operation, place: place.path, type: type, isReadOnly: isReadOnly,
        content: content))
    let top = node(at: rootPosition(of: index))
    guard (top == .directory) == (node(at: place.end) == .directory) else {
      mounts.removeLast()
      throw PlanProblem(errno: .notDirectory, subject: place.path)
    }
    if place.names.isEmpty {
      for earlier in 0..<index { mounts[earlier].isLost = true }
      root = index
    } else {
      attached[place.end] = index
    }
    return index
  }

  /// Lists a mount that came along with another, at `point` of the host.
  mutating func bring(_ entry: MountTable.Entry, with bind: Int, isReadOnly: Bool) {
    guard case .host(let source) = mounts[bind].content else { return }
    let below = entry.point.components.dropFirst(source.components.count)
    mounts.append(
      Mount(
        operation: mounts[bind].operation, place: mounts[bind].place.appending(below),
        type: entry.type, isReadOnly: isReadOnly || entry.isReadOnly, content: .host(entry.point),
        bind: bind))
  }

  /// Makes the mount that begins at `path` read-only.
  mutating func remountReadOnly(_ path: FilePath) throws(PlanProblem) -> FilePath {
    guard let trail = find(path) else {
      throw PlanProblem(errno: .noSuchFileOrDirectory, subject: path)
    }
    let mount = decidingMount(at: trail.end)
    guard rootPosition(of: mount).path == trail.end.path else {
      throw PlanProblem(errno: .invalidArgument, subject: path)
    }
    mounts[mount].isReadOnly = true
    return trail.path
  }

  /// Makes a symbolic link, unless one that says the same is there.
  mutating func link(_ path: FilePath, to target: FilePath) throws(PlanProblem) -> FilePath {
    guard let last = path.lastComponent, last.kind == .regular else {
      throw PlanProblem(errno: .fileExists, subject: path)
    }
    let parent = path.removingLastComponent()
    let directory = try directory(parent.isEmpty ? "/" : parent)
    switch node(at: step(from: directory.end, to: last)) {
    case nil: try make(.link(target), last, in: directory)
    case .link(target): break
    default: throw PlanProblem(errno: .fileExists, subject: path)
    }
    return directory.path.appending(last)
  }
}
