// SPDX-License-Identifier: Apache-2.0
// What a command reached by rules of --net-allow, for a profile that is learned from its run.

public import Text

/// A host that the command reached or looked up.
public struct ReachedHost: Equatable, Sendable {
  /// The name, or the address as text; empty if there were more than the relay tells of.
  public let host: String
  /// The port; nil if the command only asked for the name.
  public let port: Port?
  /// The private address to which the name led, as text; empty otherwise.
  public let address: String

  /// How many different ones are told of.
  public static let most = 100
  /// What a message begins with: no reason of a refusal has this number.
  private static let mark: UInt8 = 0

  /// Notes a host.
  public init(_ host: String, _ port: Port?, _ address: IPAddress? = nil) {
    (self.host, self.port, self.address) = (host, port, address?.text ?? "")
  }

  /// The bytes of a message.
  public var bytes: [UInt8] { Refusal.message(ReachedHost.mark, host, port, address) }

  /// Reads a message; nil if it has not the form of one.
  public init?(_ bytes: [UInt8]) {
    guard let message = Refusal.read(bytes), message.mark == ReachedHost.mark else { return nil }
    (host, port, address) = (message.host, message.port, message.address)
  }
}

extension NetworkRule {
  /// Whether the rule permits what was reached, apart from its address if that is private.
  public func permits(_ reached: ReachedHost) -> Bool {
    if let port = reached.port, !covers(port) { return false }
    let host = Array(reached.host.utf8)[...]
    if let address = IPAddress(text: host) { return covers(address) || target == .everything }
    return DomainName(text: host).map { covers($0) } ?? false
  }

  /// Whether the rule means one host, and ports that it names.
  private var isExact: Bool {
    switch target {
    case .name: !ports.isEmpty
    case .addresses(let range): !ports.isEmpty && range.length == 128
    case .everything, .below: false
    }
  }

  /// Whether a name may lead to this private address by the rule.
  private func permits(privateAddress text: String) -> Bool {
    guard !text.isEmpty, pin == nil else { return true }
    return IPAddress(text: Array(text.utf8)[...]).map { range?.contains($0) == true } ?? false
  }

  /// The narrowest of `rules` that permits what was reached and nothing that `rules` do not permit;
  /// nil if there is none.
  public static func narrowest(of rules: [NetworkRule], for reached: ReachedHost) -> ByteString? {
    let permitting = rules.filter { $0.permits(reached) }
    if let exact = permitting.first(where: {
      $0.isExact && $0.permits(privateAddress: reached.address)
    }) {
      return exact.text
    }
    guard let first = permitting.first else { return nil }
    let port =
      reached.port ?? Port(first.ports.first?.lowerBound ?? 443, first.transport ?? .tcp)
    var text = reached.host
    if text.utf8.contains(UInt8(ascii: ":")) { text = "[" + text + "]" }
    text += ":" + String(port.number)
    if !reached.address.isEmpty { text += "@" + reached.address }
    if port.transport == .udp { text += "/udp" }
    // The command chose the name: read as a rule, it must mean that name and nothing else.
    guard let rule = try? NetworkRule(ByteString(text), denies: false), rule.isExact,
      rule.pin == nil, rule.permits(ReachedHost(reached.host, port))
    else { return nil }
    return rule.text
  }
}
