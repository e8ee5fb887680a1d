// SPDX-License-Identifier: Apache-2.0
// What the monitor hears of the child, of init and of the helpers, and what it answers.

internal import Linux
internal import SystemPackage
internal import Text

extension Monitor {
  /// Reads the report to its end: the command was executed, or died before; throws what it says
  /// otherwise.
  mutating func readReport() throws(LaunchError) {
    guard let number = report?.rawValue else { return }
    let bytes = try doing(.supervise) { () throws(SystemCallError) in
      // A little more than a line, which is rare: memory that is touched has to be paid for.
      try Descriptors.contents(of: number, chunk: 512)
    }
    report = nil
    if bytes == LaunchReport.executing {
      phase = .running
      StepLog.note("the command is executed")
      return leftovers.keep()
    }
    phase = .dying
    StepLog.note("the launch failed")
    let (lines, isWhole) = LaunchReport.lines(bytes)
    guard let error = LaunchError(in: lines, isWhole: isWhole) else { return }
    throw error
  }

  /// Fails, as nobody is left who could say what became of the launch; except for what was said
  /// last.
  private mutating func loseTouch() throws(LaunchError) {
    try readReport()
    throw Monitor.hasLostTouch
  }

  /// Takes the child's end; returns how the command ended where that is the same.
  mutating func readEnd() throws(LaunchError) -> Termination? {
    let termination = try doing(.supervise) { () throws(SystemCallError) in try child.wait() }
    if case .ending(let ofCommand) = phase { return ofCommand }
    if case .settingUp(let moves) = phase, moves > 0, termination == .exited(0) {
      phase = .between(movesLeft: moves)
      // The one that was to go on has gone as well, before it spoke.
      if status == nil { try loseTouch() }
      return nil
    }
    // Init says how the command ended before it ends; what it did not say cannot be known.
    if plan.hasInit, case .exited = termination { throw Monitor.hasLostTouch }
    return termination
  }

  /// Takes one message; returns how the command ended where it says so.
  mutating func readMessage() throws(LaunchError) -> Termination? {
    guard let number = status?.rawValue else { return nil }
    let (bytes, descriptor) = try doing(.supervise) { () throws(SystemCallError) in
      try Descriptors.receive(from: number, capacity: SetupMessage.capacity)
    }
    var passed = descriptor < 0 ? nil : OwnedDescriptor(descriptor)
    if bytes.isEmpty {
      status = nil
      // Nobody is left who could say what became of it.
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
      // What lives on inside is left alone. Otherwise init is waited for: everything has ended then,
      // and the time that it took counts as the caller's.
      guard wasLast, phase == .running else { return termination }
      phase = .ending(termination)
    case .hasLeft(let name, let kind, let stamp, let isElsewhere):
      leftovers.remember(name, kind, stamp, in: isElsewhere ? passed.take() : nil, isElsewhere)
    case .hasSettled: leftovers.keep()
    case .hasStopped(let signal): stopWithCommand(signal)
    case .wasTyped(let signal): key(signal, typedFor: child.pid)
    case .hasFailed(let error): throw LaunchError(.supervise, cause: error)
    }
    return nil
  }

  /// Goes on with another process in the child's place, which has waited for that.
  private mutating func follow(_ process: consuming OwnedDescriptor?) throws(LaunchError) {
    guard let next = phase.afterMove else { return }
    if phase.hasChild { _ = try? child.wait() }
    // It goes no further where it gets no answer.
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
  }

  /// Has the child go on, which waits for that.
  private mutating func answer(_ action: LaunchError.Action) throws(LaunchError) {
    do throws(SystemCallError) {
      try status?.send([SetupAnswer.goOn])
    } catch {
      // A child that has closed its end is about to say why, and to end; another still waits, and
      // sees the end of the messages instead.
      if error.errno != .brokenPipe { try? child.descriptor.send(.kill) }
      status = nil
      try readReport()
      throw LaunchError(action, cause: error)
    }
  }

  /// Tells the caller of the sandbox, and the child that the caller was told.
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
  /// Starts the helpers that need the child's namespaces; the child goes on once all are ready.
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

  /// Has the end of a helper seen.
  mutating func watch(_ helper: Helper) throws(LaunchError) {
    try add(
      Watch(number: helper.process, interest: .input) { monitor throws(LaunchError) in
        try monitor.lose(helper)
        return false
      })
  }

  /// Does what the end of a helper means.
  private mutating func lose(_ helper: Helper) throws(LaunchError) {
    let process = OwnedDescriptor(helper.process)
    let termination = try? process.waitForProcess()
    plan.helpers.forget(helper.process)
    // The report says more, if there is one: a child that has failed ends its helpers too.
    if phase == .dying || reportIsWhole { return }
    if phase.isLaunching { throw helper.lossError }
    switch helper.role.loss {
    // Where everything inside has just ended, a helper ends as it should.
    case .isTold(let warning):
      if termination != .exited(0) {
        try? Descriptors.write(plan.warningPrefix + warning + "\n", to: 2)
      }
    case .endsSandbox: throw helper.lossError
    }
  }
}
