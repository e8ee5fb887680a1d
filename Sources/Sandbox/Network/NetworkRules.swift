// SPDX-License-Identifier: Apache-2.0
// What the command may reach on the network, and the relay that makes it so.

internal import Linux
public import Network
internal import Relay
internal import SystemPackage
internal import Text

/// The rules of --net-allow and --net-deny, and what --publish names.
public struct NetworkRules: Equatable, Sendable {
  /// What the command may reach.
  public var allowed: [Setting<NetworkRule>] = []
  /// What it may not, whatever else is allowed.
  public var denied: [Setting<NetworkRule>] = []

  /// The ports of the host that lead inside.
  public var published: [Setting<PublishedPort>] = []

  /// None.
  public init() {}

  /// Whether an option has added anything.
  var isUsed: Bool { !allowed.isEmpty || !denied.isEmpty || !published.isEmpty }

  /// The first option that needs the relay; nil if none does.
  var option: WrittenOption? { allowed.first?.option ?? published.first?.option }

  /// All of them together.
  var policy: NetworkPolicy {
    NetworkPolicy(allowed: allowed.map(\.value), denied: denied.map(\.value))
  }
}

/// The relay of a launch (Sources/Relay), which runs once `start` has been called.
///
/// A class, so that a launch without one carries a pointer alone.
final class NetworkRelay {
  /// Its process.
  let helper: HelperBeside
  private let policy: NetworkPolicy
  /// The log, and the sockets that listen outside with the ports inside.
  private let log: CInt?
  private let published: [PublishedSocket]
  private let controlEnds: (ours: CInt, theirs: CInt)
  private let noticeEnds: (ours: CInt, theirs: CInt)

  fileprivate init(
    _ helper: HelperBeside, _ policy: NetworkPolicy, log: CInt?,
    published: [PublishedSocket]
  ) throws(LaunchError) {
    (self.helper, self.policy, self.log, self.published) = (helper, policy, log, published)
    controlEnds = try helper.role.socketPair()
    noticeEnds = try helper.role.socketPair()
  }

  /// The socket through which the set-up passes sockets, and hears of a failure.
  var control: CInt { controlEnds.ours }
  /// Where the monitor learns of refusals.
  var notices: CInt { noticeEnds.ours }

  /// Closes the relay's ends in another process.
  ///
  /// The other side notices that the relay has ended only if no other process holds one.
  func closeRelaysEnds() {
    helper.closeHelpersEnd()
    closeOwnEnds()
  }

  private func closeOwnEnds() {
    Descriptors.close(controlEnds.theirs)
    Descriptors.close(noticeEnds.theirs)
    for socket in published { Descriptors.close(socket.number) }
  }

  /// Starts the process.
  func start() throws(LaunchError) -> Helper {
    let running = try helper.start { process throws(LaunchError) in
      do throws(LaunchError) {
        try run(in: process)
      } catch {
        try? Descriptors.send(LaunchReport.hasFailed(error).bytes, to: controlEnds.theirs)
        throw error
      }
      return LaunchError(
        helper.role.action, option: helper.role.option, subject: helper.role.name,
        cause: SystemCallError(call: "epoll_wait", errno: .canceled))
    }
    closeOwnEnds()
    return running
  }

  private func run(in process: borrowing HelperProcess) throws(LaunchError) {
    let role = helper.role
    try doing(role.action, option: role.option, role.name) { () throws(SystemCallError) in
      // Above 2, as the standard descriptors are replaced.
      let log = try log.map { number throws(SystemCallError) in
        try OwnedDescriptor.copy(of: number).release()
      }
      let others = [controlEnds.theirs, noticeEnds.theirs, log ?? -1] + published.map(\.number)
      try process.leaveCaller(keeping: others)
      try process.renouncePrivileges()
      try RelayProcess(
        policy, control: controlEnds.theirs, notices: noticeEnds.theirs,
        lifeline: process.lifeline, published: published, log: log
      ).run()
    }
  }

  /// How long the end of a launch waits for what the relay has to finish, in milliseconds.
  private static let patience = 400

  /// What was refused, as far as the relay has told of it; it tells everything before it ends.
  ///
  /// The relay reads what the payload sends, so that its messages are bounded like those of init.
  func refusals(untilEnd waits: Bool) -> [Refusal] {
    var refusals: [Refusal] = []
    let deadline = MonotonicClock.milliseconds + (waits ? NetworkRelay.patience : 0)
    while (try? Descriptors.waitForInput(
      notices, milliseconds: CInt(clamping: max(deadline - MonotonicClock.milliseconds, 0))))
      == true,
      let (message, descriptor) = try? Descriptors.receive(
        from: notices, capacity: Refusal.capacity)
    {
      if descriptor >= 0 { Descriptors.close(descriptor) }
      guard refusals.count < Refusal.most, let refusal = Refusal(message) else { break }
      refusals.append(refusal)
    }
    return refusals
  }
}

extension ResolvedSandbox {
  /// Prepares the relay, if an option needs it.
  func prepareRelay() throws(LaunchError) -> NetworkRelay? {
    guard let option = sandbox.network.option else { return nil }
    let role = Helper.Role(
      action: .startRelay, option: option, name: "network-relay",
      loss: .isTold("The network relay has ended; the command no longer reaches the network"),
      endsItself: true)
    return try NetworkRelay(
      HelperBeside(role), sandbox.network.policy, log: sandbox.channels.networkLog?.value,
      published: listenOutside())
  }
}

extension ResolvedSandbox {
  /// Listens on the published ports, in the caller's network.
  private func listenOutside() throws(LaunchError) -> [PublishedSocket] {
    var sockets: [PublishedSocket] = []
    for setting in sandbox.network.published {
      let port = setting.value
      do throws(SystemCallError) {
        sockets.append(try PublishedSocket(port))
      } catch {
        for socket in sockets { Descriptors.close(socket.number) }
        throw LaunchError(
          .publish, option: setting.option, subject: ByteString(port.text), cause: error)
      }
    }
    return sockets
  }
}

extension Setup {
  /// Sets up the network namespace: with the relay's sockets, or with lo alone.
  borrowing func configureNetwork() throws(LaunchError) {
    guard let relay = plan.helpers.relay else {
      return try doing(.loopback) { () throws(SystemCallError) in
        try NamespaceSettings.bringLoopbackUp()
      }
    }
    try doing(.makeNetwork, option: relay.helper.role.option) { () throws(SystemCallError) in
      do throws(SystemCallError) {
        try SandboxNetwork.setUp(
          plan.sandbox.network.policy,
          publishing: plan.sandbox.network.published.map(\.value.transport),
          passingTo: relay.control, waking: relay.helper.lifeline)
      } catch {
        // The relay has ended, and may have said why: `awaitRelay` reads that.
        guard error.errno == .brokenPipe else { throw error }
      }
    }
  }

  /// Waits until the relay serves its sockets: the command must find it, or not start.
  ///
  /// Much later than they were passed to it, so that it starts while the root is made.
  borrowing func awaitRelay() throws(LaunchError) {
    guard let relay = plan.helpers.relay else { return }
    let role = relay.helper.role
    let answer = try doing(.makeNetwork, option: role.option) { () throws(SystemCallError) in
      try Descriptors.receive(from: relay.control, capacity: LaunchReport.capacity).message
    }
    Descriptors.close(relay.control)
    Descriptors.close(relay.notices)
    if answer == RelayProcess.isReady { return }
    if case .hasFailed(let error)? = LaunchReport(answer[...]) { throw error }
    // The other end is closed: the relay has ended.
    throw role.lossError
  }
}
