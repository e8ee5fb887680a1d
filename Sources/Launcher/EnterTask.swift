// SPDX-License-Identifier: Apache-2.0
// --enter: a command inside a running sandbox.

internal import Linux
internal import Options
internal import Running
internal import Sandbox
internal import SystemPackage
internal import Text

/// A command that enters a running sandbox.
struct EnterTask {
  let launcher: Launcher
  let draft: Draft
  /// What this process keeps open although the command does not get it.
  var kept: [CInt] = []

  /// Runs the command in the sandbox that `word` names.
  /// - Returns: The status to exit with.
  func run(_ word: ByteString) throws(UsageError) -> UInt8 {
    let entrance: Entrance
    do throws(UsageError) {
      entrance = try self.entrance(word)
    } catch {
      throw UsageError("--enter: can't enter \(word.quoted): \(error.message)")
    }
    return try run(entrance, word) { launcher.tell(.error, $0, draft) }
  }

  /// Runs the command in the sandbox `word`, and passes the lines about a failure to `tell`.
  /// - Returns: The status to exit with.
  func run(
    _ entrance: Entrance, _ word: ByteString, _ tell: (String) -> Void
  ) throws(UsageError) -> UInt8 {
    let resolved = try entrance.sandbox(for: draft.sandbox, launcher.caller)
    if draft.isVerbose { StepLog.begin(launcher.prefix(.step, draft)) }
    var isTold = false
    do throws(LaunchError) {
      let ending = try entrance.run(
        resolved, for: launcher.caller, keeping: kept,
        warningPrefix: launcher.prefix(.warning, draft),
        whenFailed: { error in
          tell(message(error, word))
          isTold = true
        })
      if let signal = ending.signal { SignalDisposition.die(by: signal) }
      return ending.status
    } catch {
      if !isTold { tell(message(error, word)) }
      let line = [launcher.persona.program] + launcher.words
      for line in error.diagnosisOutside(of: resolved, line: line)?.lines ?? [] {
        tell(line)
      }
      return error.exitStatus
    }
  }

  /// Whether the payload could change this program's file after this process has ended.
  private var needsCopy: Bool {
    if OwnProgram.isWritable { return true }
    // The kernel has named a copy after its descriptor.
    CurrentProcess.setName(ProgramName.nestbox)
    return false
  }

  /// Executes a copy of this program that nobody can change: `held`, or one that is made now.
  private func becomeCopy(_ held: consuming OwnedDescriptor?) throws(UsageError) {
    var failure: SystemCallError
    do throws(SystemCallError) {
      let program = if let held { held } else { try OwnProgram.copy() }
      failure = CurrentProcess.execute(
        program.rawValue, arguments: launcher.caller.arguments, environment: launcher.environment)
    } catch {
      failure = error
    }
    throw UsageError(
      "can't execute a copy of nestbox, which protects its file from the sandbox: "
        + "\(failure.reason) (\(failure.call)); if root owns nestbox's file, no copy is needed")
  }

  private func entrance(_ word: ByteString) throws(UsageError) -> Entrance {
    let registry = launcher.surroundings.registry
    if let monitor = registry.record(of: word)?.openMonitor() { return try entrance(monitor) }
    let list = SandboxList(try RunningTasks.survey(registry, for: "--enter"))
    guard let sandbox = list.entry(named: word)?.sandbox else {
      throw UsageError(RunningTasks.unknown(word, in: list))
    }
    if sandbox.tool != .nestbox {
      guard let command = sandbox.command else {
        throw UsageError("this process may not look into process \(String(sandbox.first.number))")
      }
      let first = sandbox.first.namespaces == nil ? command : sandbox.first
      let process = try EnterTask.directory(of: first)
      let commandProcess = try EnterTask.directory(of: command)
      return try Entrance(
        ofOtherTool: process, command: commandProcess, hasPolicy: draft.sandbox.policy != nil
      ) { _ throws(UsageError) in
        // Not a copy that a process inside holds: it could be any program.
        if needsCopy { try becomeCopy(nil) }
      }
    }
    guard let monitor = sandbox.monitor else {
      throw UsageError(
        "its launcher has ended, so nestbox does not know which protection a command needs inside")
    }
    return try entrance(EnterTask.directory(of: monitor))
  }

  /// Opens the way into the sandbox of `monitor`.
  func entrance(
    _ monitor: borrowing ProcessDirectory, patience: Int = 2000
  ) throws(UsageError) -> Entrance {
    try Entrance(monitor, patience: patience) { monitor throws(UsageError) in
      // The monitor holds one, because to make it takes longer than to enter.
      if needsCopy { try becomeCopy(try? OwnProgram.copy(heldBy: monitor)) }
    }
  }

  private static func directory(
    of process: ProcessFacts
  ) throws(UsageError) -> ProcessDirectory {
    do throws(SystemCallError) {
      return try process.directory()
    } catch {
      throw UsageError("it has just ended")
    }
  }

  private func message(_ error: LaunchError, _ word: ByteString) -> String {
    guard error.action == .enter, error.cause.errno == .noSuchProcess else { return error.message }
    return "--enter: can't enter \(word.quoted): its process 1 has ended"
  }
}
