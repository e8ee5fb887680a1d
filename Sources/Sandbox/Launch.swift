// SPDX-License-Identifier: Apache-2.0
// The launch as the caller sees it: from a sandbox to the way its command ended.

public import Linux

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

/// Everything that was decided before the child is made.
struct LaunchPlan {
  let sandbox: Sandbox
  let image: ProcessImage
  /// The kinds that are to be new.
  let namespaces: Namespaces
  /// The caller's ids.
  let identity: (user: UInt32, group: UInt32)
  let workingDirectory: ByteString?
  let signalMask: SignalMask

  /// Whether a process of ours is process 1 of the sandbox.
  var hasInit: Bool { namespaces.contains(.pid) && !sandbox.commandIsInit }
}

extension Sandbox {
  /// Runs the command in the sandbox and waits until it has ended.
  /// - Returns: How it ended.
  /// - Throws: `LaunchError` where it could not be started; then nothing of it is left.
  public func launch(for caller: Caller) throws(LaunchError) -> Termination {
    if diesWithParent { try tieToCaller(caller) }
    let mask = try doing(.prepare) { () throws(SystemCallError) in
      // What is opened from now on must not be taken for the caller's standard input or output.
      try Descriptors.occupyStandard()
      for (_, number) in descriptors { try Descriptors.closeOnExec(number) }
      SignalDisposition.restoreChildReports()
      // Until the monitor can read them; the child's are blocked all the way to exec.
      return try SignalMask.blockAll()
    }
    let identity = CurrentProcess.identity
    let plan = LaunchPlan(
      sandbox: self, image: caller.image, namespaces: namespaces.resolved(for: identity.user),
      identity: identity, workingDirectory: CurrentProcess.workingDirectory, signalMask: mask)
    return try plan.launch()
  }

  /// Has the kernel kill this process, and with it the sandbox, when the caller ends.
  private func tieToCaller(_ caller: Caller) throws(LaunchError) {
    try doing(.dieWithParent) { () throws(SystemCallError) in
      try CurrentProcess.dieWithParent()
    }
    // The caller may have ended before the kernel was told.
    if CurrentProcess.parent != caller.parent { SignalDisposition.die(by: 9) }
  }
}

extension LaunchPlan {
  /// Makes the child and goes on as the monitor.
  fileprivate func launch() throws(LaunchError) -> Termination {
    let report = try doing(.prepare) { () throws(SystemCallError) in try Pipe() }
    let status = try doing(.prepare) { () throws(SystemCallError) in try SocketPair() }
    // The user namespace first; the pid namespace can be entered by no other means than a clone.
    let first = namespaces.intersection([.user, .pid])
    let child = try doing(.createProcess) { () throws(SystemCallError) in
      try ChildProcess.clone(first)
    }
    guard let child else {
      Setup(plan: self, report: report.writeEnd, status: status.theirs).run()
    }
    let signals = try Monitor.letGo(
      keeping: child.descriptor.rawValue, report.readEnd.rawValue, status.ours.rawValue)
    let monitor = Monitor(
      child: child, report: report.readEnd, status: status.ours, signals: signals,
      hasInit: hasInit, sharesSession: !sandbox.hasOwnSession)
    return try monitor.run()
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
