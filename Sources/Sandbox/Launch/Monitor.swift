// SPDX-License-Identifier: Apache-2.0
// The process that stays outside: it hears whether the command was executed, passes signals on to
// it, and learns how it ended.

internal import Linux
internal import SystemPackage
internal import Text

/// The monitor of a running launch.
struct Monitor: ~Copyable {
  var child: ChildProcess
  /// A record where the launch failed, nothing but its end where the command was executed.
  var report: OwnedDescriptor?
  /// Messages of the child: on its way, and later as init.
  var status: OwnedDescriptor?
  let signals: SignalDescriptor
  let plan: LaunchPlan
  /// How many times the child is still to go on as another process.
  var movesLeft: Int
  /// Whether the child has ended, and the process that goes on in its place has not yet spoken.
  var isBetween = false
  /// The command, where it is not the child itself.
  var command: OwnedDescriptor?
  /// Whether the caller was told of the sandbox.
  var isDescribed = false
  /// Whether the command was executed.
  var isExecuted = false
  /// Whether nothing is left inside once the command has ended.
  var isEnding = false
  /// What the launch has made on the host: names in open directories, which are locked until it is
  /// settled that it does not fail (Setup/Leftovers.swift).
  var leftovers: [NewRoot.Leftover] = []
  /// Those directories, each once, in the order in which they came.
  var leftoverDirectories: [CInt] = []
  /// Signals that came before the command could be named.
  var pending: [CInt] = []

  /// SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM and SIGCONT.
  static let forwarded: [CInt] = [1, 2, 3, 10, 12, 15, 18]
  private static let kill: CInt = 9
  private static let goOn: CInt = 18
  private static let standardError: CInt = 2

  /// The process that would have said how things are going has ended without a word.
  private static let hasLostTouch = LaunchError(
    .supervise, cause: SystemCallError(call: "recvmsg", errno: .noSuchProcess))

  /// Waits until the command has ended.
  /// - Parameter kept: Descriptors that are still needed.
  /// - Returns: How it ended; where init was killed first, how init did.
  /// - Throws: `LaunchError` where it cannot be waited for, or was not started; nothing of the
  ///   sandbox goes on then.
  consuming func run(keeping kept: [CInt]) throws(LaunchError) -> Termination {
    do throws(LaunchError) {
      try letGo(keeping: kept)
      return try supervise()
    } catch {
      endAll()
      throw error
    }
  }

  /// Closes everything that the caller had open but for standard error and `kept`: who reads the
  /// command's output waits for the last holder of the pipe's other end.
  private func letGo(keeping kept: [CInt]) throws(LaunchError) {
    try doing(.prepare) { () throws(SystemCallError) in
      try Descriptors.closeAll(except: kept + [Monitor.standardError])
      // Not before there is a child: that has all of them blocked, and init waits for SIGCHLD.
      try signals.letOthersThrough()
    }
    // Those who listen to --json-status-fd may have left by the time there is something to say.
    SignalDisposition.ignoreBrokenPipes()
  }

  private mutating func supervise() throws(LaunchError) -> Termination {
    while true {
      let ready = try doing(.supervise) { () throws(SystemCallError) in
        try waitUntilReadable(
          [
            signals.rawValue, status?.rawValue ?? -1, isBetween ? -1 : child.descriptor.rawValue,
            report?.rawValue ?? -1,
          ], isLong: isRunning)
      }
      // The report before anything else: a child that failed said why and ended, and what a signal
      // means depends on whether there is a command by now.
      if ready[3] || ready[0] && hasReport { try readReport() }
      if ready[0] { forwardSignals() }
      if ready[1], let termination = try readMessage() { return try end(termination) }
      // Its messages before its end, for the same reason.
      if ready[2] && !ready[1] && !ready[3] {
        let termination = try doing(.supervise) { () throws(SystemCallError) in try child.wait() }
        if movesLeft > 0 && termination == .exited(0) {
          isBetween = true
          // The one that was to go on has gone as well, before it spoke.
          if status == nil { try loseTouch() }
        } else if plan.hasInit, case .exited = termination {
          // It says how the command ended before it ends; what it did not say cannot be known.
          throw Monitor.hasLostTouch
        } else {
          return try end(termination)
        }
      }
    }
  }
}

// MARK: - What the child says

extension Monitor {
  /// Whether there is nothing left to wait for but the command's end.
  private var isRunning: Bool { report == nil && (command != nil || !plan.hasInit) }

  /// Whether all has been said that the report will ever say.
  private var hasReport: Bool { report?.isHungUp() ?? false }

  /// Takes the report: the command was executed, or died before; throws what it holds otherwise.
  private mutating func readReport() throws(LaunchError) {
    guard let number = report?.rawValue else { return }
    var record = try doing(.supervise) { () throws(SystemCallError) in
      // A little more than a record, which is rare: memory that is touched has to be paid for.
      try Descriptors.contents(of: number, chunk: 512)[...]
    }
    report = nil
    let hasBegun = record.first == LaunchReport.isExecuting
    if hasBegun { record.removeFirst() }
    isExecuted = hasBegun && record.isEmpty
    StepLog.note(isExecuted ? "the command is executed" : "the launch failed")
    if isExecuted { keepLeftovers() }
    guard record.isEmpty else {
      // Nothing of the sandbox is left when the caller hears of it.
      _ = try? child.wait()
      plan.busProxy?.stop()
      var error = LaunchReport.decode(Array(record.prefix(LaunchReport.size)))
      error.finding = ExecutionFinding(record.dropFirst(LaunchReport.size))
      throw error
    }
  }

  /// Fails for want of anybody who could say what became of the launch, but for what was said last.
  private mutating func loseTouch() throws(LaunchError) {
    try readReport()
    throw Monitor.hasLostTouch
  }

  /// Takes one message; answers how the command ended where it says so.
  private mutating func readMessage() throws(LaunchError) -> Termination? {
    guard let number = status?.rawValue else { return nil }
    let (bytes, descriptor) = try doing(.supervise) { () throws(SystemCallError) in
      try Descriptors.receive(from: number, capacity: SetupMessage.capacity)
    }
    if bytes.isEmpty {
      status = nil
      // Nobody is left who could say what became of it.
      if isBetween { try loseTouch() }
    }
    // What a launch says, and once there is a command, what init says of it: nothing else is
    // believed of a process that is next to a hostile one.
    switch SetupMessage(bytes) {
    case .hasMoved where movesLeft > 0 && !isExecuted: try follow(descriptor)
    case .isReady(let numbers) where !isDescribed: try describe(numbers)
    case .hasStarted where command == nil:
      command = OwnedDescriptor(descriptor)
      for signal in pending { try? command?.sendSignal(signal) }
      pending = []
    case .isEnding: isEnding = true
    case .hasEnded(let termination): return termination
    case .hasLeft(let name, let kind, let stamp, let isElsewhere) where !isExecuted:
      remember(name, kind, stamp, in: isElsewhere ? descriptor : nil)
    case .hasSettled: keepLeftovers()
    case .hasFailed(let error): throw LaunchError(.supervise, cause: error)
    default: if descriptor >= 0 { Descriptors.close(descriptor) }
    }
    return nil
  }

  /// Goes on with another process in the child's place, which has waited for that.
  private mutating func follow(_ descriptor: CInt) throws(LaunchError) {
    if !isBetween { _ = try? child.wait() }
    movesLeft -= 1
    do throws(SystemCallError) {
      child = try ChildProcess(descriptor: OwnedDescriptor(descriptor))
    } catch {
      // It goes no further where it gets no answer.
      isBetween = true
      status = nil
      throw LaunchError(.supervise, cause: error)
    }
    isBetween = false
    try answer(.supervise)
  }

  /// Has the child go on, which waits for that.
  private mutating func answer(_ action: LaunchError.Action) throws(LaunchError) {
    do throws(SystemCallError) {
      try status?.send([0])
    } catch {
      // A child that has closed its end is about to say why, and to end; another still waits, and
      // sees the end of the messages instead.
      if error.errno != .brokenPipe { try? child.descriptor.sendSignal(Monitor.kill) }
      status = nil
      try readReport()
      throw LaunchError(action, cause: error)
    }
  }

  /// Tells the caller of the sandbox, and the child that it was told.
  private mutating func describe(_ numbers: [UInt64]) throws(LaunchError) {
    isDescribed = true
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

  /// Tells the caller how the command ended, if it was executed at all.
  private mutating func end(_ termination: Termination) throws(LaunchError) -> Termination {
    // Whoever could still say something has ended.
    try readReport()
    StepLog.note("the command ended with status " + String(termination.shellStatus))
    if !isExecuted { endAll() }
    if isExecuted, let number = plan.sandbox.channels.status?.value {
      let line = SandboxDescription.exitLine(termination.shellStatus)
      // Who does not listen any more does not change how the command ended.
      try? Descriptors.write(line, to: number)
    }
    // What lives on inside keeps its buses; init holds what ends the proxy.
    if isEnding || !plan.hasInit { plan.busProxy?.stop() }
    // A shell inside cannot give the terminal back: in its pid namespace the caller's group has no
    // number.
    if plan.namespaces.contains(.pid), !plan.sandbox.hasOwnSession {
      Terminal.takeBackIfAbandoned()
    }
    return termination
  }
}

// MARK: - What a failed launch leaves

extension Monitor {
  /// Ends whatever the launch has come to, and takes back what it made on the host: nothing of it
  /// goes on, or is left.
  private mutating func endAll() {
    // Both, as init does not take the command along where they have no pid namespace.
    try? command?.sendSignal(Monitor.kill)
    try? child.descriptor.sendSignal(Monitor.kill)
    if !isBetween { _ = try? child.wait() }
    while let number = status?.rawValue,
      let (bytes, descriptor) = try? Descriptors.receive(
        from: number, capacity: SetupMessage.capacity),
      !bytes.isEmpty
    {
      switch SetupMessage(bytes) {
      case .hasMoved, .hasStarted:
        // It may have gone on as another process in the meantime. One that cannot be received is
        // still waiting for an answer, and ends as this channel does.
        guard descriptor >= 0 else { return removeLeftovers() }
        try? OwnedDescriptor(descriptor).sendSignal(Monitor.kill)
      case .hasLeft(let name, let kind, let stamp, let isElsewhere) where !isExecuted:
        remember(name, kind, stamp, in: isElsewhere ? descriptor : nil)
      case .hasSettled: keepLeftovers()
      default: if descriptor >= 0 { Descriptors.close(descriptor) }
      }
    }
    removeLeftovers()
  }

  /// Notes what lies in `directory`, or else in the one that came last.
  private mutating func remember(
    _ name: ByteString, _ kind: FileKind, _ stamp: UInt64, in directory: CInt?
  ) {
    if let directory { leftoverDirectories.append(directory) }
    // One that could not be received is -1, and what lies in it stays.
    guard let directory = leftoverDirectories.last, directory >= 0 else { return }
    leftovers.append(
      NewRoot.Leftover(directory: directory, name: name.path, kind: kind, stamp: stamp))
  }

  /// Leaves what the launch made on the host where it is: the command has it now.
  private mutating func keepLeftovers() {
    for directory in leftoverDirectories where directory >= 0 { Descriptors.close(directory) }
    leftoverDirectories = []
    leftovers = []
  }

  /// Takes back what the launch made on the host, now that nothing of it is left.
  ///
  /// Inside it could not be done any more: most of it is a mount point there.
  private mutating func removeLeftovers() {
    for leftover in leftovers.reversed() { leftover.takeBack() }
    keepLeftovers()
  }
}

// MARK: - Signals

extension Monitor {
  private mutating func forwardSignals() {
    while let signal = signals.next() {
      // A key typed at the terminal reached the command as well, if it is of the same session and
      // there is one.
      if signal.isFromKernel && !plan.sandbox.hasOwnSession && report == nil { continue }
      forward(signal.number)
    }
  }

  private mutating func forward(_ signal: CInt) {
    if report != nil {
      // What had stopped the launch with this process is over.
      if signal == Monitor.goOn { return }
      abort(signal)
    }
    // Where it fails the command has just ended, and its status is on the way.
    if command != nil {
      try? command?.sendSignal(signal)
    } else if plan.hasInit {
      pending.append(signal)
    } else {
      try? child.descriptor.sendSignal(signal)
    }
  }

  /// Ends a launch that has no command yet which could do something about a signal.
  private mutating func abort(_ signal: CInt) -> Never {
    endAll()
    SignalDisposition.die(by: signal)
  }
}
