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
    let role = Helper.Role(action: .watch, option: option, name: nil, loss: .endsSandbox)
    let (helper, report) = try Helper.start(role, in: []) { process throws(LaunchError) in
      var loop = try WatchLoop(
        process, list, self, execution.policy, word, words, option: option, of: monitor)
      return LaunchError(.watch, option: option, cause: loop.run())
    }
    return (
      helper, Watcher(list: list, word: word, lifeline: helper.lifeline, report: report)
    )
  }
}

// MARK: - In the watcher's process

/// The work of the watcher.
private struct WatchLoop: ~Copyable {
  private let list: WatchList
  private let resolved: ResolvedSandbox
  private let policy: SeccompProgram?
  private let word: UInt64
  private let words: [ByteString]
  private let lifeline: CInt
  private let report: CInt
  private var listener: CallListener?
  private var root: CInt = -1
  /// What the proxy of the buses says that it does.
  private var busLog = BusLog()
  private var observations = Observations()
  /// The names of processes; forgotten when a process executes another program.
  private var names: [Int32: ByteString] = [:]
  /// The working directories of threads; forgotten when any process may have changed one.
  private var directories: [Int32: ByteString] = [:]
  /// Whether the command is about to be executed.
  private var hasBegun = false

  private static let mostNames = 4096

  init(
    _ process: borrowing HelperProcess, _ list: WatchList, _ resolved: ResolvedSandbox,
    _ policy: SeccompProgram?, _ word: UInt64, _ words: [ByteString], option: WrittenOption,
    of monitor: Int32
  ) throws(LaunchError) {
    (self.list, self.resolved, self.policy) = (list, resolved, policy)
    (self.word, self.words, lifeline) = (word, words, process.lifeline)
    report = try doing(.watch, option: option) { () throws(SystemCallError) -> CInt in
      try process.leaveCaller()
      let pipe = try Pipe()
      try process.pass(pipe.readEnd)
      try CurrentProcess.renounceNewPrivileges()
      CurrentProcess.setFileModeMask(0o077)
      var kept = DescriptorSet.standard
      kept.insert(process.lifeline)
      kept.insert(pipe.writeEnd.rawValue)
      try CurrentProcess.dieWithParent()
      // The monitor may have ended before that call.
      if CurrentProcess.parent != monitor { CurrentProcess.exit(125) }
      // The channel too: its end says that the watcher runs.
      try Descriptors.closeAll(except: kept)
      return pipe.writeEnd.release()
    }
  }

  /// Answers calls until the sandbox has ended, then reports and waits to be killed.
  /// - Returns: Why it cannot go on; the kernel then refuses what it was asked about.
  mutating func run() -> SystemCallError {
    do throws(SystemCallError) {
      while true {
        var set = PollSet()
        set.add(lifeline, .input)
        set.add(listener?.rawValue ?? -1, .input)
        set.add(busLog.rawValue, .input)
        try set.wait(isLong: false)
        if set.isReady(1), try !answerCall(), try hasNoMoreCalls() { listener = nil }
        if set.isReady(2) { note(busLog.refusals()) }
        if set.isReady(0), try !take() { break }
      }
    } catch {
      // Instead of the report: the monitor says why it ends the sandbox.
      let failure = LaunchError(.watch, option: resolved.sandbox.explain, cause: error)
      try? Descriptors.write(LaunchReport.hasFailed(failure).bytes[...], to: report)
      return error
    }
    listener = nil
    while busLog.hasMore { note(busLog.refusals()) }
    tell()
    // The monitor has read the report when it ends this process.
    while true { CurrentProcess.sleep(milliseconds: 60_000) }
  }

  /// Takes what the command's process sends; returns whether anything still holds the other end.
  private mutating func take() throws(SystemCallError) -> Bool {
    let (message, descriptor) = try Descriptors.receive(from: lifeline, capacity: 8)
    guard let kind = message.first else { return false }
    guard descriptor >= 0 else { throw SystemCallError(call: "recvmsg", errno: .badFileDescriptor) }
    switch kind {
    case Watcher.Message.root where root < 0: root = descriptor
    // Open to the end: the mounts last as long as somebody holds their namespace.
    case Watcher.Message.mounts where listener == nil: break
    case Watcher.Message.listener where listener == nil:
      listener = CallListener(OwnedDescriptor(descriptor))
    case Watcher.Message.busLog where busLog.rawValue < 0: busLog = BusLog(descriptor)
    default: Descriptors.close(descriptor)
    }
    return true
  }

  /// Whether the last process under the filter has ended.
  private mutating func hasNoMoreCalls() throws(SystemCallError) -> Bool {
    guard let number = listener?.rawValue else { return true }
    return try Descriptors.isAtEnd(number)
  }

  /// Receives one call, notes what it asks for, and answers it; false if it was interrupted.
  private mutating func answerCall() throws(SystemCallError) -> Bool {
    guard let call = try listener?.receive() else { return false }
    // Before anything is read: what the policy refuses depends on nothing that could fail.
    if case .refuses(let error)? = policy?.verdict(on: call.data) {
      note(refusal: call, error)
      _ = try listener?.refuse(call, error)
      return true
    }
    let watched = list.call(call.data)
    let isOwn = watched?.intent == .execute && call.data.arguments[5] == word
    var asked: (kind: ObservedKind, subject: ByteString)?
    var second: (kind: ObservedKind, subject: ByteString)?
    if hasBegun, !isOwn, let watched {
      asked = read(call, watched)
      if asked != nil, let other = watched.second { second = read(call, other) }
    }
    let name = asked == nil ? nil : name(of: call.thread)
    let isReal = try listener?.permit(call) == true
    observations.count()
    if isOwn { hasBegun = true }
    if watched?.intent == .execute {
      names[call.thread] = nil
      directories[call.thread] = nil
    }
    if watched?.movesDirectories == true { directories = [:] }
    guard isReal, let asked, let name else { return true }
    observations.note(asked.kind, asked.subject, by: name)
    if let second { observations.note(second.kind, second.subject, by: name) }
    return true
  }

  /// What a call asks for, with an absolute path.
  private mutating func read(
    _ call: WaitingCall, _ watched: WatchedCall
  ) -> (kind: ObservedKind, subject: ByteString)? {
    guard let asked = CallReader.read(watched, call.data, ThreadMemory(thread: call.thread)) else {
      let isClosed =
        watched.path >= 0
        && ProcessMemory.isClosed(call.thread, at: call.data.arguments[Int(watched.path)])
      return isClosed ? (.unreadable, "") : nil
    }
    switch asked.kind {
    case .abstractSocket, .address, .nameServer, .host, .busName, .port, .capability, .refusal,
      .unreadable:
      return (asked.kind, asked.subject)
    default: break
    }
    if asked.subject.bytes.first == UInt8(ascii: "/") { return (asked.kind, asked.subject) }
    let directory =
      asked.directory.map { WaitingThread.directory(of: call.thread, descriptor: $0) }
      ?? workingDirectory(of: call.thread)
    guard let directory else { return nil }
    return (asked.kind, ByteString(directory: directory.bytes, name: asked.subject))
  }

  private mutating func workingDirectory(of thread: Int32) -> ByteString? {
    if let directory = directories[thread] { return directory }
    let directory = WaitingThread.directory(of: thread, descriptor: nil)
    if directories.count >= WatchLoop.mostNames { directories = [:] }
    directories[thread] = directory
    return directory
  }

  private mutating func name(of thread: Int32) -> ByteString {
    if let name = names[thread] { return name }
    let name = WaitingThread.name(of: thread)
    if names.count >= WatchLoop.mostNames { names = [:] }
    names[thread] = name
    return name
  }

  private mutating func note(_ names: [ByteString]) {
    for name in names { observations.note(.busName, name, by: "") }
  }

  private mutating func note(refusal call: WaitingCall, _ error: Errno) {
    observations.count()
    guard hasBegun else { return }
    let subject = String(call.data.architecture) + " " + String(call.data.number)
    observations.note(
      .refusal, ByteString(subject), by: name(of: call.thread), error: error.rawValue)
  }

  /// Writes the report, each line with a NUL behind it.
  private borrowing func tell() {
    guard root >= 0 else { return }
    var findings = Findings(observations, root: root, of: resolved, line: words)
    for line in fields(&findings) {
      let bytes = Array(line.bytes) + [0]
      guard (try? Descriptors.write(bytes[...], to: report)) != nil else { break }
    }
    Descriptors.close(report)
  }
}

extension WatchLoop {
  /// The report: lines for people, or what the launcher makes a profile of.
  private borrowing func fields(_ findings: inout Findings) -> [ByteString] {
    guard let learning = resolved.sandbox.learning else {
      return findings.lines(line: words).map { ByteString($0) }
    }
    var fields: [ByteString] = []
    for item in Learner(&findings).items(observations, learning, &findings) {
      fields += item.fields
    }
    return fields
  }
}

/// The memory of a thread that waits.
private struct ThreadMemory: CallMemory {
  let thread: Int32

  func string(at address: UInt64) -> ArraySlice<UInt8>? {
    ProcessMemory.string(of: thread, at: address)
  }

  func bytes(at address: UInt64, _ count: Int) -> [UInt8]? {
    ProcessMemory.bytes(of: thread, at: address, count: count)
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
      guard let program = watcher.list.program(with: plan.policy, word: watcher.word) else {
        throw SystemCallError(call: "seccomp", errno: .argListTooLong)
      }
      // Closed at once: with a holder in this process, its calls would wait for ever if the
      // watcher ended.
      let listener = try CurrentProcess.installWatchedFilter(program.instructions)
      try CurrentProcess.send(
        Watcher.Message.listener, passing: listener.rawValue, to: watcher.lifeline,
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
  private static let limit = (milliseconds: 10_000, bytes: 4 << 20)

  /// Reads the report, once the sandbox has ended; what has not come in time is left out.
  /// - Throws: `LaunchError` if the watcher ended before: the command's last calls were refused.
  func readReport() throws(LaunchError) -> [ByteString] {
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
    // A report has a line at least.
    if isWhole, bytes.isEmpty {
      throw LaunchError(.watch, cause: SystemCallError(call: "read", errno: .brokenPipe))
    }
    var lines = bytes.split(separator: 0, omittingEmptySubsequences: false)
    lines.removeLast()
    return lines.map { ByteString($0) }
  }
}
