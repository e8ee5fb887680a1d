// SPDX-License-Identifier: Apache-2.0
// The launch as the caller sees it: from a sandbox to how its command ended.

public import Linux
internal import Seccomp
public import SystemPackage
public import Text

/// Facts about the caller, read once at the very start.
public struct Caller {
  let image: ProcessImage
  let parent: Int32

  /// The name by which this program was called.
  public var name: ByteString? { image.arguments.first }

  /// Notes who called.
  /// - Parameter image: The arguments and the environment that the caller passed.
  public init(_ image: ProcessImage) {
    self.image = image
    parent = CurrentProcess.parent
  }

  /// The arguments, the program's name first.
  public var arguments: [ByteString] { image.arguments }
}

/// A launch: the resolved sandbox, and what the first process opens, joins or draws for this launch
/// alone, such as helpers, the policy's random word and the terminal.
///
/// It does not belong in `ResolvedSandbox`, which a plan computes without opening or changing
/// anything. A class, as that is.
final class LaunchPlan {
  let resolved: ResolvedSandbox
  let caller: Caller
  /// The caller's mask; nil if no signal was blocked.
  let signalMask: SignalMask?
  /// The policy's program.
  let policy: SeccompProgram?
  /// The word to execute the command with, if the policy allows only that exec.
  let executionWord: UInt64

  /// The processes beside the sandbox.
  var helpers: Helpers
  /// Whether the network namespace was joined before the child was made.
  let hasJoinedNetwork: Bool
  /// What warnings begin with.
  let warningPrefix: String
  /// Descriptors that only the monitor holds.
  let registration: [CInt]
  /// What the monitor does while the command runs.
  let whileRunning: (() -> Void)?
  /// The standard descriptors that the command gets in another form; nil if it gets all as they are.
  let standard: StandardDescriptors?
  /// The running sandbox that the command enters; nil for a new one.
  let entrance: Entrance?
  /// Who waits for the launch in the foreground; nil for nobody.
  let detachment: Detachment?
  /// The control group that holds limits of the sandbox; nil if none needs it.
  let group: SandboxGroup?
  /// Whether the launcher is in the foreground of the terminal on its standard input.
  private(set) var isInFront = false
  /// Whether the command begins a process group: in the launcher's it could stop the launcher, which
  /// holds limits of time.
  ///
  /// Only without a terminal, from which a group in the background could not read.
  private(set) var beginsGroup = false
  /// The limit for which the kernel keeps the command's signals inside, where it can, as the command
  /// stays in the launcher's group.
  private(set) var confinesSignals: WrittenOption?

  init(
    _ resolved: ResolvedSandbox, _ caller: Caller, _ signalMask: SignalMask?,
    policy: (program: SeccompProgram?, executionWord: UInt64), hasJoinedNetwork: Bool,
    helpers: Helpers, standard: StandardDescriptors?, warningPrefix: String, registration: [CInt],
    whileRunning: (() -> Void)? = nil, entrance: Entrance? = nil, detachment: Detachment? = nil,
    group: SandboxGroup? = nil
  ) {
    self.whileRunning = whileRunning
    self.group = group
    self.resolved = resolved
    self.caller = caller
    self.signalMask = signalMask
    self.helpers = helpers
    self.policy = policy.program
    executionWord = policy.executionWord
    self.hasJoinedNetwork = hasJoinedNetwork
    self.warningPrefix = warningPrefix
    self.registration = registration
    self.standard = standard
    self.entrance = entrance
    self.detachment = detachment
    isInFront = !resolved.sandbox.becomesCommand && Terminal.foreground(0) == ProcessGroup.own
    guard sandbox.limitsTime, !sandbox.hasOwnSession, terminals.isEmpty, !takesTerminal,
      standard?.withholdsTerminal != true
    else { return }
    beginsGroup = hasInit && !Terminal.exists
    if !beginsGroup {
      confinesSignals = sandbox.timeLimit?.option ?? sandbox.processorTimeLimit?.option
    }
  }

  /// How long init waits after the monitor should have killed the command, in milliseconds.
  private static let patience: Int64 = 1000

  /// When init ends the command, in milliseconds of the monotonic clock; 0 for never.
  var deadline: Int64 {
    guard let time = sandbox.timeLimit?.value else { return 0 }
    var moment = Int64(MonotonicClock.milliseconds)
    for part in [time, sandbox.grace, LaunchPlan.patience] {
      let (sum, overflow) = moment.addingReportingOverflow(part)
      if overflow { return 0 }
      moment = sum
    }
    return moment
  }

  /// Whether the command gets a new process group in the foreground of the caller's terminal: if it
  /// is a whole job of a shell, or all that a terminal runs.
  ///
  /// Otherwise other processes of the launcher's group, such as a pager or a script, may need the
  /// terminal too.
  ///
  /// Stored, because the group has no number inside the pid namespace.
  private(set) lazy var takesTerminal: Bool =
    isInFront && hasInit && namespaces.contains(.pid) && !sandbox.hasOwnSession && terminals.isEmpty
    && ProcessGroup.own == CurrentProcess.number && Terminal.foreground(1) == ProcessGroup.own

  /// Whether the command leads that group, and init has another one.
  ///
  /// The parent of an entered command's init may be in another session. If init led the command's
  /// group, the kernel would take the group for orphaned, and ignore Ctrl-Z.
  var commandLeadsGroup: Bool { takesTerminal && hasAdoptedChild }

  var sandbox: Sandbox { resolved.sandbox }
  var image: ProcessImage { caller.image }
  var identity: (user: UInt32, group: UInt32) { resolved.identity }
  var namespaces: Namespaces { resolved.namespaces }
  var hasInit: Bool { resolved.hasInit }
  var terminals: StandardTerminals { resolved.terminals }
  /// Whether the launcher's own process becomes the command, without a monitor.
  var isInPlace: Bool { sandbox.becomesCommand }
  var isHidden: Bool { resolved.isHidden }

  /// Whether the kernel has given the child another parent.
  var hasAdoptedChild: Bool { entrance?.hasProcesses ?? false }
  /// How many times the child continues as another process.
  var moves: Int { hasAdoptedChild ? 1 : entrance == nil ? resolved.moves : 0 }
  /// The kinds of namespaces that the child begins in.
  var firstNamespaces: Namespaces { entrance == nil ? resolved.firstNamespaces : [] }
}

extension ResolvedSandbox {
  /// Runs the command in the sandbox and waits until it has ended.
  /// - Parameters:
  ///   - caller: Who called.
  ///   - warningPrefix: What warnings begin with.
  ///   - registration: Descriptors that only the monitor holds, until it ends.
  ///   - whileRunning: What to do once the command runs, with the registered descriptors.
  ///   - detachment: Who waits for the launch in the foreground, if anybody does.
  ///   - locks: The directory for locks among launches; made if it is needed.
  ///   - whenFailed: Reports a failure, before anything that may take time.
  /// - Returns: How it ended, and what it used if an option asks for that.
  /// - Throws: `LaunchError` if it could not be started; nothing of it remains then.
  public func launch(
    for caller: Caller, warningPrefix: String, registration: [CInt] = [],
    whileRunning: (() -> Void)? = nil, detachment: Detachment? = nil, locks: () -> FilePath,
    whenFailed: (LaunchError) -> Void = { _ in }
  ) throws(LaunchError) -> Ending {
    if sandbox.diesWithParent { try tieToCaller(caller) }
    let mask = try doing(.prepare) { () throws(SystemCallError) in
      try leaveCaller()
      SignalDisposition.restoreChildReports()
      // Until the monitor can read them; in the child they stay blocked until exec.
      return try SignalMask.blockAll()
    }
    var names: TakenNames?
    var registration = registration
    if let detachment { registration.append(detachment.channel) }
    if sandbox.protectsRepositories {
      do throws(LaunchError) {
        // Signals are still blocked, so that this launch removes the names however it ends.
        names = try TakenNames.take(for: self, locks: locks())
      } catch {
        try? mask.restore()
        throw error
      }
      registration += names?.descriptors ?? []
    }
    var group: SandboxGroup?
    do throws(LaunchError) {
      // Before there is another process, which would be in the launcher's group.
      if sandbox.needsGroup { group = try makeGroup() }
      let execution = try sealedPolicy()
      let plan = LaunchPlan(
        self, caller, mask,
        policy: execution,
        hasJoinedNetwork: try joinNetwork(),
        // After all steps that fail if the caller made a mistake.
        helpers: try Helpers.start(
          for: self, mask, warningPrefix: warningPrefix, caller.image, line: caller.arguments,
          (execution.0, execution.executionWord)),
        standard: try StandardDescriptors.examine(for: sandbox, without: terminals),
        warningPrefix: warningPrefix, registration: registration,
        whileRunning: whileRunning, detachment: detachment, group: group)
      let ending = try plan.launch(whenFailed)
      names?.end()
      // The explanation may read many files, and Ctrl-C must be able to stop it.
      if ResolvedSandbox.isWorthALook(ending.termination) { try? mask.restore() }
      return ending
    } catch {
      group?.remove()
      names?.end()
      try? mask.restore()
      throw error
    }
  }

  /// Separates this process from what the caller shares with it.
  func leaveCaller() throws(SystemCallError) {
    // A descriptor opened later must not be mistaken for the caller's standard input or output.
    try Descriptors.occupyStandard()
    try sandbox.forEachDescriptor { (_, number) throws(SystemCallError) in
      try Descriptors.closeOnExec(number)
    }
    // In the caller's user namespace, where launches find their shared keyring.
    try SessionKeyring.replace(name: ProgramName.nestbox)
  }

  /// The policy for this launch, and the word to execute the command with.
  func sealedPolicy() throws(LaunchError) -> (SeccompProgram?, executionWord: UInt64) {
    guard let policy, policy.executesOnce else { return (policy, 0) }
    return try doing(.installFilter) { () throws(SystemCallError) in
      let word = try CurrentProcess.randomNumber()
      guard let sealed = policy.executingOnce(with: word) else {
        throw SystemCallError(call: "seccomp", errno: .invalidArgument)
      }
      return (sealed, word)
    }
  }

  /// Joins the network namespace where the caller may.
  ///
  /// Its owner is then often the host's root, and a new user namespace has no rights over it. If
  /// the caller may not join it, the child does.
  func joinNetwork() throws(LaunchError) -> Bool {
    guard let network = sandbox.joined.network else { return false }
    do throws(SystemCallError) {
      try Namespaces.network.join(network.value)
      return true
    } catch {
      if error.errno == .notPermitted { return false }
      throw LaunchError(.joinNamespace, option: network.option, cause: error)
    }
  }

  /// Asks the kernel to kill this process, and with it the sandbox, when the caller ends.
  func tieToCaller(_ caller: Caller) throws(LaunchError) {
    try doing(.dieWithParent, option: sandbox.dieWithParent) { () throws(SystemCallError) in
      try CurrentProcess.dieWithParent()
    }
    // The caller may have ended before this call.
    if CurrentProcess.parent != caller.parent { SignalDisposition.die(by: .kill) }
  }
}

extension LaunchPlan {
  /// Creates the child and continues as the monitor.
  func launch(
    _ whenFailed: (LaunchError) -> Void
  ) throws(LaunchError) -> Ending {
    let report = try doing(.prepare) { () throws(SystemCallError) in try Pipe() }
    let status = try doing(.prepare) { () throws(SystemCallError) in try SocketPair() }
    let signals = try doing(.prepare) { () throws(SystemCallError) in
      // Init sees its children's stops; without an init, this process does.
      var set = SignalSet.forCommands
      if !hasInit { set.insert(SignalSet(.childChanged)) }
      if !terminals.isEmpty { set.insert(SignalSet(.windowChanged)) }
      return try SignalDescriptor(set)
    }
    let job = Job(takesTerminal: takesTerminal, isInFront: isInFront)
    let (reportEnd, statusEnd) = (report.writeEnd.rawValue, status.theirs.rawValue)
    let child = try doing(.createProcess) { () throws(SystemCallError) -> ChildProcess? in
      if childSharesMemory { return try enterSharingMemory(reportEnd, statusEnd) }
      guard let group else { return try ChildProcess.clone(firstNamespaces) }
      return try ChildProcess.clone(
        firstNamespaces, into: group.processes, mustEnter: &group.mustBeEntered)
    }
    guard let child else {
      // Noted here, before the child's steps.
      StepLog.note("make the child in new namespaces: " + firstNamespaces.list)
      // The monitor's ends: the child notices the monitor's end only if nobody else holds them.
      Descriptors.close(report.readEnd.rawValue)
      Descriptors.close(status.ours.rawValue)
      _ = consume signals
      helpers.closeHelpersEnds()
      // Before any path is resolved: these are open directories of the host.
      for number in registration { Descriptors.close(number) }
      Setup(plan: self, report: report.writeEnd, status: status.theirs).run()
    }
    // The child's ends, so that the monitor always notices the child's end.
    _ = consume report.writeEnd
    _ = consume status.theirs
    standard?.closeCommandsEnds()
    var kept = DescriptorSet()
    // Standard error, for warnings and the steps of --verbose.
    kept.insert(2)
    kept.insert(child.descriptor.rawValue)
    kept.insert(report.readEnd.rawValue)
    kept.insert(status.ours.rawValue)
    kept.insert(signals.rawValue)
    kept.insert(registration)
    if let group { kept.insert(group.descriptors) }
    if let standard { kept.insert(standard.keptByMonitor) }
    if !terminals.isEmpty { kept.insert(terminals.all) }
    if let number = sandbox.channels.information?.value { kept.insert(number) }
    if let number = sandbox.channels.status?.value { kept.insert(number) }
    if let number = sandbox.channels.report?.value { kept.insert(number) }
    // Without an init no process inside holds it.
    if sandbox.commandIsInit { for number in sandbox.channels.sync { kept.insert(number.value) } }
    if job.takesTerminal { kept.insert(0) }
    if let watcher = helpers.watcher { kept.insert(watcher.report) }
    if !hasInit { kept.insert(helpers.lifelines) }
    if let relay = helpers.relay { kept.insert(relay.keptByMonitor) }
    if let membership = helpers.membership { kept.insert(membership.connection) }
    let monitor = Monitor(
      child: child, report: report.readEnd, status: status.ours, signals: signals, plan: self,
      phase: .settingUp(movesLeft: moves), job: job,
      isToDescribe: sandbox.channels.tellOfProcess)
    return try monitor.run(keeping: kept, whenFailed)
  }
}
