// SPDX-License-Identifier: Apache-2.0
// What the causes of failures on files look at: the plan of the new root, and the host.

internal import Linux
internal import SystemPackage
internal import Text

// MARK: - Looking around inside

/// What a place inside comes from.
struct ShownMount {
  /// The words for it.
  let text: String
  /// The operation that made it.
  let operation: FilesystemOperation?
  /// Where it is.
  let place: FilePath
}

extension Plan {
  /// Whether a missing path would be created in memory, and not on the host.
  func isFromMemory(_ path: FilePath) -> Bool {
    guard let action = mount(showing: path)?.operation?.action else { return true }
    return if case .tmpfs = action { true } else { false }
  }

  /// The mount in which a missing path would be created.
  func mount(showing path: FilePath) -> ShownMount? {
    var directory = path
    while !directory.components.isEmpty {
      directory.removeLastComponent()
      guard let trail = root.find(directory) else { continue }
      let mount = root.mounts[root.decidingMount(at: trail.end)]
      let operation = mount.operation.map { operations[$0].operation }
      let words = operation.map { " (\($0.option.name))" } ?? ""
      let place = mount.place ?? "/"
      return ShownMount(text: "\(quoted(place))\(words)", operation: operation, place: place)
    }
    return nil
  }

  /// The first file on the way to a place inside.
  func file(onTheWayTo path: FilePath) -> FilePath? {
    var way = FilePath(root: "/", [])
    for component in path.components {
      way.append(component)
      guard let trail = root.find(way) else { return nil }
      if root.node(at: trail.end) == .file { return way == path ? nil : way }
    }
    return nil
  }

  /// Where the last directory that exists on the way to a place inside lies on the host.
  func hostPath(onTheWayTo path: FilePath) -> FilePath? {
    var way = path
    while true {
      if let trail = root.find(way) { return root.hostPath(of: trail.end) }
      guard way.removeLastComponent() else { return nil }
    }
  }

  /// The contents of a place, in words.
  func description(of path: FilePath) -> String? {
    guard let last = path.lastComponent else { return "the root directory" }
    let parent = root.find(path.removingLastComponent())
    guard let parent else { return nil }
    let entry = RootModel.Position(
      mount: parent.end.mount, path: parent.end.path.appending(last))
    switch root.node(at: entry) {
    case .link(let target): return "a symbolic link to \(quoted(target))"
    case .directory: return "a directory"
    case .file: return "a file"
    case nil: return root.find(path) == nil ? nil : "a mount"
    }
  }
}

extension Failure {
  /// The same line with an option that ignores a missing source.
  var optional: Remedy? {
    guard let operation = operation?.operation, let words = operation.words else { return nil }
    switch operation.action {
    case .bind(_, _, _, isOptional: false), .same(_, isOptional: false):
      return replacing(words, with: [ByteString(words[0].bytes + "-try".utf8)] + words.dropFirst())
    default: return nil
    }
  }

  /// A source that begins with a `~` that no shell has expanded.
  var unexpandedTilde: Diagnosis? {
    let typed = ByteString(subject)
    guard typed == "~" || typed.bytes.starts(with: "~/".utf8),
      let home = Environment.value(of: "HOME", in: resolved.inherited),
      let words = operation?.operation.words
    else { return nil }
    let meant = words.map { word in
      word == "~" || word.bytes.starts(with: "~/".utf8)
        ? ByteString(home.bytes + word.bytes.dropFirst()) : word
    }
    return Diagnosis(
      "\(name) begins with a quoted ~, which the shell did not expand",
      remedy: replacing(words, with: meant) ?? .advice("write the whole path"))
  }

  /// The FUSE file system on the way that the kernel shows to another user alone.
  ///
  /// See fuse(4), allow_other.
  var foreignMount: MountTable.Entry? {
    let user = "user_id=\(String(CurrentProcess.identity.user))"
    let closed = machine.mounts.entries.filter { entry in
      entry.type.hasPrefix("fuse") && !entry.filesystemOptions.contains("allow_other")
        && !entry.filesystemOptions.contains(Substring(user))
    }
    guard !closed.isEmpty else { return nil }
    var paths = [HostWay(to: subject).absolute.path]
    if let action = operation?.operation.action {
      if let source = action.source { paths.append(HostWay(to: source).absolute.path) }
      if let place = plan.hostPath(onTheWayTo: action.destination) { paths.append(place) }
    }
    return closed.first { entry in paths.contains { $0.starts(with: entry.point) } }
  }

  /// Whether the source is a layer of an overlay and therefore must be a directory.
  var isLayer: Bool {
    sandbox.filesystem.contains { operation in
      guard case .overlay(let overlay, _) = operation.action else { return false }
      if case .kept(let upper, let work) = overlay.writes, [upper, work].contains(subject) {
        return true
      }
      return overlay.sources.contains(subject)
    }
  }

  /// The operation on a descriptor that failed.
  var descriptorOperation: FilesystemOperation? {
    sandbox.filesystem.first { $0.option == error.option && $0.descriptor != nil }
  }

  /// How to show content at `destination`, where the host has a file; nil if it has none, or no content
  /// was to be written.
  func replacing(existing destination: FilePath, _ problem: PlanProblem) -> Remedy? {
    guard let operation = operation?.operation, case .writtenFile = operation.action.ends.target,
      let words = operation.words, words.count == 3, problem.subject == destination,
      let host = problem.host, (try? FileFacts(at: host))?.kind == .regular
    else { return nil }
    return replacing(words, with: ["--ro-bind-data"] + words.dropFirst())
  }

  /// The line that makes something at `path` on the host, if this user can.
  private func typing(_ line: String, making path: FilePath) -> Remedy {
    var parent = path
    while (try? FileFacts(at: parent, followsLinks: true)) == nil, parent.removeLastComponent() {}
    return FileAccess.write.isGranted(parent) ? .line(line) : .advice("as root, type: " + line)
  }

  /// How to make the missing place `destination`.
  func remedy(
    making destination: FilePath, in mount: ShownMount, _ problem: PlanProblem
  ) -> Remedy {
    if let host = problem.host, case .bind? = mount.operation?.action {
      let rest = destination.components.dropFirst(problem.subject.components.count - 1)
      let path = host.appending(rest)
      let name = ByteString(path).quotedForShell
      let directory = ByteString(path.removingLastComponent()).quotedForShell
      switch operation?.operation.action.ends.target {
      case .writtenFile:
        let place = ByteString(problem.subject.removingLastComponent())
        return inserting(["--overlay-src", ByteString(host), "--tmp-overlay", place])
          ?? .advice("use --tmp-overlay there, which keeps changes in memory")
      case .link(let target):
        return typing(
          "mkdir -p \(directory) && ln -s \(target.quotedForShell) \(name)", making: path)
      case .emptyFile: return typing("mkdir -p \(directory) && touch \(name)", making: path)
      case .kindOfSource where operation?.source.map({ $0.kind != .directory }) == true:
        return typing("mkdir -p \(directory) && touch \(name)", making: path)
      case .directory, .kindOfSource, .existing, nil:
        return typing("mkdir -p \(name)", making: path)
      }
    }
    return .advice("put \(option) before the option that makes \(quoted(mount.place)) read-only")
  }
}

// MARK: - Looking around on the host

/// The way to a path of the host, component by component.
struct HostWay {
  /// The path from the root on.
  let absolute: ByteString
  /// The first part of it that does not exist.
  private(set) var missing: FilePath?
  /// The symbolic link among its parts that leads nowhere.
  private(set) var dangling: (path: FilePath, target: FilePath)?
  /// The first directory that may not be searched.
  private(set) var unsearchable: FilePath?
  /// The first part that is not a directory although more parts follow.
  private(set) var file: FilePath?

  init(to path: FilePath) {
    var way: FilePath = "/"
    var components = path.components.filter { $0.kind != .currentDirectory }
    if path.isRelative, let directory = CurrentProcess.workingDirectory {
      components = Array(directory.path.components) + components
    }
    absolute = ByteString(FilePath(root: "/", components))
    for (index, component) in components.enumerated() {
      let isLast = index == components.count - 1
      way.append(component)
      guard let facts = try? FileFacts(at: way) else {
        let parent = way.removingLastComponent()
        if !FileAccess.execute.isGranted(parent) { unsearchable = parent } else { missing = way }
        return
      }
      if facts.kind == .link {
        if (try? FileFacts(at: way, followsLinks: true)) == nil,
          let target = RunningHost.target(of: way)
        {
          dangling = (way, target)
          return
        }
      } else if facts.kind == .directory {
        if !isLast && !FileAccess.execute.isGranted(way) {
          unsearchable = way
          return
        }
      } else if !isLast {
        file = way
        return
      }
    }
  }
}
