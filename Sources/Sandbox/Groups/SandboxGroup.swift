// SPDX-License-Identifier: Apache-2.0
// The control group of one sandbox: made for it with its limits, and removed with it.
//
// It has two levels. The outer group has the limits; its lock says that its monitor lives. The
// processes are in the inner group, where the sandbox's control group namespace begins: no file of a
// limit is in there, so that a payload cannot lift one, even on systems that mount the hierarchy
// without `nsdelegate`. What the new root shows of the hierarchy is read-only (NewRoot+Groups.swift).
// GroupRemoval.swift removes what a payload, or a monitor that was killed, has left.
//
// Each sandbox gets new groups: after cgroup.kill, Linux 6.18 kills every process that is cloned into
// the same group later.

internal import Linux
internal import SystemPackage
internal import Text

/// The control group of a sandbox.
final class SandboxGroup {
  private let base: GroupBase
  private let name: FilePath
  /// The outer group, locked.
  private let directory: CInt
  /// The group of the processes.
  let processes: CInt
  /// Its path in the hierarchy.
  let path: ByteString
  /// The limits that it holds.
  private(set) var held: [Limit] = []
  private var isRemoved = false
  /// Whether the child has yet to enter the group itself.
  var mustBeEntered = false
  /// Processor time that was used before the command was executed, in microseconds.
  private var timeBefore: Int64 = 0
  /// The file with the processor time, once it has been read.
  private var times: CInt = -1

  /// All that is open for it.
  var descriptors: [CInt] { [base.directory, directory, processes] }

  /// How the names of outer groups begin; the number of the monitor follows.
  static let prefix = "nestbox-"
  /// The name of the inner group.
  static let inner: FilePath = "payload"
  /// How many groups a payload can make, and how deep: all of them are removed in the end.
  private static let most = (groups: 1000, depth: 16)

  private init(
    _ base: GroupBase, _ name: FilePath, _ directory: consuming OwnedDescriptor,
    _ processes: consuming OwnedDescriptor
  ) {
    self.base = base
    self.name = name
    self.directory = directory.release()
    self.processes = processes.release()
    path = ByteString(
      base.path.appending([name.lastComponent, SandboxGroup.inner.lastComponent].compactMap { $0 }))
  }
}

extension ResolvedSandbox {
  /// Makes the group that the sandbox's limits need; nil if none does, or if the command runs without.
  func makeGroup() throws(LaunchError) -> SandboxGroup? {
    guard let limits = sandbox.groupLimits, let first = limits.first else { return nil }
    let needed = limits.items.compactMap { $0.isOptional ? nil : $0.controller }
    do throws(LaunchError) {
      let base = try doing(.makeGroup, option: first.option) { () throws(SystemCallError) in
        try GroupBase.find(needing: needed, Environment(inherited, []))
      }
      return try SandboxGroup.make(in: base, limits, ownProcesses: hasInit ? 1 : 0, of: sandbox)
    } catch {
      if limits.areOptional { return nil }
      throw error
    }
  }
}

// MARK: - Making

extension SandboxGroup {
  /// Makes a group below `base` with `limits`; without it, `base` is given up.
  fileprivate static func make(
    in base: GroupBase, _ limits: GroupLimits, ownProcesses: Int, of sandbox: Sandbox
  ) throws(LaunchError) -> SandboxGroup {
    base.open { GroupRemoval.sweep($0) }
    let group: SandboxGroup
    do throws(LaunchError) {
      group = try doing(.makeGroup, option: limits.first?.option) { () throws(SystemCallError) in
        try SandboxGroup.make(in: base)
      }
    } catch {
      giveUp(base)
      throw error
    }
    do throws(LaunchError) {
      for item in limits.items { try group.hold(item, base.controllers) }
      try group.holdOthers(sandbox, ownProcesses)
    } catch {
      group.remove()
      throw error
    }
    return group
  }

  private static func make(in base: GroupBase) throws(SystemCallError) -> SandboxGroup {
    try base.open { parent throws(SystemCallError) in try make(in: base, parent) }
  }

  private static func make(
    in base: GroupBase, _ parent: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> SandboxGroup {
    var tries = 0
    while true {
      let random = String(try CurrentProcess.randomNumber(), radix: 16)
      let name = FilePath(prefix + String(CurrentProcess.number) + "-" + random)
      do throws(SystemCallError) {
        try parent.makeDirectory(name, .standardDirectory)
        let directory = try parent.openRelative(name, .readableDirectory)
        // Another launch may have taken it for a leftover before it was locked.
        guard try directory.lock(.exclusive) else {
          throw SystemCallError(call: "flock", errno: .noSuchFileOrDirectory)
        }
        try directory.makeDirectory(inner, .standardDirectory)
        let processes = try directory.openRelative(inner, .readableDirectory)
        return SandboxGroup(base, name, directory, processes)
      } catch {
        tries += 1
        guard error.errno == .noSuchFileOrDirectory, tries < 10 else {
          try? parent.remove(name, .directory)
          throw error.about(ByteString(base.path))
        }
      }
    }
  }

  /// Sets a limit, and reads it back.
  private func hold(
    _ item: GroupLimits.Item, _ controllers: GroupLimits.Controllers
  ) throws(LaunchError) {
    if item.isOptional, let controller = item.controller, !controllers.contains(controller) {
      return
    }
    do throws(LaunchError) {
      try doing(.limit, option: item.option, ByteString(item.limit.name)) {
        () throws(SystemCallError) in
        switch item.limit {
        case .memory(let bytes, _): try set("memory.max", bytes)
        case .swap(let bytes, _): try set("memory.swap.max", bytes)
        case .processors(let thousandths, _): try setProcessors(thousandths)
        case .processorTime, .resource, .processes, .time, .grace, .output: return
        }
      }
    } catch {
      if !item.isOptional { throw error }
      return
    }
    held.append(item.limit)
  }

  /// What follows from the limits.
  private func holdOthers(_ sandbox: Sandbox, _ ownProcesses: Int) throws(LaunchError) {
    let memory = held.first { if case .memory = $0 { true } else { false } }
    let swap = held.contains { if case .swap = $0 { true } else { false } }
    try doing(.limit, option: sandbox.groupLimits?.first?.option, "the control group") {
      () throws(SystemCallError) in
      if memory != nil {
        // One process killed among many leaves a result that nobody can rely on.
        try Descriptors.write("1", to: "memory.oom.group", in: directory)
        // A limit of memory that swaps beyond it is none.
        if !swap { try forbidSwap() }
      }
      if base.controllers.contains(.processes), let limit = sandbox.processLimit {
        try set("pids.max", UInt64(limit.number) + UInt64(ownProcesses))
      }
      try Descriptors.write(
        String(SandboxGroup.most.groups), to: "cgroup.max.descendants", in: directory)
      try Descriptors.write(String(SandboxGroup.most.depth), to: "cgroup.max.depth", in: directory)
    }
  }

  private func forbidSwap() throws(SystemCallError) {
    do throws(SystemCallError) {
      try set("memory.swap.max", 0)
    } catch {
      // A kernel that does not count swap, where there is none either.
      guard error.errno == .noSuchFileOrDirectory || error.errno == .permissionDenied,
        ((try? TextFile.lines(of: "/proc/swaps")) ?? []).count <= 1
      else { throw error }
    }
  }

  /// Writes a limit, and reads it back: the kernel may know another one, or cut it to whole pages.
  private func set(_ file: FilePath, _ value: UInt64) throws(SystemCallError) {
    let text = try Descriptors.writeAndRead(
      String(value), to: file, in: directory, limit: GroupText.limit)
    guard let read = GroupText.number(text), read >= 0, UInt64(read) <= value,
      value - UInt64(read) < 65_536
    else {
      throw SystemCallError(call: "read", subject: ByteString(file), errno: .invalidArgument)
    }
  }

  /// Limits the processors, by their thousandths.
  private func setProcessors(_ thousandths: UInt32) throws(SystemCallError) {
    // Of a tenth of a second; the kernel takes no less than a thousandth of a second.
    let text = String(max(UInt64(thousandths) * 100, 1000)) + " 100000"
    let read = try Descriptors.writeAndRead(
      text, to: "cpu.max", in: directory, limit: GroupText.limit)
    guard read == Array((text + "\n").utf8) else {
      throw SystemCallError(call: "read", subject: "cpu.max", errno: .invalidArgument)
    }
  }
}

// MARK: - Use

extension SandboxGroup {
  /// Whether it holds the limit.
  func holds(_ limit: Limit) -> Bool { held.contains(limit) }

  /// Begins to count: what was used to set the sandbox up is not the command's.
  func beginCounting() { timeBefore = GroupUse.time(in: timeText) ?? 0 }

  /// The processor time that the command and all others have used, in microseconds.
  var usedTime: Int64 { usedTime(of: timeText) }

  private func usedTime(of text: [UInt8]) -> Int64 {
    (GroupUse.time(in: text) ?? timeBefore) &- timeBefore
  }

  /// What the kernel says of the processor time; empty if it says nothing.
  private var timeText: [UInt8] {
    if times < 0 {
      times = OwnedDescriptor.borrowing(directory) {
        (try? $0.openRelative("cpu.stat", .reading).release()) ?? -1
      }
    }
    return (try? Descriptors.piece(of: times, limit: GroupText.limit)) ?? []
  }

  /// What was used in all, and the processor time since the count began.
  var use: (all: GroupUse, time: Int64) {
    let text = timeText
    return (GroupUse(of: directory, base.controllers, times: text), usedTime(of: text))
  }

  /// How many processes were killed because memory ran out.
  var kills: Int64 { GroupUse.kills(in: directory, base.controllers) ?? 0 }

  /// Stops all processes in the group, wherever the payload has moved them, or lets them go on.
  ///
  /// See cgroups(7), cgroup.freeze.
  func freeze(_ isToStop: Bool) throws(SystemCallError) {
    try Descriptors.write(isToStop ? "1" : "0", to: "cgroup.freeze", in: directory)
  }

  /// Moves this process into the group.
  func enter() throws(SystemCallError) {
    try Descriptors.write("0", to: "cgroup.procs", in: processes)
  }
}

// MARK: - Removing

extension SandboxGroup {
  /// Waits until no process is left in the group, and removes the groups below.
  /// - Parameter patience: How long killed processes may take to leave it, in milliseconds.
  /// - Returns: Whether none is left.
  func empty(patience: Int) -> Bool {
    OwnedDescriptor.borrowing(directory) { GroupRemoval.empty($0, patience: patience) }
  }

  /// Removes the group; where processes live on in it, a later launch does.
  func remove(patience: Int = 2000) {
    guard !isRemoved else { return }
    isRemoved = true
    // Before its lock is given up. Nearly always it has no group inside any more.
    base.open { parent in
      do throws(SystemCallError) {
        try parent.remove(name, .directory)
      } catch {
        guard error.errno == .resourceBusy, empty(patience: patience) else { return }
        try? parent.remove(name, .directory)
      }
    }
    if times >= 0 { Descriptors.close(times) }
    Descriptors.close(processes)
    Descriptors.close(directory)
    SandboxGroup.giveUp(base)
  }

  /// Gives up the base; the last launch that uses it leaves it as it was.
  private static func giveUp(_ base: GroupBase) {
    let directory = OwnedDescriptor(base.directory)
    guard base.wasLeft, (try? directory.becomesOnlyHolder()) == true else { return }
    base.open { GroupRemoval.sweep($0) }
    // Without the controllers, a group in which processes live on would have no limits.
    let entries = (try? Directory.entries(of: directory)) ?? []
    let others = entries.filter { $0.kind == .directory && $0.name.path != GroupBase.monitors }
    if others.isEmpty { GroupBase.comeBack(directory.rawValue) }
  }
}
