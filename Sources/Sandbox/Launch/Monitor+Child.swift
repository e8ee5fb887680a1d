// SPDX-License-Identifier: Apache-2.0
// What the monitor receives from the child, from init and from the helpers, and what it answers.

internal import Linux
internal import SystemPackage
internal import Text

extension Monitor {
  /// Reads the whole report: returns if the command was executed or died before, and throws a
  /// reported failure.
  mutating func readReport() throws(LaunchError) {
    guard let number = report?.rawValue else { return }
    let bytes = try doing(.supervise) { () throws(SystemCallError) in
      // A small chunk, because a full line is rare and each touched page costs time.
      try Descriptors.contents(of: number, chunk: 512)
    }
    report = nil
    if bytes == LaunchReport.executing {
      phase = .running
      StepLog.note("the command is executed")
      leftovers.keep()
      relay?.goOn()
      if plan.sandbox.command.isEmpty { phase = .kept(.exited(0)) }
      plan.detachment?.tell()
      return try beginCounting()
    }
    phase = .dying
    StepLog.note("the launch failed")
    let (lines, isWhole) = LaunchReport.lines(bytes)
    guard let error = LaunchError(in: lines, isWhole: isWhole) else { return }
    // Of a watcher that has ended, the child sees a closed channel or that the kernel refuses its
    // calls; the watcher has written why before that.
    throw plan.helpers.watcher?.failure ?? error
  }

  /// Fails: no process is left to report on the launch.
  ///
  /// A failure that was reported last takes precedence.
  private mutating func loseTouch() throws(LaunchError) {
    try readReport()
    throw Monitor.hasLostTouch
  }

  /// Handles the child's end; returns how the command ended, if the child was the command.
  mutating func readEnd() throws(LaunchError) -> Termination? {
    let termination = try doing(.supervise) { () throws(SystemCallError) in try waitForChild() }
    if case .ending(let ofCommand) = phase { return ofCommand }
    // Somebody has killed init.
    if case .kept = phase { return termination }
    // However it ended, a successor may exist already, and hold the report open until it is answered.
    if case .settingUp(let moves) = phase, moves > 0 {
      phase = .between(movesLeft: moves)
      // The successor has ended too, before it reported anything.
      if status == nil { try loseTouch() }
      return nil
    }
    guard case .exited = termination else { return termination }
    // Init reports how the command ended before it exits itself; without that report, nobody knows.
    if plan.hasInit { throw Monitor.hasLostTouch }
    // The status is the command's only if that was executed: a process on the way to it exits with
    // 0 as well, although its successor may have died before it could report anything.
    try readReport()
    if !phase.wasExecuted { throw Monitor.hasLostTouch }
    return termination
  }

  /// Handles one message; returns how the command ended, if it says so.
  mutating func readMessage() throws(LaunchError) -> Termination? {
    guard let number = status?.rawValue else { return nil }
    let (bytes, descriptor) = try doing(.supervise) { () throws(SystemCallError) in
      try Descriptors.receive(from: number, capacity: SetupMessage.capacity)
    }
    var passed = descriptor < 0 ? nil : OwnedDescriptor(descriptor)
    if bytes.isEmpty {
      status = nil
      // No process is left to report on the launch.
      if !phase.hasChild { try loseTouch() }
      return nil
    }
    guard let message = SetupMessage(bytes[...]), phase.permits(message) else { return nil }
    switch message {
    case .hasMoved: try follow(passed.take())
    case .isDescribed(let numbers): if isToDescribe { try describe(numbers) }
    case .isReady: try startHelpers()
    case .hasStarted: try know(passed.take())
    case .hasEnded(let termination, let wasLast):
      try readReport()
      if plan.sandbox.isKept {
        keep(after: termination)
        break
      }
      // Processes that live on inside are left alone. Otherwise wait for init: then everything has
      // ended, and its processor time counts as the caller's.
      guard wasLast, phase == .running else { return termination }
      phase = .ending(termination)
    case .hasEndedAlone(let termination, let use):
      try readReport()
      self.use = use
      // The init of a command that entered has no child left, and another process reaps it.
      guard phase == .running, !plan.hasAdoptedChild else { return termination }
      phase = .ending(termination)
      // The end of init says the rest.
      status = nil
    case .isCreating(let isSo): leftovers.isGrowing = isSo
    case .hasLeft(let name, let kind, let stamp, let isElsewhere):
      leftovers.remember(name, kind, stamp, in: isElsewhere ? passed.take() : nil, isElsewhere)
    case .hasSettled: leftovers.keep()
    case .hasAdvised: hasAdvised = true
    case .willDiscard(let entries): discard(passed.take(), entries)
    case .hasTimedOut: limit = limit ?? .timeout
    case .haveUsed(let use): self.use = use
    case .hasReopened(let number): remember(passed.take(), as: CInt(number))
    case .isHeld(let place): try hold(place, passed.take())
    case .hasTerminal: try connect(passed.take())
    case .hasStopped(let signal): stopWithCommand(signal)
    case .wasTyped(let signal): key(signal, typedFor: child.pid)
    case .hasFailed(let error): throw LaunchError(.supervise, cause: error)
    }
    return nil
  }

  /// Remembers the working directory, if it is in memory.
  private mutating func discard(_ directory: consuming OwnedDescriptor?, _ entries: UInt16) {
    // The first comes from before the command was executed.
    guard let directory, discarded == nil else { return }
    discarded = DiscardedDirectory(directory, entries: entries)
  }

  /// Accepts another process in the child's place; it waits for the answer.
  private mutating func follow(_ process: consuming OwnedDescriptor?) throws(LaunchError) {
    guard let next = phase.afterMove else { return }
    if phase.hasChild { _ = try? child.wait() }
    // Without an answer it does not continue.
    phase = .between(movesLeft: 0)
    guard let process else { throw Monitor.hasLostTouch }
    do throws(SystemCallError) {
      child = try ChildProcess(descriptor: process)
    } catch {
      status = nil
      throw LaunchError(.supervise, cause: error)
    }
    phase = next
    try answer(.supervise)
  }

  /// Takes the command's descriptor.
  private mutating func know(_ process: consuming OwnedDescriptor?) throws(LaunchError) {
    guard command == nil else { return }
    guard let process else { throw Monitor.hasLostTouch }
    command = consume process
    sendPending()
    plan.whileRunning?()
  }

  /// Takes the master of the command's terminal.
  private mutating func connect(_ master: consuming OwnedDescriptor?) throws(LaunchError) {
    guard relay == nil, !plan.terminals.isEmpty, let master else { throw Monitor.hasLostTouch }
    do throws(SystemCallError) {
      relay = try TerminalRelay(master, plan.terminals)
    } catch {
      throw LaunchError(.openTerminal, option: plan.sandbox.terminal, cause: error)
    }
    try answer(.openTerminal)
  }

  /// Lets the waiting child continue.
  mutating func answer(_ action: LaunchError.Action) throws(LaunchError) {
    do throws(SystemCallError) {
      try status?.send([SetupAnswer.goOn])
    } catch {
      // A child that closed its end is about to report why and exit. Any other child still waits,
      // and sees the channel close instead.
      if error.errno != .brokenPipe { try? child.descriptor.send(.kill) }
      status = nil
      try readReport()
      throw LaunchError(action, cause: error)
    }
  }

  /// Describes the sandbox to the caller, then lets the child continue.
  private mutating func describe(_ numbers: [UInt64]) throws(LaunchError) {
    isToDescribe = false
    let channels = plan.sandbox.channels
    do throws(SystemCallError) {
      let description = SandboxDescription(of: child.pid, plan.namespaces, numbers)
      if let number = channels.information?.value {
        try Descriptors.write(description.information, to: number)
        Descriptors.close(number)
      }
      if let number = channels.status?.value {
        try Descriptors.write(description.statusLine, to: number)
      }
    } catch {
      throw LaunchError(.describe, cause: error)
    }
    try answer(.describe)
  }
}

// MARK: - Helpers

extension Monitor {
  /// Starts the helpers that need the child's namespaces; the child continues once all are ready.
  private mutating func startHelpers() throws(LaunchError) {
    for helper in try plan.helpers.startLater(beside: child) {
      awaitedHelpers += 1
      try watch(helper)
      try add(
        Watch(number: helper.lifeline, interest: .input) { monitor throws(LaunchError) in
          guard (try? Descriptors.waitForByte(helper.lifeline)) == true else {
            throw helper.lossError
          }
          if monitor.plan.hasInit {
            try? monitor.status?.send([SetupAnswer.hold], passing: helper.lifeline)
            Descriptors.close(helper.lifeline)
          }
          monitor.awaitedHelpers -= 1
          if monitor.awaitedHelpers == 0 { try monitor.answer(.supervise) }
          return false
        })
    }
    if awaitedHelpers == 0 { try answer(.supervise) }
  }

  /// Watches for the end of a helper.
  mutating func watch(_ helper: Helper) throws(LaunchError) {
    try add(
      Watch(number: helper.process, interest: .input) { monitor throws(LaunchError) in
        try monitor.lose(helper)
        return false
      })
  }

  /// Reacts to the end of a helper.
  private mutating func lose(_ helper: Helper) throws(LaunchError) {
    let process = OwnedDescriptor(helper.process)
    let termination = try? process.waitForProcess()
    plan.helpers.forget(helper.process)
    // A report says more, if there is one: a failed child ends its helpers too.
    if phase == .dying || reportIsWhole { return }
    let watcher = helper.role.action == .watch ? plan.helpers.watcher : nil
    let lossError = watcher?.failure ?? helper.lossError
    if phase.isLaunching { throw lossError }
    switch helper.role.loss {
    // If everything inside has just ended, the helper ends as it should.
    case .isTold(let warning):
      if termination != .exited(0) {
        let relay = helper.role.action == .startRelay ? plan.helpers.relay : nil
        let cause = relay?.failure.map { ": " + $0.message } ?? ""
        try? Descriptors.write(plan.warningPrefix + warning + cause + "\n", to: 2)
      }
    case .endsSandbox: throw lossError
    }
  }
}
