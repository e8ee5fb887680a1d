// SPDX-License-Identifier: Apache-2.0
// Helpers: processes that run beside a sandbox and serve it.
//
// A helper is started by the monitor: before the child, once the child's namespaces exist, or when the
// command first needs it. It has a lifeline, a socket, on which one that the child waits for reports with
// a byte that it is ready. The sandbox holds its other end:
// init while anything lives inside, or the monitor if there is no init. When the last holder has
// closed it, the helper ends. If a helper ends before the command starts, the launch fails; later,
// its loss is reported or ends the sandbox.
//
// To add one: write a function that starts it with `Helper.start`, as Buses/BusProxy.swift does,
// and call it in `Helpers.start` (Helpers.swift); or append a `LaterHelper` there.

internal import Linux
internal import Seccomp
internal import SystemPackage
internal import Text

/// A helper that runs.
struct Helper {
  /// What it is for.
  let role: Role
  /// A descriptor of the process.
  let process: CInt
  /// The sandbox's end of the lifeline, a socket.
  let lifeline: CInt

  /// What messages say of a helper, and what its loss means.
  struct Role {
    /// What cannot be done without it.
    let action: LaunchError.Action
    /// The option that asks for it.
    let option: WrittenOption?
    /// Its program, or what else it is called.
    let name: ByteString?
    /// What happens to a sandbox that loses it.
    let loss: Loss
    /// Whether it ends by itself once nothing lives inside, and has something to finish before.
    var endsItself = false
  }

  /// What happens to a sandbox if its helper ends first.
  enum Loss {
    /// It continues, with this message.
    case isTold(String)
    /// It ends.
    case endsSandbox
  }

  /// How long a helper may take to start, in milliseconds.
  private static let patience: CInt = 10_000

  /// Starts a helper.
  /// - Parameters:
  ///   - role: What it is for.
  ///   - namespaces: The kinds of new namespaces that it begins in.
  ///   - body: What the process does (see `HelperProcess`); it returns or throws only if it could
  ///     not run.
  /// - Returns: The helper, and the descriptor that it passed, or -1.
  /// - Throws: `LaunchError` if it does not run; nothing of it remains then.
  static func start(
    _ role: Role, in namespaces: Namespaces,
    _ body: (borrowing HelperProcess) throws(LaunchError) -> LaunchError
  ) throws(LaunchError) -> (helper: Helper, passed: CInt) {
    func attempt<Result: ~Copyable>(
      _ body: () throws(SystemCallError) -> Result
    ) throws(LaunchError) -> Result {
      try doing(role.action, option: role.option, role.name, body)
    }
    // Looked up here: in a new user namespace the helper has no ids until that is mapped.
    let identity = CurrentProcess.identity
    // Above the standard descriptors, which `leaveCaller` replaces: the monitor has closed its own
    // before a later helper starts.
    try attempt { () throws(SystemCallError) in try Descriptors.occupyStandard() }
    let lifeline = try attempt { () throws(SystemCallError) in try SocketPair() }
    let channel = try attempt { () throws(SystemCallError) in try SocketPair() }
    let child = try attempt { () throws(SystemCallError) in try ChildProcess.clone(namespaces) }
    guard let child else {
      HelperProcess(
        identity: identity, namespaces: namespaces, lifeline: lifeline.theirs.release(),
        channel: channel.theirs.release()
      ).run(body)
    }
    _ = consume channel.theirs
    _ = consume lifeline.theirs
    let ours = consume channel.ours
    var passed: CInt = -1
    // A descriptor, if it passes one; then the end, because it closes its channel once it runs. Or
    // a failure.
    while true {
      let (message, descriptor) = try attempt { () throws(SystemCallError) in
        guard try Descriptors.waitForInput(ours.rawValue, milliseconds: patience) else {
          try child.descriptor.send(.kill)
          throw SystemCallError(call: "poll", errno: .timedOut)
        }
        return try Descriptors.receive(from: ours.rawValue, capacity: LaunchReport.capacity)
      }
      if message.isEmpty { break }
      if descriptor >= 0 { passed = descriptor }
      if case .hasFailed(let error)? = LaunchReport(message[...]) {
        throw LaunchError(
          role.action, option: role.option, subject: role.name, cause: error.cause)
      }
    }
    let helper = Helper(role: role, process: child.release(), lifeline: lifeline.ours.release())
    return (helper, passed)
  }

  /// Ends the helper and waits briefly until it has exited: only the kernel can delay that.
  func stop() {
    let process = OwnedDescriptor(process)
    try? process.send(.kill)
    if (try? Descriptors.waitForInput(process.rawValue, milliseconds: 2000)) == true {
      _ = try? process.waitForProcess()
    }
  }

  /// How long the end of a launch waits for the end of a helper that has finished, in milliseconds.
  private static let lastPatience: CInt = 100

  /// Ends the helper after the command, unless it ends by itself, which may take longer than the launch.
  func end() {
    guard role.endsItself else { return stop() }
    let process = OwnedDescriptor(process)
    // Otherwise it would be left where process 1 does not reap, as in some containers.
    if (try? Descriptors.waitForInput(process.rawValue, milliseconds: Helper.lastPatience)) == true
    {
      _ = try? process.waitForProcess()
    }
  }

  /// The failure of a launch that has lost its helper.
  var lossError: LaunchError { role.lossError }
}

/// A helper whose process is made when there is something for it to do: many commands never need it.
struct HelperOnDemand {
  /// What it is for.
  let role: Helper.Role
  private let identity: (user: UInt32, group: UInt32)
  private let lifelineEnds: (ours: CInt, theirs: CInt)

  /// Makes its lifeline.
  init(_ role: Helper.Role) throws(LaunchError) {
    self.role = role
    identity = CurrentProcess.identity
    lifelineEnds = try role.socketPair()
  }

  /// The sandbox's end of the lifeline.
  var lifeline: CInt { lifelineEnds.ours }
  /// The helper's end, which the monitor keeps for it.
  var helpersEnd: CInt { lifelineEnds.theirs }

  /// Closes the helper's end in another process, in which it would keep the lifeline open.
  func closeHelpersEnd() { Descriptors.close(lifelineEnds.theirs) }

  /// Starts the process, which runs `body`.
  func start(
    _ body: (borrowing HelperProcess) throws(LaunchError) -> LaunchError
  ) throws(LaunchError) -> Helper {
    let child = try doing(role.action, option: role.option, role.name) {
      () throws(SystemCallError) in try ChildProcess.clone()
    }
    guard let child else {
      HelperProcess(
        identity: identity, namespaces: [], lifeline: lifelineEnds.theirs, channel: -1
      ).run(body)
    }
    closeHelpersEnd()
    return Helper(role: role, process: child.release(), lifeline: lifelineEnds.ours)
  }
}

extension Helper.Role {
  /// The failure of a launch that has lost such a helper.
  var lossError: LaunchError {
    LaunchError(
      action, option: option, subject: name,
      cause: SystemCallError(call: "read", errno: .brokenPipe))
  }

  /// Two connected sockets, which their owner closes.
  func socketPair() throws(LaunchError) -> (ours: CInt, theirs: CInt) {
    let pair = try doing(action, option: option, name) { () throws(SystemCallError) in
      try SocketPair()
    }
    return (pair.ours.release(), pair.theirs.release())
  }
}

/// The process that becomes a helper.
///
/// It begins as a copy of the monitor, with all signals blocked and all of the caller's descriptors
/// open.
struct HelperProcess: ~Copyable {
  /// The caller's ids.
  fileprivate let identity: (user: UInt32, group: UInt32)
  fileprivate let namespaces: Namespaces
  /// Where it reports that it is ready, and notices the end of the sandbox.
  let lifeline: CInt
  /// Where it passes a descriptor to the monitor, or reports a failure; -1 if the monitor does not wait
  /// for it.
  fileprivate let channel: CInt

  fileprivate consuming func run(
    _ body: (borrowing HelperProcess) throws(LaunchError) -> LaunchError
  ) -> Never {
    let error: LaunchError
    do throws(LaunchError) {
      error = try body(self)
    } catch let failure {
      error = failure
    }
    // If this fails, the monitor has ended and nobody can be told.
    try? Descriptors.send(LaunchReport.hasFailed(error).bytes, to: channel)
    CurrentProcess.exit(125)
  }

  /// Detaches from the caller's terminal and files except `others`, and maps its ids if it has a new user
  /// namespace.
  borrowing func leaveCaller(keeping others: [CInt] = []) throws(SystemCallError) {
    if namespaces.contains(.user) {
      let (user, group) = identity
      try IdentityMap.write(user: (user, user), group: (group, group))
    }
    // Only the command receives keys typed at the terminal.
    try CurrentProcess.beginSession()
    // A reader of the caller's pipes would otherwise wait for the helper too.
    let null = try OwnedDescriptor.open("/dev/null", .readingAndWriting)
    for number in CInt(0)...2 { try null.replace(number) }
    var kept = DescriptorSet.standard
    kept.insert(lifeline)
    if channel >= 0 { kept.insert(channel) }
    kept.insert(others)
    try Descriptors.closeAll(except: kept)
  }

  /// Tells the monitor, which waits for it, that this helper runs; one that executes a program does so by
  /// that.
  borrowing func isReady() { Descriptors.close(channel) }

  /// Gives `descriptor` to the monitor.
  borrowing func pass(_ descriptor: borrowing OwnedDescriptor) throws(SystemCallError) {
    try Descriptors.send([0], passing: descriptor.rawValue, to: channel)
  }

  /// Gives up all capabilities and, if it has a mount namespace, write access to files: a payload
  /// that takes the helper over gains nothing.
  borrowing func renouncePrivileges() throws(SystemCallError) {
    if namespaces.contains(.mount) { try MountNamespace.becomeReadOnly() }
    try CurrentProcess.renounceNewPrivileges()
    // An ordinary user's process outside a new user namespace has none, and may not do that.
    if try Capabilities.permitted().contains("setpcap") {
      try Capabilities.bound(to: Capabilities())
    }
    CurrentProcess.setFileModeMask(0o077)
  }
}
