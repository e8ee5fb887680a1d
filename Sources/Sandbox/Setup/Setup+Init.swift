// SPDX-License-Identifier: Apache-2.0
// The child as init: it drops privileges, starts the command and stays behind.

internal import Linux
internal import Seccomp
internal import SystemPackage
internal import Text

extension Setup {
  borrowing func boundPrivileges() throws(LaunchError) -> Privileges {
    try doing(.dropPrivileges) { () throws(SystemCallError) in
      let privileges = try Privileges(plan.resolved)
      try privileges.bound()
      return privileges
    }
  }

  /// Starts the command in a new process and stays behind as init; does not return.
  borrowing func becomeInit(_ command: Command) throws(LaunchError) -> Never {
    // Before another process can read it.
    plan.image.overwrite(with: ProgramName.nestbox)
    // In this process, because a child does not inherit locks.
    let locks = try lockFiles()
    let (reportEnd, plan, initProcess) = (report.rawValue, plan, CurrentProcess.number)
    if plan.takesTerminal {
      // The process group must be visible inside, or shells there have no job control. Init leads
      // it, so that it lasts, and receives the keys' signals instead of the monitor.
      try doing(.prepare) { () throws(SystemCallError) in
        try ProcessGroup.begin()
        if !plan.commandLeadsGroup { Terminal.setForegroundWhileBlocked(0, to: ProcessGroup.own) }
      }
    } else if command.terminal >= 0 {
      // Init leads the session, so that the command's group has a parent that could continue it:
      // otherwise the kernel ignores Ctrl-Z.
      try plan.takeTerminal(command.terminal)
    }
    let child = try doing(.createProcess) { () throws(SystemCallError) -> Int32? in
      // Without a fence a payload could trace init and gain its privileges, which it can drop only
      // after the command has started, its filters, its channel to the monitor, and the caller's
      // environment in its memory.
      if command.privileges.fence.isEmpty { try CurrentProcess.setHidden(true) }
      // So that it learns of the end of every process that the command starts, as process 1 would.
      if initProcess != 1 { try CurrentProcess.becomeSubreaper() }
      if plan.sandbox.command.isEmpty {
        try Descriptors.write(LaunchReport.executing[...], to: reportEnd)
        return nil
      }
      return try ChildProcess.startSharingMemory {
        // The command's copies, to which a planted link could lead (`Command.closeSources`).
        for number in locks { Descriptors.close(number) }
        Setup.give(up: command.start(below: initProcess), reportEnd, plan)
      }
    }
    var held = locks
    held += plan.sandbox.channels.sync.map(\.value)
    // Helpers also serve processes that outlive the command.
    for number in plan.helpers.lifelines { held.append(number) }
    Init(
      command: child, isKept: plan.sandbox.isKept,
      diesWithMonitor: plan.sandbox.diesWithMonitor,
      endsAll: plan.resolved.endsAll && initProcess == 1, filters: command.filters,
      hasPolicy: plan.policy != nil,
      isToBeEntered: !plan.isHidden && plan.sandbox.channels.tellOfProcess, held: held,
      isMeasured: plan.sandbox.isMeasured, deadline: plan.deadline,
      keys: plan.takesTerminal && !plan.commandLeadsGroup ? .keys : []
    ).run(command.privileges, status)
  }

  private borrowing func lockFiles() throws(LaunchError) -> [CInt] {
    var locks: [CInt] = []
    for path in plan.sandbox.lockFiles {
      try doing(.lock, option: path.option, path.value) { () throws(SystemCallError) in
        let file = try OwnedDescriptor.open(path.value.path, .reading).release()
        try Descriptors.lockForReading(file)
        locks.append(file)
      }
    }
    return locks
  }
}
