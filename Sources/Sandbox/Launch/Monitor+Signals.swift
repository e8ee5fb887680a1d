// SPDX-License-Identifier: Apache-2.0
// Signals from the caller or from keys: the monitor passes them on to the command, or ends a launch
// that has no command yet; and how the command stops and continues together with the launcher.

internal import Linux

extension Monitor {
  /// Passes on all received signals.
  mutating func forwardSignals() {
    while let received = signals.next() {
      if received.signal == .windowChanged {
        relay?.takeSize()
      } else if case .kept(let termination) = phase {
        endKept(received.signal, termination)
      } else if case .ending = phase {
        // The command has ended, perhaps because of this key.
        if received.signal != .goOn, !received.isFromKernel { isImpatient = true }
      } else if received.signal == .childChanged {
        if phase == .running, let signal = child.descriptor.stopSignal() { stopWithCommand(signal) }
      } else if received.isFromKernel, hasCommand {
        key(received.signal, typedFor: ProcessGroup.own)
      } else {
        forward(received.signal)
      }
    }
  }

  /// Whether a process is there that is the command or is about to execute it.
  ///
  /// The report ends only when init has closed it as well, which may be long after the command has
  /// begun.
  private var hasCommand: Bool {
    phase.isLaunching ? report?.hasInput() ?? false : true
  }

  private mutating func forward(_ signal: Signal) {
    if !hasCommand {
      switch signal {
      // The launch, which stopped with this process, continues with it too.
      case .goOn: return
      case .terminalStop: _ = SignalDisposition.stop(by: signal, all: false)
      default: abort(signal)
      }
      return
    }
    if signal == .goOn {
      job.goOn((plan.commandLeadsGroup ? commandGroup : nil) ?? child.pid)
      if let relay {
        relay.goOn()
        // Keys have stopped all of it.
        return sendToCommand(.goOn)
      }
    }
    // If this fails, the command has just ended and its status is on the way.
    if command != nil {
      try? command?.send(signal)
    } else if plan.hasInit {
      pending.insert(SignalSet(signal))
    } else {
      try? child.descriptor.send(signal)
    }
  }

  /// Sends the signals that arrived before the command existed.
  mutating func sendPending() {
    pending.forEach { signal in try? command?.send(signal) }
    pending = []
  }

  /// Ends a launch that has no command yet to handle the signal.
  private mutating func abort(_ signal: Signal) -> Never {
    killAll()
    clearAway()
    if let failure = EndReport(abortedBy: signal, of: plan.resolved).write(for: plan.resolved) {
      plan.warn(failure)
    }
    SignalDisposition.die(by: signal)
  }
}

// MARK: - Kept sandboxes

extension Monitor {
  /// Goes on without the command, which has ended.
  mutating func keep(after termination: Termination) {
    StepLog.note("the command ended with status " + String(termination.shellStatus))
    phase = .kept(termination)
    relay?.end(signals)
    relay = nil
    copyWaiting()
    returnPositions()
    // So that keys end the launcher.
    job.takeTerminalBack()
  }

  /// Ends a sandbox without a command, if `signal` asks for that.
  private mutating func endKept(_ signal: Signal, _ termination: Termination) {
    switch signal {
    case .terminate, .interrupt, .quit, .hangUp:
      killAll()
      phase = .ending(termination)
    case .terminalStop: _ = SignalDisposition.stop(by: signal, all: false)
    default: break
    }
  }
}

// MARK: - Keys

extension Monitor {
  /// Passes on a key, unless the command received it: the command may have left the group to which
  /// the terminal sent it.
  mutating func key(_ signal: Signal, typedFor group: Int32) {
    // Process 1 ignores this signal.
    let isIgnored = signal == .terminalStop && plan.sandbox.commandIsInit
    guard phase == .running || phase.isLaunching, isIgnored || commandGroup != group else { return }
    if signal == .interrupt, job.isThirdInterrupt { return killAll() }
    // In a new session the command's group is orphaned, and the kernel ignores SIGTSTP.
    sendToCommand(signal == .terminalStop ? .stop : signal)
  }

  /// The process group of the command.
  private var commandGroup: Int32? {
    let number = command == nil ? child.pid : try? command?.processNumber()
    return number.flatMap { ProcessGroup.of($0) }
  }

  private mutating func sendToCommand(_ signal: Signal) {
    if command != nil {
      try? command?.sendToGroup(signal)
    } else {
      try? child.descriptor.sendToGroup(signal)
    }
  }
}

// MARK: - Stops

extension Monitor {
  /// Stops together with the command, so that the caller's shell takes over; continues with it.
  mutating func stopWithCommand(_ signal: Signal) {
    // A key may have stopped this process before it read of the command's stop; both have been
    // continued since then.
    if command?.isStopped() == false { return }
    // Without a person at the terminal nobody would continue a launcher that has to hold a limit.
    if plan.sandbox.limitsTime, signal == .stop || !plan.isInFront { return }
    // Meanwhile init holds the limit of time. Only this process can count processor time, so that
    // nothing inside may use it: the command has stopped, perhaps not all that it has started.
    let isToFreeze = plan.sandbox.processorTimeLimit != nil
    if isToFreeze, let group = plan.group, (try? group.freeze(true)) == nil { return }
    copyWaiting()
    let hasStopped = relay.map { $0.stop(by: signal, signals) } ?? job.stop(by: signal)
    if isToFreeze { try? plan.group?.freeze(false) }
    if !hasStopped { sendToCommand(.goOn) }
  }
}

/// The command as a job of the caller's shell.
struct Job {
  /// Whether the command has a new process group, which init has put in the foreground.
  let takesTerminal: Bool
  /// Whether the launcher's group was in the foreground.
  let isInFront: Bool
  /// Whether a group of the sandbox is in the foreground.
  private var hasTerminal: Bool
  /// The foreground group when the command stopped.
  private var stoppedGroup: Int32?
  /// The times of the last two Ctrl-C that did not reach the command, in milliseconds.
  private var interrupts: (last: Int, before: Int) = (0, 0)

  private static let terminal: CInt = 0

  init(takesTerminal: Bool, isInFront: Bool) {
    (self.takesTerminal, self.isInFront) = (takesTerminal, isInFront)
    hasTerminal = takesTerminal
  }

  /// Whether this Ctrl-C is the third within two seconds.
  var isThirdInterrupt: Bool {
    mutating get {
      let now = MonotonicClock.milliseconds
      defer { interrupts = (now, interrupts.last) }
      return interrupts.before != 0 && now - interrupts.before < 2000
    }
  }

  /// Returns the terminal to the launcher's group, if the sandbox has it.
  mutating func takeTerminalBack() {
    guard takesTerminal, hasTerminal else { return }
    Terminal.setForeground(Job.terminal, to: ProcessGroup.own)
    hasTerminal = false
  }

  /// Stops the launcher as the command was stopped.
  ///
  /// Returns false if the command should continue: because no shell could continue it, or because
  /// it is in the foreground without knowing.
  mutating func stop(by signal: Signal) -> Bool {
    let isForTerminal = signal == .terminalInput || signal == .terminalOutput
    if takesTerminal {
      let group = Terminal.foreground(Job.terminal)
      // A shell sends no signal when it brings a running job to the foreground.
      if isForTerminal, !hasTerminal, group == ProcessGroup.own { return !giveTerminal() }
      stoppedGroup = hasTerminal ? group : nil
      takeTerminalBack()
    }
    // The whole group, as for a key: a script waits for the launcher.
    let wasStopped = SignalDisposition.stop(by: signal, all: isInFront)
    if wasStopped || !takesTerminal { return true }
    return signal == .stop || !giveTerminal()
  }

  /// Gives the terminal to the group that had it, if the launcher's group is in the foreground.
  private mutating func giveTerminal() -> Bool {
    guard Terminal.foreground(Job.terminal) == ProcessGroup.own, let group = stoppedGroup else {
      return false
    }
    Terminal.setForeground(Job.terminal, to: group)
    hasTerminal = true
    return true
  }

  /// Continues the command's process group.
  mutating func goOn(_ group: Int32) {
    guard takesTerminal else { return }
    if !hasTerminal {
      stoppedGroup = stoppedGroup ?? group
      _ = giveTerminal()
    }
    ProcessGroup.send(.goOn, to: group)
  }
}
