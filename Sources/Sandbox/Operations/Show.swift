// SPDX-License-Identifier: Apache-2.0
// Shows files of the host at their own paths: nestbox follows a path as the caller would, creates
// each link on the way as the same link inside, and shows the file at its real path.

internal import Linux
internal import SystemPackage
internal import Text

/// A file of the host that a path leads to.
struct HostWalk<File: ~Copyable>: ~Copyable {
  /// The links on the way that are still missing inside, with their targets.
  let links: [(path: FilePath, target: ByteString)]
  /// The path of the file without those links.
  let path: FilePath
  /// Whether the path ends in a link that leads out of its own directory.
  let leavesDirectory: Bool
  /// The file.
  let file: File
}

/// A name inside.
enum RootEntry: Equatable {
  /// A symbolic link with this target.
  case link(ByteString)
  /// Anything else.
  case other
}

extension RootBuilder where Self: ~Copyable {
  /// Shows the file or directory `path` of the host at its own place.
  mutating func show(
    _ path: FilePath, _ access: FilesystemOperation.Access
  ) throws(LaunchError) {
    let path = resolved.expandingHome(path)
    let walk = try walk(path)
    try makeLinks(walk.links)
    let tree = try step(.findSource, ByteString(path)) { root throws(SystemCallError) in
      try root.tree(of: walk.file)
    }
    // The links that were made lead to where it lies.
    try bind(
      tree, from: path, on: path.fromWorkingDirectory(resolved.workingDirectory?.path) ?? path,
      access)
  }

  /// Shows the directory `path` of the host at `place`, writable, and creates it if it is missing.
  mutating func showKept(_ path: FilePath, on place: FilePath) throws(LaunchError) {
    let path = resolved.expandingHome(path)
    let tree = try step(.makeDirectory, ByteString(path)) { root throws(SystemCallError) in
      try root.makeHostDirectory(path)
      return try root.hostTree(path)
    }
    try bind(tree, from: path, on: place, .readWrite)
  }

  /// Shows the directory `path` of the host at its own place through the layer of a review.
  mutating func showReviewed(_ path: FilePath, _ layer: ReviewLayer?) throws(LaunchError) {
    let path = resolved.expandingHome(path)
    let walk = try walk(path)
    try makeLinks(walk.links)
    try mount(layer?.overlay ?? Overlay(sources: [walk.path], writes: .reviewed), on: walk.path)
  }

  /// Creates the caller's working directory if it is missing inside and lies in a private file
  /// system: paths then mean the same as outside, and files written there vanish.
  mutating func makeWorkingDirectory() throws(LaunchError) {
    guard resolved.sandbox.workingDirectory == nil, let path = resolved.workingDirectory?.path,
      ([resolved.home] + Self.privatePlaces).contains(where: { path.starts(with: $0) }),
      entry(at: path) == nil
    else { return }
    try step(.makeDirectory, ByteString(path)) { root throws(SystemCallError) in
      var ancestor = path
      while ancestor.removeLastComponent(), !root.exists(ancestor) {}
      guard try root.isOwn(root.existing(at: ancestor)) else { return }
      _ = try root.directory(at: path)
    }
  }

  private static var privatePlaces: [FilePath] { ["/tmp", "/var/tmp"] }

  private func exists(_ path: FilePath) -> Bool { entry(at: path) != nil }

  /// Follows `path` on the host, a component at a time, by descriptors.
  ///
  /// A process that exchanges a directory meanwhile can change which file is found, but the file
  /// that was found is always the one shown.
  mutating func walk(_ path: FilePath) throws(LaunchError) -> HostWalk<HostFile> {
    try step(.findSource, ByteString(path)) { root throws(SystemCallError) in
      guard let place = path.isAbsolute ? "/" : root.resolved.workingDirectory?.path else {
        throw SystemCallError(call: "getcwd", errno: .noSuchFileOrDirectory)
      }
      var way = Way(place: place)
      way.add(path, isAside: false)
      var file = try path.isAbsolute ? root.hostRoot() : root.hostWorkingDirectory()
      while let name = way.next() {
        let isAside = way.isAside
        let next = try root.hostEntry(name, in: file)
        let inside = way.place(of: name)
        guard let target = try root.linkTarget(of: next) else {
          file = next
          way.place = inside
          continue
        }
        let entry = isAside ? .other : root.entry(at: inside)
        try way.follow(target, at: inside, whichIs: entry)
        if target.path.isAbsolute { file = try root.hostRoot() }
      }
      return HostWalk(
        links: way.links, path: way.place, leavesDirectory: way.leavesDirectory, file: file)
    }
  }

  /// Makes the links that a walk found.
  mutating func makeLinks(
    _ links: [(path: FilePath, target: ByteString)]
  ) throws(LaunchError) {
    for link in links {
      try step(.makeSymbolicLink, ByteString(link.path)) { root throws(SystemCallError) in
        try root.link(link.path, to: link.target)
      }
    }
  }
}

/// The way along a path, as it will be inside.
private struct Way {
  /// The path reached so far, without the host's links that are created inside.
  var place: FilePath
  /// The names that are left, the next one last.
  private var rest: [ByteString] = []
  /// How many of them, from the first on, are not aside.
  ///
  /// If the sandbox has something else in a link's place, the names from the link are aside: only
  /// the host follows them. Links among those lead aside as well, so that they are always the last
  /// ones. A count, because the runtime would first have to make the type of an array of names with a
  /// flag each. For the same reason, the names have a type that each launch has arrays of.
  private var plain = 0
  /// Whether the name that `next` gave is aside.
  private(set) var isAside = false
  private(set) var links: [(path: FilePath, target: ByteString)] = []
  private var count = 0
  /// The directory of the first link that the path ended in.
  private var lastDirectory: FilePath?

  /// As many as the kernel follows in one path.
  private static let maximumLinks = 40

  init(place: FilePath) {
    self.place = place
  }

  /// Puts the names of `path` in front of those that are left.
  mutating func add(_ path: FilePath, isAside: Bool) {
    var bytes = ByteString(path).bytes
    while !bytes.isEmpty {
      let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
      let name = ByteString(bytes[(slash.map { $0 + 1 } ?? bytes.startIndex)...])
      if !name.isEmpty, name != "." { rest.append(name) }
      bytes = bytes[..<(slash ?? bytes.startIndex)]
    }
    if !isAside { plain = rest.count }
  }

  mutating func next() -> ByteString? {
    guard let name = rest.popLast() else { return nil }
    isAside = rest.count >= plain
    plain = min(plain, rest.count)
    return name
  }

  func place(of name: ByteString) -> FilePath {
    if isAside { return place }
    return name == ".." ? place.parent : place.pushing(name.path)
  }

  /// Goes on with the target of a link.
  mutating func follow(
    _ target: ByteString, at inside: FilePath, whichIs entry: RootEntry?
  ) throws(SystemCallError) {
    count += 1
    guard count <= Way.maximumLinks else {
      throw SystemCallError(call: "open", errno: .tooManySymbolicLinkLevels)
    }
    if rest.isEmpty, lastDirectory == nil { lastDirectory = inside.parent }
    if entry == nil { links.append((inside, target)) }
    // If the sandbox has something else under this name, such as its home directory, the link's
    // target is shown there.
    let isAside = entry != nil && entry != .link(target)
    if isAside {
      place = inside
    } else if target.path.isAbsolute {
      place = "/"
    }
    add(target.path, isAside: isAside)
  }

  var leavesDirectory: Bool { lastDirectory.map { !place.starts(with: $0) } ?? false }
}

extension ResolvedSandbox {
  /// The operations on the new root, in order.
  final var operations: [FilesystemOperation] {
    var operations = operationsWithHome
    // They apply to all that is shown, wherever they were typed, so they come last.
    let last = operations.filter(\.action.isLast)
    if !last.isEmpty { operations = operations.filter { !$0.action.isLast } + last }
    return operations
  }

  /// The operations as they were typed, but a kept home directory replaces an empty one.
  ///
  /// Files that a profile shows in the home directory after that stay visible.
  private final var operationsWithHome: [FilesystemOperation] {
    let operations = sandbox.filesystem
    guard let kept = operations.lastIndex(where: \.action.isHome) else { return operations }
    let home = home
    let empty = operations.firstIndex {
      if case .tmpfs(home, _, _) = $0.action { true } else { false }
    }
    var ordered = operations
    if let empty { ordered[empty] = operations[kept] }
    for index in operations.indices.reversed()
    where operations[index].action.isHome && (index != kept || empty != nil) {
      ordered.remove(at: index)
    }
    return ordered
  }

  /// The home directory, as the command sees it.
  final var home: FilePath {
    let value = environment.value(of: "HOME") ?? callerHome
    return value.path
  }

  /// The caller's home directory.
  final var callerHome: ByteString {
    let value = Environment.value(of: "HOME", in: inherited).flatMap { $0.isEmpty ? nil : $0 }
    return value ?? UserRecord.find(identity.user)?.home ?? "/"
  }

  /// `path` with the caller's home directory in the place of a `~` at its beginning.
  final func expandingHome(_ path: FilePath) -> FilePath {
    guard !path.isAbsolute, path.components.first?.string == "~" else { return path }
    return callerHome.path.appending(path.components.dropFirst())
  }
}
