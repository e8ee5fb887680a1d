// SPDX-License-Identifier: Apache-2.0
// Where a connection or a datagram may lead: the one place that asks the policy.

internal import Linux
internal import Network
internal import SystemPackage
internal import Text

extension Relay {
  /// Finds out where `port` of an address inside leads.
  ///
  /// `completion` gets the decision, at once or later; nil if it was refused.
  func decide(_ address: IPAddress, _ port: Port, _ completion: @escaping (Decision?) -> Void) {
    guard NameTable.isSynthetic(address) else {
      let decision = decide(literal: address, port)
      if decision != nil { note(ReachedHost(address.text, port)) }
      return completion(decision)
    }
    // An address that was never given to a name.
    guard let name = table.name(of: address) else { return completion(nil) }
    switch policy.destination(of: name, port: port) {
    case .refused(let reason):
      refuse(name.text, port, reason, place: policy.pinText(of: name, for: port))
      completion(nil)
    case .pinned(let address, let number):
      note(ReachedHost(name.text, port))
      completion(Decision(host: name.text, port: port, endpoints: [Endpoint(address, number)]))
    case .resolved:
      resolver.find(name, self) { relay, result in
        var endpoints: [Endpoint] = []
        if case .found(let addresses) = result {
          // Each refused address was noted.
          guard let permitted = relay.permitted(addresses, name, port) else {
            return completion(nil)
          }
          endpoints = permitted
          let hidden = endpoints.first {
            $0.address.isPrivate || relay.isOwn($0.address) == true
          }
          if !endpoints.isEmpty { relay.note(ReachedHost(name.text, port, hidden?.address)) }
        }
        completion(Decision(host: name.text, port: port, endpoints: endpoints))
      }
    }
  }

  /// Whether one more connection can be led; if not, that is told.
  func hasRoom(for target: Endpoint) -> Bool {
    if connections < mostConnections { return true }
    let host = table.name(of: target.address)?.text ?? target.address.text
    tellFull(host, Port(target.port))
    log.refused(host, Port(target.port), .full, nil)
    return false
  }

  /// Notes that a connection or a datagram to a port was refused because nothing serves it.
  fileprivate func noteAttempt(at address: IPAddress, _ port: Port) {
    guard NameTable.isSynthetic(address) else {
      _ = decide(literal: address, port)
      return
    }
    // A port that a rule allows for this name is served at its address.
    guard let name = table.name(of: address),
      case .refused(let reason) = policy.destination(of: name, port: port)
    else { return }
    if port == Port(443, .udp), !policy.refuses(name, Port(443)) {
      // Programs try HTTP/3, and do the same by TCP where it does not answer.
      return log.refused(name.text, port, reason, nil)
    }
    refuse(name.text, port, reason, place: policy.pinText(of: name, for: port))
  }

  /// Whether what is sent to `address` stays on this machine, as far as the kernel says so; nil if no route
  /// leads there.
  private func isOwn(_ address: IPAddress) -> Bool? {
    // A kernel without IPv6 tells of a route to such an address that it does not know the request.
    if address.v4 == nil, !InternetSocket.hasIPv6 { return nil }
    do throws(SystemCallError) {
      guard routes.isOpen else { return try InternetSocket.isOwn(address) }
      // Inside another sandbox, all that its relay serves is delivered here.
      let served = address.v4 == nil ? NameTable.ownV6 : NameTable.own
      return try routes.isOwn(address, servedFrom: served)
    } catch {
      // What cannot be told is not permitted.
      return true
    }
  }

  private func refuse(
    _ host: String, _ port: Port, _ reason: NetworkPolicy.Reason, _ address: IPAddress? = nil,
    place: String = ""
  ) {
    let place = reason == .privateAddress ? address?.text ?? "" : place
    tell(Refusal(reason, host, port: port, address: place))
    log.refused(host, port, reason, address)
  }

  /// The same for an address that no name stands for.
  private func decide(literal address: IPAddress, _ port: Port) -> Decision? {
    let isOwn = isOwn(address) ?? false
    var reason = policy.refusal(of: address, port: port, isOwn: isOwn)
    // A socket of the relay cannot send there, whatever rules allow.
    if isOwn, reason != .denied, !address.isInside, routes.isBroadcast(address) {
      reason = .broadcast
    }
    guard let reason else {
      return Decision(
        host: address.text, port: port, endpoints: [Endpoint(address, port.number)])
    }
    // Programs look whether a server runs on localhost.
    if !address.isInside { refuse(address.text, port, reason) }
    return nil
  }

  /// Those of the addresses of a name that the policy lets pass and to which a route leads.
  ///
  /// If there are none, that is told.
  /// - Returns: nil if the policy refuses one of the addresses, and none can be used.
  private func permitted(
    _ addresses: [IPAddress], _ name: DomainName, _ port: Port
  ) -> [Endpoint]? {
    var (permitted, refused): ([Endpoint], [(NetworkPolicy.Reason, IPAddress)]) = ([], [])
    for address in addresses {
      let isOwn = isOwn(address)
      if let reason = policy.refusal(of: address, port: port, for: name, isOwn: isOwn == true) {
        refused.append((reason, address))
      } else if isOwn != nil {
        permitted.append(Endpoint(address, port.number))
      }
    }
    guard permitted.isEmpty else { return permitted }
    for (reason, address) in refused { refuse(name.text, port, reason, address) }
    guard refused.isEmpty else { return nil }
    if let first = addresses.first {
      let place = Refusal.place(first.text, String(port.number))
      tell(Refusal(.unanswered, name.text, port: port, address: place))
    }
    return []
  }
}

/// Notices connections to ports that nothing serves: the kernel refuses them.
final class AttemptWatcher: PacketWatcher {
  private let isIPv6: Bool
  /// The ports that are served.
  private let served: [ClosedRange<UInt16>]

  init(_ number: CInt, isIPv6: Bool, except served: [ClosedRange<UInt16>]) {
    (self.isIPv6, self.served) = (isIPv6, served)
    super.init(number)
  }

  override func receive(
    _ count: Int, from sender: Endpoint, at receiver: IPAddress, _ relay: Relay
  ) {
    if let target = AttemptSocket.target(
      of: relay.buffer, count: count, at: receiver, isIPv6: isIPv6, except: served)
    {
      relay.noteAttempt(at: target.address, Port(target.port))
    }
    // Nobody is told of more.
    if !relay.tellsMore { relay.drop(self) }
  }
}

/// Notices datagrams to ports that nothing serves.
final class UnreachedWatcher: PacketWatcher {
  private let isIPv6: Bool
  /// Where they were for: a command can send many, and each tells the same.
  private var targets: [Endpoint] = []
  private static let mostTargets = 256

  init(_ number: CInt, isIPv6: Bool) {
    self.isIPv6 = isIPv6
    super.init(number)
  }

  override func receive(
    _ count: Int, from sender: Endpoint, at receiver: IPAddress, _ relay: Relay
  ) {
    guard
      let target = UnreachedSocket.target(of: relay.buffer, count: count, isIPv6: isIPv6),
      !targets.contains(target), !target.address.isInside
    else { return }
    targets.append(target)
    relay.noteAttempt(at: target.address, Port(target.port, .udp))
    if targets.count == UnreachedWatcher.mostTargets || !relay.tellsMore { relay.drop(self) }
  }
}

extension IPAddress {
  /// Whether it is the sandbox's own, or localhost there.
  fileprivate var isInside: Bool {
    self == NameTable.own || self == NameTable.ownV6 || v4.map { $0 >> 24 == 127 } ?? (high == 0)
  }
}
