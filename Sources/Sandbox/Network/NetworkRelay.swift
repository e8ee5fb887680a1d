// SPDX-License-Identifier: Apache-2.0
// The relay of a launch (Sources/Relay). The set-up makes the sockets that it serves; from then on the
// kernel keeps what the command sends. The monitor holds them, and starts the relay when something
// happens to one: a command that does not use the network does not pay for a process.

internal import Linux
internal import Network
internal import Relay
internal import SystemPackage
internal import Text

/// The relay of a launch, which runs once `start` has been called.
///
/// A class, so that a launch without one carries a pointer alone.
final class NetworkRelay {
  /// Its process.
  let helper: HelperOnDemand
  private let policy: NetworkPolicy
  /// The log, and the sockets that listen outside with the ports inside.
  private let log: CInt?
  private let published: [PublishedSocket]
  /// The network that the sandbox shares with others.
  private let network: ByteString?
  /// The host name inside; nil for the caller's.
  private let hostname: ByteString?
  /// The sockets inside, until it runs.
  private var sockets = PassedSockets()
  /// Where something happens once there is work for it; nil before the sockets are here, and while it runs.
  private var queue: EventQueue?
  private var isStarted = false
  /// Where the monitor learns of refusals, and why it could not run.
  private var notices: CInt = -1
  private var told: [Refusal] = []
  /// Why the log has ended before the run.
  private(set) var endOfLog: Errno?
  /// Whether a profile is learned from the run, and the hosts that it reached.
  private let isLearning: Bool
  private(set) var reached: [ReachedHost] = []

  fileprivate init(
    _ helper: HelperOnDemand, _ policy: NetworkPolicy, log: CInt?, published: [PublishedSocket],
    network: ByteString?, hostname: ByteString?, isLearning: Bool
  ) {
    (self.network, self.hostname) = (network, hostname)
    (self.helper, self.policy, self.log, self.published) = (helper, policy, log, published)
    self.isLearning = isLearning
  }

  /// What the monitor holds for it.
  var keptByMonitor: [CInt] { [helper.helpersEnd, log ?? -1] + published.map(\.number) }

  /// Closes the relay's descriptors in another process.
  ///
  /// The other side notices that the relay has ended only if no other process holds one.
  func closeRelaysEnds() {
    helper.closeHelpersEnd()
    for socket in published { Descriptors.close(socket.number) }
  }

  // MARK: Until there is something to do

  /// Takes the sockets from the set-up, and has the kernel watch them.
  /// - Returns: Where to wait for something to happen to one; nil if the relay has to start at once.
  fileprivate func takeSockets() throws(SystemCallError) -> CInt? {
    // The monitor has closed its own, which the relay replaces.
    try Descriptors.occupyStandard()
    try sockets.receive(from: helper.helpersEnd)
    // Of many sockets, the relay takes the others itself: it may have more descriptors.
    guard sockets.areAll else { return nil }
    let queue = try EventQueue()
    let number = queue.number
    for socket in sockets.listening + published.map(\.number) { try queue.add(socket, .input) }
    self.queue = consume queue
    return number
  }

  /// Whether the command has sent something, and the relay does not run yet.
  var hasWork: Bool {
    if isStarted { return false }
    // The monitor may hear at once that the command was executed and that it has ended.
    if queue == nil, (try? Descriptors.waitForInput(helper.helpersEnd, milliseconds: 0)) == true {
      do throws(SystemCallError) {
        if try takeSockets() == nil { return true }
      } catch {
        return false
      }
    }
    guard let number = queue?.number else { return false }
    return (try? Descriptors.waitForInput(number, milliseconds: 0)) == true
  }

  // MARK: Its process

  /// Starts the process, unless it has started already.
  func start() throws(LaunchError) -> Helper? {
    if isStarted { return nil }
    isStarted = true
    queue = nil
    defer {
      for number in sockets.numbers { Descriptors.close(number) }
      sockets = PassedSockets()
      for socket in published { Descriptors.close(socket.number) }
    }
    let ends = try helper.role.socketPair()
    notices = ends.ours
    defer { Descriptors.close(ends.theirs) }
    return try helper.start { process throws(LaunchError) in
      do throws(LaunchError) {
        try run(in: process, telling: ends.theirs)
      } catch {
        try? Descriptors.send(LaunchReport.hasFailed(error).bytes, to: ends.theirs)
        throw error
      }
      return LaunchError(
        helper.role.action, option: helper.role.option, subject: helper.role.name,
        cause: SystemCallError(call: "epoll_wait", errno: .canceled))
    }
  }

  private func run(
    in process: borrowing HelperProcess, telling notices: CInt
  ) throws(LaunchError) {
    let role = helper.role
    try doing(role.action, option: role.option, role.name) { () throws(SystemCallError) in
      // Signals for the monitor's group are not for this process.
      _ = try SignalMask.blockAll()
      // Above 2, as the standard descriptors are replaced.
      let log = try log.map { number throws(SystemCallError) in
        try OwnedDescriptor.copy(of: number).release()
      }
      let others = [notices, log ?? -1] + published.map(\.number) + sockets.numbers
      try process.leaveCaller(keeping: others)
      try process.renouncePrivileges()
      try RelayProcess(
        policy, sockets: sockets, lifeline: process.lifeline, notices: notices,
        published: published, log: log, network: network, hostname: hostname,
        isLearning: isLearning
      ).run()
    }
  }

  // MARK: What it tells

  /// How long the end of a launch waits for what the relay has to finish, in milliseconds.
  private static let patience = 400

  /// What was refused, as far as the relay has told of it; it tells everything before it ends.
  ///
  /// The relay reads what the payload sends, so that its messages are bounded like those of init.
  func refusals(untilEnd waits: Bool) -> [Refusal] {
    let deadline = MonotonicClock.milliseconds + (waits ? NetworkRelay.patience : 0)
    while notices >= 0, let message = nextNotice(before: deadline), !message.isEmpty {
      guard take(message) else { break }
    }
    return told
  }

  /// Why it has ended, if it has told; only when it has ended.
  var failure: LaunchError? {
    while let message = nextNotice(before: 0), !message.isEmpty {
      if case .hasFailed(let error)? = LaunchReport(message[...]) { return error }
      guard take(message) else { return nil }
    }
    return nil
  }

  /// Keeps what a message tells; false if there is no room for it.
  private func take(_ message: [UInt8]) -> Bool {
    if let number = Refusal.endOfLog(message) {
      endOfLog = Errno(rawValue: number)
      return true
    }
    if isLearning, let host = ReachedHost(message) {
      guard reached.count < ReachedHost.most else { return false }
      reached.append(host)
      return true
    }
    guard told.count < Refusal.most, let refusal = Refusal(message) else { return false }
    told.append(refusal)
    return true
  }

  private func nextNotice(before deadline: Int) -> [UInt8]? {
    let left = CInt(clamping: max(deadline - MonotonicClock.milliseconds, 0))
    guard (try? Descriptors.waitForInput(notices, milliseconds: left)) == true,
      let (message, descriptor) = try? Descriptors.receive(
        from: notices, capacity: LaunchReport.capacity)
    else { return nil }
    if descriptor >= 0 { Descriptors.close(descriptor) }
    return message
  }
}

extension Monitor {
  /// Waits for the relay's sockets, and then for something to happen to one of them.
  mutating func watch(_ relay: NetworkRelay) throws(LaunchError) {
    try add(
      Watch(number: relay.helper.helpersEnd, interest: .input) { monitor throws(LaunchError) in
        let queue: CInt?
        do throws(SystemCallError) {
          queue = try relay.takeSockets()
        } catch {
          // The set-up has failed, and says why itself.
          if error.errno == .brokenPipe { return false }
          let role = relay.helper.role
          throw LaunchError(role.action, option: role.option, subject: role.name, cause: error)
        }
        guard let queue else {
          monitor.startRelay(relay)
          return false
        }
        try monitor.add(
          Watch(number: queue, interest: .input) { monitor in
            monitor.startRelay(relay)
            return false
          })
        return false
      })
  }

  /// Starts the relay, unless it runs.
  ///
  /// If it cannot start, the command reaches nothing.
  mutating func startRelay(_ relay: NetworkRelay) {
    do throws(LaunchError) {
      if let helper = try plan.helpers.start(relay) { try watch(helper) }
    } catch {
      let text = error.message + "; the command does not reach the network\n"
      try? Descriptors.write(plan.warningPrefix + text, to: 2)
    }
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
      HelperOnDemand(role), sandbox.network.policy, log: sandbox.channels.networkLog?.value,
      published: listenOutside(), network: sandbox.network.shared?.value,
      hostname: sandbox.hostname?.value, isLearning: sandbox.learning != nil)
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
  /// Sets up the network namespace: with the relay's sockets, or with lo alone; and with a link.
  borrowing func configureNetwork() throws(LaunchError) {
    try configureLoopback()
    // A member of a network has one.
    guard plan.helpers.membership == nil else { return }
    guard let option = plan.sandbox.network.link else {
      if plan.sandbox.network.showsTriedLink { try? MemberLinks.makeLink(NameTable.own) }
      return
    }
    try doing(.makeNetwork, option: option) { () throws(SystemCallError) in
      // Where there are rules, the relay's settings refuse everything else.
      if plan.sandbox.network.allowed.isEmpty {
        var network = LoopbackNetwork()
        network.prohibitOthers()
        try network.apply()
      }
      try MemberLinks.makeLink(NameTable.own)
    }
  }

  private borrowing func configureLoopback() throws(LaunchError) {
    guard let relay = plan.helpers.relay else {
      return try doing(.loopback) { () throws(SystemCallError) in
        try NamespaceSettings.bringLoopbackUp()
      }
    }
    try doing(.makeNetwork, option: relay.helper.role.option) { () throws(SystemCallError) in
      let isComplete = try SandboxNetwork.setUp(
        plan.sandbox.network.policy,
        publishing: plan.sandbox.network.published.map(\.value.transport),
        member: plan.helpers.membership?.address, passingTo: relay.helper.lifeline)
      if !isComplete { warnOfIgnoredRules() }
    }
  }

  /// Says which rules have no effect, as the kernel cannot lead all ports to one socket.
  private borrowing func warnOfIgnoredRules() {
    let ignored = plan.sandbox.network.allowed.filter { $0.value.ports.isEmpty }
    let rules = ignored.map { "\($0.option.name) \($0.value.text.quotedForShell)" }
    plan.warn(
      "the kernel lacks nf_tables or nft_tproxy, or may not load them in this container, so "
        + rules.joined(separator: " ")
        + " is ignored: of TCP the command reaches the ports alone that other rules name. To reach "
        + "another, add --net-allow HOST:PORT")
  }
}
