// SPDX-License-Identifier: Apache-2.0
// The process that stays outside: it hears whether the command was executed, passes signals on to
// it, and learns how it ended.
//
// This file has its state and its loop. What the child says is handled in Monitor+Child.swift, what
// the caller sends in Monitor+Signals.swift, and how a launch ends in Monitor+End.swift. A feature
// that must wait for something else (a timer, a terminal, a listener) adds a `Watch`.

internal import Linux
internal import SystemPackage
internal import Text

/// The monitor of a running launch.
struct Monitor: ~Copyable {
  var child: ChildProcess
  /// What the process that becomes the command reports (LaunchReport.swift); nil once it has ended.
  var report: OwnedDescriptor?
  /// Messages of the child: during set-up, and later as init.
  var status: OwnedDescriptor?
  let signals: SignalDescriptor
  let plan: LaunchPlan
  var phase: Phase
  /// The command as a job of the caller's shell.
  var job: Job
  /// The command, if it is not the child itself.
  var command: OwnedDescriptor?
  /// Whether the sandbox must still be described to the caller.
  var isToDescribe: Bool
  /// How many started helpers the child still waits for.
  var awaitedHelpers = 0
  /// Additional events to wait for.
  var watches: [Watch] = []
  /// What is held open of a sandbox with a name.
  var held = HeldSandbox()
  /// What the launch has created on the host, until the launch has succeeded.
  var leftovers = MonitoredLeftovers()
  /// Whether the caller no longer wants to wait for init's end.
  var isImpatient = false
  /// Whether the child has printed a line that gives the command more.
  var hasAdvised = false
  /// The working directory, if it is in memory and somebody is to be told what is lost there.
  var discarded: DiscardedDirectory?
  /// What was used, and when the command was executed, in microseconds.
  var use: ResourceUse?
  var startTime: Int64 = 0
  /// The limit that ended the command.
  var limit: Ending.LimitHit?
  /// Whether the child has ended.
  var hasChildEnded = false
  /// The timer of the limit of time, which is no watch so that it costs little; -1 if there is none.
  var timer: CInt = -1
  /// How often the time was up.
  var timeouts = 0
  /// The copies from the command to files of the caller that are not at their end.
  var copies: [StandardDescriptors.Copy] = []
  /// How many bytes of output were counted.
  var output: UInt64 = 0
  /// The files that the command got in the place of standard descriptors, in order to read them.
  var reopened: [StandardDescriptors.Replacement] = []
  /// The connection to a terminal of the command's own.
  var relay: TerminalRelay?
  /// Signals that arrived before the command was known.
  var pending: SignalSet = []

  /// The process that should have reported progress has ended without a report.
  static var hasLostTouch: LaunchError {
    LaunchError(.supervise, cause: SystemCallError(call: "recvmsg", errno: .noSuchProcess))
  }

  /// Waits until the command has ended.
  /// - Parameters:
  ///   - kept: Descriptors that are still needed.
  ///   - whenFailed: What to do first if the launch fails.
  /// - Returns: How it ended, or how init ended if init was killed first, and what it used.
  /// - Throws: `LaunchError` if it was not started or cannot be waited for; no process of the
  ///   sandbox goes on then.
  consuming func run(
    keeping kept: DescriptorSet, _ whenFailed: (LaunchError) -> Void
  ) throws(LaunchError) -> Ending {
    do throws(LaunchError) {
      var kept = kept
      for helper in plan.helpers.running { kept.insert(helper.process) }
      try letGo(keeping: kept)
      for helper in plan.helpers.running { try watch(helper) }
      if let relay = plan.helpers.relay { try watch(relay) }
      if let membership = plan.helpers.membership { try watch(membership) }
      for copy in plan.standard?.copies ?? [] { try watch(copy) }
      return try supervise()
    } catch {
      killAll()
      relay?.giveBack()
      // Report before anything that can take time.
      whenFailed(error)
      clearAway()
      throw error
    }
  }

  /// Closes everything that the caller had open, except for `kept`: a program that reads the command's
  /// output waits for the last holder of the pipe's other end.
  private func letGo(keeping kept: DescriptorSet) throws(LaunchError) {
    try doing(.prepare) { () throws(SystemCallError) in
      try Descriptors.closeAll(except: kept)
      // Only after the child exists: it has all signals blocked, and init waits for SIGCHLD.
      try signals.unblockOthers()
    }
    // The reader of --json-status-fd may have closed it before there is something to report.
    SignalDisposition.ignoreBrokenPipes()
  }
}

// MARK: - Waiting

/// An additional event that the monitor waits for: the end of a helper, a timer, a terminal.
struct Watch {
  /// The descriptor.
  let number: CInt
  /// What about it.
  let interest: PollSet.Interest
  /// Handles the event; returns whether to wait for it again.
  let react: (inout Monitor) throws(LaunchError) -> Bool
}

extension Monitor {
  /// The positions of the permanent events; watches follow.
  private enum Place {
    static let report = 0
    static let signals = 1
    static let status = 2
    static let child = 3
    static let timer = 4
    static let watches = 5
  }

  /// Adds something to wait for.
  mutating func add(_ watch: Watch) throws(LaunchError) {
    // The relay has four.
    let most = PollSet.capacity - (plan.terminals.isEmpty ? 0 : 4)
    guard Place.watches + watches.count < most else {
      throw LaunchError(
        .supervise, cause: SystemCallError(call: "poll", errno: .resourceTemporarilyUnavailable))
    }
    watches.append(watch)
  }

  private mutating func fill(_ set: inout PollSet) {
    set.removeAll()
    // Only the end counts: the report is read when it is complete.
    set.add(report?.rawValue ?? -1, .end)
    set.add(signals.rawValue, .input)
    set.add(status?.rawValue ?? -1, .input)
    set.add(phase.hasChild ? child.descriptor.rawValue : -1, .input)
    set.add(timer, .input)
    for watch in watches { set.add(watch.number, watch.interest) }
    relay?.add(to: &set)
  }

  /// Whether only the command's end is left to wait for.
  private var waitIsLong: Bool {
    if case .kept = phase { return true }
    // It may be over at once.
    if relay != nil { return false }
    return phase == .running && (command != nil || !plan.hasInit)
  }

  private mutating func supervise() throws(LaunchError) -> Ending {
    var set = PollSet()
    while true {
      fill(&set)
      do throws(SystemCallError) {
        try set.wait(isLong: waitIsLong)
      } catch {
        throw LaunchError(.supervise, cause: error)
      }
      if let termination = try handle(set) { return try end(termination) }
    }
  }

  /// Handles the ready events, in an order that matters; returns how the command ended.
  private mutating func handle(_ set: borrowing PollSet) throws(LaunchError) -> Termination? {
    // The report before anything else: a failed child reported the reason and ended, and the
    // meaning of a signal depends on whether the command exists already.
    if set.isReady(Place.report) || set.isReady(Place.signals) && reportIsWhole {
      try readReport()
    }
    // If the child has just ended, there is no process to pass them on to.
    if set.isReady(Place.signals), !set.isReady(Place.child) || phase.isLaunching {
      forwardSignals()
      if isImpatient, case .ending(let termination) = phase { return termination }
    }
    if set.isReady(Place.status) {
      if let termination = try readMessage() { return termination }
    } else if set.isReady(Place.child), !set.isReady(Place.report) {
      // Its messages before its end, for the same reason.
      if let termination = try readEnd() { return termination }
    }
    // Otherwise the terminal hangs up inside as well.
    if let relay, !relay.handle(set) {
      relay.giveBack()
      self.relay = nil
    }
    if set.isReady(Place.timer) { try timeIsUp() }
    try handleWatches(set)
    return nil
  }

  private mutating func handleWatches(_ set: borrowing PollSet) throws(LaunchError) {
    guard !watches.isEmpty else { return }
    // A watch that is added meanwhile is not in this set.
    let watched = watches
    watches = []
    for (index, watch) in watched.enumerated() {
      if set.isReady(Place.watches + index), try !watch.react(&self) { continue }
      watches.append(watch)
    }
  }

  /// Whether the report is complete.
  var reportIsWhole: Bool { report?.isHungUp() ?? false }
}
