// SPDX-License-Identifier: Apache-2.0
// What a sandbox gives its command of the host's files, on paper. A profile that nestbox writes or shortens must
// not give a command more than the line or the profile from which it comes: here the two are compared.

internal import Linux
internal import SystemPackage
public import Text

/// What a plan lets its command read and change.
public struct Exposure {
  /// What the command has at a place.
  private struct Access {
    /// The file of the host, which does not exist yet where the command can make one; nil for none.
    var file: FilePath?
    var isWritable = false
  }

  private let plan: Plan
  /// Where something is mounted, or would be if it existed.
  private let places: [ByteString]
  /// Where a file would be read-only if it existed.
  private let protected: Set<ByteString>

  /// Looks at a plan.
  public init(_ plan: Plan) {
    self.plan = plan
    var protected: Set<ByteString> = []
    for path in plan.unusedProtection {
      protected.insert(ByteString(path))
      protected.insert(ByteString(plan.root.followingParents(of: path)))
    }
    self.protected = protected
    // What nestbox adds by itself, as the files of its name service, follows from other options.
    places =
      plan.root.mounts.compactMap {
        $0.isLost || $0.operation == nil ? nil : $0.place.map { ByteString($0) }
      } + protected
  }

  private func access(at place: ByteString) -> Access {
    let (root, path) = (plan.root, place.path)
    let isOpen =
      !protected.contains(place)
      && !protected.contains(ByteString(root.followingParents(of: path)))
    if let trail = root.find(path) {
      return Access(
        file: file(at: trail.end), isWritable: isOpen && isWritable(trail.end))
    }
    guard isOpen else { return Access() }
    var directory = path.parent
    while root.find(directory) == nil, directory != "/" { directory = directory.parent }
    guard let trail = root.find(directory), isWritable(trail.end),
      let file = file(at: trail.end)
    else { return Access() }
    let rest = path.components.dropFirst(directory.components.count)
    return Access(file: file.appending(rest), isWritable: true)
  }

  /// The file of the host at a place, also in a directory that the launch makes on the host.
  private func file(at position: RootModel.Position) -> FilePath? {
    plan.root.ownHostPath(of: position)
      ?? madeDirectory(of: position.mount)?.appending(position.path.components)
  }

  /// The directory that the launch makes on the host for a mount, if it makes one.
  private func madeDirectory(of number: Int) -> FilePath? {
    let mount = plan.root.mounts[number]
    guard mount.content == .memory, let operation = mount.operation else { return nil }
    let directory: FilePath
    switch plan.operations[operation].operation.action {
    case .home(let path): directory = path
    case .kept(let path, _): directory = path
    default: return nil
    }
    let path = plan.resolved.expandingHome(directory)
    return SecretFiles.place(
      of: path.fromWorkingDirectory(plan.resolved.workingDirectory?.path) ?? path,
      on: plan.root.host)
  }

  private func isWritable(_ position: RootModel.Position) -> Bool {
    plan.root.isHostWritable(position) || madeDirectory(of: position.mount) != nil
  }

  /// Whether a file at this place is shown read-only, or would be in the place of a link.
  private func isGuarded(_ place: ByteString) -> Bool {
    plan.operations.contains { $0.guardedPlace.map { ByteString($0) } == place }
  }

  /// The first place at which the command can read or change what it cannot under any of `others`.
  /// - Returns: The place, and whether the command can change it; nil if there is none.
  public func excess(over others: [Exposure]) -> (place: ByteString, isWritable: Bool)? {
    for place in places + others.flatMap(\.places) {
      let mine = access(at: place)
      guard let file = mine.file else { continue }
      // Through a link, it is the file behind the link that counts, unless the place itself is to be protected.
      let real = plan.root.find(place.path).map { ByteString($0.path) } ?? place
      let isGiven = others.contains { other in
        let places = !other.protected.contains(place) || isGuarded(place) ? [place, real] : [place]
        return places.contains {
          let theirs = other.access(at: $0)
          return theirs.file == file && (theirs.isWritable || !mine.isWritable)
        }
      }
      if !isGiven { return (place, mine.isWritable) }
    }
    return nil
  }
}

extension Plan {
  /// What operations would show read-only, if it existed.
  var unusedProtection: [FilePath] {
    operations.compactMap { $0.isSkipped || $0.place == nil ? $0.guardedPlace : nil }
  }
}

extension RootModel {
  /// Whether changes reach the host.
  func isHostWritable(_ position: Position) -> Bool {
    guard case .host = mounts[position.mount].content else { return false }
    return !mounts[decidingMount(at: position)].isReadOnly
  }

  /// Where a path leads of which the end may not exist, with the links on the way followed, but not the last
  /// name.
  func followingParents(of path: FilePath) -> FilePath {
    var (parent, rest) = (path, [FilePath.Component]())
    while let name = parent.lastComponent {
      rest.append(name)
      parent = parent.parent
      if let trail = find(parent) { return trail.path.appending(rest.reversed()) }
    }
    return path
  }
}
