// SPDX-License-Identifier: Apache-2.0
// The new root on paper. NewRoot uses mounts and descriptors; this uses names, so that a plan can
// say where each destination leads and which mounts cover others, without doing any of it.

internal import Linux
internal import SystemPackage
internal import Text

/// A root file system on paper.
struct RootModel {
  let host: any HostFiles
  let resolved: ResolvedSandbox
  /// The terminal that standard output is.
  let terminal: FilePath?
  /// All mounts, in the order in which they were made.
  var mounts: [Mount]
  /// What lies on a place, the topmost mount.
  var attached: [Position: Int] = [:]
  /// What operations have made.
  var made: [Position: Node] = [:]
  /// Directories of the host that operations would make.
  var madeOnHost: [FilePath] = []
  /// The mount that is the root.
  var root = 0
  var parents = FilePermissions.standardDirectory
  var program: ByteString?
  /// The operation that is being carried out.
  var current: PlannedOperation?

  /// A mount inside.
  struct Mount {
    /// The number of the operation that makes it; nil for the root that is there at first and for
    /// the sockets of buses.
    let operation: Int?
    /// The type of its file system.
    let type: String
    /// What it shows.
    let content: Content
    var isReadOnly: Bool
    /// The file that its source leads to, for a tree of the host.
    var source: FoundFile?
    /// The mount that brought this one along as a part of its source.
    var bind: Int?
    /// Its path in that mount.
    var below: [FilePath.Component] = []
    /// Where it is, inside; nil before it is attached.
    var place: FilePath?
    /// Whether it lies below a later mount on `/`, where nothing reaches it.
    var isLost = false
    /// The directory under review that it shows through a layer.
    var reviewed: FilePath?

    /// Whether it shows nothing of the host.
    var isNew: Bool { content == .memory || content == .file }
    /// Whether changes go to a layer, and not to the host.
    var isLayered: Bool {
      if case .layers = content { return !isReadOnly }
      return false
    }
  }

  /// What a mount shows.
  enum Content: Equatable {
    /// Only what operations create.
    case memory
    /// One new file, which only the sandbox has.
    case file
    /// A tree of the host, or a file of it.
    case host(FilePath)
    /// Trees of the host, the topmost first.
    case layers([FilePath])
  }

  /// A position in a mount's content: for a tree of the host, a path of the host.
  struct Position: Hashable {
    let mount: Int
    let path: FilePath
  }

  /// The node at a place.
  enum Node: Equatable {
    case directory, file
    case link(FilePath)
  }

  /// An empty root.
  init(_ host: any HostFiles, _ resolved: ResolvedSandbox, terminal: FilePath?) {
    self.host = host
    self.resolved = resolved
    self.terminal = terminal
    mounts = [
      Mount(operation: nil, type: "tmpfs", content: .memory, isReadOnly: false, place: "/")
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

  private var start: Trail { Trail(positions: [topmost(rootPosition(of: root))]) }

  /// Follows `path` inside, as openat2(2) does with RESOLVE_IN_ROOT.
  func lookUp(_ path: FilePath) throws(SystemCallError) -> Lookup {
    var trail = start
    var steps = PathSteps(path)
    while let next = steps.next() {
      switch next {
      case .up: trail.leave()
      case .entry(let name):
        guard node(at: trail.end) == .directory else {
          throw failure("openat2", path, .notDirectory)
        }
        let child = step(from: trail.end, to: name)
        switch node(at: child) {
        case nil:
          if let directory = hostPath(of: trail.end), host.look(at: directory) != nil,
            !host.may(.execute, directory)
          {
            throw failure("openat2", path, .permissionDenied)
          }
          return .missing(trail, name, isLast: steps.isAtEnd)
        case .link(let target):
          guard steps.follow(target) else {
            throw failure("openat2", path, .tooManySymbolicLinkLevels)
          }
          if target.isAbsolute { trail = start }
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

  func rootPosition(of mount: Int) -> Position {
    switch mounts[mount].content {
    case .host(let path): Position(mount: mount, path: path)
    default: Position(mount: mount, path: "/")
    }
  }

  func step(from directory: Position, to name: FilePath.Component) -> Position {
    topmost(Position(mount: directory.mount, path: directory.path.appending(name)))
  }

  func topmost(_ position: Position) -> Position {
    var position = position
    while let mount = attached[position] { position = rootPosition(of: mount) }
    return position
  }

  /// The node at a place.
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

  /// Where a place would lie on the host without the layers of reviews.
  func ownHostPath(of position: Position) -> FilePath? {
    mounts[position.mount].reviewed?.appending(position.path.components) ?? hostPath(of: position)
  }

  /// Something created through one bind of a directory appears in its other binds.
  func key(_ position: Position) -> Position {
    if case .host = mounts[position.mount].content {
      return Position(mount: -1, path: position.path)
    }
    return position
  }

  /// The mount whose flags apply at a place: one that a bind brought along, or the bind itself.
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

extension RootModel {
  /// A failure as a system call of NewRoot would report it.
  func failure(_ call: String, _ subject: FilePath, _ errno: Errno) -> SystemCallError {
    SystemCallError(call: call, subject: ByteString(subject), errno: errno)
  }
}
