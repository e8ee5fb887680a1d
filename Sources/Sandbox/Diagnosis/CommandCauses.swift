// SPDX-License-Identifier: Apache-2.0
// Why the command cannot be executed: what the process inside saw, and what there is on the host.
//
// The command's file names other files: an interpreter, a loader. A sandboxed command may have
// written it, so a remedy shows or changes such a file only where it belongs to the system.

internal import Linux
internal import SystemPackage
internal import Text

extension Cause {
  static let command: [Cause] = [
    Cause([.execute], [.noSuchFileOrDirectory, .notDirectory]) { failure in
      guard failure.error.finding == .missing || failure.error.finding == nil else { return nil }
      return failure.missingCommand
    },
    Cause([.execute]) { failure in
      switch failure.error.finding {
      case .interpreterMissing(let interpreter, let file):
        let name = interpreter.quoted
        return Diagnosis(
          "the interpreter \(name), which the first line of \(file.quoted) names, does not exist "
            + "inside", failure.showing(interpreter.path, namedBy: file))
      case .carriageReturn(let interpreter, let file):
        return Diagnosis(
          "the first line of \(file.quoted) ends with a carriage return, as on Windows, and "
            + "\(interpreter.quoted) with one behind it does not exist",
          failure.hostFile(typed: file).map {
            "take them out: sed -i 's/\\r$//' \(ByteString($0).quotedForShell)"
          })
      case .loaderMissing(let loader, let file):
        return Diagnosis(
          "the loader \(loader.quoted), which \(file.quoted) needs, does not exist inside",
          failure.showing(loader.path, namedBy: file))
      case .noShell(let file):
        return Diagnosis(
          "\(file.quoted) is a script whose first line names no interpreter, and there is no "
            + "/bin/sh inside to run it", failure.showing("/bin/sh", namedBy: file))
      default: return nil
      }
    },
    Cause([.execute]) { failure in
      switch failure.error.finding {
      case .directory(let file):
        return Diagnosis("\(file.quoted) is a directory", "name a program in it")
      case .notExecutable(let file): return failure.notExecutable(file)
      case .noExecution(let file): return failure.noExecution(file)
      case .foreign(let file, let machine):
        return Diagnosis(
          "\(file.quoted) is a program for \(ELFFile.name(of: machine)), and this machine is "
            + ELFFile.name(of: ELFFile.native),
          "use a build of it for this machine, or run it in an emulator, as qemu-user")
      case .unknownFormat(let file):
        return Diagnosis(
          "\(file.quoted) is neither a script nor a program that the kernel can execute",
          "name the program that is to read it")
      case .unsearchable(let directory):
        return Diagnosis(
          "user \(String(failure.sandbox.user?.value ?? CurrentProcess.identity.user)) may not search "
            + "the directory \(directory.quoted)",
          failure.hostFile(typed: directory).map {
            "as its owner: chmod a+x \(ByteString($0).quotedForShell)"
          })
      default: return nil
      }
    },
    Cause([.execute], [.argListTooLong]) { _ in
      Diagnosis(
        "arguments and environment together are larger than the kernel takes, or one of them "
          + "larger than 128 kB", "pass less: --clearenv, or files in place of arguments")
    },
    Cause([.execute], [.textFileBusy]) { failure in
      Diagnosis(
        "\(failure.name) is open for writing in some process", "wait until it is written and closed"
      )
    },
  ]
}

extension Failure {
  /// A command of which there is no file inside.
  fileprivate var missingCommand: Diagnosis {
    let word = sandbox.command.first ?? ""
    guard !word.isEmpty else {
      return Diagnosis("the command is an empty word", "name a program")
    }
    let isPath = word.bytes.contains(UInt8(ascii: "/"))
    let host = hostFile(of: word)
    let inside = plan.environment.value(of: "PATH") ?? Execution.standardPath
    if let host, !isPath, plan.root.find(host) != nil {
      return Diagnosis(
        "\(word.quoted) is \(quoted(host)), and PATH inside is \(inside.quoted)",
        "name its path, or set the other: --setenv PATH "
          + ByteString(host.removingLastComponent()).quotedForShell)
    }
    if let host {
      let cause =
        isPath
        ? "\(word.quoted) exists on the host and is not shown inside"
        : "\(word.quoted) is \(quoted(host)) on the host, which is not shown inside"
      return Diagnosis(cause, isPath ? showing(typed: host) : showing(host))
    }
    if isPath {
      return Diagnosis(
        "\(word.quoted) exists neither inside nor on the host", "check the spelling of the path")
    }
    return Diagnosis(
      "there is no program \(word.quoted) in PATH (\(inside.quoted)), neither inside nor on the host",
      "install it, or name its path")
  }

  /// The file of the host that the command's word would be there.
  private func hostFile(of word: ByteString) -> FilePath? {
    if word.bytes.contains(UInt8(ascii: "/")) {
      let path = FilePath("/").pushing(plan.directory.path).pushing(word.path)
      let typed = [path, word.path].first { (try? FileFacts(at: $0, followsLinks: true)) != nil }
      return typed
    }
    let environment = plan.caller.environment
    let paths = [plan.environment, Environment(environment, [])].compactMap { $0.value(of: "PATH") }
    for path in paths {
      if let found = ProgramSearch.find(word, in: path) { return found.path }
    }
    return ProgramSearch.find(word, in: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")?.path
  }

  /// The remedy for a missing file that `file` names.
  fileprivate func showing(_ path: FilePath, namedBy file: ByteString) -> String {
    guard (try? FileFacts(at: path, followsLinks: true)) != nil else {
      return "install it on the host, and show it: it is not there either"
    }
    if plan.isOfSystem(path) { return showing(path) }
    return
      "read \(file.quoted) before you show what it names: \(quoted(path)) is not part of the "
      + "host's system"
  }

  /// The remedy for a command that was typed and is not shown.
  private func showing(typed path: FilePath) -> String {
    // A link may have been planted; only a name that was typed says what is meant.
    guard let found = try? RunningHost().follow(path), found.path == path || plan.isOfSystem(path)
    else {
      return "look where the link \(quoted(path)) leads before you show what it leads to"
    }
    return showing(path)
  }

  /// The options that show the file `path` of the host.
  private func showing(_ path: FilePath) -> String {
    // A part of the system is not much use without the rest.
    let found = try? RunningHost().follow(path)
    if found?.path.starts(with: "/usr") == true { return showingSystem(path) }
    let name = ByteString(path).quotedForShell
    return "show it: --ro-bind \(name) \(name)"
  }

  /// The options that show the system directories as the host has them, as far as they are missing.
  private func showingSystem(_ path: FilePath) -> String {
    var words: [String] = []
    if plan.root.find("/usr/bin") == nil { words.append("--ro-bind /usr /usr") }
    for name in ["/bin", "/sbin", "/lib", "/lib64"] {
      let place = FilePath(name)
      guard plan.root.find(place) == nil, let facts = try? FileFacts(at: place) else { continue }
      if facts.kind == .link, let target = RunningHost.target(of: place) {
        words.append("--symlink \(ByteString(target).quotedForShell) \(name)")
      } else {
        words.append("--ro-bind \(name) \(name)")
      }
    }
    if words.isEmpty {
      let name = ByteString(path).quotedForShell
      words = ["--ro-bind \(name) \(name)"]
    }
    return "show it: " + words.joined(separator: " ")
  }

  fileprivate func notExecutable(_ file: ByteString) -> Diagnosis {
    let user = String(sandbox.user?.value ?? CurrentProcess.identity.user)
    let facts = try? FileFacts(at: hostPath(of: file), followsLinks: true)
    let isMarked = facts.map { $0.permissions & 0o111 != 0 } ?? false
    return Diagnosis(
      isMarked
        ? "the permissions of \(file.quoted) do not let user \(user) execute it"
        : "\(file.quoted) is not marked as executable",
      hostFile(typed: file).map { "as its owner: chmod a+x \(ByteString($0).quotedForShell)" })
  }

  fileprivate func noExecution(_ file: ByteString) -> Diagnosis {
    let host = hostPath(of: file)
    let mount = (try? FoundFile(following: host)).flatMap { RunningHost().mount(of: $0) }
    guard let mount, mount.options.contains("noexec") else {
      return Diagnosis(
        "\(file.quoted) lies on a mount from which nothing may be executed",
        hostFile(typed: file).map { _ in "show it from another file system" })
    }
    return Diagnosis(
      "\(file.quoted) lies on \(quoted(mount.point)) of the host, from which nothing may be "
        + "executed (noexec)",
      hostFile(typed: file).map { _ in
        "copy it to another file system, or as root: mount -o remount,exec "
          + ByteString(mount.point).quotedForShell
      })
  }

  /// Where `file`, the command or a directory on the way to it, lies on the host; nil where another
  /// file named it or a link leads to it.
  fileprivate func hostFile(typed file: ByteString) -> FilePath? {
    let path = plan.directory.path.pushing(file.path).lexicallyNormalized()
    let typed = error.cause.subject ?? error.subject ?? ""
    let command = plan.directory.path.pushing(typed.path).lexicallyNormalized()
    guard command.starts(with: path) else { return nil }
    guard let trail = plan.root.find(path) else { return path }
    return trail.path == path ? plan.root.hostPath(of: trail.end) ?? path : nil
  }

  /// Where a file inside lies on the host.
  private func hostPath(of file: ByteString) -> FilePath {
    let path = plan.directory.path.pushing(file.path)
    return plan.root.find(path).flatMap { plan.root.hostPath(of: $0.end) } ?? path
  }
}
