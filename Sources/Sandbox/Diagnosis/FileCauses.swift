// SPDX-License-Identifier: Apache-2.0
// Why sources are not found and destinations cannot be made.

internal import Linux
internal import SystemPackage
internal import Text

extension Cause {
  /// Failures of sources, on the host.
  static let sources: [Cause] = [
    Cause([], [.permissionDenied]) { failure in
      guard let mount = failure.foreignMount else { return nil }
      return Diagnosis(
        "\(failure.quoted(mount.point)) is a FUSE file system of another user, who did not open it to others",
        "ask its owner to mount it with the option allow_other, or choose another directory")
    },
    Cause([.findSource, .readSource], [.noSuchFileOrDirectory, .staleNFSFileHandle]) { failure in
      guard case .bindDescriptor(let number, _, _)? = failure.descriptorOperation?.action else {
        return nil
      }
      if failure.error.action == .readSource {
        return Diagnosis(
          "the path of descriptor \(String(number)) now refers to a different file",
          "open the file again")
      }
      let what =
        failure.subject.isRelative
        ? "is \(failure.name), which is not a file on a file system"
        : "is a file that was removed or replaced: \(failure.name)"
      return Diagnosis(
        "descriptor \(String(number)) \(what)", "open a file or directory that exists")
    },
    Cause([.findSource], [.noSuchFileOrDirectory]) { failure in
      let way = HostWay(to: failure.subject)
      if let link = way.dangling {
        return Diagnosis(
          "\(failure.quoted(link.path)) is a symbolic link to \(failure.quoted(link.target)), "
            + "which does not exist on the host",
          remedy: failure.optional ?? failure.leavingOut ?? .advice("make the link's target"))
      }
      guard let missing = way.missing else { return nil }
      if let tilde = failure.unexpandedTilde { return tilde }
      // Only for overlays is it certain that a directory was meant.
      var remedy = failure.optional
      if failure.isLayer {
        remedy = .line("mkdir -p \(way.absolute.quotedForShell)")
      }
      if case .show(_, .readWrite)? = failure.operation?.operation.action {
        let name = way.absolute.quotedForShell
        // A name with an extension is probably a file's. Without one it may be either.
        remedy =
          failure.subject.lastComponent?.extension != nil
          ? .line("touch \(name)")
          : .advice("make it first: mkdir -p \(name) for a directory, or touch \(name) for a file")
      }
      return Diagnosis(
        "\(failure.quoted(missing)) does not exist on the host",
        remedy: remedy ?? .advice("check the spelling of the path"))
    },
    Cause([.findSource, .findProgram], [.permissionDenied]) { failure in
      guard let directory = HostWay(to: failure.subject).unsearchable else { return nil }
      return Diagnosis(
        "this user may not search the directory \(failure.quoted(directory)) of the host",
        remedy: failure.allowing("a+x", directory)
          ?? .advice("ask the owner of \(failure.quoted(directory)), or show another directory"))
    },
    Cause([.findSource, .findProgram], [.notDirectory]) { failure in
      guard let file = HostWay(to: failure.subject).file else { return nil }
      return Diagnosis(
        "\(failure.quoted(file)) is a file on the host and not a directory",
        "name the file itself, or another path")
    },
    Cause([.findSource], [.tooManySymbolicLinkLevels, .notDirectory]) { failure in
      guard failure.sandbox.isExamined(failure.subject) else { return nil }
      return Diagnosis(
        "another process has put a symbolic link on the way to \(failure.name) since nestbox looked at "
          + "the directory",
        "find out what did that before you start the command again")
    },
    Cause([.findSource, .findProgram], [.tooManySymbolicLinkLevels]) { failure in
      Diagnosis(
        "symbolic links on the way to \(failure.name) form a loop",
        "correct the links; ls -l shows their targets")
    },
    Cause([], [.socketNotConnected]) { failure in
      let path = failure.operation?.operation.action.source ?? failure.subject
      return Diagnosis(
        "the program that serves the file system at \(failure.quoted(path)) has ended",
        remedy: .line("fusermount3 -u \(ByteString(path).quotedForShell)"))
    },
    Cause([.findSource], [.invalidArgument]) { failure in
      guard let found = try? FoundFile(following: failure.subject),
        let mount = found.mount.flatMap({ failure.machine.mounts[$0] }), mount.isUnbindable
      else { return nil }
      return Diagnosis(
        "the mount at \(failure.quoted(mount.point)) is marked unbindable",
        remedy: .asRoot("mount --make-private \(ByteString(mount.point).quotedForShell)"))
    },
  ]

  /// Failures of destinations, inside.
  static let places: [Cause] = [
    Cause([], [.readOnlyFileSystem, .permissionDenied]) { failure in
      guard Cause.makers.contains(failure.error.action), let operation = failure.operation,
        let problem = operation.problem, problem.errno == failure.error.cause.errno,
        let mount = failure.plan.mount(showing: problem.subject)
      else { return nil }
      let destination = operation.operation.action.destination
      let what = failure.quoted(destination)
      let state = problem.errno == .readOnlyFileSystem ? "read-only" : "not writable for this user"
      let cause =
        problem.host == nil
        ? "\(what) does not exist inside and cannot be made: \(mount.text) is read-only"
        : "\(what) does not exist in \(mount.text) and cannot be made there, as that is \(state)"
      return Diagnosis(cause, remedy: failure.remedy(making: destination, in: mount, problem))
    },
    Cause([.bind], [.notDirectory, .invalidArgument]) { failure in
      guard let source = failure.operation?.source,
        let place = failure.plan.root.find(failure.operation?.operation.action.destination ?? "/"),
        let node = failure.plan.root.node(at: place.end),
        (source.kind == .directory) == (node == .file)
      else { return nil }
      let (one, other) = source.kind == .directory ? ("directory", "file") : ("file", "directory")
      return Diagnosis(
        "\(failure.quoted(source.path)) is a \(one), and \(failure.name) already is a \(other): "
          + "a directory can be mounted only on a directory, and a file only on a file",
        "choose a destination that does not exist or is a \(one)")
    },
    Cause([], [.notDirectory]) { failure in
      guard let file = failure.plan.file(onTheWayTo: failure.subject) else { return nil }
      return Diagnosis(
        "\(failure.quoted(file)) is a file inside, and nothing can lie below it",
        remedy: failure.inserting(["--tmpfs", ByteString(file.removingLastComponent())])
          ?? .advice("choose a destination elsewhere"))
    },
    Cause([.bind], [.notDirectory, .invalidArgument]) { failure in
      Diagnosis(
        "a directory can be mounted only on a directory, and a file only on a file",
        "choose a destination of the kind of its source")
    },
    Cause([.writeFile], [.isDirectory]) { failure in
      if let number = failure.operation?.operation.descriptor,
        failure.error.cause.call == "read"
      {
        return Diagnosis(
          "descriptor \(String(number)) is a directory, and \(failure.option) reads a file",
          "open a file as descriptor \(String(number))")
      }
      return Diagnosis(
        "\(failure.name) is a directory inside", "choose a name in it, or another place")
    },
    Cause([.makeSymbolicLink], [.fileExists]) { failure in
      guard case .symbolicLink(let target, _)? = failure.operation?.operation.action,
        let what = failure.plan.description(of: failure.subject)
      else { return nil }
      return Diagnosis(
        "\(failure.name) already exists inside: it is \(what)",
        remedy: failure.leavingOut
          ?? .advice("choose another name for the link to \(target.quoted)"))
    },
    Cause([.bind, .writeFile], [.noSuchFileOrDirectory]) { failure in
      guard failure.error.cause.call == "move_mount" else { return nil }
      return Diagnosis(
        "\(failure.name) is a file without a name on any file system, so nothing can be mounted on it",
        remedy: failure.leavingOut ?? .advice("leave out one of the two options"))
    },
    Cause([.remountReadOnly], [.invalidArgument]) { failure in
      Diagnosis(
        "\(failure.name) is not a mount point inside",
        "mount something there first, for instance with --ro-bind")
    },
    Cause([.remountReadOnly, .setPermissions], [.noSuchFileOrDirectory]) { failure in
      Diagnosis(
        "\(failure.name) does not exist inside",
        "make it with an option before \(failure.option)")
    },
    Cause([.setPermissions], [.notPermitted]) { failure in
      Diagnosis(
        "\(failure.name) belongs to another user",
        "leave out \(failure.option), or bind another file")
    },
    Cause([.writeFile], [.noSpace]) { failure in
      for operation in failure.plan.operations.reversed() {
        guard case .tmpfs(_, _, let size?) = operation.operation.action,
          let place = operation.place, failure.subject.starts(with: place)
        else { continue }
        return Diagnosis(
          "the content does not fit into the \(String(size)) bytes that --size allows for the tmpfs on "
            + failure.quoted(place),
          remedy: failure.replacing(
            ["--size", ByteString(String(size))],
            with: [
              "--size", ByteString(String(size.multipliedReportingOverflow(by: 1024).partialValue)),
            ])
            ?? .advice("allow more with --size"))
      }
      return Diagnosis(
        "the file system of \(failure.name) is full", "make room on it; df -h shows where")
    },
    Cause([.bind, .mountTmpfs, .mountProc, .mountDevices, .findSource], [.noSpace]) { failure in
      guard let limit = failure.machine.sysctl("fs.mount-max") else { return nil }
      return Diagnosis(
        "the sandbox needs more mounts than the sysctl fs.mount-max allows (\(String(limit)))",
        remedy: .asRoot("sysctl -w fs.mount-max=\(String(2 * limit))"))
    },
    Cause([.changeDirectory], [.noSuchFileOrDirectory, .notDirectory]) { failure in
      guard !failure.subject.isAbsolute, let directory = CurrentProcess.workingDirectory else {
        return nil
      }
      let path = directory.path.pushing(failure.subject)
      guard failure.plan.root.find(path) != nil else { return nil }
      return Diagnosis(
        "\(failure.name) is relative to the root of the sandbox, not to the caller's directory",
        remedy: failure.replacing(
          ["--chdir", ByteString(failure.subject)], with: ["--chdir", ByteString(path)])
          ?? .advice("give --chdir the whole path, \(failure.quoted(path))"))
    },
    Cause([.changeDirectory], [.noSuchFileOrDirectory]) { failure in
      let path = ByteString(failure.subject)
      if let facts = try? FileFacts(at: failure.subject, followsLinks: true),
        facts.kind == .directory
      {
        return Diagnosis(
          "\(failure.name) exists on the host, but is not shown inside",
          remedy: failure.showing(["--ro-bind", path, path], isInProfile: false))
      }
      let directory = FilePath("/").pushing(failure.subject)
      return Diagnosis(
        "\(failure.name) does not exist inside",
        remedy: failure.plan.isFromMemory(directory)
          ? failure.adding(["--dir", path]) : .advice("choose a directory that exists inside"))
    },
    Cause([.changeDirectory], [.notDirectory]) { failure in
      Diagnosis("\(failure.name) is not a directory inside", "name its directory")
    },
    Cause([.changeDirectory], [.permissionDenied]) { failure in
      Diagnosis(
        "user \(String(failure.sandbox.user?.value ?? CurrentProcess.identity.user)) may not search "
          + "\(failure.name)",
        "choose another directory")
    },
    Cause([.lock], [.noSuchFileOrDirectory]) { failure in
      Diagnosis(
        "\(failure.name), which \(failure.option) locks, does not exist inside",
        "show or make it with another option, such as --ro-bind or --file")
    },
  ]

  /// Steps that make a missing destination.
  private static let makers: [LaunchError.Action] = [
    .bind, .mountTmpfs, .mountProc, .mountDevices, .mountMqueue, .mountOverlay, .makeDirectory,
    .writeFile, .makeSymbolicLink, .makeFile,
  ]
}

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
  fileprivate func isFromMemory(_ path: FilePath) -> Bool {
    switch mount(showing: path)?.operation?.action {
    case nil, .tmpfs: true
    default: false
    }
  }

  /// The mount in which a missing path would be created.
  fileprivate func mount(showing path: FilePath) -> ShownMount? {
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
  fileprivate func hostPath(onTheWayTo path: FilePath) -> FilePath? {
    var way = path
    while true {
      if let trail = root.find(way) { return root.hostPath(of: trail.end) }
      guard way.removeLastComponent() else { return nil }
    }
  }

  /// The contents of a place, in words.
  fileprivate func description(of path: FilePath) -> String? {
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
  fileprivate var optional: Remedy? {
    guard let operation = operation?.operation, let words = operation.words else { return nil }
    switch operation.action {
    case .bind(_, _, _, isOptional: false), .same(_, isOptional: false):
      return replacing(words, with: [ByteString(words[0].bytes + "-try".utf8)] + words.dropFirst())
    default: return nil
    }
  }

  /// A source that begins with a `~` that no shell has expanded.
  fileprivate var unexpandedTilde: Diagnosis? {
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
      "the shell did not expand ~ in \(name), as it was quoted",
      remedy: replacing(words, with: meant) ?? .advice("write the whole path"))
  }

  /// The FUSE file system on the way that the kernel shows to another user alone.
  ///
  /// See fuse(4), allow_other.
  fileprivate var foreignMount: MountTable.Entry? {
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
  fileprivate var isLayer: Bool {
    sandbox.filesystem.contains { operation in
      guard case .overlay(let overlay, _) = operation.action else { return false }
      if case .kept(let upper, let work) = overlay.writes, [upper, work].contains(subject) {
        return true
      }
      return overlay.sources.contains(subject)
    }
  }

  /// The operation on a descriptor that failed.
  fileprivate var descriptorOperation: FilesystemOperation? {
    sandbox.filesystem.first { $0.option == error.option && $0.descriptor != nil }
  }

  /// How to make the missing place `destination`.
  fileprivate func remedy(
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
          ?? .advice("keep changes in memory there, with --tmp-overlay")
      case .link(let target):
        return .line("mkdir -p \(directory) && ln -s \(target.quotedForShell) \(name)")
      case .emptyFile: return .line("mkdir -p \(directory) && touch \(name)")
      case .kindOfSource where operation?.source.map({ $0.kind != .directory }) == true:
        return .line("mkdir -p \(directory) && touch \(name)")
      case .directory, .kindOfSource, .existing, nil: return .line("mkdir -p \(name)")
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
