// SPDX-License-Identifier: Apache-2.0
// `--exec`: the launcher's process itself goes through the steps of the child and executes the
// command. Nothing is cloned, and nobody waits.
//
// nestbox never chooses this by itself. Even where no option needs another process, callers could
// tell the difference: the command's parent is another process, a signal to the launcher's number
// reaches the command directly, the command's end is not explained, a failure is explained less,
// and a mount point on the host would stay after a failed launch.

internal import Linux
internal import SystemPackage
public import Text

extension ResolvedSandbox {
  /// Turns this process into the command.
  ///
  /// Signals stay as the caller has set them: there is nothing to remove if one ends this process.
  /// - Returns: Why that failed. This process may be half inside by then, and should end.
  public func becomeCommand(for caller: Caller, warningPrefix: String) -> LaunchError {
    do throws(LaunchError) {
      if sandbox.diesWithParent { try tieToCaller(caller) }
      try doing(.prepare) { () throws(SystemCallError) in try leaveCaller() }
      let plan = LaunchPlan(
        self, caller, nil, policy: try sealedPolicy(), hasJoinedNetwork: try joinNetwork(),
        helpers: Helpers(), standard: try StandardDescriptors.examine(for: sandbox, without: .none),
        warningPrefix: warningPrefix, registration: [])
      try Setup(plan: plan, report: .none, status: .none).become()
    } catch {
      return error
    }
  }
}

extension LaunchError {
  /// The cause of a failure that came before any process left the host; nil for later failures.
  public func diagnosisOutside(of resolved: ResolvedSandbox, line words: [ByteString]) -> Diagnosis?
  {
    guard [.prepare, .createProcess, .passDescriptor].contains(action) else { return nil }
    return diagnosis(of: resolved, line: words)
  }

  /// The cause of a failure under `--exec`: where this process had not left the host yet, as
  /// without that option; otherwise what the error alone proves.
  public func diagnosisInPlace(of resolved: ResolvedSandbox, line words: [ByteString]) -> Diagnosis?
  {
    if let diagnosis = diagnosisOutside(of: resolved, line: words) { return diagnosis }
    guard cause.call == NewRoot.refusal else { return nil }
    return Diagnosis(
      "it does not exist on the host, and under --exec no process could remove it after a failed "
        + "launch",
      "make it first, or leave out --exec")
  }
}
