// SPDX-License-Identifier: Apache-2.0
// Hosts, addresses and members of networks that the command could not reach.

internal import Linux
internal import Network
internal import Text

extension Findings {
  /// Whether the sandbox has a network of its own that leads nowhere.
  var isWithoutNetwork: Bool {
    resolved.namespaces.contains(.network) && !resolved.sandbox.network.isUsed
  }

  /// Notes that the sandbox's network has no member with a name by which only members are found.
  mutating func lookForMember(_ name: DomainName, _ seen: Observation) {
    let network = resolved.sandbox.network
    guard let shared = network.shared, network.policy.refusal(ofLookup: name) != nil,
      !name.isLocalhost, let domain = DomainName(text: shared.value.bytes[...])
    else { return }
    guard name.dots == 0 || name.isBelow(domain) else {
      // Where a relay answers, it tells.
      if network.allowed.isEmpty, !name.isReverse { add(.noNetwork, seen.subject, seen) }
      return
    }
    let isMember = members.contains { member in
      guard let own = DomainName(text: member.name.bytes[...]) else { return false }
      return name == own || name == own.within(domain)
    }
    if !isMember { add(.noMember, seen.subject, seen) }
  }

  /// What the command wanted to reach by its number.
  mutating func connect(_ seen: Observation) {
    guard resolved.namespaces.contains(.network) else { return }
    let endpoint = Findings.endpoint(seen.subject)
    // Members of a shared network are reached, each or all: where nothing listens, the member refuses.
    if resolved.sandbox.network.shared != nil, let (address, _, _) = endpoint,
      MemberAddresses.range.contains(address)
        || [.multicast, .broadcast].contains(UnallowableAddress(address))
    {
      return
    }
    if let (address, port, isDatagram) = endpoint, address.isLoopback {
      if !isDatagram, HostPorts.serve(port) {
        // Programs try IPv6 as well.
        add(.noNetwork, ByteString("127.0.0.1 port " + String(port)), seen)
      }
      return
    }
    if let (address, port, isDatagram) = endpoint, resolved.sandbox.network.isUsed {
      let isPermitted =
        resolved.sandbox.network.policy.refusal(
          of: address, port: Port(port, isDatagram ? .udp : .tcp), isOwn: false) == nil
      // Stand-ins for names are the relay's.
      if isPermitted || NameTable.pool.contains(address) || NameTable.poolV6.contains(address) {
        return
      }
    }
    add(.noNetwork, seen.subject, seen)
  }
}
