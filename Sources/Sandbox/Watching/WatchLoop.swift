// SPDX-License-Identifier: Apache-2.0
// The watcher's process: it receives each watched call, notes what it asks for, answers it, and
// reports at the end.

internal import Linux
internal import Seccomp
internal import SystemPackage
internal import Text

/// The work of the watcher.
struct WatchLoop: ~Copyable {
  private let list: WatchList
  private let resolved: ResolvedSandbox
  private let policy: SeccompProgram?
  private let narrower: SeccompProgram?
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
  /// Whether a wait for the next call ends with the last process under the filter: since Linux 6.11.
  private var hasEnd = false
  /// The soft limit of descriptors that the command's process gets back before it executes the command.
  private var softLimit: UInt64?

  private static let mostNames = 4096

  init(
    _ process: borrowing HelperProcess, _ list: WatchList, _ resolved: ResolvedSandbox,
    _ policies: (all: SeccompProgram?, narrower: SeccompProgram?), _ word: UInt64,
    _ words: [ByteString], option: WrittenOption,
    of monitor: Int32
  ) throws(LaunchError) {
    (self.list, self.resolved) = (list, resolved)
    (policy, narrower) = policies
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
        if set.isReady(1) { try answerCalls() }
        if set.isReady(2) { note(busLog.names()) }
        if set.isReady(0), try !take() { break }
      }
    } catch {
      // Instead of the report: the monitor says why it ends the sandbox.
      let failure = LaunchError(.watch, option: resolved.sandbox.explain, cause: error)
      try? Descriptors.write(LaunchReport.hasFailed(failure).bytes[...], to: report)
      return error
    }
    listener = nil
    while busLog.hasMore { note(busLog.names()) }
    note(busLog.lastName())
    tell()
    // The monitor has read the report when it ends this process.
    while true { CurrentProcess.sleep(milliseconds: 60_000) }
  }

  /// Takes what the command's process sends; returns whether anything still holds the other end.
  private mutating func take() throws(SystemCallError) -> Bool {
    let (message, descriptor) = try Descriptors.receive(from: lifeline, capacity: 16)
    guard let kind = message.first else { return false }
    guard descriptor >= 0 else { throw SystemCallError(call: "recvmsg", errno: .badFileDescriptor) }
    switch kind {
    case Watcher.Message.root where root < 0: root = descriptor
    // Open to the end: the mounts last as long as somebody holds their namespace.
    case Watcher.Message.mounts where listener == nil: break
    case Watcher.Message.listener where listener == nil:
      listener = CallListener(OwnedDescriptor(descriptor))
      let limit = message.dropFirst().reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      softLimit = limit == .max ? nil : limit
      hasEnd = !KernelRelease.numbers.lexicographicallyPrecedes([6, 11])
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

  /// Answers a call, and those after it for as long as nothing else can arrive.
  private mutating func answerCalls() throws(SystemCallError) {
    // First: before Linux 6.11, a wait for a call does not end where none can come any more.
    if try hasNoMoreCalls() {
      listener = nil
      return
    }
    while try answerCall(), hasBegun, hasEnd, busLog.rawValue < 0 {}
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
    if hasBegun, case .refuses? = narrower?.verdict(on: call.data) {
      observations.note(.addition, WatchLoop.numbers(of: call), by: "")
    }
    let watched = list.call(call.data)
    let isOwn = watched?.intent == .execute && call.data.arguments[5] == word
    // By itself the process cannot do that any more: its policy may refuse the call.
    if isOwn, let soft = softLimit {
      try WaitingThread.limitDescriptors(of: call.thread, to: soft)
      softLimit = nil
    }
    var asked: Asked?
    var second: Asked?
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
    observations.note(
      asked.kind, asked.subject, by: name, process: asked.process, isSent: asked.isSent)
    if let second { observations.note(second.kind, second.subject, by: name) }
    return true
  }

  /// What a call asks for, with an absolute path.
  private mutating func read(_ call: WaitingCall, _ watched: WatchedCall) -> Asked? {
    guard let asked = CallReader.read(watched, call.data, ThreadMemory(thread: call.thread)) else {
      let isClosed =
        watched.path >= 0
        && ProcessMemory.isClosed(call.thread, at: call.data.arguments[Int(watched.path)])
      return isClosed ? Asked(kind: .unreadable, subject: "") : nil
    }
    if asked.kind == .address { return address(asked.subject, call, watched) }
    if !asked.kind.isPath || asked.subject.bytes.first == UInt8(ascii: "/") {
      return Asked(kind: asked.kind, subject: asked.subject)
    }
    let directory =
      asked.directory.map { WaitingThread.directory(of: call.thread, descriptor: $0) }
      ?? workingDirectory(of: call.thread)
    guard let directory else { return nil }
    return Asked(
      kind: asked.kind, subject: ByteString(directory: directory.bytes, name: asked.subject))
  }

  /// An address, with the protocol if it is UDP: the socket is the first argument of each of these calls.
  private func address(
    _ subject: ByteString, _ call: WaitingCall, _ watched: WatchedCall
  ) -> Asked {
    let isForDatagrams = WaitingThread.hasDatagramSocket(
      call.thread, descriptor: CInt(truncatingIfNeeded: call.data.arguments[0]))
    return Asked(
      kind: .address, subject: isForDatagrams ? subject.appending("/udp") : subject,
      process: WaitingThread.process(of: call.thread),
      // sendto(2) and sendmmsg(2), in contrast to connect(2).
      isSent: watched.path == 4 || watched.intent == .ask)
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

  private mutating func note(_ names: [BusLog.Name]) {
    for name in names { observations.note(name.kind, name.text, by: "") }
  }

  private mutating func note(refusal call: WaitingCall, _ error: Errno) {
    observations.count()
    // The kernel's log for audits answers in no sandbox, so no program fails for the lack of it.
    guard hasBegun, !asksForAudits(call.data) else { return }
    observations.note(
      .refusal, WatchLoop.numbers(of: call).appending(call.data.asksForNamespaces ? " 1" : ""),
      by: name(of: call.thread), error: error.rawValue)
  }

  /// Whether a call makes a socket for audits: AF_NETLINK with NETLINK_AUDIT.
  private func asksForAudits(_ data: CallData) -> Bool {
    list.call(data)?.name.description == "socket" && data.arguments[0] == 16
      && data.arguments[2] == 9
  }

  private static func numbers(of call: WaitingCall) -> ByteString {
    ByteString(String(call.data.architecture) + " " + String(call.data.number))
  }

  /// Writes the report.
  private borrowing func tell() {
    guard root >= 0 else { return }
    var findings = Findings(observations, root: root, of: resolved, line: words)
    try? Descriptors.write(Watcher.report(fields(&findings))[...], to: report)
    Descriptors.close(report)
  }
}

extension WatchLoop {
  /// The report: lines for people, or what the launcher makes a profile of.
  private borrowing func fields(_ findings: inout Findings) -> [ByteString] {
    guard let learning = resolved.sandbox.learning else {
      let lines = findings.lines(line: words).map { ByteString($0) }
      // Then the launcher looks for more.
      let hasCause = findings.all.contains { !$0.isUsual && !$0.isUnlikely }
      return hasCause
        ? lines : lines + LearnedItem(.calls, ByteString(String(findings.calls))).fields
    }
    var fields: [ByteString] = []
    let learner = Learner(&findings, knowsAdditions: narrower != nil)
    for item in learner.items(observations, learning, &findings) {
      fields += item.fields
    }
    // For a run that fails, which only the launcher knows.
    if learning == .profile, !resolved.sandbox.explainsInJSON {
      fields += findings.lines(line: words).map { ByteString($0) }
    }
    return fields
  }
}

/// What a call asks for, with an absolute path.
private struct Asked {
  let kind: ObservedKind
  let subject: ByteString
  /// Which process asks for an address.
  var process: Int32 = 0
  /// Whether it sends something there.
  var isSent = false
}

/// The memory of a thread that waits.
private struct ThreadMemory: CallMemory {
  let thread: Int32

  func string(at address: UInt64) -> ByteString? {
    ProcessMemory.string(of: thread, at: address)
  }

  func bytes(at address: UInt64, _ count: Int) -> [UInt8]? {
    ProcessMemory.bytes(of: thread, at: address, count: count)
  }
}
