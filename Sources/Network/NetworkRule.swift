// SPDX-License-Identifier: Apache-2.0
// The operand of --net-allow and --net-deny.

public import Text

/// A port, and of what it is one.
public struct Port: Equatable, Sendable {
  /// What carries the bytes.
  public enum Transport: UInt8, Sendable {
    /// A stream.
    case tcp = 1
    /// Datagrams.
    case udp
  }

  /// The number.
  public let number: UInt16
  /// What carries the bytes.
  public let transport: Transport

  /// Names a port.
  public init(_ number: UInt16, _ transport: Transport = .tcp) {
    (self.number, self.transport) = (number, transport)
  }

  /// The port as rules have it.
  public var text: String { String(number) + (transport == .udp ? "/udp" : "") }
}

/// What a command may reach, or may not.
///
/// A class, as many places hold one, and code that copies its parts would be long.
public final class NetworkRule: Equatable, Sendable {
  /// The hosts that a rule is about.
  public enum Target: Equatable, Sendable {
    /// All names, and all addresses that are not private.
    case everything
    /// A name.
    case name(DomainName)
    /// All names below one, but not that name.
    case below(DomainName)
    /// Addresses.
    case addresses(AddressRange)
  }

  /// Where a name leads, whatever DNS says.
  public struct Pin: Equatable, Sendable {
    /// The address.
    public let address: IPAddress
    /// The port there; nil for the one that the command connects to.
    public let port: UInt16?
  }

  /// A mistake in a rule.
  public struct Mistake: Error, Equatable, Sendable {
    /// What was expected, or what cannot be, and what to type instead.
    public let message: String
    /// Whether the message says what to type instead.
    let hasRemedy: Bool

    init(_ message: String, hasRemedy: Bool = false) {
      (self.message, self.hasRemedy) = (message, hasRemedy)
    }
  }

  /// The rule as it was typed.
  public let text: ByteString
  /// The hosts.
  public let target: Target
  /// The ports; empty for all, which only a rule that denies can mean.
  public let ports: [ClosedRange<UInt16>]
  /// What the ports are of; nil for both, which only a rule that denies can mean.
  public let transport: Port.Transport?
  /// Where the name leads.
  public let pin: Pin?
  /// Where the name's addresses may lie although they are private.
  public let range: AddressRange?
  /// Whether the rule is ignored if the kernel cannot do what it needs.
  public let isTried: Bool

  /// Whether both were typed alike.
  public static func == (one: NetworkRule, other: NetworkRule) -> Bool {
    one.text == other.text && one.isTried == other.isTried
  }

  /// The most ports of all rules together: each takes a socket.
  public static let mostPorts = 1024
  /// The name by which --net-host shows the caller's localhost.
  public static var callersHost: String { "host.nestbox.internal" }

  /// Reads a rule.
  /// - Parameters:
  ///   - text: The rule.
  ///   - denies: Whether it denies; then no port means all of them.
  ///   - isTried: Whether it is ignored if the kernel cannot do what it needs.
  /// - Throws: `Mistake` if it is none.
  public convenience init(
    _ text: ByteString, denies: Bool, isTried: Bool = false
  ) throws(Mistake) {
    do throws(Mistake) {
      try self.init(RuleText(text, denies: denies), isTried: isTried)
    } catch {
      let option = denies ? "--net-deny" : isTried ? "--net-allow-try" : "--net-allow"
      throw RuleCorrection(text, option, denies: denies).completed(error)
    }
  }

  /// Reads the parts of a rule.
  init(_ typed: RuleText, isTried: Bool = false) throws(Mistake) {
    text = typed.whole
    self.isTried = isTried
    transport = typed.transport
    target = try typed.target()
    let named = try typed.namedPorts()
    pin = try typed.pin()
    range = try typed.range()
    ports = try typed.checked(named ?? pin?.port.map { [$0...$0] })
  }

  /// Whether the rule is about `port`.
  public func covers(_ port: Port) -> Bool {
    guard transport == nil || transport == port.transport else { return false }
    return ports.isEmpty || ports.contains { $0.contains(port.number) }
  }

  /// The ports as people read them.
  public var portText: String {
    let word = transport == .udp ? "UDP " : transport == .tcp ? "TCP " : ""
    guard !ports.isEmpty else {
      return "all ports" + (word.isEmpty ? "" : " of ") + word.dropLast()
    }
    return word
      + ports.map { range in
        range.count == 1
          ? String(range.lowerBound) : String(range.lowerBound) + "-" + String(range.upperBound)
      }.joined(separator: ", ")
  }

  /// Whether the rule is about `name`.
  public func covers(_ name: DomainName) -> Bool {
    switch target {
    case .everything: true
    case .name(let other): name == other
    case .below(let other): name.isBelow(other)
    case .addresses: false
    }
  }

  /// Whether the rule names `address`, or a network around it.
  public func covers(_ address: IPAddress) -> Bool {
    if case .addresses(let range) = target { range.contains(address) } else { false }
  }
}
