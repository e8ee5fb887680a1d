// SPDX-License-Identifier: Apache-2.0
// The watcher: a helper that answers each watched call of the command, and reports at the end.
//
// It is a process beside the monitor, because a payload can make it wait: memory that the payload
// maps from a file system of its own may never arrive. Then only the payload's calls wait, and the
// monitor still holds limits and ends everything. If the watcher ends, the kernel refuses every
// watched call, and the monitor ends the sandbox.
//
// What the policy refuses with an error comes here as well, and the answer is the policy's own,
// worked out from registers that the kernel has copied (Seccomp/Verdict.swift). Only where the
// policy permits a call does the kernel carry it out.

internal import Linux
internal import Seccomp
internal import SystemPackage
internal import Text

/// A watcher that runs.
struct Watcher {
  /// What it does not watch itself: the command's process adds this to its filters.
  let list: WatchList
  /// The policy without what --seccomp-allow adds, if it is to be known what of that is used.
  let narrower: SeccompProgram?
  /// The word that marks the one message that passes the listener on, and the launcher's own execs.
  let word: UInt64
  /// The command's end of the lifeline, for the listener and for what the watcher looks at.
  let lifeline: CInt
  /// Where the report comes from.
  let report: CInt

  /// What comes with a descriptor.
  enum Message {
    static let root: UInt8 = 1
    static let mounts: UInt8 = 2
    static let listener: UInt8 = 3
    static let busLog: UInt8 = 4
  }
}

extension ResolvedSandbox {
  /// Starts the watcher.
  /// - Parameters:
  ///   - option: The option that asks for it.
  ///   - words: The line that was typed.
  ///   - execution: The policy of this launch, and the word of its execs.
  /// - Throws: `LaunchError` if it does not run.
  /// - Returns: The helper, and what the child and the monitor need of it.
  func startWatcher(
    _ option: WrittenOption, line words: [ByteString],
    _ execution: (policy: SeccompProgram?, word: UInt64)
  ) throws(LaunchError) -> (helper: Helper, watcher: Watcher) {
    let (list, monitor) = (WatchList(), CurrentProcess.number)
    let word = try doing(.watch, option: option) { () throws(SystemCallError) in
      execution.word != 0 ? execution.word : try CurrentProcess.randomNumber()
    }
    let narrower = policyWithoutAdditions(execution, list, word)
    let role = Helper.Role(action: .watch, option: option, name: nil, loss: .endsSandbox)
    let (helper, report) = try Helper.start(role, in: []) { process throws(LaunchError) in
      var loop = try WatchLoop(
        process, list, self, (execution.policy, narrower), word, words, option: option, of: monitor)
      return LaunchError(.watch, option: option, cause: loop.run())
    }
    return (
      helper,
      Watcher(
        list: list, narrower: narrower, word: word, lifeline: helper.lifeline, report: report)
    )
  }

  private func policyWithoutAdditions(
    _ execution: (policy: SeccompProgram?, word: UInt64), _ list: WatchList, _ word: UInt64
  ) -> SeccompProgram? {
    guard sandbox.learning == .profile, var choice = sandbox.policy, choice.hasAdditions else {
      return nil
    }
    choice.adjustments.removeAll { $0.action == .allow }
    guard let program = try? choice.program(),
      let narrower = execution.word == 0 ? program : program.executingOnce(with: execution.word),
      list.program(with: execution.policy, over: narrower, word: word) != nil
    else { return nil }
    return narrower
  }
}

// MARK: - In the child

extension Setup {
  /// Gives the watcher the root and its mounts, before anything hostile runs inside.
  borrowing func showWatcher(_ watcher: Watcher, through proc: CInt?) throws(LaunchError) {
    try doing(.watch, option: plan.sandbox.explain) { () throws(SystemCallError) in
      let root = try OwnedDescriptor.open("/", .location)
      let mounts = try NamespaceFiles.open("mnt", through: proc)
      try Descriptors.send([Watcher.Message.root], passing: root.rawValue, to: watcher.lifeline)
      try Descriptors.send([Watcher.Message.mounts], passing: mounts.rawValue, to: watcher.lifeline)
    }
  }
}

extension Command {
  /// Puts this process under the policy and the watch, and passes the listener on.
  func install(_ watcher: Watcher) throws(LaunchError) {
    let option = plan.sandbox.explain
    // Before every filter: behind them only sendmsg(2) and execve(2) are sure to be allowed.
    let soft = CurrentProcess.takeHardLimit()
    for filter in plan.policy == nil ? filters[...] : filters.dropLast() {
      if filter.asksOthers {
        throw LaunchError(
          .watch, option: option,
          cause: SystemCallError(call: Watcher.otherAnswers, errno: .notSupported))
      }
    }
    try doing(.installFilter) { () throws(SystemCallError) in
      for filter in plan.policy == nil ? filters[...] : filters.dropLast() { try filter.install() }
    }
    try doing(.watch, option: option) { () throws(SystemCallError) in
      guard
        let program = watcher.list.program(
          with: plan.policy, over: watcher.narrower, word: watcher.word)
      else {
        throw SystemCallError(call: "seccomp", errno: .argListTooLong)
      }
      // Closed at once: with a holder in this process, its calls would wait for ever if the
      // watcher ended.
      let listener = try CurrentProcess.installWatchedFilter(program.instructions)
      try CurrentProcess.send(
        Watcher.Message.listener, soft, passing: listener.rawValue, to: watcher.lifeline,
        word: watcher.word)
    }
  }
}

extension Watcher {
  /// What an error says in place of a call if a filter hands calls to others.
  static let otherAnswers = "seccomp filter"
}

// MARK: - In the monitor

extension Watcher {
  /// Has the watcher read what the proxy of the buses says that it does.
  /// - Returns: Where the proxy writes it.
  func openBusLog(option: WrittenOption?) throws(LaunchError) -> CInt {
    try doing(.watch, option: option) { () throws(SystemCallError) in
      let pipe = try Pipe()
      try Descriptors.send(
        [Watcher.Message.busLog], passing: pipe.readEnd.rawValue, to: lifeline)
      return pipe.writeEnd.release()
    }
  }

  /// Why the watcher has ended before the sandbox; nil if it could not say.
  var failure: LaunchError? {
    guard (try? Descriptors.waitForInput(report, milliseconds: 0)) == true,
      let bytes = try? Descriptors.some(of: report, LaunchReport.capacity),
      case .hasFailed(let error)? = LaunchReport(bytes[...])
    else { return nil }
    return error
  }

  /// How long the watcher may take for its report, in milliseconds, and how long that may be.
  fileprivate static let limit = (milliseconds: Patience.milliseconds(10_000), bytes: 32 << 20)

  /// How much of that time the watcher has to look for what is missing, and again for what was used, in
  /// milliseconds.
  static let timeForFindings = limit.milliseconds * 2 / 5

  /// Reads the report, once the sandbox has ended.
  /// - Throws: `LaunchError` if the watcher ended before, as the command's last calls were refused.
  /// - Returns: The lines; nil if they are not there in time, too long, or not all there: half of a report would
  ///   say that the rest was not used.
  func readReport() throws(LaunchError) -> [ByteString]? {
    let deadline = MonotonicClock.milliseconds + Watcher.limit.milliseconds
    var bytes: [UInt8] = []
    var isWhole = false
    while bytes.count < Watcher.limit.bytes, !isWhole {
      let left = CInt(clamping: max(deadline - MonotonicClock.milliseconds, 0))
      guard (try? Descriptors.waitForInput(report, milliseconds: left)) == true,
        let chunk = try? Descriptors.some(of: report, Watcher.limit.bytes - bytes.count)
      else { break }
      isWhole = chunk.isEmpty
      bytes += chunk
    }
    if case .hasFailed(let error)? = LaunchReport(bytes[...]) { throw error }
    guard isWhole else { return nil }
    // A report has a line at least.
    if bytes.isEmpty {
      throw LaunchError(.watch, cause: SystemCallError(call: "read", errno: .brokenPipe))
    }
    return Watcher.lines(in: bytes)
  }

  /// The lines as a report: each has a NUL behind it, and the number of all these bytes comes first.
  ///
  /// The watcher may die while it writes, and a payload chooses names that lines have: no last line of its own
  /// would show that the report is whole.
  static func report(_ lines: [ByteString]) -> [UInt8] {
    let count = lines.reduce(0) { $0 + $1.count + 1 }
    var bytes = Array(String(count).utf8) + [0]
    bytes.reserveCapacity(bytes.count + count)
    for line in lines {
      bytes += line.bytes
      bytes.append(0)
    }
    return bytes
  }

  /// The lines in a report; nil if it is not whole.
  static func lines(in report: [UInt8]) -> [ByteString]? {
    var lines = report.split(separator: 0, omittingEmptySubsequences: false)
    lines.removeLast()
    guard let head = lines.first, let count = UInt32(decimal: head),
      Int(count) == report.count - head.count - 1
    else { return nil }
    return lines.dropFirst().map { ByteString($0) }
  }
}

extension Ending {
  /// For how many seconds a launch waits for the list of what the command looked for.
  public static var secondsForReport: Int { Watcher.limit.milliseconds / 1000 }
}
