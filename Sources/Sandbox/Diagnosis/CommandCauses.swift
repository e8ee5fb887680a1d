// SPDX-License-Identifier: Apache-2.0
// Why the command cannot be executed: from what the process inside saw and what exists on the host.
//
// The command's file names other files: an interpreter, a loader. A sandboxed command may have
// written it, so a remedy shows or changes such a file only where it belongs to the system.

internal import Linux
internal import SystemPackage
internal import Text

extension Cause {
  static let command: [Cause] = [
    Cause([.findProgram], [.noSuchFileOrDirectory]) { failure in failure.missingProgram },
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
            + "inside", remedy: failure.showing(interpreter.path, namedBy: file))
      case .carriageReturn(let interpreter, let file):
        return Diagnosis(
          "the first line of \(file.quoted) ends with a carriage return, as on Windows, so the kernel "
            + "looks for \(interpreter.quoted) with a carriage return in its name",
          failure.hostFile(typed: file).map {
            "remove the carriage returns: sed -i 's/\\r$//' \(ByteString($0).quotedForShell)"
          })
      case .loaderMissing(let loader, let file):
        return Diagnosis(
          "the loader \(loader.quoted), which \(file.quoted) needs, does not exist inside",
          remedy: failure.showing(loader.path, namedBy: file))
      case .noShell(let file):
        return Diagnosis(
          "\(file.quoted) is a script whose first line names no interpreter, and there is no "
            + "/bin/sh inside to run it", remedy: failure.showing("/bin/sh", namedBy: file))
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
          "use a build of it for this machine, or an emulator such as qemu-user")
      case .unknownFormat(let file):
        return failure.unknownFormat(file)
      case .unsearchable(let directory):
        return Diagnosis(
          "user \(String(failure.sandbox.user?.value ?? CurrentProcess.identity.user)) may not search "
            + "the directory \(directory.quoted)",
          remedy: failure.hostFile(typed: directory).flatMap { failure.allowing("a+x", $0) })
      default: return nil
      }
    },
    Cause([.execute], [.argListTooLong]) { _ in
      Diagnosis(
        "arguments and environment together are larger than the kernel allows, or one of them is "
          + "larger than 128 kB", "pass less: use --clearenv, or files instead of arguments")
    },
    Cause([.execute], [.textFileBusy]) { failure in
      Diagnosis(
        "a process has \(failure.name) open for writing", "wait until it is written and closed"
      )
    },
  ]
}

extension Failure {
  /// A command whose file does not exist inside.
  fileprivate var missingCommand: Diagnosis {
    let word = sandbox.command.first ?? ""
    guard !word.isEmpty else {
      return Diagnosis("the command's name is empty", "name a program")
    }
    let isPath = word.bytes.contains(UInt8(ascii: "/"))
    let host = hostFile(of: word)
    let inside = plan.environment.searchPath
    if let host, !isPath, plan.root.find(host) != nil {
      return Diagnosis(
        "\(word.quoted) is \(quoted(host)), and PATH inside does not list that directory: "
          + inside.quoted,
        remedy: adding([
          "--setenv", "PATH",
          ByteString(inside.bytes + ":".utf8 + ByteString(host.removingLastComponent()).bytes),
        ]))
    }
    if let host {
      let cause =
        isPath
        ? "\(word.quoted) exists on the host, but is not shown inside"
        : "\(word.quoted) is \(quoted(host)) on the host, which is not shown inside"
      return Diagnosis(cause, remedy: isPath ? showing(typed: host) : showing(host))
    }
    if isPath {
      return Diagnosis(
        "\(word.quoted) exists neither inside nor on the host", "check the spelling of the path")
    }
    if let meant = meantInstead(of: word) { return meant }
    return Diagnosis(
      "no directory of PATH, yours or the command's, has a program \(word.quoted)",
      "install it, or name its path")
  }

  /// A command's path that leads nowhere on the host.
  fileprivate var missingProgram: Diagnosis? {
    let way = HostWay(to: subject)
    if let link = way.dangling {
      return Diagnosis(
        "\(quoted(link.path)) is a symbolic link to \(quoted(link.target)), which does not exist on "
          + "the host", "make the link's target, or name another program")
    }
    guard let missing = way.missing else { return nil }
    let cause = "\(quoted(missing)) does not exist on the host"
    // Only the last name can be mistyped for another file's, or be meant for a program in PATH.
    guard missing.lastComponent == subject.lastComponent, let name = subject.lastComponent,
      error.subject == sandbox.command.first
    else { return Diagnosis(cause, "check the spelling of the path") }
    let rest = sandbox.command.dropFirst()
    let names = RunningHost().names(in: missing.removingLastComponent()).map(\.string)
    if let near = Suggestion.nearest(to: name.string, among: names),
      let file = FilePath.Component(near)
    {
      let path = subject.removingLastComponent().appending(file)
      // Without a directory it would be looked for in PATH.
      let word = path.components.count == 1 ? "./" + near : path.string
      return Diagnosis(cause, remedy: replacingCommand(with: [ByteString(word)] + rest))
    }
    if hostFile(of: ByteString(name.string)) != nil {
      return Diagnosis(
        "\(cause); programs in PATH are named without a directory",
        remedy: replacingCommand(with: [ByteString(name.string)] + rest))
    }
    return Diagnosis(cause, "check the spelling of the path")
  }

  /// The file of the host that the command's word names there.
  func hostFile(of word: ByteString) -> FilePath? {
    if word.bytes.contains(UInt8(ascii: "/")) {
      let path = FilePath("/").pushing(plan.directory.path).pushing(word.path)
      let typed = [path, word.path].first { (try? FileFacts(at: $0, followsLinks: true)) != nil }
      return typed
    }
    let environment = resolved.inherited
    let paths = [plan.environment, Environment(environment, [])].compactMap { $0.value(of: "PATH") }
    for path in paths {
      if let found = try? ProgramSearch.find(word, in: path) { return found.path }
    }
    return (try? ProgramSearch.find(word, in: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"))?.path
  }

  /// The remedy for a missing file that `file` names.
  fileprivate func showing(_ path: FilePath, namedBy file: ByteString) -> Remedy {
    guard (try? FileFacts(at: path, followsLinks: true)) != nil else {
      return .advice("install \(quoted(path)), which does not exist on the host either")
    }
    if plan.isOfSystem(path) { return showing(path) }
    let first =
      "read \(file.quoted) first: it names \(quoted(path)), which is not part of the host's system"
    let found = (try? RunningHost().follow(path))?.path ?? path
    let secrets = resolved.secretFiles(on: RunningHost())
    if [path, found].contains(where: { Secrets.isFile($0, among: secrets) }) {
      return .advice(first + "; " + Secrets.objection)
    }
    let name = ByteString(path)
    let options = sandbox.givesNotices ? ["--read", name] : ["--ro-bind", name, name]
    return .advice(
      first + "; if that is right, add " + options.map(\.quotedForShell).joined(separator: " "))
  }

  /// What a word that names no program was probably meant to be.
  private func meantInstead(of word: ByteString) -> Diagnosis? {
    let count = sandbox.command.count
    let text = word.text
    let here = FilePath(".").pushing(word.path)
    if (try? FileFacts(at: here, followsLinks: true))?.kind == .regular,
      FileAccess.execute.isGranted(here)
    {
      return Diagnosis(
        "\(word.quoted) is not in PATH but in this directory, from which a program is named with ./",
        remedy: replacingCommand(
          with: [ByteString(Array("./".utf8) + word.bytes)] + sandbox.command.dropFirst()))
    }
    if text.includes(" "),
      case let parts = text.split(separator: " ").map({ ByteString(String($0)) }),
      let first = parts.first, hostFile(of: first) != nil
    {
      return Diagnosis(
        "\(word.quotedForShell) is one word, so nestbox looks for a program with that name",
        remedy: replacingCommand(with: parts + sandbox.command.dropFirst()))
    }
    let name = text.prefix { $0 != "=" }
    if !name.isEmpty, name.utf8.count < text.utf8.count, count > 1,
      name.utf8.allSatisfy({
        $0 == UInt8(ascii: "_") || Character(Unicode.Scalar($0)).isLetter
          || Character(Unicode.Scalar($0)).isNumber
      })
    {
      let value = ByteString(word.bytes.dropFirst(name.utf8.count + 1))
      return Diagnosis(
        "\(word.quoted) sets a variable in a shell, but nestbox took it for the command",
        remedy: replacingCommand(
          with: Array(sandbox.command.dropFirst()),
          adding: ["--setenv", ByteString(String(name)), value]))
    }
    return nil
  }

  /// The remedy for a typed command that the sandbox does not show.
  private func showing(typed path: FilePath) -> Remedy {
    let path = (CurrentProcess.workingDirectory?.path ?? "/").pushing(path).lexicallyNormalized()
    // A link may have been planted; only a typed name shows the intention.
    guard let found = try? RunningHost().follow(path), found.path == path || plan.isOfSystem(path)
    else {
      return .advice("check where the link \(quoted(path)) leads before you show its target")
    }
    return showing(path)
  }

  /// The same line, with the file `path` of the host shown.
  private func showing(_ path: FilePath) -> Remedy {
    // One system directory is of little use without the others.
    let found = try? RunningHost().follow(path)
    if found?.path.starts(with: "/usr") == true {
      return showing(systemOptions(path), isInProfile: true)
    }
    let directory = CurrentProcess.workingDirectory?.path ?? "/"
    let command = sandbox.command.first.flatMap { hostFile(of: $0) }
    let isCommand = command.map { directory.pushing($0).lexicallyNormalized() == path } ?? false
    return showing(
      ["--ro-bind", ByteString(path), ByteString(path)], isInProfile: isCommand)
  }

  /// The options that show the missing system directories as the host has them.
  private func systemOptions(_ path: FilePath) -> [ByteString] {
    var words: [ByteString] = []
    if plan.root.find("/usr/bin") == nil { words += ["--ro-bind", "/usr", "/usr"] }
    for name in ["/bin", "/sbin", "/lib", "/lib64"] {
      let place = FilePath(name)
      guard plan.root.find(place) == nil, let facts = try? FileFacts(at: place) else { continue }
      if facts.kind == .link, let target = RunningHost.target(of: place) {
        words += ["--symlink", ByteString(target), ByteString(name)]
      } else {
        words += ["--ro-bind", ByteString(name), ByteString(name)]
      }
    }
    return words.isEmpty ? ["--ro-bind", ByteString(path), ByteString(path)] : words
  }

  fileprivate func notExecutable(_ file: ByteString) -> Diagnosis {
    let user = String(sandbox.user?.value ?? CurrentProcess.identity.user)
    let facts = try? FileFacts(at: hostPath(of: file), followsLinks: true)
    let isMarked = facts.map { $0.permissions & 0o111 != 0 } ?? false
    return Diagnosis(
      isMarked
        ? "the permissions of \(file.quoted) do not let user \(user) execute it"
        : "\(file.quoted) is not marked as executable",
      remedy: hostFile(typed: file).flatMap { allowing("a+x", $0) })
  }

  /// Describes a file that this kernel does not execute.
  fileprivate func unknownFormat(_ file: ByteString) -> Diagnosis {
    let start = (try? TextFile.beginning(of: hostPath(of: file), 64)) ?? []
    if start.starts(with: "MZ".utf8) {
      return Diagnosis(
        "\(file.quoted) is a program for Windows", "run it with Wine, if that is installed")
    }
    if start.starts(with: ELFFile.magic), start.count > 19 {
      let isLittle = start[5] == 1
      let machine = UInt16(start[isLittle ? 18 : 19]) | UInt16(start[isLittle ? 19 : 18]) << 8
      if machine != ELFFile.native {
        return Diagnosis(
          "\(file.quoted) is a program for \(ELFFile.name(of: machine)), and this machine is "
            + ELFFile.name(of: ELFFile.native),
          "use a build of it for this machine, or an emulator such as qemu-user")
      }
    }
    return Diagnosis(
      "\(file.quoted) is neither a script nor a program that the kernel can execute",
      "name the program that reads it")
  }

  fileprivate func noExecution(_ file: ByteString) -> Diagnosis {
    let host = hostPath(of: file)
    let mount = (try? FoundFile(following: host)).flatMap { RunningHost().mount(of: $0) }
    guard let mount, mount.options.contains("noexec") else {
      return Diagnosis(
        "\(file.quoted) lies on a mount that forbids execution (noexec)",
        hostFile(typed: file).map { _ in "show it from another file system" })
    }
    return Diagnosis(
      "\(file.quoted) lies on \(quoted(mount.point)) of the host, which forbids execution (noexec)",
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
