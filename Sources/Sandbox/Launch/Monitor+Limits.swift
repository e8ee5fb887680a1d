// SPDX-License-Identifier: Apache-2.0
// The limits that the monitor holds itself, and what it counts.

internal import Linux
internal import Text

extension Monitor {
  /// Starts to count: the command has just been executed.
  mutating func beginCounting() throws(LaunchError) {
    if plan.sandbox.isMeasured { startTime = MonotonicClock.microseconds }
    guard let time = plan.sandbox.timeLimit else { return }
    let number = try doing(.limit, option: time.option) { () throws(SystemCallError) in
      let timer = try Timer.make()
      try Timer.start(timer.rawValue, milliseconds: time.value)
      return timer.release()
    }
    try add(
      Watch(number: number, interest: .input) { monitor throws(LaunchError) in
        try monitor.timeIsUp(number, time.option)
        return true
      })
  }

  /// How long init has to kill and reap what is left, in milliseconds.
  private static let patienceWithInit: Int64 = 2000

  /// Asks the command to end, then kills it, and with it everything inside.
  private mutating func timeIsUp(_ timer: CInt, _ option: WrittenOption) throws(LaunchError) {
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
    try doing(.limit, option: option) { () throws(SystemCallError) in
      try Timer.start(timer, milliseconds: next)
    }
  }

  /// Sends signals to the command, which with `--as-pid-1` is the child; a stopped process reacts to
  /// SIGTERM only when it continues.
  private mutating func sendToCommand(_ signals: [Signal]) {
    for signal in signals {
      if command != nil { try? command?.send(signal) } else { try? child.descriptor.send(signal) }
    }
  }

  /// Waits for the child, and counts what it used if init has not said more.
  mutating func waitForChild() throws(SystemCallError) -> Termination {
    // The kernel tells only the parent how it ended: without a message before, it was killed.
    if plan.hasAdoptedChild, phase.afterMove == nil { return .signaled(.kill) }
    guard plan.sandbox.isMeasured, !plan.hasInit else { return try child.wait() }
    let (termination, use) = try child.descriptor.waitForProcessAndUse()
    self.use = use
    return termination
  }

  /// How the command ended, and what it used.
  func ending(_ termination: Termination) -> Ending {
    var ending = Ending(termination)
    ending.limit = limit
    guard plan.sandbox.isMeasured else { return ending }
    ending.use = use
    ending.wall = MonotonicClock.microseconds - startTime
    ending.incompleteness = incompleteness
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
