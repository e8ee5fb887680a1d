// SPDX-License-Identifier: Apache-2.0
// A command inside a running sandbox: how it is put together outside, and the steps of the process
// that goes in.

internal import Linux
internal import Seccomp
internal import SystemPackage
internal import Text

extension Entrance {
  /// The sandbox of a command that enters: the terms, refined by what was typed.
  /// - Parameters:
  ///   - typed: The options and the command.
  ///   - caller: Who typed them.
  /// - Returns: The sandbox.
  /// - Throws: `UsageError` if the policy that was typed has a mistake, or does not fit.
  public func sandbox(
    for typed: Sandbox, _ caller: Caller
  ) throws(UsageError) -> ResolvedSandbox {
    var sandbox = Sandbox()
    sandbox.command = typed.command
    if sandbox.command.isEmpty { sandbox.command = [terms.defaultCommand ?? "/bin/sh"] }
    sandbox.commandName = typed.commandName
    sandbox.workingDirectory =
      typed.workingDirectory
      ?? terms.workingDirectory.map { Setting($0, WrittenOption("--chdir")) }
    sandbox.newSession =
      typed.newSession ?? (terms.hasOwnSession ? WrittenOption("--new-session") : nil)
    let scopes = terms.landlock.union(typed.landlockScopes)
    let further = terms.landlockToTry.union(typed.landlockScopesToTry)
    if !scopes.isEmpty { sandbox.landlock = Setting(scopes, WrittenOption("--landlock-scope")) }
    if !further.isEmpty {
      sandbox.landlockToTry = Setting(further, WrittenOption("--landlock-scope-try"))
    }
    sandbox.terminal = typed.terminal
    // The caller's other descriptors stay outside.
    sandbox.closeDescriptors = WrittenOption("--enter")
    sandbox.capabilities = typed.capabilities
    // The sandbox's rules for the caller's variables, and then what was typed.
    let kept = Environment(caller.image.environment, keeping: typed.keptVariables, [])
    var environment = Environment(kept.strings, keeping: terms.keptVariables, terms.environment)
    environment.change(typed.environment)
    return ResolvedSandbox(
      sandbox, policy: try policy(typed.policy), inherited: environment.strings,
      identity: CurrentProcess.identity, workingDirectory: CurrentProcess.workingDirectory,
      refusesUnixSockets: sandbox.lacksSocketScope,
      namespaces: namespaces.reduce(into: []) { $0.formUnion($1.kind) })
  }

  /// The sandbox's policy, or else the one that was typed.
  private func policy(_ typed: PolicyChoice?) throws(UsageError) -> SeccompProgram? {
    guard let typed else { return terms.policy }
    if terms.policy != nil {
      throw UsageError("--seccomp-policy: the sandbox has a policy already; leave the option out")
    }
    do throws(PolicyError) {
      return try typed.program()
    } catch {
      throw UsageError(error.message)
    }
  }

  /// Runs the command of `resolved`, which `sandbox(for:_:)` made, inside, and waits until it has
  /// ended; descriptors that are to be `kept` stay open in this process.
  /// - Returns: How it ended.
  /// - Throws: `LaunchError` if it could not be started.
  public func run(
    _ resolved: ResolvedSandbox, for caller: Caller, keeping kept: [CInt] = [],
    warningPrefix: String,
    whenFailed: (LaunchError) -> Void = { _ in }
  ) throws(LaunchError) -> Ending {
    let mask = try doing(.prepare) { () throws(SystemCallError) in
      try Descriptors.occupyStandard()
      try SessionKeyring.replace(name: ProgramName.nestbox)
      SignalDisposition.restoreChildReports()
      return try SignalMask.blockAll()
    }
    do throws(LaunchError) {
      let plan = LaunchPlan(
        resolved, caller, mask, policy: try resolved.sealedPolicy(), hasJoinedNetwork: false,
        helpers: Helpers(),
        standard: try StandardDescriptors.examine(
          for: resolved.sandbox, without: resolved.terminals),
        warningPrefix: warningPrefix, registration: kept,
        entrance: self)
      let ending = try plan.launch(whenFailed)
      guard ending.wasExecuted else {
        // The sandbox has ended, and the kernel has killed what was about to become the command.
        throw LaunchError(.enter, cause: SystemCallError(call: "execve", errno: .noSuchProcess))
      }
      return ending
    } catch {
      try? mask.restore()
      throw error
    }
  }
}

// MARK: - The process that goes in

extension LaunchPlan {
  /// Whether the child shares the monitor's memory until the command's init continues in its place,
  /// so that the kernel makes one copy less.
  ///
  /// The monitor is suspended for as long, so the child must neither wait for an answer nor open
  /// files of the caller. A time namespace admits no process that shares memory.
  var childSharesMemory: Bool {
    guard let entrance, entrance.hasProcesses, terminals.isEmpty, group == nil,
      standard?.clonesFiles != true
    else { return false }
    return !entrance.namespaces.contains { $0.kind == .time }
  }

  /// Makes that child, with its ends of the two channels.
  func enterSharingMemory(
    _ report: CInt, _ status: CInt
  ) throws(SystemCallError) -> ChildProcess {
    let strings = image.block
    // The child closes what only the monitor needs.
    let child = try ChildProcess.startBriefly {
      Setup(plan: self, report: OwnedDescriptor(report), status: OwnedDescriptor(status)).run()
    }
    image.restore(strings)
    return child
  }
}

extension Setup {
  /// The steps of a command that enters a running sandbox, in order.
  ///
  /// Never returns, except by throwing.
  borrowing func enter(_ entrance: Entrance) throws(LaunchError) -> Never {
    // Anybody in a shared pid namespace can read the words that a process was started with.
    plan.image.overwrite(with: ProgramName.nestbox)
    let (outer, inner) = entrance.namespacesAroundMounts
    try doing(.enter) { () throws(SystemCallError) in
      // Before it joins anything, and until exec: a process inside may have every capability there,
      // and would take over a process that has the host as its root (compare CVE-2016-9962).
      try CurrentProcess.setHidden(true)
      var kept = DescriptorSet.standard
      kept.insert(report.rawValue)
      kept.insert(status.rawValue)
      for number in entrance.descriptors { kept.insert(number) }
      if let standard = plan.standard { kept.insert(standard.keptByCommand) }
      try Descriptors.closeAll(except: kept)
      // While this process still sees the group's file as its user does.
      try entrance.controlGroup?.enter()
      for (kind, descriptor) in outer { try kind.join(descriptor) }
      // A change of ids may have undone it.
      try CurrentProcess.setHidden(true)
    }
    // One of the host's: the payload may have put something else in the place of the sandbox's.
    let terminal = plan.terminals.isEmpty ? -1 : try passTerminal(nil)
    var replacements = try standardReplacements()
    if terminal >= 0 { replacements += self.replacements(by: terminal) }
    try doing(.enter) { () throws(SystemCallError) in
      for (kind, descriptor) in inner { try kind.join(descriptor) }
      try CurrentProcess.setHidden(true)
      // Whatever the payload has mounted or moved since, this is where its command began.
      let root = OwnedDescriptor(entrance.root)
      try CurrentProcess.changeDirectory(to: root)
      try CurrentProcess.changeRootToWorkingDirectory()
    }
    for number in entrance.descriptors { Descriptors.close(number) }
    if entrance.hasProcesses { try goInside() }
    let mask = CurrentProcess.setFileModeMask(0)
    let privileges = try doing(.dropPrivileges) { () throws(SystemCallError) in
      let privileges = try Privileges(entering: entrance.terms, plan.resolved)
      try privileges.bound()
      return privileges
    }
    let command = Command(
      plan: plan, privileges: privileges,
      filters: entrance.terms.filters + (plan.policy.map { [$0] } ?? []), fileModeMask: mask,
      proc: nil, report: report.rawValue, status: status.rawValue, variables: [], program: nil,
      replacements: replacements, terminal: terminal)
    if plan.hasInit { try becomeInit(command) }
    throw command.start()
  }

  /// What takes the place of standard descriptors.
  ///
  /// A file is cloned by its name: from the tree of the host, in a mount namespace of this process,
  /// which belongs to the sandbox's user namespace. No other process is in it.
  private borrowing func standardReplacements() throws(LaunchError) -> [StandardDescriptors
    .Replacement]
  {
    guard let standard = plan.standard else { return [] }
    if standard.clonesFiles {
      try doing(.enter) { () throws(SystemCallError) in try Namespaces.mount.unshare() }
    }
    return try standard.replacements(telling: status)
  }

  /// Continues in the pid namespace that was joined, as a child of its process 1: that one then
  /// waits for the command before it ends, and the namespace with it.
  private borrowing func goInside() throws(LaunchError) {
    do throws(LaunchError) {
      try doing(.createProcess) { () throws(SystemCallError) in
        try ChildProcess.continueAsOrphan()
      }
    } catch {
      // Process 1 has ended.
      guard error.action == .createProcess, error.cause.errno == .noMemory else { throw error }
      throw LaunchError(
        .enter, cause: SystemCallError(call: error.cause.call, errno: .noSuchProcess))
    }
    try succeed()
  }
}

extension Privileges {
  /// Works out who keeps what of a command that enters: what the sandbox's command was given, less
  /// what was typed.
  init(entering terms: EntryTerms, _ resolved: ResolvedSandbox) throws(SystemCallError) {
    let kept = resolved.sandbox.capabilities.applied(to: terms.capabilities) & terms.capabilities
    try self.init(command: kept, hasUserNamespace: terms.hasUserNamespace)
  }
}
