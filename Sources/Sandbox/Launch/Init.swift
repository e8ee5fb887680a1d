// SPDX-License-Identifier: Apache-2.0
// Process 1 of a new pid namespace: it reaps what others left behind and says how the command
// ended. All signals are blocked in it, and it reads no file and no memory but its own.

internal import Linux
internal import Seccomp
internal import Text

/// Process 1 of the sandbox.
struct Init: ~Copyable {
  /// The command, a child of this process.
  let command: Int32
  /// Whether nothing lives on after the command; this is process 1 then.
  let endsAll: Bool
  /// The command's filters.
  let filters: [SeccompProgram]
  /// Whether the command is under a policy.
  let hasPolicy: Bool
  /// Whether somebody outside was told of it.
  let isToBeEntered: Bool
  /// Descriptors that stay open to the end.
  let held: [CInt]

  /// The signals of keys that the monitor has to know of, as they reach this process in its place.
  let keys: SignalSet

  /// How the command ended, where `change` is that; passes on what else the monitor has to know.
  private func end(of change: ChildChange, _ status: borrowing OwnedDescriptor) -> Termination? {
    switch change {
    case .ended(let pid, let termination): return pid == command ? termination : nil
    case .stopped(let pid, let signal):
      if pid == command { try? status.send(SetupMessage.hasStopped(signal).bytes) }
    case .continued: break
    case .key(let signal): try? status.send(SetupMessage.wasTyped(signal).bytes)
    }
    return nil
  }

  /// Reaps until nothing is left to reap.
  ///
  /// Ending, it takes the whole namespace with it.
  consuming func run(_ privileges: Privileges, _ status: borrowing OwnedDescriptor) -> Never {
    var hasEnded = false
    do throws(SystemCallError) {
      // The caller's pipes and terminals above all: who reads from one waits for its last holder.
      try Descriptors.closeAll(except: held + [status.rawValue])
      try privileges.dropInInit()
      // Whatever a payload may find to have init make calls that it may not make itself, there are
      // few that are left. Where the command has filters only, they are kept away from init as long
      // as there is a fence between the two: they need not allow what init does.
      if hasPolicy {
        try BuiltInPolicy.initProgram.install()
      } else if privileges.fence.isEmpty {
        for filter in filters { try filter.install() }
      }
      // Whoever was told its number may enter by it, as long as nobody inside could get around a
      // filter that way, or is of another sandbox.
      if isToBeEntered, !hasPolicy, filters.isEmpty { try CurrentProcess.setHidden(false) }
      while let change = try ChildProcess.waitForAny(orKeys: keys) {
        guard let termination = end(of: change, status), !hasEnded else { continue }
        hasEnded = true
        let isLast = endsAll || !ChildProcess.reapEnded()
        // The monitor may be gone, which is no reason to stop.
        try? status.send(SetupMessage.hasEnded(termination, wasLast: isLast).bytes)
        // Killed and waited for here, as the time that processes took is lost with them if they die
        // with the namespace. They do where a filter of the command's refuses init the call, or
        // where nothing is left to kill.
        if endsAll, !ChildProcess.killAllOthers() { break }
        try? Descriptors.closeAll(except: held)
      }
    } catch {
      // What it has started may not go on with less than was asked for. The command dies with this
      // namespace, if it is in one of its own.
      if !hasEnded { ChildProcess.kill(command) }
      try? status.send(SetupMessage.hasFailed(error).bytes)
      CurrentProcess.exit(125)
    }
    CurrentProcess.exit(0)
  }
}
