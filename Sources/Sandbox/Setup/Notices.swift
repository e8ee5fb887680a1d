// SPDX-License-Identifier: Apache-2.0
// Notices for a person before the command starts: a word of the command names a file that the
// sandbox does not show, or the command's name finds a different program inside. Only lines with a
// profile get notices, because programs that drive nestbox spell out their options.

internal import Linux
internal import SystemPackage
internal import Text

extension NewRoot {
  /// Writes the notices to standard error, while the host's files can still be compared.
  mutating func writeNotices() {
    guard plan.sandbox.givesNotices else { return }
    // Its remedy also shows the file.
    write(relativeDestination() ?? hiddenFiles())
    write(otherCommand())
    noteDiscardedDirectory()
    write(readOnlyRepository())
    write(unreachableProxy())
  }

  /// What a notice says, and the line to type instead.
  private typealias Notice = (text: String, remedy: Remedy?)

  private func write(_ notice: Notice?, mayExplainFailure: Bool = true) {
    guard let notice else { return }
    plan.warn(notice.text)
    guard var remedy = notice.remedy else { return }
    // A kept sandbox has the name until it is stopped.
    if case .line(let line) = remedy, plan.sandbox.isKept, let name = plan.sandbox.name?.value {
      remedy = .line("nestbox --stop \(name.quotedForShell); \(line)")
    }
    plan.warn(remedy.text)
    // A notice that comes before every command does not explain why this one failed.
    guard mayExplainFailure else { return }
    try? Descriptors.send(SetupMessage.hasAdvised.bytes, to: monitor)
  }

  /// The line as it was typed.
  private var typed: TypedLine {
    TypedLine(plan.image.arguments, command: plan.sandbox.command)
  }

  /// How many words a notice names.
  private static let mostNames = 3

  /// A notice about words of the command that name hidden files of the host.
  private func hiddenFiles() -> Notice? {
    var hidden: [(word: ByteString, isDirectory: Bool)] = []
    for word in plan.sandbox.command.dropFirst().prefix(ArgumentWord.most) {
      guard let path = ArgumentWord.path(word), let isDirectory = isHidden(path) else { continue }
      hidden.append((ByteString(path), isDirectory))
    }
    if hidden.isEmpty { return nil }
    let secrets = plan.resolved.secretFiles(on: RunningHost())
    let secret = hidden.filter { isSecret($0.word.path, among: secrets) }.map(\.word)
    if !secret.isEmpty {
      let what = secret.count == 1 ? Secrets.objection : Secrets.objectionToSeveral
      write(("the sandbox does not show \(names(of: secret)): \(what)", nil))
      hidden.removeAll { secret.contains($0.word) }
      if hidden.isEmpty { return nil }
    }
    let replaced = hidden.filter { isReplaced($0.word.path) }.map(\.word.path)
    for path in replaced {
      let place = path.fromWorkingDirectory(plan.resolved.workingDirectory?.path) ?? path
      let directory = place.lexicallyNormalized().parent
      guard let reason = plan.resolved.objection(toReplacingIn: directory, secrets) else {
        continue
      }
      return (
        "the sandbox does not show \(ByteString(path).quoted), which the command removes or replaces: "
          + reason, nil
      )
    }
    var line = typed
    var places: Set<ByteString> = []
    line.insert(
      hidden.flatMap { word, isDirectory -> [ByteString] in
        if replaced.contains(word.path) {
          let directory = word.path.removingLastComponent()
          let place = directory.isEmpty ? "." : ByteString(directory)
          return places.insert(place).inserted ? ["--write", place] : []
        }
        // There is nothing to read in an empty directory: it waits for results.
        let isEmpty = isDirectory && (try? Directory.names(of: word.path))?.isEmpty == true
        let isChanged =
          isEmpty || plan.resolved.isTarget(word.path)
          || plan.resolved.use(by: plan.resolved.commandName) != nil
        return [isChanged && FileAccess.write.isGranted(word.path) ? "--write" : "--read", word]
      })
    let what = "the sandbox does not show \(names(of: hidden.map(\.word)))"
    return (
      replaced.isEmpty
        ? what + "; --read shows a file, and --write lets the command change it"
        : what + "; --write lets the command remove and replace what is in a directory",
      .line(line.text)
    )
  }

  /// Whether the command removes or replaces the file that a word names, and can do so outside.
  private func isReplaced(_ path: FilePath) -> Bool {
    let directory = path.removingLastComponent()
    return plan.resolved.use(by: plan.resolved.commandName) == .replaces
      && !plan.resolved.isTarget(path) && path.endsInName
      && FileAccess.write.isGranted(directory.isEmpty ? "." : directory)
  }

  private func names(of words: [ByteString]) -> String {
    words.prefix(NewRoot.mostNames).map(\.quoted).joined(separator: ", ")
      + (words.count > NewRoot.mostNames ? " and more" : "")
  }

  /// Whether `path`, or what it leads to, is a secret.
  private func isSecret(_ path: FilePath, among secrets: [FilePath]) -> Bool {
    let place = path.fromWorkingDirectory(plan.resolved.workingDirectory?.path) ?? path
    let target = (try? RunningHost().follow(place))?.path ?? place
    return [place.lexicallyNormalized(), target].contains { Secrets.isFile($0, among: secrets) }
  }

  /// Whether the file of the host to which `path` leads is a directory, if it is not shown; nil if it
  /// is shown, or if the host has none.
  private func isHidden(_ path: FilePath) -> Bool? {
    guard let place = path.fromWorkingDirectory(plan.resolved.workingDirectory?.path),
      !place.components.isEmpty,
      !["/proc", "/dev", "/sys"].contains(where: { place.starts(with: $0) }),
      let file = try? OwnedDescriptor.open(path, .location),
      let (kind, _, _) = try? file.status()
    else { return nil }
    guard let inside = try? root.openInRoot(place, .location) else {
      // Shown, a file that this user may not read is of no use to the command.
      let isOfUse = FileAccess.read.isGranted(path) || FileAccess.execute.isGranted(path)
      return isOfUse && !isClosedToOwner(path) ? kind == .directory : nil
    }
    // A different file or a mount in its place, such as an empty /tmp, is there on purpose. In a layer every
    // directory has another number.
    guard kind == .directory, (try? inside.fileIdentity()) != (try? file.fileIdentity()),
      (try? inside.isMountPoint()) == false, let device = try? inside.status().device,
      device == baseDevice
    else { return nil }
    return true
  }

  /// Whether the caller owns the file, and its mode lets them do nothing with it: this process has rights
  /// over such files that the command will not have.
  private func isClosedToOwner(_ path: FilePath) -> Bool {
    let identity = plan.resolved.identity
    guard identity.user != 0, let facts = try? FileFacts(at: path, followsLinks: true) else {
      return false
    }
    return facts.owner == identity.user && facts.permissions & 0o500 == 0
  }

  /// Has a person at a terminal told if what the command writes to its directory is thrown away.
  private func noteDiscardedDirectory() {
    guard Terminal.path(of: 2) != nil, plan.sandbox.workingDirectory == nil, !namesOutput,
      !plan.sandbox.command.isEmpty,
      let path = plan.resolved.workingDirectory?.path,
      path.starts(with: plan.resolved.callerHome.path)
        || !["/tmp", "/var/tmp"].contains(where: { path.starts(with: $0) }),
      let directory = try? root.openInRoot(path, .directory),
      let device = try? directory.status().device, isOwn(device)
    else { return }
    let sandbox = plan.sandbox
    guard sandbox.keep == nil, sandbox.detach == nil, !sandbox.becomesCommand else {
      // Then nobody is there at the end.
      let what = "the sandbox throws away what the command writes to the working directory"
      return write(
        plan.resolved.discardNotice(path, what, typed), mayExplainFailure: false)
    }
    // Counted here, since the monitor may read this only after the command has written something.
    let message = SetupMessage.willDiscard(entries: DiscardedDirectory.entries(of: directory))
    try? Descriptors.send(message.bytes, passing: directory.rawValue, to: monitor)
  }

  /// Whether the line itself says where results are to go.
  private var namesOutput: Bool {
    plan.sandbox.filesystem.contains { operation in
      guard operation.option.origin == .commandLine else { return false }
      switch operation.action {
      case .show(_, .readWrite), .review: return true
      default: return false
      }
    }
  }

  /// A notice about a destination that is relative to the root, not to the caller's directory.
  private func relativeDestination() -> Notice? {
    for operation in plan.sandbox.filesystem where operation.option.origin == .commandLine {
      guard case .bind(let source, let path, let access, _) = operation.action, path.isRelative,
        !path.isEmpty, let words = operation.words
      else { continue }
      let inside = FilePath("/").pushing(path)
      let option = access == .readOnly ? "--read" : "--write"
      let text =
        "\(operation.option.name) shows \(ByteString(path).quoted) as \(ByteString(inside).quoted), because "
        + "a relative destination begins at the root; \(option) shows a file at its own path"
      var line = typed
      return line.replace(words, with: [ByteString(option), ByteString(source)])
        ? (text, .line(line.text)) : (text, .advice("name the whole path"))
    }
    return nil
  }

  /// What git does without writing to a repository.
  private static let readingCommands: [ByteString] = [
    "status", "diff", "log", "show", "blame", "grep", "describe", "ls-files", "ls-tree",
    "rev-parse",
    "rev-list", "cat-file", "shortlog", "version", "help", "config",
  ]

  /// A notice that git cannot write to the project's repository, if the command is git.
  private func readOnlyRepository() -> Notice? {
    guard plan.resolved.commandName == "git",
      let command = plan.sandbox.command.dropFirst().first(where: {
        $0.bytes.first != UInt8(ascii: "-")
      }), !NewRoot.readingCommands.contains(command), plan.sandbox.protectsRepositories,
      !plan.sandbox.permitsCommits, !isRepositoryWritable
    else { return nil }
    if command == "init" {
      let line = plan.sandbox.command.map(\.quotedForShell).joined(separator: " ")
      return (
        "the command cannot make the project a repository, because git would later execute what is "
          + "in it; make it outside", .line(line)
      )
    }
    guard isInRepository else { return nil }
    var line = typed
    line.insert(["--profile", "git"])
    return (
      "the project's repository is read-only here; the profile git lets the command commit",
      .line(line.text)
    )
  }

  /// Whether the working directory or one around it has something that git may take for a repository: a
  /// placeholder of `TakenNames` is a link.
  private var isInRepository: Bool {
    guard var directory = plan.resolved.workingDirectory?.path else { return false }
    repeat {
      let facts = try? FileFacts(at: directory.pushing(".git"))
      if facts?.kind == .directory || facts?.kind == .regular { return true }
    } while directory.removeLastComponent()
    return false
  }

  /// Whether a later option makes the repository of a project writable all the same.
  private var isRepositoryWritable: Bool {
    plan.sandbox.filesystem.contains { operation in
      guard case .repositories(let path) = operation.action,
        let file = try? root.openInRoot(path.pushing(GitName.workTree.name), .directory)
      else { return false }
      return !Descriptors.isOnReadOnlyMount(file.rawValue)
    }
  }

  /// A notice about a command whose name finds different programs inside and outside.
  private mutating func otherCommand() -> Notice? {
    guard let command = plan.sandbox.command.first, program == nil,
      !command.bytes.contains(UInt8(ascii: "/")),
      let outside = try? ProgramSearch.find(
        command, in: Environment.value(of: "PATH", in: plan.resolved.inherited)),
      // If /bin is a link, /bin/ls and /usr/bin/ls are the same.
      let inside = search(for: command), inside != outside, !isSame(inside.path, outside.path),
      !isLink(inside.path, to: outside.path)
    else { return nil }
    var line = typed
    line.replaceCommand(with: [outside] + plan.sandbox.command.dropFirst())
    return (
      "\(command.quoted) is \(outside.quoted) outside, and \(inside.quoted) inside; its path shows "
        + "the one outside", .line(line.text)
    )
  }

  /// Whether two paths of the host name the same entry of a directory.
  private func isSame(_ left: FilePath, _ right: FilePath) -> Bool {
    func directory(_ path: FilePath) -> FileIdentity? {
      try? OwnedDescriptor.open(path.parent, .directory).fileIdentity()
    }
    guard left.lastName == right.lastName, let first = directory(left) else { return false }
    return first == directory(right)
  }

  /// Whether `path` leads to `file`, which is no link itself: a link may be a different program, as
  /// python3 in a virtual environment is.
  private func isLink(_ path: FilePath, to file: FilePath) -> Bool {
    guard let program = try? OwnedDescriptor.open(path, .location),
      let target = try? Descriptors.path(of: program.rawValue)
    else { return false }
    return isSame(target, file)
  }
}

extension LaunchPlan {
  /// Writes a line to standard error.
  func warn(_ text: String) {
    // If standard error is closed, nobody can be told.
    try? Descriptors.write(warningPrefix + text + "\n", to: 2)
  }
}
