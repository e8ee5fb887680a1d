// SPDX-License-Identifier: Apache-2.0
// The process that stays outside: it hears whether the command was executed, passes signals on to
// it, and learns how it ended.

internal import Linux

/// The monitor of a running launch.
struct Monitor: ~Copyable {
  let child: ChildProcess
  /// A record where the launch failed, nothing but its end where the command was executed.
  var report: OwnedDescriptor?
  /// Messages of init, where there is one.
  var status: OwnedDescriptor?
  let signals: SignalDescriptor
  /// The command, where it is not the child itself.
  var command: OwnedDescriptor?
  /// Whether the child stays on as init.
  let hasInit: Bool
  /// Whether the command is in the caller's session.
  let sharesSession: Bool

  /// SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM and SIGCONT.
  private static let forwarded: [CInt] = [1, 2, 3, 10, 12, 15, 18]
  private static let kill: CInt = 9
  private static let standardError: CInt = 2

  /// Closes everything that the caller had open but for standard error and `kept`: who reads the
  /// command's output waits for the last holder of the pipe's other end.
  /// - Returns: Where the signals to be passed on are read.
  static func letGo(keeping kept: CInt...) throws(LaunchError) -> SignalDescriptor {
    try doing(.prepare) { () throws(SystemCallError) in
      try Descriptors.closeAll(except: kept + [standardError])
      return try SignalDescriptor(forwarded)
    }
  }

  /// Waits until the command has ended.
  /// - Returns: How it ended; where init was killed first, how init did.
  consuming func run() throws(LaunchError) -> Termination {
    while true {
      let ready = try doing(.supervise) { () throws(SystemCallError) in
        try waitUntilReadable([
          signals.rawValue, report?.rawValue ?? -1, status?.rawValue ?? -1,
          child.descriptor.rawValue,
        ])
      }
      if ready[0] { forwardSignals() }
      // The report before anything else: a child that failed said why and ended.
      if ready[1] { try readReport() }
      if ready[2], let termination = try readStatus() { return termination }
      // Its messages before its end, for the same reason.
      if ready[3] && !ready[1] && !ready[2] {
        return try doing(.supervise) { () throws(SystemCallError) in try child.wait() }
      }
    }
  }

  /// Takes the end of the report for the command's execution; throws what it holds otherwise.
  private mutating func readReport() throws(LaunchError) {
    guard let number = report?.rawValue else { return }
    let record = try doing(.supervise) { () throws(SystemCallError) in
      try Descriptors.contents(of: number)
    }
    report = nil
    guard record.isEmpty else {
      // Nothing of the sandbox is left when the caller hears of it.
      _ = try? child.wait()
      throw LaunchReport.decode(record)
    }
  }

  /// Takes one message of init; answers how the command ended where it says so.
  private mutating func readStatus() throws(LaunchError) -> Termination? {
    guard let number = status?.rawValue else { return nil }
    let (message, descriptor) = try doing(.supervise) { () throws(SystemCallError) in
      try Descriptors.receive(from: number, capacity: 16)
    }
    if descriptor >= 0 { command = OwnedDescriptor(descriptor) }
    if message.isEmpty { status = nil }
    return InitMessage.termination(message)
  }

  private borrowing func forwardSignals() {
    while let signal = signals.next() {
      // A key typed at the terminal reached the command as well, if it is of the same session.
      if signal.isFromKernel && sharesSession { continue }
      forward(signal.number)
    }
  }

  private borrowing func forward(_ signal: CInt) {
    if report != nil {
      // There is no command yet that could do something about it.
      try? child.descriptor.sendSignal(Monitor.kill)
      _ = try? child.wait()
      SignalDisposition.die(by: signal)
    }
    // Where it fails the command has just ended, and its status is on the way.
    if hasInit {
      try? command?.sendSignal(signal)
    } else {
      try? child.descriptor.sendSignal(signal)
    }
  }
}
