// SPDX-License-Identifier: Apache-2.0
// Process 1 of a new pid namespace: it reaps what others left behind and says how the command
// ended. All signals are blocked in it, and it reads no file and no memory but its own.

internal import Linux
internal import Seccomp
internal import Text

/// Process 1 of the sandbox.
struct Init: ~Copyable {
  /// The command, a child of this process; nil if there is none.
  let command: Int32?
  /// Whether the sandbox lives on until the monitor ends it.
  let isKept: Bool
  /// Whether the kernel ends this process with the monitor.
  let diesWithMonitor: Bool
  /// Whether nothing lives on after the command; this is process 1 then.
  let endsAll: Bool
  /// The command's filters.
  let filters: [SeccompProgram]
  /// Whether the command is under a policy.
  let hasPolicy: Bool
  /// Whether the caller was told its pid, in order to enter.
  let isToBeEntered: Bool
  /// Descriptors that stay open to the end.
  let held: [CInt]

  /// Whether the monitor wants to know what was used.
  let isMeasured: Bool
  /// When this process ends the command, if the monitor has not done it; 0 for never.
  ///
  /// The monitor is the caller's process, which a key, or a payload in the same process group, can stop.
  /// No process inside can stop process 1.
  let deadline: Int64
  /// The signals of keys, which this process receives instead of the monitor and reports to it.
  let keys: SignalSet

  /// How the command ended, if `change` says so; reports other changes to the monitor.
  private func end(of change: ChildChange, _ status: borrowing OwnedDescriptor) -> Termination? {
    switch change {
    case .ended(let pid, let termination): return pid == command ? termination : nil
    case .stopped(let pid, let signal):
      if pid == command { try? status.send(SetupMessage.hasStopped(signal).bytes) }
    case .continued: break
    case .deadline:
      // The monitor, which may be stopped, may not have noted yet that the command runs.
      try? status.send(SetupMessage.hasTimedOut.bytes)
      // The rest is as after any other end of the command.
      if !(endsAll && ChildProcess.killAllOthers()), let command { ChildProcess.kill(command) }
    case .key(Init.monitorsEnd): break
    case .key(let signal): try? status.send(SetupMessage.wasTyped(signal).bytes)
    }
    return nil
  }

  /// The signal that the kernel sends to the init of a kept sandbox when the monitor ends.
  private static let monitorsEnd: Signal = .powerFailure

  /// Waits for the next change; nil if nothing is left to wait for.
  ///
  /// A kept sandbox has no process until somebody enters. Without its monitor nobody can, and it ends
  /// with its last process.
  private func nextChange(
    _ status: borrowing OwnedDescriptor, until deadline: Int64
  ) throws(SystemCallError) -> ChildChange? {
    guard isKept else {
      return try ChildProcess.waitForAny(orKeys: keys, until: deadline)
    }
    // The monitor ignores this message. The policy of init allows no other way to look.
    let isAlone = (try? status.send(SetupMessage.hasSettled.bytes)) == nil
    return try ChildProcess.waitForAny(
      orKeys: keys, stay: isAlone ? nil : Init.monitorsEnd, until: deadline)
  }

  /// What the processes have used that have ended; nil if the monitor does not want to know.
  private var use: ResourceUse? { isMeasured ? try? ResourceUse.ofChildren() : nil }

  /// Reports it; without an answer the monitor goes on.
  private func tellUse(_ status: borrowing OwnedDescriptor) {
    if let use { try? status.send(SetupMessage.haveUsed(use).bytes) }
  }

  /// Reaps until no child is left.
  ///
  /// When it ends, the whole namespace ends.
  consuming func run(_ privileges: Privileges, _ status: borrowing OwnedDescriptor) -> Never {
    var hasEnded = command == nil
    var deadline = deadline
    do throws(SystemCallError) {
      // Above all the caller's pipes and terminals: a reader waits until the last holder closes
      // them.
      var kept = DescriptorSet()
      kept.insert(held)
      kept.insert(status.rawValue)
      try Descriptors.closeAll(except: kept)
      try privileges.dropInInit()
      // A change of privileges undoes it.
      if isKept, !diesWithMonitor { try CurrentProcess.hear(Init.monitorsEnd) }
      // Even a payload that tricks init into making calls has few to choose from. The command's
      // filters alone do not apply to init as long as a fence separates the two, because they may
      // forbid what init does.
      if hasPolicy {
        try BuiltInPolicy.initProgram.install()
      } else if privileges.fence.isEmpty {
        for filter in filters { try filter.install() }
      }
      // A caller that was told init's pid may enter through it, unless a process inside could use
      // it to evade a filter or belongs to another sandbox.
      if isToBeEntered, !hasPolicy, filters.isEmpty { try CurrentProcess.setHidden(false) }
      while let change = try nextChange(status, until: deadline) {
        if case .deadline = change { deadline = 0 }
        guard let termination = end(of: change, status), !hasEnded else { continue }
        hasEnded = true
        if !isKept, !ChildProcess.reapEnded() {
          // Helpers, which end when nothing lives inside, do so beside this process.
          for number in held { Descriptors.close(number) }
          // In one message: the monitor wakes once less.
          try? status.send(SetupMessage.hasEndedAlone(termination, use).bytes)
          CurrentProcess.exit(0)
        }
        tellUse(status)
        // Go on even if the monitor has ended.
        let isLast = !isKept && endsAll
        try? status.send(SetupMessage.hasEnded(termination, wasLast: isLast).bytes)
        // Kill and reap them here: the processor time of processes that die with the namespace is
        // lost. If a filter of the command refuses the call to init, they do die with it.
        if endsAll, !ChildProcess.killAllOthers() { break }
        kept = DescriptorSet()
        kept.insert(held)
        if isMeasured || isKept { kept.insert(status.rawValue) }
        try? Descriptors.closeAll(except: kept)
      }
      tellUse(status)
    } catch {
      // The command must not go on with less protection than requested. If it has a new pid
      // namespace, it dies with this process.
      if !hasEnded, let command { ChildProcess.kill(command) }
      try? status.send(SetupMessage.hasFailed(error).bytes)
      CurrentProcess.exit(125)
    }
    CurrentProcess.exit(0)
  }
}
