// SPDX-License-Identifier: Apache-2.0
// What the caller or a key sends: it is passed on to the command, or ends a launch that has none; and
// how the command stops and goes on together with the launcher.

internal import Linux

extension Monitor {
  /// Passes on all signals that have come.
  mutating func forwardSignals() {
    while let received = signals.next() {
      if case .ending = phase {
        // There is no command any more. A key may have been the one that ended it.
        if received.signal != .goOn, !received.isFromKernel { isImpatient = true }
      } else if received.signal == .childChanged {
        if phase == .running, let signal = child.descriptor.stopSignal() { stopWithCommand(signal) }
      } else if received.isFromKernel, !phase.isLaunching {
        key(received.signal, typedFor: ProcessGroup.own)
      } else {
        forward(received.signal)
      }
    }
  }

  private mutating func forward(_ signal: Signal) {
    if phase.isLaunching {
      switch signal {
      // What had stopped the launch with this process is over.
      case .goOn: return
      case .terminalStop: _ = SignalDisposition.stop(by: signal, all: false)
      default: abort(signal)
      }
      return
    }
    if signal == .goOn { job.goOn(child.pid) }
    // Where it fails the command has just ended, and its status is on the way.
    if command != nil {
      try? command?.send(signal)
    } else if plan.hasInit {
      pending.insert(SignalSet(signal))
    } else {
      try? child.descriptor.send(signal)
    }
  }

  /// Sends what came before there was a command.
  mutating func sendPending() {
    pending.forEach { signal in try? command?.send(signal) }
    pending = []
  }

  /// Ends a launch that has no command yet which could do something about a signal.
  private mutating func abort(_ signal: Signal) -> Never {
    killAll()
    clearAway()
    SignalDisposition.die(by: signal)
  }
}

// MARK: - Keys

extension Monitor {
  /// Passes on a key, unless it has reached the command: that may have left the group for which the
  /// key was typed.
  mutating func key(_ signal: Signal, typedFor group: Int32) {
    // Process 1 ignores a mere key.
    let isIgnored = signal == .terminalStop && plan.sandbox.commandIsInit
    guard phase == .running, isIgnored || commandGroup != group else { return }
    if signal == .interrupt, job.isThirdInterrupt { return killAll() }
    // The kernel would not stop a session of its own by a mere key.
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
  /// Stops with the command, so that the caller's shell takes over; goes on with it.
  mutating func stopWithCommand(_ signal: Signal) {
    guard job.stop(by: signal) else { return sendToCommand(.goOn) }
  }
}

/// The command as a job of the caller's shell.
struct Job {
  /// Whether the command has a process group of its own, which init has put in front.
  let takesTerminal: Bool
  /// Whether the launcher's group was in front.
  let isInFront: Bool
  /// Whether a group of the sandbox is in front.
  private var hasTerminal: Bool
  /// The group that was in front when the command stopped.
  private var stoppedGroup: Int32?
  /// When Ctrl-C was typed last for a command that it did not reach, in milliseconds.
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

  /// Gives the terminal to the launcher's group again, where the sandbox has it.
  mutating func takeTerminalBack() {
    guard takesTerminal, hasTerminal else { return }
    Terminal.setForeground(Job.terminal, to: ProcessGroup.own)
    hasTerminal = false
  }

  /// Stops the launcher as the command was stopped; returns false where the command should go on, as
  /// nobody is there who could continue it, or as it has only missed that it is in front.
  mutating func stop(by signal: Signal) -> Bool {
    let isForTerminal = signal == .terminalInput || signal == .terminalOutput
    if takesTerminal {
      let group = Terminal.foreground(Job.terminal)
      // A shell that brings a running job to the front tells nobody.
      if isForTerminal, !hasTerminal, group == ProcessGroup.own { return !giveTerminal() }
      stoppedGroup = hasTerminal ? group : nil
      takeTerminalBack()
    }
    // The whole group, as for a key: a script waits for the launcher.
    let wasStopped = SignalDisposition.stop(by: signal, all: isInFront)
    if wasStopped || !takesTerminal { return true }
    return signal == .stop || !giveTerminal()
  }

  /// Gives the terminal to the group that had it, if the launcher's group is in front.
  private mutating func giveTerminal() -> Bool {
    guard Terminal.foreground(Job.terminal) == ProcessGroup.own, let group = stoppedGroup else {
      return false
    }
    Terminal.setForeground(Job.terminal, to: group)
    hasTerminal = true
    return true
  }

  /// Continues the command's group, led by init, which is `leader`.
  mutating func goOn(_ leader: Int32) {
    guard takesTerminal else { return }
    if !hasTerminal {
      stoppedGroup = stoppedGroup ?? leader
      _ = giveTerminal()
    }
    ProcessGroup.send(.goOn, to: leader)
  }
}
