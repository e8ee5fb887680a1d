// SPDX-License-Identifier: Apache-2.0
// The network of a sandbox whose command reaches only what rules name. Inside, the interface lo is the
// only one, and all addresses that stand for names lead to sockets there. The set-up makes these
// sockets and passes them out. When the command first uses one, the monitor starts the relay with them:
// a process outside that decides and connects.
//
// This module has both ends. This file: what the set-up does in the sandbox's network namespace.

public import Linux
public import Network
internal import SystemPackage
public import Text

/// The network inside.
public enum SandboxNetwork {
  /// The port of the name service.
  private static let namePort: UInt16 = 53
  private static var anyV4: IPAddress { IPAddress(v4: 0) }
  private static var anyV6: IPAddress { IPAddress(high: 0, low: 0) }

  /// Sets up this process's network namespace, makes the relay's sockets in it, and passes them through
  /// the socket `lifeline`.
  ///
  /// From then on the kernel keeps what the command sends until the relay serves it. No copy of a socket
  /// stays here. If `member` is the sandbox's address in a network that it shares with others, those do not reach
  /// the sockets.
  /// - Returns: Whether each rule is in force: one that is only tried may be ignored.
  public static func setUp(
    _ policy: NetworkPolicy, publishing published: [Port.Transport], member: IPAddress?,
    passingTo lifeline: CInt
  ) throws(SystemCallError) -> Bool {
    var passing = SocketPassing(to: lifeline)
    let hasIPv6 = try configure(policy)
    for transport in [Port.Transport.tcp, .udp] where published.contains(transport) {
      let isStream = transport == .tcp
      let what = isStream ? PassedSocket.unconnected : .unconnectedDatagrams
      for _ in 0..<SocketPool.size {
        try passing.pass(what, InternetSocket.unconnected(isStream ? .stream : .datagram))
      }
    }
    var served = policy
    if !policy.allowed.isEmpty {
      let servesAllPorts = try serveAllPorts(policy, hasIPv6, member, &passing)
      // The relay has the whole policy: it permits ports at which nothing listens.
      if !servesAllPorts, let rest = policy.withoutAllPorts { served = rest }
      try makeListeners(served, apartFrom: servesAllPorts, hasIPv6, member, &passing)
      // What members try to reach is not for the relay.
      if member == nil {
        try watchAttempts(streams: !servesAllPorts, hasIPv6, &passing)
      }
    }
    if member != nil {
      let names = Endpoint(MemberAddresses.holder, namePort)
      try passing.pass(.memberNames, InternetSocket.connecting(.datagram, to: names))
    }
    try passing.end(hasIPv6: hasIPv6)
    return served.allowed.count == policy.allowed.count
  }

  private static func makeListeners(
    _ policy: NetworkPolicy, apartFrom servesAllPorts: Bool, _ hasIPv6: Bool, _ member: IPAddress?,
    _ passing: inout SocketPassing
  ) throws(SystemCallError) {
    func pass(
      _ what: PassedSocket, _ kind: InternetSocket.Kind, _ address: IPAddress, _ port: UInt16
    ) throws(SystemCallError) {
      try passing.pass(
        what, InternetSocket.bound(kind, to: Endpoint(address, port), locally: member != nil))
    }
    try pass(.names, .datagram, NameTable.nameServer, namePort)
    try pass(.nameStreams, .stream, NameTable.nameServer, namePort)
    var table: NameTable?
    for listener in policy.listeners(apartFrom: servesAllPorts) {
      let port = listener.port
      func listen(at address: IPAddress) throws(SystemCallError) {
        if port.transport == .tcp {
          try pass(.connections, .stream, address, port.number)
        } else {
          let what = address.v4 == nil ? PassedSocket.datagrams : .datagramsV4
          try pass(what, .datagram, address, port.number)
        }
      }
      guard let names = listener.names else {
        try listen(at: hasIPv6 ? anyV6 : anyV4)
        continue
      }
      for name in names {
        if table == nil { table = NameTable(policy.exactNames) }
        guard let addresses = table?.addresses(of: name) else { continue }
        try listen(at: addresses.v4)
        if hasIPv6 { try listen(at: addresses.v6) }
      }
    }
  }

  /// Has the relay notice connections and datagrams to ports that nothing serves; of connections if `streams` is true.
  ///
  /// Without the right to do so, as in some containers, nobody is told of these.
  private static func watchAttempts(
    streams: Bool, _ hasIPv6: Bool, _ passing: inout SocketPassing
  ) throws(SystemCallError) {
    for isIPv6 in hasIPv6 ? [false, true] : [false] {
      guard let unreached = try? UnreachedSocket.make(isIPv6: isIPv6) else { return }
      try passing.pass(isIPv6 ? .unreachedV6 : .unreached, unreached)
      guard streams else { continue }
      guard let socket = try? AttemptSocket.make(isIPv6: isIPv6) else { return }
      try passing.pass(isIPv6 ? .attemptsV6 : .attempts, socket)
    }
  }

  /// Has one socket accept the connections to every port, if a rule allows them or the sandbox is a member.
  ///
  /// A member serves others at all its addresses. A listener of the relay would take its port from it, so
  /// that it has none as far as the kernel can do without.
  /// - Returns: Whether it does.
  private static func serveAllPorts(
    _ policy: NetworkPolicy, _ hasIPv6: Bool, _ member: IPAddress?, _ passing: inout SocketPassing
  ) throws(SystemCallError) -> Bool {
    guard policy.servesAllPorts || member != nil else { return false }
    do throws(SystemCallError) {
      try makeListenerForAllPorts(hasIPv6, member, &passing)
      return true
    } catch {
      let mayLack = PortRedirection.isUnsupported(error) && policy.withoutAllPorts != nil
      if policy.servesAllPorts, !mayLack { throw error }
      return false
    }
  }

  /// Has one socket of each family accept the connections to every port.
  private static func makeListenerForAllPorts(
    _ hasIPv6: Bool, _ member: IPAddress?, _ passing: inout SocketPassing
  ) throws(SystemCallError) {
    var redirection = PortRedirection()
    for address in hasIPv6 ? [NameTable.own, NameTable.ownV6] : [NameTable.own] {
      let endpoint = Endpoint(address, NameTable.portForAll)
      try passing.pass(
        .connections,
        InternetSocket.bound(.stream, to: endpoint, transparent: true, locally: member != nil))
      let own = member.map { [$0] } ?? []
      redirection.lead(to: endpoint, except: [NameTable.nameServer] + own)
    }
    try redirection.apply()
  }

  /// Gives lo its addresses and routes.
  /// - Returns: Whether IPv6 works too: a kernel may lack it, or have it switched off.
  private static func configure(_ policy: NetworkPolicy) throws(SystemCallError) -> Bool {
    var network = LoopbackNetwork()
    network.bringUp()
    if policy.allowed.isEmpty {
      try network.apply()
      return false
    }
    network.add(address: NameTable.own)
    network.add(local: NameTable.pool, from: NameTable.own)
    for range in policy.literals where range.isV4 { network.add(local: range, from: NameTable.own) }
    // A literal address that no rule names is refused at once, with a reason.
    network.prohibitOthers()
    let hasIPv6 = InternetSocket.hasIPv6
    if hasIPv6 {
      network.beginOptional()
      network.add(address: NameTable.ownV6)
      network.add(local: NameTable.poolV6, from: NameTable.ownV6)
      for range in policy.literals where !range.isV4 {
        network.add(local: range, from: NameTable.ownV6)
      }
    }
    return try network.apply() && hasIPv6
  }
}
