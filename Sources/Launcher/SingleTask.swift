// SPDX-License-Identifier: Apache-2.0
// --single: a launch whose command runs in the running sandbox of its name instead, if that was
// started with the same options. Other options could protect less than was asked for.

internal import Linux
internal import Options
internal import Running
internal import Sandbox
internal import SystemPackage
internal import Text

/// What became of a launch with a name.
enum TakenName: ~Copyable {
  /// The name is this launch's.
  case isFree(Registration)
  /// The command has run in another sandbox, with this status.
  case isEntered(UInt8)
}

extension Launcher {
  /// Registers the name of a sandbox that is about to be launched; with --single, runs the command in
  /// the sandbox that has the name.
  func takeName(_ name: ByteString, _ parser: Parser) throws(UsageError) -> TakenName {
    let (registry, draft) = (surroundings.registry, parser.draft)
    guard draft.sandbox.single != nil else {
      return .isFree(try RunningTasks.register(name, isKept: draft.sandbox.isKept, registry))
    }
    if parser.hasReadOptions { throw UsageError("--single cannot be combined with --args") }
    // A descriptor opened here must not be mistaken for the caller's standard input or output.
    try? Descriptors.occupyStandard()
    // Each time, the sandbox with this name has ended since it was found.
    for _ in 0..<100 {
      do throws(RegistryError) {
        return .isFree(try registry.register(name, isKept: draft.sandbox.isKept))
      } catch {
        guard case .isInUse(let record?) = error else {
          throw UsageError(RunningTasks.message(error, name, registry))
        }
        if let status = try enter(record, name, parser) { return .isEntered(status) }
      }
    }
    throw UsageError(RunningTasks.message(.isInUse(nil), name, registry))
  }

  /// How long to wait for a sandbox that is still being started, in milliseconds.
  private static let patience = 10_000
  /// How long a sandbox may take to end, in milliseconds.
  private static let patienceAtEnd = 2000

  /// Runs the command in the sandbox of `record`; nil if that has ended.
  private func enter(
    _ record: RegistryRecord, _ name: ByteString, _ parser: Parser
  ) throws(UsageError) -> UInt8? {
    guard let monitor = record.openMonitor() else { return nil }
    let state = StandardState()
    var failure: [String] = []
    var status = persona.failure
    do throws(UsageError) {
      guard hasSameOptions(monitor, parser) else {
        if isEnding(record, name, patience: 0) { return nil }
        throw UsageError(
          "process \(String(record.monitor)) started the sandbox of that name with other options; "
            + "nestbox --inspect \(name.quotedForShell) shows it, "
            + "nestbox --stop \(name.quotedForShell) ends it")
      }
      var draft = parser.draft
      draft.sandbox = Sandbox()
      draft.sandbox.command = parser.draft.sandbox.command
      draft.sandbox.commandName = parser.draft.sandbox.commandName
      draft.sandbox.terminal = parser.draft.sandbox.terminal
      let task = EnterTask(launcher: self, draft: draft, kept: state.descriptors)
      let entrance = try task.entrance(monitor, patience: Launcher.patience)
      status = try task.run(entrance, name) { failure.append($0) }
    } catch {
      failure = ["--single: can't enter \(name.quoted): \(error.message)"]
    }
    guard let message = failure.first else { return status }
    // A launch that could not be entered because it was about to end. What is wrong with the command
    // has another status.
    if status == persona.failure, isEnding(record, name, patience: Launcher.patienceAtEnd) {
      state.restore()
      return nil
    }
    for line in failure { tell(.error, line, parser.draft) }
    notify(message, parser.draft)
    return status
  }

  /// Whether the sandbox of `record` gives its name up within `patience` milliseconds.
  private func isEnding(_ record: RegistryRecord, _ name: ByteString, patience: Int) -> Bool {
    let deadline = MonotonicClock.milliseconds + patience
    while surroundings.registry.record(of: name) == record {
      if MonotonicClock.milliseconds >= deadline { return false }
      CurrentProcess.sleep(milliseconds: 5)
    }
    return true
  }

  /// Whether `monitor` was started with this launch's options, word by word, under a name that gives
  /// them the same meaning.
  ///
  /// The line of a process outside, which no process in a sandbox can change.
  private func hasSameOptions(_ monitor: borrowing ProcessDirectory, _ parser: Parser) -> Bool {
    guard let line = try? monitor.contents(of: "cmdline", limit: 1 << 20) else { return false }
    let theirs = line.split(separator: 0, omittingEmptySubsequences: false).dropLast()
    let options = words.dropLast(parser.wordsBehindOptions)
    guard let name = theirs.first, ByteString(Array(name)).baseName == (caller.name ?? "").baseName,
      theirs.count > options.count
    else { return false }
    let rest = theirs.dropFirst()
    for (their, our) in zip(rest, options) where !their.elementsEqual(our.bytes) { return false }
    // They may have typed more options.
    guard let next = rest.dropFirst(options.count).first, next.first == UInt8(ascii: "-") else {
      return true
    }
    return next.elementsEqual("--".utf8)
  }
}
