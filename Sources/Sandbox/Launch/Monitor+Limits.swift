// SPDX-License-Identifier: Apache-2.0
// The limits that the monitor holds itself, and what it counts.

internal import Linux
internal import Text

extension Monitor {
  /// Starts to count: the command has just been executed.
  mutating func beginCounting() throws(LaunchError) {
    if plan.sandbox.isMeasured { startTime = MonotonicClock.microseconds }
    if let group = plan.group { try beginCounting(group) }
    guard let time = plan.sandbox.timeLimit else { return }
    timer = try doing(.limit, option: time.option) { () throws(SystemCallError) in
      let timer = try Timer.make()
      try Timer.start(timer.rawValue, milliseconds: time.value)
      return timer.release()
    }
  }

  /// How long init has to kill and reap what is left, in milliseconds.
  private static let patienceWithInit: Int64 = 2000

  /// Asks the command to end, then kills it, and with it everything inside.
  mutating func timeIsUp() throws(LaunchError) {
    defer { timeouts += 1 }
    let next: Int64
    switch timeouts {
    case 0:
      // If the command has ended, init is killing what it left.
      if phase == .running { limit = .timeout }
      sendToCommand([.terminate, .goOn])
      next = plan.sandbox.grace
    case 1:
      // Init kills the rest: the processor time of processes that die with init is lost.
      sendToCommand([.kill])
      next = Monitor.patienceWithInit
    default:
      Timer.stop(timer)
      return killAll()
    }
    let number = timer
    try doing(.limit, option: plan.sandbox.timeLimit?.option) { () throws(SystemCallError) in
      try Timer.start(number, milliseconds: next)
    }
  }

  /// Sends signals to the command, which with `--as-pid-1` is the child; a stopped process reacts to
  /// SIGTERM only when it continues.
  mutating func sendToCommand(_ signals: [Signal]) {
    for signal in signals {
      if command != nil { try? command?.send(signal) } else { try? child.descriptor.send(signal) }
    }
  }

  /// Waits for the child, and counts what it used if init has not said more.
  mutating func waitForChild() throws(SystemCallError) -> Termination {
    // The kernel tells only the parent how it ended: without a message before, it was killed.
    if plan.hasAdoptedChild, phase.afterMove == nil { return .signaled(.kill) }
    hasChildEnded = true
    guard plan.sandbox.isMeasured, !plan.hasInit else { return try child.wait() }
    let (termination, use) = try child.descriptor.waitForProcessAndUse()
    self.use = use
    return termination
  }

  /// How the command ended, and what it used.
  func ending(_ termination: Termination) -> Ending {
    var ending = Ending(termination)
    ending.limit = limit
    ending.wasExecuted = phase.wasExecuted
    ending.hasAdvised = hasAdvised
    ending.hasDiscarded = discarded?.hasMore == true
    if plan.sandbox.outputLimit != nil { ending.output = output }
    var isCounted = false
    if let group = plan.group { isCounted = look(at: group, &ending) }
    guard plan.sandbox.isMeasured else { return ending }
    ending.use = use
    ending.wall = MonotonicClock.microseconds - startTime
    // The group has counted every process in it, also those that no process waited for.
    if !isCounted { ending.incompleteness = incompleteness }
    return ending
  }

  /// Why processes may not have been counted.
  private var incompleteness: String? {
    if !plan.namespaces.contains(.pid) {
      return "without --unshare-pid, processes that lose their parent are not counted"
    }
    if plan.sandbox.commandIsInit {
      return "with --as-pid-1, processes that are killed when the command ends are not counted"
    }
    if phase == .running { return "processes that live on are not counted" }
    return use == nil ? "init was killed" : nil
  }
}

// MARK: - The control group

extension Monitor {
  /// The shortest time between two looks at the processor time, in milliseconds.
  private static let shortestPause: Int64 = 1

  /// Begins to watch the processor time: no controller of a group limits it.
  private mutating func beginCounting(_ group: SandboxGroup) throws(LaunchError) {
    group.beginCounting()
    guard let time = plan.sandbox.processorTimeLimit,
      group.held.contains(where: { if case .processorTime = $0 { true } else { false } })
    else { return }
    // At most as fast as all processors can use it up.
    let processors = Processors.count
    let number = try doing(.limit, option: time.option) { () throws(SystemCallError) in
      try Timer.make().release()
    }
    func next(_ used: Int64) throws(LaunchError) {
      let pause = max((time.value - used) / 1000 / processors, Monitor.shortestPause)
      try doing(.limit, option: time.option) { () throws(SystemCallError) in
        try Timer.start(number, milliseconds: pause)
      }
    }
    try next(0)
    try add(
      Watch(number: number, interest: .input) { monitor throws(LaunchError) in
        let used = group.usedTime
        if used <= time.value {
          try next(used)
          return true
        }
        Timer.stop(number)
        if monitor.phase == .running { monitor.limit = monitor.limit ?? .processorTime }
        // Init kills the rest, so that its use is counted.
        monitor.sendToCommand([.kill])
        return false
      })
  }

  /// Reads what the group counted, and whether a limit was reached; then removes it.
  /// - Returns: Whether everything was counted.
  private func look(at group: SandboxGroup, _ ending: inout Ending) -> Bool {
    // With its init a pid namespace ends, and where memory runs out the kernel kills all of the
    // group. Otherwise processes may live on; without an init nobody knows.
    let endsWithChild =
      plan.namespaces.contains(.pid) && (hasChildEnded || phase != .running)
    let patience =
      endsWithChild || group.kills > 0 ? 2000 : plan.hasInit && !hasChildEnded ? 0 : 100
    let isEmpty = group.empty(patience: patience)
    let (use, processorTime) = group.use
    ending.groupUse = use
    ending.heldByGroup = group.held
    if ending.limit == nil, use.kills ?? 0 > 0 { ending.limit = .memory }
    // It may have ended between two looks.
    if ending.limit == nil, phase.wasExecuted, let time = plan.sandbox.processorTimeLimit,
      processorTime > time.value,
      group.holds(.processorTime(time.value, orNone: false))
        || group.holds(.processorTime(time.value, orNone: true))
    {
      ending.limit = .processorTime
    }
    group.remove(patience: 0)
    return isEmpty
  }
}
