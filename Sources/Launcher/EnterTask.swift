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

  /// Runs the command in the sandbox that `word` names.
  /// - Returns: The status to exit with.
  func run(_ word: ByteString) throws(UsageError) -> UInt8 {
    let entrance: Entrance
    do throws(UsageError) {
      let monitor = try monitor(word)
      try Entrance.verify(monitor)
      try leaveWritableProgram(monitor)
      entrance = try Entrance(monitor)
    } catch {
      throw UsageError("--enter: can't enter \(word.quoted): \(error.message)")
    }
    let resolved = entrance.sandbox(for: draft.sandbox, launcher.caller)
    if draft.isVerbose { StepLog.begin(launcher.prefix(.step, draft)) }
    var isTold = false
    do throws(LaunchError) {
      let ending = try entrance.run(
        resolved, for: launcher.caller, warningPrefix: launcher.prefix(.warning, draft),
        whenFailed: { error in
          launcher.tell(.error, message(error, word), draft)
          isTold = true
        })
      if let signal = ending.signal { SignalDisposition.die(by: signal) }
      return ending.status
    } catch {
      if !isTold { launcher.tell(.error, message(error, word), draft) }
      let line = [launcher.persona.program] + launcher.words
      for line in error.diagnosisOutside(of: resolved, line: line)?.lines ?? [] {
        launcher.tell(.error, line, draft)
      }
      return error.exitStatus
    }
  }

  /// Executes a copy of this program that nobody can change, where the payload could change the
  /// program's file after this process has ended.
  ///
  /// The monitor holds one, because to make it takes longer than to enter.
  private func leaveWritableProgram(
    _ monitor: borrowing ProcessDirectory
  ) throws(UsageError) {
    guard OwnProgram.isWritable else {
      // The kernel has named a copy after its descriptor.
      return CurrentProcess.setName(ProgramName.nestbox)
    }
    var failure: SystemCallError
    do throws(SystemCallError) {
      let held = try? OwnProgram.copy(heldBy: monitor)
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

  private func monitor(_ word: ByteString) throws(UsageError) -> ProcessDirectory {
    let registry = launcher.surroundings.registry
    if let monitor = registry.record(of: word)?.openMonitor() { return monitor }
    let list = SandboxList(try RunningTasks.survey(registry, for: "--enter"))
    guard let sandbox = list.entry(named: word)?.sandbox else {
      throw UsageError(
        "no running sandbox has this name or a process with this number; --list shows "
          + "the running sandboxes")
    }
    guard sandbox.tool == .nestbox, let monitor = sandbox.monitor else {
      throw UsageError(
        "\(sandbox.tool == .nestbox ? "its launcher has ended" : "nestbox did not start it"), so "
          + "nestbox does not know which protection a command needs inside")
    }
    do throws(SystemCallError) {
      return try monitor.directory()
    } catch {
      throw UsageError("it has just ended")
    }
  }

  private func message(_ error: LaunchError, _ word: ByteString) -> String {
    guard error.action == .enter, error.cause.errno == .noSuchProcess else { return error.message }
    return "--enter: can't enter \(word.quoted): its process 1 has ended"
  }
}
