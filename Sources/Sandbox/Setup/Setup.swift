// SPDX-License-Identifier: Apache-2.0
// The child's path from a clone of the monitor to the command: the list of steps, and why they come
// in this order.

internal import Linux
internal import Seccomp
internal import SystemPackage
internal import Text

/// The child: everything that it needs was decided before it was created.
struct Setup: ~Copyable {
  let plan: LaunchPlan
  /// Where a failure is reported; closed by exec.
  let report: OwnedDescriptor
  /// Where init says what became of the command.
  let status: OwnedDescriptor

  /// Takes the steps and ends as the command, as init, or with a report.
  consuming func run() -> Never {
    // Only the monitor keeps these: a reader that waits for their end must not have to wait for the
    // command's exec.
    if let number = plan.sandbox.channels.information?.value { Descriptors.close(number) }
    if let number = plan.sandbox.channels.status?.value { Descriptors.close(number) }
    if let number = plan.sandbox.channels.report?.value { Descriptors.close(number) }
    if let number = plan.sandbox.channels.networkLog?.value { Descriptors.close(number) }
    do throws(LaunchError) {
      if let group = plan.group { try settle(in: group) }
      if let entrance = plan.entrance { try enter(entrance) } else { try steps() }
    } catch {
      Setup.give(up: error, report.rawValue, plan)
    }
  }

  /// Enters the control group, if the clone could not, and closes its directories, which belong to
  /// the host, before any path is resolved.
  private borrowing func settle(in group: SandboxGroup) throws(LaunchError) {
    if group.mustBeEntered {
      try doing(.makeGroup, option: plan.sandbox.groupLimits?.first?.option) {
        () throws(SystemCallError) in try group.enter()
      }
    }
    for number in group.descriptors { Descriptors.close(number) }
  }

  /// The same in the launcher's process, which has no monitor; never returns, except by throwing.
  consuming func become() throws(LaunchError) -> Never {
    try doing(.createProcess) { () throws(SystemCallError) in
      try plan.resolved.firstNamespaces.unshare()
    }
    try steps()
  }

  /// Reports why the launch failed and ends the process.
  static func give(up error: LaunchError, _ report: CInt, _ plan: LaunchPlan) -> Never {
    do throws(SystemCallError) {
      try Descriptors.write(LaunchReport.hasFailed(error).line[...], to: report)
    } catch {
      // Most likely the monitor has ended. If it still runs, it must not take this exit for the
      // command's.
      SignalDisposition.die(by: .kill)
    }
    // Only after the report, because a filter may kill the process for these calls.
    if let finding = plan.finding(about: error) {
      try? Descriptors.write(LaunchReport.hasFound(finding).line[...], to: report)
    }
    CurrentProcess.exit(125)
  }

  /// The steps, in order.
  ///
  /// Never returns, except by throwing.
  private borrowing func steps() throws(LaunchError) -> Never {
    // Before anything that takes time: from here on the sandbox dies with the monitor.
    if plan.sandbox.diesWithMonitor, !plan.isInPlace { try dieWithMonitor() }
    // Before the sandbox's user namespace, which has no power over such a network.
    try joinNamedNetwork()
    // Before anything is created: a process with unmapped ids cannot create files. A process in a
    // joined namespace may have capabilities there and could take this process over while the
    // host's tree is its root (compare CVE-2016-9962), so this process hides first.
    try enterUserNamespace()
    // Only a clone enters a pid namespace, and only its owner may.
    if plan.resolved.needsGoBetween { try moveOn() }
    // After the user namespace, so that it owns the others.
    try makeNamespaces()
    // Before anything in them is configured: that may be a helper's task.
    try awaitHelpers()
    try configureNamespaces()
    // After everything that the caller may want to inspect exists, and before the host is detached.
    if plan.sandbox.channels.mapsWritten == nil { try announce() }
    // Modes are exact from here on; the command gets the caller's mask back.
    let mask = CurrentProcess.setFileModeMask(0)
    // The host's tree stays the root while sources are resolved, and is then detached. Until then,
    // files in its /proc are written or opened.
    if plan.sandbox.disablesUserNamespaces { try disableUserNamespaces() }
    let proc = try keepProc()
    let replacements = try plan.standard?.replacements(telling: status) ?? []
    try finish(makeRoot(proc), mask, proc, replacements)
  }

  /// The steps that no longer need the host; never returns, except by throwing.
  private borrowing func finish(
    _ outcome: Outcome, _ mask: UInt32, _ proc: CInt?,
    _ replacements: [StandardDescriptors.Replacement]
  ) throws(LaunchError) -> Never {
    // Before a process inside can inspect this one, or a planted link can lead to one of these
    // descriptors.
    closeSources()
    if plan.isHidden, plan.namespaces.contains(.time) { try setClocksHidden(through: proc) }
    // The nested namespace, which may do less.
    try enterSecondUserNamespace(proc)
    // From open descriptors, which init closes soon.
    let filters = try readFilters()
    try waitForCaller()
    // After the last call that needs a capability, and before the first process that may have none.
    let privileges = try boundPrivileges()
    var replacements = replacements
    if outcome.terminal >= 0 { replacements += self.replacements(by: outcome.terminal) }
    let command = Command(
      plan: plan, privileges: privileges, filters: filters, fileModeMask: mask, proc: proc,
      report: report.rawValue, status: status.rawValue, variables: outcome.variables,
      program: outcome.program, replacements: replacements, terminal: outcome.terminal)
    // Before anything hostile runs inside.
    if plan.sandbox.name != nil { try offerEntrance(through: proc, to: command) }
    if let watcher = plan.helpers.watcher { try showWatcher(watcher, through: proc) }
    // Last of the shared steps: the command does not inherit what init opens or does later.
    if plan.hasInit { try becomeInit(command) }
    throw command.start()
  }
}

// MARK: - Namespaces

extension Setup {
  borrowing func dieWithMonitor() throws(LaunchError) {
    try doing(.dieWithParent, option: plan.sandbox.dieWithParent) { () throws(SystemCallError) in
      try CurrentProcess.dieWithParent()
    }
    // The monitor may have died before this call; its end of the channel is then closed.
    if status.isHungUp() { CurrentProcess.exit(125) }
  }

  /// Sets clocks through a file that a hiding process may not open, then hides again: until exec,
  /// its neighbours could read what it knows about the caller.
  private borrowing func setClocksHidden(through proc: CInt?) throws(LaunchError) {
    try doing(.prepare) { () throws(SystemCallError) in try CurrentProcess.setHidden(false) }
    try setClocks(through: proc)
    try doing(.prepare) { () throws(SystemCallError) in try CurrentProcess.setHidden(true) }
  }

  private borrowing func makeNamespaces() throws(LaunchError) {
    try doing(.createNamespaces) { () throws(SystemCallError) in
      try plan.resolved.remainingNamespaces.unshare()
      // In a new user namespace the kernel has done so (mount_namespaces(7)).
      if !plan.namespaces.contains(.user) { try MountNamespace.becomeSlave() }
    }
    if let network = plan.sandbox.joined.network, !plan.hasJoinedNetwork {
      try doing(.joinNamespace, option: network.option) { () throws(SystemCallError) in
        try Namespaces.network.join(network.value)
      }
    }
  }

  private borrowing func configureNamespaces() throws(LaunchError) {
    if let name = plan.sandbox.hostname {
      try doing(.setHostname, option: name.option, name.value) { () throws(SystemCallError) in
        try NamespaceSettings.setHostname(name.value)
      }
    }
    if let name = plan.sandbox.domainName {
      try doing(.setDomainName, option: name.option, name.value) { () throws(SystemCallError) in
        try NamespaceSettings.setDomainName(name.value)
      }
    }
    // A hiding process may not open the file.
    if plan.namespaces.contains(.time), !plan.isHidden { try setClocks() }
    if plan.namespaces.contains(.network), plan.helpers.membership == nil {
      try configureNetwork()
    }
  }

  private borrowing func setClocks(through proc: CInt? = nil) throws(LaunchError) {
    let (monotonic, boottime) = (plan.sandbox.clocks.monotonic, plan.sandbox.clocks.boottime)
    let option = (monotonic ?? boottime)?.option
    try doing(.setClocks, option: option) { () throws(SystemCallError) in
      try NamespaceSettings.setClockOffsets(
        monotonic: monotonic?.value ?? 0, boottime: boottime?.value ?? 0, through: proc)
      try NamespaceSettings.enterTimeNamespace(through: proc)
      StepLog.clockWasSet(ahead: monotonic?.value ?? 0)
    }
  }

  private borrowing func enterSecondUserNamespace(_ proc: CInt?) throws(LaunchError) {
    if plan.sandbox.canRaiseLimits { try leaveLimitBehind(proc) }
    guard let user = plan.sandbox.joined.secondUser else { return }
    try doing(.joinNamespace, option: user.option) { () throws(SystemCallError) in
      try Namespaces.user.join(user.value)
    }
  }

  private borrowing func waitForCaller() throws(LaunchError) {
    guard let block = plan.sandbox.channels.block else { return }
    try doing(.waitForCaller, option: block.option) { () throws(SystemCallError) in
      _ = try Descriptors.waitForByte(block.value)
    }
  }
}

// MARK: - The new root

extension Setup {
  /// A procfs for this process to use later, because the new root may have none.
  private borrowing func keepProc() throws(LaunchError) -> CInt? {
    let sandbox = plan.sandbox
    guard
      (sandbox.executionLabel ?? sandbox.fileLabel) != nil || sandbox.canRaiseLimits
        || plan.isHidden && plan.namespaces.contains(.time) || sandbox.name != nil
        || sandbox.explain != nil
    else { return nil }
    return try doing(.prepare) { () throws(SystemCallError) in
      try OwnedDescriptor.open("/proc", .directory).release()
    }
  }

  /// What building the new root means for the command.
  private struct Outcome {
    /// The changes to the environment.
    var variables: [EnvironmentChange] = []
    /// The command's file, if a search would not find it.
    var program: ByteString?
    /// The command's own terminal; -1 for none.
    var terminal: CInt = -1
  }

  /// Makes and enters the new root.
  private borrowing func makeRoot(_ proc: CInt?) throws(LaunchError) -> Outcome {
    var outcome = Outcome()
    var root = try doing(.buildRoot) { () throws(SystemCallError) in
      try NewRoot.make(for: plan, telling: status.rawValue)
    }
    if let label = plan.sandbox.fileLabel, let proc {
      try doing(.setLabel, option: label.option, label.value) { () throws(SystemCallError) in
        try SELinux.setLabel(label.value, for: .file, through: proc)
      }
    }
    do throws(LaunchError) {
      outcome.variables = try fill(&root)
    } catch {
      root.undo()
      throw error
    }
    if plan.group != nil {
      try doing(.protectGroups, option: plan.sandbox.groupLimits?.first?.option) {
        () throws(SystemCallError) in
        // In a nested namespace the command has no power over these mounts.
        let mounts =
          try Privileges(plan.resolved).command.contains("sys_admin")
          && !plan.sandbox.canRaiseLimits
        if mounts || !plan.resolved.showsHostReadOnly {
          try root.protectGroups(fromCommandThatMounts: mounts)
        }
      }
    }
    root.writeNotices()
    outcome.program = root.program
    // While /dev is the host's, if the new root has no terminals of its own.
    if !plan.terminals.isEmpty { outcome.terminal = try passTerminal(root.master.take()) }
    // If the caller blocks this launch, the locks would block other launches too.
    if plan.sandbox.channels.block != nil { root.keepLeftovers() } else { root.handOver() }
    do throws(SystemCallError) {
      try root.enter()
    } catch {
      throw LaunchError(.enterRoot, cause: error)
    }
    return outcome
  }

  /// Fills the new root as requested; returns how that changes the environment.
  private borrowing func fill(_ root: inout NewRoot) throws(LaunchError) -> [EnvironmentChange] {
    for operation in plan.resolved.operations {
      try root.perform(operation)
      StepLog.note(operation.step)
    }
    // On top of anything else shown at these paths.
    if let (server, option) = plan.sandbox.network.nameServer {
      do throws(LaunchError) {
        try root.showResolver(server)
      } catch {
        throw error.asked(by: option)
      }
    }
    if plan.namespaces.contains(.network) { try root.maskNameServices() }
    guard !plan.sandbox.buses.isEmpty else { return [] }
    if let proxy = plan.helpers.busProxy { try root.keepSockets(of: proxy) }
    // On top of anything else shown at these paths.
    return try root.showBuses(plan.helpers.busProxy?.buses ?? [])
  }

  /// Closes the descriptors that options named, except those still needed.
  private borrowing func closeSources() {
    let later = plan.sandbox.laterDescriptors
    plan.sandbox.forEachSource { number in
      if !later.contains(number) { Descriptors.close(number) }
    }
  }

  private borrowing func readFilters() throws(LaunchError) -> [SeccompProgram] {
    var programs: [SeccompProgram] = []
    for source in plan.sandbox.filters {
      do throws(SeccompError) {
        programs.append(try SeccompProgram(readFrom: source.value))
      } catch {
        throw LaunchError(
          .readFilter, option: source.option,
          subject: ByteString("from descriptor " + String(source.value)), cause: error.cause)
      }
    }
    // The policy comes last: it may forbid the installation of further filters.
    if let policy = plan.policy { programs.append(policy) }
    return programs
  }
}

/// Adds the action to a failure in `body`, and notes a success for --verbose.
func doing<Result: ~Copyable>(
  _ action: LaunchError.Action, option: WrittenOption? = nil,
  _ subject: @autoclosure () -> ByteString? = nil,
  _ body: () throws(SystemCallError) -> Result
) throws(LaunchError) -> Result {
  do throws(SystemCallError) {
    let result = try body()
    if action.isStep { StepLog.note(action.step(option, subject())) }
    return result
  } catch {
    throw LaunchError(action, option: option, subject: subject(), cause: error)
  }
}

extension SeccompError {
  /// The call to blame.
  var cause: SystemCallError {
    switch self {
    case .unreadable(let error): error
    case .malformed: SystemCallError(call: "seccomp", errno: .invalidArgument)
    }
  }
}
