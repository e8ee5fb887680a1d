// SPDX-License-Identifier: Apache-2.0
// The relay's process: its protection, and its start.

public import Linux
public import Network
internal import Seccomp
internal import SystemPackage
public import Text

/// A process that is to become a relay.
public struct RelayProcess {
  private let relay: Relay
  private let lifeline: CInt
  private var sockets: PassedSockets
  private let published: [PublishedSocket]

  /// Reads the host's resolver settings, and gives up everything that the relay does not need.
  ///
  /// The process must have left its caller and have renounced new privileges.
  /// - Parameters:
  ///   - policy: What the command may reach.
  ///   - sockets: Those that the set-up has passed so far.
  ///   - lifeline: The socket through which it passes the others, and which ends when nothing lives inside.
  ///   - notices: The socket to the monitor.
  ///   - published: Sockets that listen outside, and the ports inside to which they lead.
  ///   - log: Where look-ups and connections are written; nil for nowhere.
  ///   - network: The network that the sandbox shares with others; nil for none.
  ///   - hostname: The host name inside; nil for that of this process.
  ///   - isLearning: Whether the monitor hears of what the command reaches.
  /// - Throws: `SystemCallError` if it lacks something, or would be less protected.
  public init(
    _ policy: NetworkPolicy, sockets: PassedSockets, lifeline: CInt, notices: CInt,
    published: [PublishedSocket], log: CInt?, network: ByteString?, hostname: ByteString?,
    isLearning: Bool
  ) throws(SystemCallError) {
    (self.sockets, self.lifeline) = (sockets, lifeline)
    let settings = ResolverSettings(
      hosts: RelayProcess.contents("/etc/hosts"),
      configuration: RelayProcess.contents("/etc/resolv.conf"))
    let descriptors = try RelayProcess.raiseLimits()
    relay = try Relay(
      policy, settings, notices: notices, log: log, lifeline: lifeline, isLearning: isLearning,
      descriptors: descriptors)
    relay.network = network.flatMap { DomainName(text: $0.bytes[...]) }
    relay.ownName = (hostname ?? CurrentProcess.hostname).flatMap { DomainName(text: $0.bytes) }
    self.published = published
    // Nobody may look into its memory, in which the caller's environment still is.
    try CurrentProcess.setHidden(true)
    try Capabilities.set(
      permitted: Capabilities(), effective: Capabilities(), inheritable: Capabilities())
    try Landlock.closeFilesIfSupported()
    try BuiltInPolicy.relayProgram.install()
  }

  /// A file that is larger is taken for empty.
  private static let mostBytes = 1 << 20

  private static func contents(_ path: FilePath) -> [UInt8] {
    guard let file = try? OwnedDescriptor.open(path, .reading),
      let bytes = try? Descriptors.contents(of: file.rawValue, limit: mostBytes)
    else { return [] }
    return bytes
  }

  /// Permits as many descriptors as possible, and no file or program.
  /// - Returns: How many descriptors there may be.
  private static func raiseLimits() throws(SystemCallError) -> UInt64 {
    guard let descriptors = Resource(named: "nofile"), let cores = Resource(named: "core") else {
      return 1024
    }
    let hard = try descriptors.limits().hard
    try descriptors.limit(soft: hard, hard: hard)
    try cores.limit(soft: 0, hard: 0)
    return hard
  }

  /// What notices attempts to reach other ports than those that are served; nil, and nobody is told of
  /// them, if the kernel cannot leave out the packets of all other connections.
  private func attemptWatcher(_ number: CInt, isIPv6: Bool) -> AttemptWatcher? {
    // The set-up makes these sockets only where none serves all ports.
    let ports = (relay.policy.withoutAllPorts ?? relay.policy).portsServedEverywhere
    do throws(SystemCallError) {
      try AttemptSocket.narrow(number, isIPv6: isIPv6, except: ports)
    } catch {
      Descriptors.close(number)
      return nil
    }
    return AttemptWatcher(number, isIPv6: isIPv6, except: ports)
  }

  /// Serves the sockets until nothing lives inside; returns only by failing.
  public consuming func run() throws(SystemCallError) {
    while !sockets.areAll {
      do throws(SystemCallError) {
        try sockets.receive(from: lifeline)
      } catch {
        // The set-up has failed, and says why itself.
        if error.errno == .brokenPipe { relay.giveUp() }
        throw error
      }
    }
    relay.hasIPv6 = sockets.hasIPv6
    var watchers: [Watcher] = [Lifeline(lifeline)]
    sockets.forEach { what, number in
      switch what {
      case .unconnected: relay.pool.add(number)
      case .unconnectedDatagrams: relay.datagramSockets.append(number)
      case .names: watchers.append(NameSocket(number))
      case .nameStreams: watchers.append(NameListener(number))
      case .datagrams: watchers.append(DatagramSocket(number, isIPv6: true))
      case .datagramsV4: watchers.append(DatagramSocket(number, isIPv6: false))
      case .connections: watchers.append(Listener(number))
      case .attempts, .attemptsV6:
        if let watcher = attemptWatcher(number, isIPv6: what == .attemptsV6) {
          watchers.append(watcher)
        }
      case .memberNames: watchers.append(relay.takeMemberNames(number))
      case .unreached: watchers.append(UnreachedWatcher(number, isIPv6: false))
      case .unreachedV6: watchers.append(UnreachedWatcher(number, isIPv6: true))
      }
    }
    for socket in published { watchers.append(socket.watcher) }
    for watcher in watchers {
      guard relay.watch(watcher, .input) else {
        throw SystemCallError(call: "epoll_ctl", errno: .noMemory)
      }
    }
    try relay.run()
  }
}
