// SPDX-License-Identifier: Apache-2.0
// The relay's process: its protection, and its start.

public import Linux
public import Network
internal import Seccomp
internal import SystemPackage
internal import Text

/// A process that is to become a relay.
public struct RelayProcess {
  private let relay: Relay
  private let control: CInt
  private let lifeline: CInt
  private let published: [PublishedSocket]

  /// Reads the host's resolver settings, and gives up everything that the relay does not need.
  ///
  /// The process must have left its caller and have renounced new privileges.
  /// - Parameters:
  ///   - policy: What the command may reach.
  ///   - control: The socket through which the set-up passes sockets.
  ///   - notices: The socket to the monitor.
  ///   - lifeline: The socket that ends when nothing lives inside.
  ///   - published: Sockets that listen outside, and the ports inside to which they lead.
  ///   - log: Where look-ups and connections are written; nil for nowhere.
  /// - Throws: `SystemCallError` if it lacks something, or would be less protected.
  public init(
    _ policy: NetworkPolicy, control: CInt, notices: CInt, lifeline: CInt,
    published: [PublishedSocket], log: CInt?
  ) throws(SystemCallError) {
    (self.control, self.lifeline) = (control, lifeline)
    let settings = ResolverSettings(
      hosts: RelayProcess.contents("/etc/hosts"),
      configuration: RelayProcess.contents("/etc/resolv.conf"))
    let descriptors = try RelayProcess.raiseLimits()
    relay = try Relay(policy, settings, notices: notices, log: log, descriptors: descriptors)
    guard relay.watch(Lifeline(lifeline), .input) else {
      throw SystemCallError(call: "epoll_ctl", errno: .noMemory)
    }
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

  /// The answer to the set-up once the sockets are served.
  public static let isReady: [UInt8] = [0]

  /// Takes the sockets from the set-up, and serves them until nothing lives inside; returns only by
  /// failing.
  public func run() throws(SystemCallError) {
    // Nothing comes if the set-up has failed.
    if try Descriptors.receive(from: lifeline, capacity: 1).message.isEmpty { relay.giveUp() }
    while true {
      let (message, descriptor) = try Descriptors.receive(from: control, capacity: 2)
      // The set-up has failed, and says why itself.
      guard let first = message.first, let what = PassedSocket(rawValue: first) else {
        relay.giveUp()
      }
      if what == .end {
        relay.hasIPv6 = message.last == 1
        break
      }
      if what == .unconnected {
        relay.pool.add(descriptor)
        continue
      }
      if what == .unconnectedDatagrams {
        relay.datagramSockets.append(descriptor)
        continue
      }
      let watcher: Watcher =
        switch what {
        case .names: NameSocket(descriptor)
        case .nameStreams: NameListener(descriptor)
        case .datagrams: DatagramSocket(descriptor, isIPv6: true)
        case .datagramsV4: DatagramSocket(descriptor, isIPv6: false)
        default: Listener(descriptor)
        }
      guard descriptor >= 0, relay.watch(watcher, .input) else {
        throw SystemCallError(call: "epoll_ctl", errno: .noMemory)
      }
    }
    for socket in published {
      guard relay.watch(socket.watcher, .input) else {
        throw SystemCallError(call: "epoll_ctl", errno: .noMemory)
      }
    }
    try Descriptors.send(RelayProcess.isReady, to: control)
    Descriptors.close(control)
    // Beside the child, which has more to do. It keeps less memory, and its end, for which a launch waits,
    // takes less time.
    CurrentProcess.releaseImage()
    try relay.run()
  }
}
