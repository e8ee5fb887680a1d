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

/// A relay that runs (Sources/Relay).
struct NetworkRelay {
  /// The process.
  let helper: Helper
  /// The socket through which the set-up passes sockets.
  let control: CInt
  /// Where the monitor learns of refusals.
  let notices: CInt

  /// What was refused, as far as the relay has told of it.
  ///
  /// The relay reads what the payload sends, so that its messages are bounded like those of init.
  func refusals() -> [Refusal] {
    var refusals: [Refusal] = []
    while refusals.count < Refusal.most,
      (try? Descriptors.waitForInput(notices, milliseconds: 0)) == true,
      let (message, descriptor) = try? Descriptors.receive(
        from: notices, capacity: Refusal.capacity)
    {
      if descriptor >= 0 { Descriptors.close(descriptor) }
      guard let refusal = Refusal(message) else { break }
      refusals.append(refusal)
    }
    return refusals
  }
}

extension ResolvedSandbox {
  /// Starts the relay, if an option needs it.
  func startRelay() throws(LaunchError) -> NetworkRelay? {
    guard let option = sandbox.network.option else { return nil }
    let role = Helper.Role(
      action: .startRelay, option: option, name: "network-relay",
      loss: .isTold("The network relay has ended; the command no longer reaches the network"),
      endsItself: true)
    let policy = sandbox.network.policy
    let logged = sandbox.channels.networkLog?.value
    // Here, where a failure can be told best.
    let published = try listenOutside()
    let control = try role.socketPair()
    let notices = try role.socketPair()
    // The child goes on meanwhile: it hears on the control socket of a failure.
    let (helper, _) = try Helper.start(role, in: [], isAwaited: false) {
      process throws(LaunchError) in
      do throws(LaunchError) {
        try doing(role.action, option: role.option, role.name) { () throws(SystemCallError) in
          // Above 2, as the standard descriptors are replaced.
          let log = try logged.map { number throws(SystemCallError) in
            try OwnedDescriptor.copy(of: number).release()
          }
          let others = [control.theirs, notices.theirs, log ?? -1] + published.map(\.socket)
          try process.leaveCaller(keeping: others)
          try process.renouncePrivileges()
          try RelayProcess(
            policy, control: control.theirs, notices: notices.theirs, lifeline: process.lifeline,
            published: published, log: log
          ).run()
        }
      } catch {
        try? Descriptors.send(LaunchReport.hasFailed(error).bytes, to: control.theirs)
        throw error
      }
      return LaunchError(
        role.action, option: role.option, subject: role.name,
        cause: SystemCallError(call: "epoll_wait", errno: .canceled))
    }
    // The relay notices that this process has ended only if no other process holds these ends.
    Descriptors.close(control.theirs)
    Descriptors.close(notices.theirs)
    for (socket, _) in published { Descriptors.close(socket) }
    return NetworkRelay(helper: helper, control: control.ours, notices: notices.ours)
  }
}

extension ResolvedSandbox {
  /// Listens on the published ports, in the caller's network.
  private func listenOutside() throws(LaunchError) -> [(socket: CInt, inside: UInt16)] {
    var sockets: [(socket: CInt, inside: UInt16)] = []
    for setting in sandbox.network.published {
      let port = setting.value
      do throws(SystemCallError) {
        let socket = try InternetSocket.bound(
          .stream, to: Endpoint(port.address, port.port), again: true)
        sockets.append((socket.release(), port.inside))
      } catch {
        for (socket, _) in sockets { Descriptors.close(socket) }
        throw LaunchError(
          .publish, option: setting.option, subject: ByteString(port.text), cause: error)
      }
    }
    return sockets
  }
}

extension Helper.Role {
  /// Two connected sockets, which their owner closes.
  fileprivate func socketPair() throws(LaunchError) -> (ours: CInt, theirs: CInt) {
    let pair = try doing(action, option: option, name) { () throws(SystemCallError) in
      try SocketPair()
    }
    return (pair.ours.release(), pair.theirs.release())
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
    let option = relay.helper.role.option
    let answer = try doing(.makeNetwork, option: option) { () throws(SystemCallError) in
      do throws(SystemCallError) {
        try SandboxNetwork.setUp(
          plan.sandbox.network.policy, publishes: !plan.sandbox.network.published.isEmpty,
          passingTo: relay.control)
      } catch {
        // The relay has ended, and may have said why.
        guard error.errno == .brokenPipe else { throw error }
      }
      return try Descriptors.receive(from: relay.control, capacity: LaunchReport.capacity).message
    }
    Descriptors.close(relay.control)
    Descriptors.close(relay.notices)
    if answer == RelayProcess.isReady { return }
    if case .hasFailed(let error)? = LaunchReport(answer[...]) { throw error }
    // The other end is closed: the relay has ended.
    throw relay.helper.lossError
  }
}
