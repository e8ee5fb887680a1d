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
        "\(failure.quoted(mount.point)) is another user's FUSE file system, mounted without allow_other",
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
        "another process put a symbolic link into the path \(failure.name) after nestbox had looked at "
          + "the directory",
        "find out which process did that before you start the command again")
    },
    Cause([.findSource, .makeDirectory], [.tooManySymbolicLinkLevels, .notDirectory]) { failure in
      let directory = failure.plan.resolved.workingDirectory?.path
      guard let base = failure.sandbox.wayWithoutLinks(to: failure.subject, from: directory)?.base
      else { return nil }
      return Diagnosis(
        "a symbolic link is on the way from \(failure.quoted(base)) to \(failure.name), where --no-links-in "
          + "allows none: a command may have put it there",
        "if you made the link, name the path to which it leads; if not, find out which program did, and put a "
          + "directory back in its place")
    },
    Cause([.findSource, .findProgram], [.tooManySymbolicLinkLevels]) { failure in
      Diagnosis(
        "the symbolic links in the path \(failure.name) form a loop",
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
      if let remedy = failure.replacing(existing: destination, problem) {
        return Diagnosis(
          "\(what) exists in \(mount.text) and cannot be written there: it is \(state)",
          remedy: remedy)
      }
      let cause =
        problem.host == nil
        ? "\(what) does not exist inside and cannot be made: \(mount.text) is read-only"
        : "\(what) does not exist in \(mount.text) and cannot be made there: it is \(state)"
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
        "choose a destination of the same kind as the source")
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
        "\(failure.name) is an open file without a name in any directory, so nothing can be mounted on it",
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
          // Beside the default profile; --ro-bind would take its place.
          remedy: failure.sandbox.givesNotices
            ? failure.adding(["--read", path])
            : failure.showing(["--ro-bind", path, path], isInProfile: false))
      }
      let directory = FilePath("/").pushing(failure.subject)
      return Diagnosis(
        "\(failure.name) does not exist inside",
        remedy: failure.plan.isFromMemory(directory) && !failure.sandbox.givesNotices
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
