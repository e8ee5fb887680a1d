// SPDX-License-Identifier: Apache-2.0
// What all rules together allow.

public import Text

/// The rules of a sandbox.
///
/// A rule that denies beats every rule that allows.
public struct NetworkPolicy: Sendable {
  /// What is allowed.
  public let allowed: [NetworkRule]
  /// What is denied.
  public let denied: [NetworkRule]

  /// The policy of these rules.
  public init(allowed: [NetworkRule], denied: [NetworkRule]) {
    self.allowed = allowed
    self.denied = denied
  }

  /// Why something is refused.
  public enum Reason: UInt8, Sendable {
    /// No rule names the host.
    case unnamed = 1
    /// A rule names the host, but not this port.
    case port
    /// A rule denies it.
    case denied
    /// The name leads to a private address or to one of this machine.
    case privateAddress
    /// It is allowed, but no connection came about.
    case unanswered
    /// It is allowed, but the host's name servers did not answer for it.
    case nameServersSilent
    /// It is allowed, but the host's name servers answered that they failed.
    case nameServersFailed
    /// It is allowed, but the relay has as many connections or names as it can have.
    case full
    /// The same of a connection to a published port.
    case fullPublished
    /// It means all hosts of a network that this machine is in.
    case broadcast
    /// Nothing inside has listened at a published port.
    case unserved

    /// The reason in a word, for programs.
    public var word: String {
      switch self {
      case .unnamed: "not-named"
      case .port: "port-not-named"
      case .denied: "denied"
      case .privateAddress: "private-address"
      case .unanswered: "no-answer"
      case .nameServersSilent: "name-servers-silent"
      case .nameServersFailed: "name-servers-failed"
      case .full, .fullPublished: "too-many"
      case .broadcast: "broadcast-address"
      case .unserved: "nothing-listens"
      }
    }

    /// Whether the rules allow it.
    public var isAllowed: Bool {
      switch self {
      case .unnamed, .port, .denied, .privateAddress, .broadcast: false
      case .unanswered, .nameServersSilent, .nameServersFailed, .full, .fullPublished, .unserved:
        true
      }
    }
  }

  /// Whether the command may learn that `name` exists.
  /// - Returns: Why not; nil if it may.
  public func refusal(ofLookup name: DomainName) -> Reason? {
    if denied.contains(where: { $0.ports.isEmpty && $0.transport == nil && $0.covers(name) }) {
      return .denied
    }
    return allowed.contains { $0.covers(name) } ? nil : .unnamed
  }

  /// Whether a rule says where `name` leads.
  public func isPinned(_ name: DomainName) -> Bool {
    allowed.contains { $0.pin != nil && $0.covers(name) }
  }

  /// Where a rule pins `name`, as text; empty if none does.
  ///
  /// With the port there if that is one of what carries the bytes of `port`: the same number of the other may
  /// be another service.
  public func pinText(of name: DomainName, for port: Port) -> String {
    let rules = allowed.filter { $0.pin != nil && $0.covers(name) }
    let rule = rules.first { $0.transport == port.transport } ?? rules.first
    guard let rule, let pin = rule.pin else { return "" }
    guard rule.transport == port.transport, let number = pin.port else { return pin.address.text }
    return Refusal.place(pin.address.text, String(number))
  }

  /// Where a connection to a name may lead.
  public enum Destination: Equatable, Sendable {
    /// To this address and port, whatever DNS says.
    case pinned(IPAddress, port: UInt16)
    /// To the addresses of the name that `permits` lets pass.
    case resolved
    /// Nowhere.
    case refused(Reason)
  }

  /// Where a connection to `port` of `name` may lead.
  public func destination(of name: DomainName, port: Port) -> Destination {
    if denied.contains(where: { $0.covers(name) && $0.covers(port) }) { return .refused(.denied) }
    let named = allowed.filter { $0.covers(name) }
    let rules = named.filter { $0.covers(port) }
    guard !rules.isEmpty else { return .refused(named.isEmpty ? .unnamed : .port) }
    // A name of its own is more particular than a pattern.
    guard let pin = rules.first(where: { $0.pin != nil })?.pin else { return .resolved }
    let outside = Port(pin.port ?? port.number, port.transport)
    if isDenied(pin.address, outside) { return .refused(.denied) }
    return .pinned(pin.address, port: outside.number)
  }

  /// Whether a connection to `port` of `name` may lead nowhere.
  public func refuses(_ name: DomainName, _ port: Port) -> Bool {
    if case .refused = destination(of: name, port: port) { true } else { false }
  }

  /// Whether a name that may be reached may lead to `address`, which is one of this machine if `isOwn`
  /// is true.
  /// - Returns: Why not; nil if it may.
  public func refusal(
    of address: IPAddress, port: Port, for name: DomainName, isOwn: Bool
  ) -> Reason? {
    if isDenied(address, port) { return .denied }
    guard address.isPrivate || isOwn else { return nil }
    let isNamed = allowed.contains { rule in
      guard rule.covers(port) else { return false }
      if rule.covers(name), rule.range?.contains(address) == true { return true }
      return !address.isNeverOutside && rule.covers(address)
    }
    return isNamed ? nil : .privateAddress
  }

  /// Whether the command may connect to `address` by its number; `isOwn` says whether it is one of this
  /// machine.
  /// - Returns: Why not; nil if it may.
  public func refusal(of address: IPAddress, port: Port, isOwn: Bool) -> Reason? {
    guard !address.isNeverOutside else { return .unnamed }
    if isDenied(address, port) { return .denied }
    let isPrivate = address.isPrivate || isOwn
    let named = allowed.filter {
      $0.covers(address) || ($0.target == .everything && !isPrivate)
    }
    if named.contains(where: { $0.covers(port) }) { return nil }
    return named.isEmpty ? (isPrivate ? .privateAddress : .unnamed) : .port
  }

  /// Whether a rule denies an address; `*` as a target also covers every address.
  private func isDenied(_ address: IPAddress, _ port: Port) -> Bool {
    denied.contains { rule in
      guard rule.covers(port) else { return false }
      // A network may translate the address to one of IPv4 (NAT64), which then is the one denied.
      return rule.target == .everything || rule.covers(address)
        || address.embedded.map { rule.covers($0) } == true
    }
  }

  // MARK: What the sandbox's network needs

  /// The ranges of addresses that lead to the relay although no name stands for them.
  public var literals: [AddressRange] {
    if allowed.contains(where: { $0.target == .everything }) {
      return [
        AddressRange(IPAddress(v4: 0), length: 96),
        AddressRange(IPAddress(high: 0, low: 0), length: 0),
      ]
    }
    var ranges: [AddressRange] = []
    for rule in allowed {
      if case .addresses(let range) = rule.target, !ranges.contains(range) { ranges.append(range) }
    }
    return ranges
  }

  /// The names that rules name in full, in order.
  public var exactNames: [DomainName] {
    allowed.compactMap { if case .name(let name) = $0.target { name } else { nil } }
  }

  /// Where the relay listens: a port at all addresses, or at those of some names alone.
  public struct Listener: Equatable, Sendable {
    /// The port.
    public let port: Port
    /// The names; nil for all addresses.
    public let names: [DomainName]?
  }

  /// Whether a rule allows all ports: then one socket accepts the connections to any of them.
  public var servesAllPorts: Bool { allowed.contains { $0.ports.isEmpty } }

  /// The policy for a kernel in which no socket can accept the connections to every port; nil if a rule
  /// must have that.
  public var withoutAllPorts: NetworkPolicy? {
    guard allowed.allSatisfy({ !$0.ports.isEmpty || $0.isTried }) else { return nil }
    return NetworkPolicy(allowed: allowed.filter { !$0.ports.isEmpty }, denied: denied)
  }

  /// Where the relay listens, apart from the socket that serves all ports of TCP.
  ///
  /// The command may not bind ports below 1024 itself. Other ports stay free for it at its own
  /// addresses if rules name hosts in full.
  public var listeners: [Listener] { listeners(apartFrom: servesAllPorts) }

  /// The same, if a socket serves all ports of TCP whether or not a rule allows them.
  public func listeners(apartFrom servesAllPorts: Bool) -> [Listener] {
    var listeners: [Listener] = []
    for transport in servesAllPorts ? [Port.Transport.udp] : [.tcp, .udp] {
      var ranges: [ClosedRange<UInt16>] = []
      for rule in allowed where rule.transport == transport { ranges += rule.ports }
      ranges.sort { $0.lowerBound < $1.lowerBound }
      // The first port that is not in the list yet.
      var next: UInt32 = 1
      for range in ranges {
        for number in max(next, UInt32(range.lowerBound))..<max(next, UInt32(range.upperBound) + 1)
        {
          let port = Port(UInt16(number), transport)
          listeners.append(Listener(port: port, names: names(at: port)))
          next = number + 1
        }
      }
    }
    return listeners
  }

  /// The ports of TCP at which the relay listens at every address.
  public var portsServedEverywhere: [ClosedRange<UInt16>] {
    var ranges: [ClosedRange<UInt16>] = []
    for listener in listeners where listener.names == nil && listener.port.transport == .tcp {
      let number = listener.port.number
      // They come in order.
      if let last = ranges.last, Int(last.upperBound) + 1 == Int(number) {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    return ranges
  }

  /// The names of which the relay serves a port; nil for all addresses.
  private func names(at port: Port) -> [DomainName]? {
    var names: [DomainName] = []
    for rule in allowed where rule.covers(port) {
      guard port.number >= 1024, case .name(let name) = rule.target else { return nil }
      if !names.contains(name) { names.append(name) }
    }
    return names
  }
}
