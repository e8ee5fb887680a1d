// SPDX-License-Identifier: Apache-2.0
// How an inspection is made: what /proc and the control groups tell of a sandbox, each text with a
// bound.

internal import Linux
internal import SystemPackage
internal import Text

extension Inspection {
  /// The most processes and namespace members that a report names.
  public static let mostProcesses = 1000

  /// Looks at `listed`, one of `list`.
  public init(_ listed: ListedSandbox, in list: SandboxList, _ survey: Survey) {
    self.listed = listed
    sharedNetwork = list.networks.first { $0.name == listed.place?.network }
    let sandbox = listed.sandbox
    let members = Array(sandbox.processes.prefix(Inspection.mostProcesses))
    for (process, words) in zip(members, members.words()) {
      // The report also names a process that has ended meanwhile.
      processes.append(Member(facts: process, words: words))
      if sandbox.hasCommand, process == sandbox.command { self.listed.words = words }
      if let directory = try? ProcessDirectory.of(process) { use.add(directory) }
    }
    use.processes = sandbox.processes.count
    namespaces = Inspection.namespaces(of: sandbox, list, survey)
    if let monitor = sandbox.monitor, sandbox.tool != .other {
      launcherWords = [monitor].words(limit: Bound.other)[0]
    }
    // A kept sandbox may have no process but init, which hides its links and has other privileges.
    guard let directory = try? ProcessDirectory.of(sandbox.command ?? sandbox.first) else {
      return
    }
    read(directory)
    if !sandbox.hasCommand { protection = Protection() }
    if sandbox.namespaces?[.mount] != survey.own[.mount] { readMounts(directory) }
    if sandbox.namespaces?[.network] != survey.own[.network] {
      network = NetworkFacts(of: directory)
    }
  }

  private static func namespaces(
    of sandbox: RunningSandbox, _ list: SandboxList, _ survey: Survey
  ) -> [NamespaceUse] {
    guard let numbers = sandbox.namespaces else { return [] }
    let inside = Set(sandbox.processes.map(\.number))
    return Namespaces.names.compactMap { kind, name in
      guard let number = numbers[kind] else { return nil }
      let sharers = survey.processes.filter { $0.namespaces?[kind] == number }
      let others = sharers.filter { !inside.contains($0.number) }
      let foreign = Set(others.map(\.number))
      return NamespaceUse(
        kind: kind, kindName: name, number: number, isOwn: survey.own[kind] == number,
        members: sharers.filter { inside.contains($0.number) }, others: others,
        sandboxes: list.entries.map(\.sandbox).filter { other in
          other.processes.contains { foreign.contains($0.number) }
        })
    }
  }

  private static func text(
    _ name: ByteString, _ limit: Int, of directory: borrowing ProcessDirectory
  ) -> [UInt8] {
    (try? directory.contents(of: name.path, limit: limit)) ?? []
  }

  private mutating func read(_ directory: borrowing ProcessDirectory) {
    let status = StatusLines(Inspection.text("status", Bound.status, of: directory))
    protection = Protection(status)
    maps = IdentityMaps(
      users: IdentityMaps.lines(Inspection.text("uid_map", Bound.other, of: directory)),
      groups: IdentityMaps.lines(Inspection.text("gid_map", Bound.other, of: directory)),
      setgroups: IdentityMaps.setgroups(Inspection.text("setgroups", 16, of: directory)))
    limits = ResourceLimit.table(Inspection.text("limits", Bound.other, of: directory))
    var own: [ControlGroup] = []
    if let itself = try? ProcessDirectory(CurrentProcess.number) {
      own = ControlGroup.list(Inspection.text("cgroup", Bound.other, of: itself))
    }
    groups = ControlGroup.list(Inspection.text("cgroup", Bound.other, of: directory))
      .flatMap { $0.withOuter(beyond: own) }
  }

  private mutating func readMounts(_ directory: borrowing ProcessDirectory) {
    let table = MountTable(
      parsing: Inspection.text("mountinfo", Bound.mountTable, of: directory))
    mounts = table.entries.map { MountUse(entry: $0) }
    guard let root = try? directory.open("root", .location) else { return }
    for index in mounts.indices {
      mounts[index].use = MountUse.use(of: mounts[index].entry, below: root)
    }
  }
}

extension MountUse {
  /// How full a file system in memory is.
  ///
  /// Another file system could be served by a process that never answers. The sandbox chose the
  /// path, so the file found there must be on the mount that the kernel listed.
  fileprivate static func use(
    of entry: MountTable.Entry, below root: borrowing OwnedDescriptor
  ) -> FilesystemUse? {
    guard entry.type == "tmpfs", let place = try? root.openCachedInRoot(entry.point),
      (try? place.mountNumber()) == entry.number
    else { return nil }
    return try? place.filesystemUse()
  }
}

extension ProcessUse {
  fileprivate mutating func add(_ process: borrowing ProcessDirectory) {
    guard let line = try? process.contents(of: "stat", limit: Bound.stat),
      let stat = StatLine(line),
      let status = try? process.contents(of: "status", limit: Bound.status)
    else { return }
    // In units of 1024 bytes.
    let resident = StatusLines(status).number("VmRSS") ?? 0
    threads = threads.addingReportingOverflow(stat.threads).partialValue
    memory = memory.addingReportingOverflow(resident &* 1024).partialValue
    ticks = ticks.addingReportingOverflow(stat.processorTime).partialValue
  }
}

// MARK: - Reading

extension Protection {
  /// Reads the lines of /proc/PID/status.
  public init(_ status: StatusLines) {
    hasNoNewPrivileges = status.number("NoNewPrivs").map { $0 != 0 }
    seccomp = status.number("Seccomp")
    filters = status.number("Seccomp_filters")
    for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
      if let set = status.capabilities(name) { capabilities.append((name, set)) }
    }
  }
}

extension IdentityMaps {
  /// Reads /proc/PID/uid_map or gid_map.
  public static func lines(_ text: [UInt8]) -> [Line] {
    text.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let words = line.split(separator: UInt8(ascii: " "))
      guard words.count == 3, let inside = UInt64(decimal: words[0]),
        let outside = UInt64(decimal: words[1]), let count = UInt64(decimal: words[2])
      else { return nil }
      return Line(inside: inside, outside: outside, count: count)
    }
  }

  static func setgroups(_ text: [UInt8]) -> String? {
    let word = text.split(separator: UInt8(ascii: "\n")).first.map { Array($0) }
    return ["allow", "deny"].first { word == Array($0.utf8) }
  }
}

extension ResourceLimit {
  /// Reads /proc/PID/limits: a heading, then lines of columns with two blanks between them.
  public static func table(_ text: [UInt8]) -> [ResourceLimit] {
    text.split(separator: UInt8(ascii: "\n")).dropFirst().compactMap { line in
      // The name holds single blanks and ends where the line's 26th column begins.
      guard line.count > 26 else { return nil }
      let name = line.prefix(26).split(separator: UInt8(ascii: " "))
        .map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
      let words = line.dropFirst(26).split(separator: UInt8(ascii: " "))
      guard words.count >= 2 else { return nil }
      return ResourceLimit(
        name: name, soft: UInt64(decimal: words[0]), hard: UInt64(decimal: words[1]),
        unit: words.count > 2 ? String(decoding: words[2], as: UTF8.self) : "")
    }
  }
}

extension ControlGroup {
  /// Reads /proc/PID/cgroup: lines of the form `NUMBER:CONTROLLERS:PATH`.
  public static func list(_ text: [UInt8]) -> [ControlGroup] {
    text.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let parts = line.split(
        separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return nil }
      return ControlGroup(
        controllers: String(decoding: parts[1], as: UTF8.self), path: ByteString(parts[2]))
    }
  }
}

// MARK: - Figures of control groups

extension ControlGroup {
  /// The files that are read.
  private static let files: [FilePath] = [
    "memory.current", "memory.peak", "memory.high", "memory.max", "memory.swap.current",
    "memory.swap.max", "pids.current", "pids.peak", "pids.max", "cpu.max", "io.max",
  ]
  /// The most groups around a process that are reported.
  private static let mostOuter = 8

  /// This group with its figures, and the groups around it, whose limits apply to it too, unless
  /// they are also around the groups `own`.
  fileprivate func withOuter(beyond own: [ControlGroup]) -> [ControlGroup] {
    guard controllers.isEmpty, let top = try? UnifiedHierarchy.place() else { return [self] }
    let ownPath = own.first { $0.controllers.isEmpty }?.path.path ?? "/"
    var (path, groups) = (self.path.path, [ControlGroup]())
    // A path with `..` leads out of this process's control group namespace.
    while !ownPath.starts(with: path), path.lastComponent?.kind == .regular,
      groups.count < ControlGroup.mostOuter
    {
      var group = ControlGroup(controllers: "", path: ByteString(path))
      group.readFigures(top.appending(path.components))
      groups.append(group)
      path.removeLastComponent()
    }
    return groups.isEmpty ? [self] : groups
  }

  private mutating func readFigures(_ place: FilePath) {
    guard let directory = try? OwnedDescriptor.open(place, .readableDirectory) else { return }
    for name in ControlGroup.files {
      guard let file = try? directory.openRelative(name, .reading),
        let bytes = try? Descriptors.beginning(of: file.rawValue, 256), bytes.last == 0x0a
      else { continue }
      figures.append(Figure(name: name.string, text: ByteString(bytes.dropLast())))
    }
  }
}
