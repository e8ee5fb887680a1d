// SPDX-License-Identifier: Apache-2.0
// The last steps, in the process that becomes the command.

internal import Linux
internal import Seccomp
internal import SystemPackage
internal import Text

/// The command, before it is executed.
struct Command {
  let plan: LaunchPlan
  let privileges: Privileges
  let filters: [SeccompProgram]
  /// The caller's mask of permissions.
  let fileModeMask: UInt32
  /// A procfs through which this process sets its label, if the command gets one.
  let proc: CInt?
  /// Where a failure is reported; closed by exec.
  let report: CInt
  /// The monitor's messages; closed by exec.
  let status: CInt
  /// How building the root changes the environment.
  let variables: [EnvironmentChange]
  /// The file to execute, if a search would not find it.
  let program: ByteString?
  /// What takes the place of standard descriptors.
  let replacements: [StandardDescriptors.Replacement]
  /// The command's own terminal; -1 for none.
  let terminal: CInt

  /// Takes the last steps and executes the command; returns only if something fails.
  ///
  /// `initProcess` is the pid of init, if init started this process.
  func start(below initProcess: Int32? = nil) -> LaunchError {
    do throws(LaunchError) {
      if initProcess != nil { try announce() }
      return try steps(initProcess).run()
    } catch {
      return error
    }
  }

  /// Makes this process known to the monitor before anything else: without a new pid namespace,
  /// killing init does not kill the command.
  private func announce() throws(LaunchError) {
    try doing(.supervise) { () throws(SystemCallError) in
      let itself = try ChildProcess.openCurrent()
      try Descriptors.send(SetupMessage.hasStarted.bytes, passing: itself.rawValue, to: status)
    }
  }

  private func steps(_ initProcess: Int32?) throws(LaunchError) -> Execution {
    if terminal >= 0 {
      try takeTerminal(initProcess)
    } else if plan.sandbox.hasOwnSession || plan.standard?.withholdsTerminal == true {
      try doing(.beginSession, option: plan.sandbox.newSession) { () throws(SystemCallError) in
        try CurrentProcess.beginSession()
      }
    } else if plan.beginsGroup || plan.commandLeadsGroup {
      try doing(.prepare) { () throws(SystemCallError) in try ProcessGroup.begin() }
      if plan.commandLeadsGroup { Terminal.setForegroundWhileBlocked(0, to: ProcessGroup.own) }
    }
    if let option = plan.sandbox.assertNoUserNamespaces { try assertNoUserNamespaces(option) }
    try doing(.dropPrivileges) { () throws(SystemCallError) in
      try changeIdentity()
      try privileges.dropInCommand()
    }
    if plan.sandbox.diesWithMonitor { try dieWithParent(initProcess) }
    if let label = plan.sandbox.executionLabel, let proc {
      try doing(.setLabel, option: label.option, label.value) { () throws(SystemCallError) in
        try SELinux.setLabel(label.value, for: .execution, through: proc)
      }
    }
    try closeSources()
    var environment = plan.resolved.environment
    environment.change(variables)
    // After the command's rights and HOME have been set: they decide which directory it can enter.
    try changeDirectory(&environment)
    CurrentProcess.setFileModeMask(fileModeMask)
    try restrictByLandlock()
    // As late as possible: nestbox itself may need more.
    try plan.resolved.applyLimits()
    try doing(.prepare) { () throws(SystemCallError) in
      // After everything that a limit could forbid.
      if let terms = plan.entrance?.terms { try ResourceLimits.set(terms.limits) }
      try plan.signalMask?.restore()
      // A process that survives this point reaches exec: a pending signal ends it before.
      if !plan.isInPlace { try Descriptors.write(LaunchReport.executing[...], to: report) }
    }
    // Report this step before taking it: afterwards the filters may forbid the report.
    StepLog.note(lastStep)
    try replaceStandard()
    // Last, so that a filter only has to allow exec and the command's own calls.
    if let watcher = plan.helpers.watcher {
      try install(watcher)
    } else {
      try doing(.installFilter) { () throws(SystemCallError) in
        for filter in filters { try filter.install() }
      }
    }
    return Execution(
      file: program ?? plan.sandbox.command[0], words: plan.sandbox.command,
      name: plan.sandbox.commandName, environment: environment,
      word: plan.helpers.watcher?.word ?? plan.executionWord)
  }

  private var lastStep: String {
    let execution = "execute " + (program ?? plan.sandbox.command[0]).quoted
    switch filters.count {
    case 0: return execution
    case 1: return "install a seccomp filter and " + execution
    case let count: return "install \(String(count)) seccomp filters and " + execution
    }
  }

  /// Closes the descriptors that options named and those opened for this process: all are used up.
  ///
  /// Closing at exec would be too late: the path of the working directory or of the command may
  /// contain a link to `/proc/self/fd/N` that an earlier command planted, and from an open
  /// directory of the host, `..` leads to all of the host's files (compare CVE-2024-21626).
  private func closeSources() throws(LaunchError) {
    // Others may be the caller's terminal too.
    let isClosing = plan.sandbox.closeDescriptors ?? (terminal >= 0 ? plan.sandbox.terminal : nil)
    if let option = isClosing {
      return try doing(.prepare, option: option) { () throws(SystemCallError) in
        var kept = DescriptorSet.standard
        kept.insert(report)
        kept.insert(status)
        if let watcher = plan.helpers.watcher { kept.insert(watcher.lifeline) }
        for replacement in replacements { kept.insert(replacement.descriptor) }
        try Descriptors.closeAll(except: kept)
      }
    }
    for number in plan.sandbox.laterDescriptors { Descriptors.close(number) }
    if let proc { Descriptors.close(proc) }
  }

  /// Puts files and pipes in the place of standard descriptors; exec closes their other numbers.
  ///
  /// After the last message to the caller's standard error.
  private func replaceStandard() throws(LaunchError) {
    for replacement in replacements {
      try doing(.passDescriptor) { () throws(SystemCallError) in
        try Descriptors.replace(replacement.number, by: replacement.descriptor)
      }
    }
  }

  private func restrictByLandlock() throws(LaunchError) {
    let sandbox = plan.sandbox
    // In one call: each call adds a layer, and the kernel allows sixteen.
    let further = sandbox.landlockScopesToTry.union(plan.confinesSignals == nil ? [] : .signals)
    if let option = sandbox.landlock?.option, plan.resolved.refusesUnixSockets {
      plan.warn(
        "this kernel has no scopes of Landlock (Linux 6.12); in place of \(option.name) "
          + "abstract-unix, the command gets no Unix sockets, which X11 and D-Bus need")
      try doing(.restrictByLandlock, option: option) { () throws(SystemCallError) in
        try BuiltInPolicy.unixlessProgram.install()
      }
    } else if let scopes = sandbox.landlock {
      try doing(.restrictByLandlock, option: scopes.option) { () throws(SystemCallError) in
        try scopes.value.union(further).restrictProcess()
      }
    } else if let option = sandbox.landlockToTry?.option ?? plan.confinesSignals {
      try doing(.restrictByLandlock, option: option) { () throws(SystemCallError) in
        let scopes = try further.whereSupported()
        if !scopes.isEmpty { try scopes.restrictProcess() }
      }
    }
  }

  /// Asks the kernel to kill this process when its parent dies: the monitor, or init, which dies
  /// with the monitor, or the caller if there is no monitor.
  ///
  /// A new process does not inherit this setting, and a change of ids clears it.
  ///
  /// See prctl(2), PR_SET_PDEATHSIG.
  private func dieWithParent(_ initProcess: Int32?) throws(LaunchError) {
    try doing(.dieWithParent, option: plan.sandbox.dieWithParent) { () throws(SystemCallError) in
      try CurrentProcess.dieWithParent()
    }
    // The parent may have died before this call.
    let parent = plan.isInPlace ? plan.caller.parent : initProcess
    let isOrphan = parent.map { CurrentProcess.parent != $0 } ?? Descriptors.isHungUp(status)
    if isOrphan { SignalDisposition.die(by: .kill) }
  }

  /// Takes on the requested ids in a joined user namespace; in a new one, its maps set them.
  private func changeIdentity() throws(SystemCallError) {
    if let terms = plan.entrance?.terms {
      guard (terms.user ?? terms.group) != nil else { return }
      let identity = CurrentProcess.identity
      return try CurrentProcess.become(
        user: terms.user ?? identity.user, group: terms.group ?? identity.group)
    }
    guard plan.sandbox.joined.user != nil, (plan.sandbox.user ?? plan.sandbox.group) != nil else {
      return
    }
    let identity = CurrentProcess.identity
    try CurrentProcess.become(
      user: plan.sandbox.user?.value ?? identity.user,
      group: plan.sandbox.group?.value ?? identity.group)
  }

  /// Fails if a user namespace can still be made.
  private func assertNoUserNamespaces(_ option: WrittenOption) throws(LaunchError) {
    let child: ChildProcess?
    do throws(SystemCallError) {
      child = try ChildProcess.clone(.user)
    } catch {
      // Only these errors show that user namespaces are forbidden. Any other cause, such as a
      // process limit, may be gone a moment later and proves nothing.
      if [.noSpace, .notPermitted, .noFunction, .invalidArgument].contains(error.errno) { return }
      throw LaunchError(.assertNoUserNamespaces, option: option, cause: error)
    }
    guard let child else { CurrentProcess.exit(0) }
    _ = try? child.wait()
    throw LaunchError(
      .assertNoUserNamespaces, option: option,
      cause: SystemCallError(call: "clone3 succeeded", errno: .notPermitted))
  }

  private func changeDirectory(_ environment: inout Environment) throws(LaunchError) {
    if let path = plan.sandbox.workingDirectory {
      do throws(SystemCallError) {
        try CurrentProcess.changeDirectory(path.value)
      } catch {
        throw LaunchError(
          .changeDirectory, option: path.option, subject: path.value, cause: error)
      }
      environment.set("PWD", to: path.value)
      return
    }
    var place: ByteString = "/"
    for path in plan.resolved.startDirectories(environment) {
      guard (try? CurrentProcess.changeDirectory(path)) != nil else { continue }
      place = path
      break
    }
    environment.set("PWD", to: place)
    guard plan.sandbox.givesNotices, place != plan.resolved.workingDirectory else { return }
    let reason =
      plan.resolved.workingDirectory.map {
        "the sandbox does not show the working directory \($0.quoted)"
      }
      ?? "the working directory was removed, or no path leads to it"
    plan.warn("\(reason); the command starts in \(place.quoted)")
    guard let directory = plan.resolved.workingDirectory, !plan.resolved.isShared(directory.path)
    else { return }
    var line = TypedLine(plan.image.arguments, command: plan.sandbox.command)
    line.insert(["--read", "."])
    plan.warn(Remedy.line(line.text).text)
  }
}
