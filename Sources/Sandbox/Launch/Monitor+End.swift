// SPDX-License-Identifier: Apache-2.0
// The end: how it is reported, which processes it ends, and what it removes from the host.

internal import Linux
internal import SystemPackage
internal import Text

extension Monitor {
  /// Tells the caller how the command ended, if it was executed at all.
  mutating func end(_ termination: Termination) throws(LaunchError) -> Ending {
    // Every process that could still report has ended.
    try readReport()
    // Before anything else is written there; what is still to be copied may exceed the limit.
    relay?.end(signals)
    finishCopies()
    var ending = ending(termination)
    // The report comes when init has ended, for which the caller may no longer want to wait.
    if phase.wasExecuted, !isImpatient, let watcher = plan.helpers.watcher {
      // Without an init, nobody else holds it.
      if !plan.hasInit { Descriptors.close(watcher.lifeline) }
      ending.take(try watcher.readReport())
    }
    // Processes that live on inside keep their helpers: init holds the lifelines.
    let isOver = phase != .running || !plan.hasInit
    if let relay = plan.helpers.relay {
      // For what was sent last, or by processes that live on.
      if phase.wasExecuted, !isOver || relay.hasWork { startRelay(relay) }
      if isOver, !plan.hasInit { Descriptors.close(relay.helper.lifeline) }
      ending.refusals = relay.refusals(
        untilEnd: isOver && phase.wasExecuted && !isImpatient)
      ending.endOfLog = relay.endOfLog
      ending.learn(relay.reached, of: plan.sandbox)
    }
    ending.learnUse(of: plan.sandbox)
    returnPositions()
    StepLog.note("the command ended with status " + String(termination.shellStatus))
    if !phase.wasExecuted {
      killAll()
      clearAway()
    }
    if phase.wasExecuted, let number = plan.sandbox.channels.status?.value {
      let line = SandboxDescription.exitLine(ending.status)
      // If the caller no longer reads, that does not change how the command ended.
      try? Descriptors.write(line, to: number)
    }
    if isOver { plan.helpers.end() }
    job.takeTerminalBack()
    // A shell inside cannot hand the terminal back: the caller's group has no number in its pid
    // namespace.
    if plan.namespaces.contains(.pid), !plan.sandbox.hasOwnSession {
      Terminal.takeBackIfAbandoned()
    }
    returnTerminals()
    return ending
  }

  /// How long to wait for killed processes to end, in milliseconds.
  ///
  /// Only the kernel can delay that: it first tears down namespaces, with mounts that may hang.
  private static let patience = 2000

  /// Kills every process of the launch.
  mutating func killAll() {
    if case .settingUp = phase { letFinishCreating() }
    // Both: without a new pid namespace the command does not die with init.
    try? command?.send(.kill)
    try? child.descriptor.send(.kill)
  }

  /// Lets the child tell of a file that it is creating on the host: killed in between, it would leave
  /// a file of which nobody knows.
  ///
  /// The child is stopped first, so that its last message shows where it is.
  private mutating func letFinishCreating() {
    let deadline = MonotonicClock.milliseconds + Monitor.patience
    while (try? child.descriptor.send(.stop)) != nil, hasStopped(before: deadline) {
      drainMessages(until: MonotonicClock.milliseconds)
      guard leftovers.isGrowing, let number = status?.rawValue else { return }
      try? child.descriptor.send(.goOn)
      guard Monitor.isReady(number, before: deadline) else { return }
    }
  }

  /// Waits until the child has stopped; returns false if it has ended, or has not stopped in time.
  private func hasStopped(before deadline: Int) -> Bool {
    while child.descriptor.stopSignal() == nil {
      if MonotonicClock.milliseconds >= deadline
        || Monitor.isReady(child.descriptor.rawValue, before: 0)
      {
        return false
      }
      CurrentProcess.sleep(milliseconds: 1)
    }
    return true
  }

  /// Reaps the killed processes and removes what they created on the host.
  mutating func clearAway() {
    let deadline = MonotonicClock.milliseconds + Monitor.patience
    if phase.hasChild, Monitor.isReady(child.descriptor.rawValue, before: deadline) {
      _ = try? child.wait()
    }
    held.letGo()
    drainMessages(until: deadline)
    finishCopies()
    plan.helpers.stop()
    leftovers.takeBack()
    job.takeTerminalBack()
    returnTerminals()
  }

  private static func isReady(_ number: CInt, before deadline: Int) -> Bool {
    let left = CInt(clamping: max(deadline - MonotonicClock.milliseconds, 0))
    return (try? Descriptors.waitForInput(number, milliseconds: left)) ?? false
  }

  /// Reads the child's last messages: what it created on the host, and whether it continues as
  /// another process.
  private mutating func drainMessages(until deadline: Int) {
    while let number = status?.rawValue, Monitor.isReady(number, before: deadline),
      let (bytes, descriptor) = try? Descriptors.receive(
        from: number, capacity: SetupMessage.capacity),
      !bytes.isEmpty
    {
      var passed = descriptor < 0 ? nil : OwnedDescriptor(descriptor)
      switch SetupMessage(bytes[...]) {
      case .hasMoved, .hasStarted:
        // A successor whose descriptor did not arrive still waits for an answer, and ends when this
        // channel closes.
        guard let process = passed.take() else { return }
        try? process.send(.kill)
      case .isCreating(let isSo): leftovers.isGrowing = isSo
      case .hasLeft(let name, let kind, let stamp, let isElsewhere) where !phase.wasExecuted:
        leftovers.remember(name, kind, stamp, in: isElsewhere ? passed.take() : nil, isElsewhere)
      case .hasSettled: leftovers.keep()
      default: break
      }
    }
  }
}

// MARK: - What a failed launch leaves

/// What a launch has created on the host: names in open directories, which stay locked until the
/// launch has succeeded (Setup/Leftovers.swift).
struct MonitoredLeftovers {
  private var leftovers: [NewRoot.Leftover] = []
  /// Whether the child is creating something that it has not told of yet.
  var isGrowing = false
  /// The directories, each once, in order of arrival; -1 for one that did not arrive.
  private var directories: [CInt] = []

  /// Notes a file in `directory` if that is a new one, or else in the last directory.
  mutating func remember(
    _ name: ByteString, _ kind: FileKind, _ stamp: UInt64,
    in directory: consuming OwnedDescriptor?, _ isElsewhere: Bool
  ) {
    isGrowing = false
    if isElsewhere {
      if let directory { directories.append(directory.release()) } else { directories.append(-1) }
    }
    // If the directory did not arrive, its file stays.
    guard let last = directories.last, last >= 0 else { return }
    leftovers.append(
      NewRoot.Leftover(directory: last, name: name.path, kind: kind, stamp: stamp))
  }

  /// Keeps what the launch created on the host: the command uses it now.
  mutating func keep() {
    for directory in directories where directory >= 0 { Descriptors.close(directory) }
    directories = []
    leftovers = []
  }

  /// Removes what the launch created on the host, after all its processes have ended.
  ///
  /// The processes inside could not do so: there most of it is a mount point.
  mutating func takeBack() {
    for leftover in leftovers.reversed() { leftover.takeBack() }
    keep()
  }
}
