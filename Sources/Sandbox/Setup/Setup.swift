// SPDX-License-Identifier: Apache-2.0
// The child's way from a clone of the monitor to the command: the list of steps, and why each
// stands where it stands.

internal import Linux
internal import Seccomp
internal import SystemPackage

/// The child: everything that it needs was decided before it was made.
struct Setup: ~Copyable {
  let plan: LaunchPlan
  /// Where a failure is reported; closed by exec.
  let report: OwnedDescriptor
  /// Where init says what became of the command.
  let status: OwnedDescriptor

  /// Goes through the steps and ends in the command, in init, or in a report.
  consuming func run() -> Never {
    // The monitor's alone: who reads one to its end would otherwise wait for the command's exec.
    for number in [plan.sandbox.channels.information, plan.sandbox.channels.status] {
      if let number { Descriptors.close(number) }
    }
    do throws(LaunchError) {
      try steps()
    } catch {
      // Where this fails the monitor has gone, and nobody is left to tell.
      try? Descriptors.write(LaunchReport.encode(error)[...], to: report.rawValue)
    }
    CurrentProcess.exit(125)
  }

  /// The steps, in order.
  ///
  /// Returns never, but for throwing.
  private borrowing func steps() throws(LaunchError) {
    // Before anything that takes time: when the monitor dies from now on, so does the sandbox.
    if plan.sandbox.diesWithParent { try dieWithMonitor() }
    // Before anything is made: who is not mapped owns nothing and may not create files.
    try enterUserNamespace()
    // A pid namespace can be entered by a clone only, and by its owner only.
    if plan.needsGoBetween { try moveOn() }
    // After the user namespace, so that it owns the others.
    try makeNamespaces()
    try configureNamespaces()
    // Now that there is all that the caller may want to look at, and before the host is gone.
    if plan.sandbox.channels.mapsWritten == nil { try announce() }
    // Modes are exact from here on; the command gets the caller's mask back.
    let mask = CurrentProcess.setFileModeMask(0)
    // The host's tree is still the root while sources are looked up, and gone afterwards; what
    // files of its /proc have to be written, is written or open by then.
    if plan.sandbox.disablesUserNamespaces { try disableUserNamespaces() }
    let proc = try openProcForLabel()
    try makeRoot(proc)
    // The namespace that is below this one and may do less.
    try enterSecondUserNamespace()
    // From open descriptors, which init is about to close.
    let filters = try readFilters()
    try waitForCaller()
    // After the last call that needs a capability, before the first process that may keep none.
    let privileges = try boundPrivileges()
    // Last of what both share: whatever init held or did later, the command would not see.
    if plan.hasInit { try becomeInitAndCommand(privileges) }
    try becomeCommand(privileges, filters, mask, proc)
  }
}

// MARK: - Namespaces

extension Setup {
  borrowing func dieWithMonitor() throws(LaunchError) {
    try doing(.dieWithParent) { () throws(SystemCallError) in
      try CurrentProcess.dieWithParent()
    }
    // It may have died before the kernel was told; its end of the channel is closed then.
    if status.isHungUp() { CurrentProcess.exit(125) }
  }

  private borrowing func makeNamespaces() throws(LaunchError) {
    try doing(.createNamespaces) { () throws(SystemCallError) in
      try plan.remainingNamespaces.unshare()
      // A new user namespace makes the host's mounts slaves anyway; without one they may be shared.
      try MountNamespace.becomeSlave()
    }
    if let descriptor = plan.sandbox.joined.network, !plan.hasJoinedNetwork {
      try doing(.joinNamespace, option: "--netns") { () throws(SystemCallError) in
        try Namespaces.network.join(descriptor)
      }
    }
  }

  private borrowing func configureNamespaces() throws(LaunchError) {
    if let name = plan.sandbox.hostname {
      try doing(.setHostname, option: "--hostname", name) { () throws(SystemCallError) in
        try NamespaceSettings.setHostname(name)
      }
    }
    if let name = plan.sandbox.domainName {
      try doing(.setDomainName, option: "--domainname", name) { () throws(SystemCallError) in
        try NamespaceSettings.setDomainName(name)
      }
    }
    if plan.namespaces.contains(.time) {
      let clocks = plan.sandbox.clocks
      try doing(.setClocks, option: "--unshare-time") { () throws(SystemCallError) in
        try NamespaceSettings.setClockOffsets(
          monotonic: clocks.monotonic ?? 0, boottime: clocks.boottime ?? 0)
        try NamespaceSettings.enterTimeNamespace()
      }
    }
    if plan.namespaces.contains(.network) {
      try doing(.loopback) { () throws(SystemCallError) in
        try NamespaceSettings.bringLoopbackUp()
      }
    }
  }

  private borrowing func enterSecondUserNamespace() throws(LaunchError) {
    guard let descriptor = plan.sandbox.joined.secondUser else { return }
    try doing(.joinNamespace, option: "--userns2") { () throws(SystemCallError) in
      try Namespaces.user.join(descriptor)
    }
  }

  private borrowing func waitForCaller() throws(LaunchError) {
    guard let descriptor = plan.sandbox.channels.block else { return }
    try doing(.waitForCaller, option: "--block-fd") { () throws(SystemCallError) in
      try Descriptors.waitForByte(descriptor)
    }
  }
}

// MARK: - The new root

extension Setup {
  /// A procfs in which this process can set its label later, when there may be none inside.
  private borrowing func openProcForLabel() throws(LaunchError) -> CInt? {
    guard (plan.sandbox.executionLabel ?? plan.sandbox.fileLabel) != nil else { return nil }
    return try doing(.setLabel) { () throws(SystemCallError) in
      try OwnedDescriptor.open("/proc", .directory).release()
    }
  }

  private borrowing func makeRoot(_ proc: CInt?) throws(LaunchError) {
    var root = try doing(.buildRoot) { () throws(SystemCallError) in try NewRoot.make() }
    let circumstances = NewRoot.Circumstances(
      hasProcesses: plan.namespaces.contains(.pid) || plan.sandbox.joined.pid != nil,
      isNoSecurityBoundary: plan.sandbox.isNoSecurityBoundary,
      warningPrefix: plan.warningPrefix, label: plan.sandbox.fileLabel)
    if let label = plan.sandbox.fileLabel { try setLabel(label, for: .file, proc) }
    do throws(LaunchError) {
      for operation in plan.sandbox.filesystem {
        try root.perform(operation, circumstances)
      }
    } catch {
      root.undo()
      throw error
    }
    do throws(SystemCallError) {
      try root.enter()
    } catch {
      throw LaunchError(.enterRoot, cause: error)
    }
  }

  private borrowing func readFilters() throws(LaunchError) -> [SeccompProgram] {
    var programs: [SeccompProgram] = []
    for source in plan.sandbox.filters {
      do throws(SeccompError) {
        programs.append(try SeccompProgram(readFrom: source.descriptor))
      } catch {
        throw LaunchError(
          .readFilter, option: source.option,
          subject: ByteString("from descriptor " + String(source.descriptor)), cause: error.cause)
      }
    }
    return programs
  }
}

// MARK: - Init and the command

extension Setup {
  private borrowing func boundPrivileges() throws(LaunchError) -> Privileges {
    try doing(.dropPrivileges) { () throws(SystemCallError) in
      let privileges = try Privileges(
        plan.sandbox.capabilities, hasUserNamespace: plan.namespaces.contains(.user))
      try privileges.bound()
      return privileges
    }
  }

  /// Goes on as the command in a new process; this one stays behind as init and does not return.
  private borrowing func becomeInitAndCommand(_ privileges: Privileges) throws(LaunchError) {
    // Before there is anybody to read it.
    plan.image.overwrite(with: "nestbox")
    // In this process, as a lock is not inherited.
    let locks = try lockFiles()
    let isOnlyReaper = plan.namespaces.contains(.pid)
    let child = try doing(.createProcess) { () throws(SystemCallError) in
      // So that it sees the end of all that the command starts, as process 1 would.
      if !isOnlyReaper { try CurrentProcess.becomeSubreaper() }
      return try ChildProcess.clone()
    }
    if let child {
      let held = locks + (plan.sandbox.channels.sync.map { [$0] } ?? [])
      Init(command: child, killsOnExit: plan.sandbox.killsOnExit, held: held)
        .run(privileges, status)
    }
  }

  private borrowing func lockFiles() throws(LaunchError) -> [CInt] {
    var locks: [CInt] = []
    for path in plan.sandbox.lockFiles {
      try doing(.lock, option: "--lock-file", path) { () throws(SystemCallError) in
        let file = try OwnedDescriptor.open(path.path, .reading).release()
        try Descriptors.lockForReading(file)
        locks.append(file)
      }
    }
    return locks
  }

  private borrowing func becomeCommand(
    _ privileges: Privileges, _ filters: [SeccompProgram], _ mask: UInt32,
    _ proc: CInt?
  ) throws(LaunchError) {
    if plan.sandbox.hasOwnSession {
      try doing(.beginSession) { () throws(SystemCallError) in try CurrentProcess.beginSession() }
    }
    if plan.sandbox.assertsNoUserNamespaces { try assertNoUserNamespaces() }
    try doing(.dropPrivileges) { () throws(SystemCallError) in
      try changeIdentity()
      try privileges.dropInCommand()
    }
    var environment = Environment(plan.image.environment, plan.sandbox.environment)
    // With the command's own rights, and with HOME as it will be.
    try changeDirectory(&environment)
    if let label = plan.sandbox.executionLabel { try setLabel(label, for: .execution, proc) }
    CurrentProcess.setFileModeMask(mask)
    try doing(.prepare) { () throws(SystemCallError) in try plan.signalMask.restore() }
    let execution = Execution(
      words: plan.sandbox.command, name: plan.sandbox.commandName, environment: environment)
    // Last, so that a filter need allow nothing but the command's own calls, and exec.
    try doing(.installFilter) { () throws(SystemCallError) in
      for filter in filters { try filter.install() }
    }
    throw execution.run()
  }

  /// Takes on the ids that were asked for in a user namespace that was joined; in a new one they
  /// come from its maps.
  private borrowing func changeIdentity() throws(SystemCallError) {
    guard plan.sandbox.joined.user != nil, (plan.sandbox.user ?? plan.sandbox.group) != nil else {
      return
    }
    let identity = CurrentProcess.identity
    try CurrentProcess.become(
      user: plan.sandbox.user ?? identity.user, group: plan.sandbox.group ?? identity.group)
  }

  private borrowing func setLabel(
    _ label: ByteString, for attribute: SELinux.Attribute, _ proc: CInt?
  ) throws(LaunchError) {
    guard let proc else { return }
    try doing(.setLabel, label) { () throws(SystemCallError) in
      try SELinux.setLabel(label, for: attribute, through: proc)
    }
  }

  private borrowing func changeDirectory(_ environment: inout Environment) throws(LaunchError) {
    if let path = plan.sandbox.workingDirectory {
      do throws(SystemCallError) {
        try CurrentProcess.changeDirectory(path)
      } catch {
        throw LaunchError(.changeDirectory, option: "--chdir", subject: path, cause: error)
      }
      environment.set("PWD", to: path)
      return
    }
    for path in [plan.workingDirectory, environment.value(of: "HOME")] {
      guard let path, (try? CurrentProcess.changeDirectory(path)) != nil else { continue }
      environment.set("PWD", to: path)
      return
    }
    environment.set("PWD", to: "/")
  }
}

/// Names a failure in `body`.
func doing<Result: ~Copyable>(
  _ action: LaunchError.Action, option: String? = nil,
  _ subject: @autoclosure () -> ByteString? = nil,
  _ body: () throws(SystemCallError) -> Result
) throws(LaunchError) -> Result {
  do throws(SystemCallError) {
    return try body()
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
