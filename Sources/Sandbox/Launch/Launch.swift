// SPDX-License-Identifier: Apache-2.0
// The launch as the caller sees it: from a sandbox to the way its command ended.

public import Linux
internal import Seccomp
internal import SystemPackage
internal import Text

/// What is known of the caller, read once at the very start.
public struct Caller {
  let image: ProcessImage
  let parent: Int32

  /// Notes who called.
  /// - Parameter image: The arguments and the environment that the caller passed.
  public init(_ image: ProcessImage) {
    self.image = image
    parent = CurrentProcess.parent
  }
}

/// A launch: the resolved sandbox, and what its first process decides and opens for it.
///
/// A class, as `ResolvedSandbox` is.
final class LaunchPlan {
  let resolved: ResolvedSandbox
  let image: ProcessImage
  let signalMask: SignalMask
  /// The policy's program.
  let policy: SeccompProgram?
  /// What the command is executed with, where the policy lets nothing else be executed.
  let executionWord: UInt64

  /// The processes beside the sandbox.
  var helpers: Helpers
  /// Whether the network namespace was joined before the child was made.
  let hasJoinedNetwork: Bool
  /// What warnings begin with.
  let warningPrefix: String
  /// Descriptors that the monitor holds, and no other process of the launch.
  let registration: [CInt]
  /// Whether the launcher is in front at a terminal that is its standard input.
  private(set) var isInFront = false

  init(
    _ resolved: ResolvedSandbox, _ image: ProcessImage, _ signalMask: SignalMask,
    policy: (program: SeccompProgram?, executionWord: UInt64), hasJoinedNetwork: Bool,
    helpers: Helpers, warningPrefix: String, registration: [CInt]
  ) {
    self.resolved = resolved
    self.image = image
    self.signalMask = signalMask
    self.helpers = helpers
    self.policy = policy.program
    executionWord = policy.executionWord
    self.hasJoinedNetwork = hasJoinedNetwork
    self.warningPrefix = warningPrefix
    self.registration = registration
    isInFront = Terminal.foreground(0) == ProcessGroup.own
  }

  /// Whether the command gets a process group of its own, in front at the caller's terminal: where it
  /// is a whole job of a shell's, or all that a terminal runs.
  ///
  /// Others of the launcher's group may want the terminal too: a pager behind a pipe, a script.
  ///
  /// Kept, as inside the group has no number.
  private(set) lazy var takesTerminal: Bool =
    isInFront && hasInit && namespaces.contains(.pid) && !sandbox.hasOwnSession
    && ProcessGroup.own == CurrentProcess.number && Terminal.foreground(1) == ProcessGroup.own

  /// Whether nothing lives on after the command: it was asked for, or follows from the end of the
  /// monitor.
  var endsAll: Bool {
    namespaces.contains(.pid) && (sandbox.killsOnExit || sandbox.diesWithParent)
  }

  var sandbox: Sandbox { resolved.sandbox }
  var identity: (user: UInt32, group: UInt32) { resolved.identity }
  var namespaces: Namespaces { resolved.namespaces }
  var hasInit: Bool { resolved.hasInit }
  var isHidden: Bool { resolved.isHidden }
}

extension ResolvedSandbox {
  /// Runs the command in the sandbox and waits until it has ended.
  /// - Parameters:
  ///   - caller: Who called.
  ///   - warningPrefix: What warnings begin with.
  ///   - registration: Descriptors that are closed when the monitor ends, and held by it alone.
  ///   - whenFailed: What tells of a failure, before anything that may take time.
  /// - Returns: How it ended.
  /// - Throws: `LaunchError` where it could not be started; then nothing of it is left.
  public func launch(
    for caller: Caller, warningPrefix: String, registration: [CInt] = [],
    whenFailed: (LaunchError) -> Void = { _ in }
  ) throws(LaunchError) -> Termination {
    if sandbox.diesWithParent { try tieToCaller(caller) }
    let mask = try doing(.prepare) { () throws(SystemCallError) in
      // What is opened from now on must not be taken for the caller's standard input or output.
      try Descriptors.occupyStandard()
      try sandbox.forEachDescriptor { (_, number) throws(SystemCallError) in
        try Descriptors.closeOnExec(number)
      }
      // In the caller's user namespace, in which launches find the one that they share.
      try SessionKeyring.replace()
      SignalDisposition.restoreChildReports()
      // Until the monitor can read them; the child's are blocked all the way to exec.
      return try SignalMask.blockAll()
    }
    do throws(LaunchError) {
      let plan = LaunchPlan(
        self, caller.image, mask,
        policy: try sealedPolicy(),
        hasJoinedNetwork: try joinNetwork(),
        // After all that a mistake of the caller's could stop.
        helpers: try Helpers.start(
          for: self, mask, warningPrefix: warningPrefix),
        warningPrefix: warningPrefix, registration: registration)
      let termination = try plan.launch(whenFailed)
      // Files will be looked at to explain what happened: a key ends a look that takes long.
      if ResolvedSandbox.isWorthALook(termination) { try? mask.restore() }
      return termination
    } catch {
      try? mask.restore()
      throw error
    }
  }

  /// The policy for this one launch, and the word to execute the command with.
  private func sealedPolicy() throws(LaunchError) -> (SeccompProgram?, executionWord: UInt64) {
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
  /// Its owner is then often the host's root, and a new user namespace has no power over it;
  /// otherwise it is the child that may.
  private func joinNetwork() throws(LaunchError) -> Bool {
    guard let network = sandbox.joined.network else { return false }
    do throws(SystemCallError) {
      try Namespaces.network.join(network.value)
      return true
    } catch {
      if error.errno == .notPermitted { return false }
      throw LaunchError(.joinNamespace, option: network.option, cause: error)
    }
  }

  /// Has the kernel kill this process, and with it the sandbox, when the caller ends.
  private func tieToCaller(_ caller: Caller) throws(LaunchError) {
    try doing(.dieWithParent, option: sandbox.dieWithParent) { () throws(SystemCallError) in
      try CurrentProcess.dieWithParent()
    }
    // The caller may have ended before the kernel was told.
    if CurrentProcess.parent != caller.parent { SignalDisposition.die(by: .kill) }
  }
}

extension LaunchPlan {
  /// Makes the child and goes on as the monitor.
  fileprivate func launch(
    _ whenFailed: (LaunchError) -> Void
  ) throws(LaunchError) -> Termination {
    let report = try doing(.prepare) { () throws(SystemCallError) in try Pipe() }
    let status = try doing(.prepare) { () throws(SystemCallError) in try SocketPair() }
    let signals = try doing(.prepare) { () throws(SystemCallError) in
      // Init sees its children's stops; where there is none, this process does.
      try SignalDescriptor(
        hasInit ? .forCommands : .forCommands.union(SignalSet(.childChanged)))
    }
    let job = Job(takesTerminal: takesTerminal, isInFront: isInFront)
    let child = try doing(.createProcess) { () throws(SystemCallError) in
      try ChildProcess.clone(resolved.firstNamespaces)
    }
    guard let child else {
      // Told here, before the steps of this process.
      StepLog.note("make the child in new namespaces: " + resolved.firstNamespaces.list)
      // The monitor's ends: that it has gone shows only when it was the last to hold them.
      Descriptors.close(report.readEnd.rawValue)
      Descriptors.close(status.ours.rawValue)
      Descriptors.close(signals.rawValue)
      // Before a path is looked up: they lead to a directory of the host.
      for number in registration { Descriptors.close(number) }
      Setup(plan: self, report: report.writeEnd, status: status.theirs).run()
    }
    // The child's ends, so that its end is seen whatever becomes of the rest.
    _ = consume report.writeEnd
    _ = consume status.theirs
    var kept = [
      child.descriptor.rawValue, report.readEnd.rawValue, status.ours.rawValue, signals.rawValue,
    ]
    kept += registration
    if let number = sandbox.channels.information?.value { kept.append(number) }
    if let number = sandbox.channels.status?.value { kept.append(number) }
    // Without an init there is nobody inside to hold it.
    if sandbox.commandIsInit { kept += sandbox.channels.sync.map(\.value) }
    if job.takesTerminal { kept.append(0) }
    for helper in helpers.running { kept.append(helper.process) }
    if !hasInit { for number in helpers.lifelines { kept.append(number) } }
    let monitor = Monitor(
      child: child, report: report.readEnd, status: status.ours, signals: signals, plan: self,
      phase: .settingUp(movesLeft: resolved.moves), job: job,
      isToDescribe: sandbox.channels.tellOfProcess)
    return try monitor.run(keeping: kept, whenFailed)
  }
}

extension NamespaceRequest {
  /// The kinds of namespaces to make for the user `user` on the running kernel.
  func resolved(for user: UInt32) -> Namespaces {
    var namespaces = others.union(.mount)
    if user != 0 || self.user.isGranted(.user) { namespaces.insert(.user) }
    if cgroup.isGranted(.cgroup) { namespaces.insert(.cgroup) }
    return namespaces
  }
}

extension NamespaceRequest.Wish {
  /// Whether a namespace of this kind is to be made on the running kernel.
  fileprivate func isGranted(_ kind: Namespaces) -> Bool {
    switch self {
    case .share: false
    case .create: true
    case .createWhereSupported: kind.isSupported
    }
  }
}
