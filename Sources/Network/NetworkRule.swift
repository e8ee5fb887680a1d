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
    /// What was expected, or what cannot be.
    public let message: String
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
  private static let longest = 1024
  /// The name by which --net-host shows the caller's localhost.
  public static var callersHost: String { "host.nestbox.internal" }

  /// Reads a rule.
  /// - Parameters:
  ///   - text: The rule.
  ///   - denies: Whether it denies; then no port means all of them.
  ///   - isTried: Whether it is ignored if the kernel cannot do what it needs.
  /// - Throws: `Mistake` if it is none.
  public init(_ text: ByteString, denies: Bool, isTried: Bool = false) throws(Mistake) {
    func mistake(_ message: String) -> Mistake { Mistake(message: message) }
    self.text = text
    self.isTried = isTried
    var rest = Array(text.bytes.prefix(NetworkRule.longest + 1))[...]
    guard rest.count <= NetworkRule.longest else { throw mistake("the rule is too long") }
    let isUDP = rest.suffix(4) == Array("/udp".utf8)[...]
    let isTCP = rest.suffix(4) == Array("/tcp".utf8)[...]
    if isUDP || isTCP { rest = rest.dropLast(4) }
    transport = isUDP ? .udp : isTCP || !denies ? .tcp : nil
    var pinned: ArraySlice<UInt8>?
    var allowed: ArraySlice<UInt8>?
    if let index = rest.firstIndex(of: UInt8(ascii: "=")) {
      (pinned, rest) = (rest[(index + 1)...], rest[..<index])
    } else if let index = rest.firstIndex(of: UInt8(ascii: "@")) {
      (allowed, rest) = (rest[(index + 1)...], rest[..<index])
    }
    guard !denies || pinned == nil && allowed == nil else {
      throw mistake("a rule that denies takes no = and no @")
    }
    let (host, typedPorts) = try NetworkRule.split(rest)
    target = try NetworkRule.target(host, text)
    switch target {
    case .name: break
    case .below where pinned == nil: break
    default:
      guard pinned == nil, allowed == nil else {
        throw mistake("only a name can be followed by = or @")
      }
    }
    if !denies, case .addresses(let range) = target { try NetworkRule.check(range) }
    var ports = try typedPorts.map { bytes throws(Mistake) in
      try NetworkRule.ports(bytes, denies: denies)
    }
    if let pinned {
      let (address, portText) = try NetworkRule.split(pinned)
      guard let address = IPAddress(text: address) else {
        throw mistake("expected an address after =, such as NAME=127.0.0.1:8080")
      }
      try NetworkRule.check(AddressRange(address, length: 128))
      let port = try portText.map { bytes throws(Mistake) in try NetworkRule.port(bytes) }
      pin = Pin(address: address, port: port)
      if ports == nil, let port { ports = [port...port] }
    } else {
      pin = nil
    }
    if let allowed {
      guard let range = AddressRange(text: NetworkRule.unbracketed(allowed)) else {
        throw mistake("expected addresses after @, such as NAME:8080@10.0.0.0/8")
      }
      try NetworkRule.check(range)
      self.range = range
    } else {
      range = nil
    }
    self.ports = ports ?? (denies ? [] : [80...80, 443...443])
    guard denies || !self.ports.isEmpty || transport == .tcp else {
      throw mistake("not all ports of UDP can be allowed; name up to 1024, such as 8000-8010")
    }
    if !denies, self.ports.contains(where: { $0.contains(53) }) {
      throw mistake("port 53 always leads to nestbox's own name service; leave it out")
    }
    guard self.ports.reduce(0, { $0 + $1.count }) <= NetworkRule.mostPorts else {
      throw mistake("expected at most 1024 ports")
    }
  }

  /// Separates a host, in brackets or not, from the ports behind it.
  private static func split(
    _ text: ArraySlice<UInt8>
  ) throws(Mistake) -> (ArraySlice<UInt8>, ports: ArraySlice<UInt8>?) {
    let colon = UInt8(ascii: ":")
    if text.first == UInt8(ascii: "["), let end = text.firstIndex(of: UInt8(ascii: "]")) {
      var (inner, rest) = (text[(text.startIndex + 1)..<end], text[(end + 1)...])
      // The length may stand behind the bracket as well.
      if rest.first == UInt8(ascii: "/") {
        let length = rest.prefix { $0 != colon }
        rest = rest.dropFirst(length.count)
        inner = (Array(inner) + length)[...]
      }
      if rest.isEmpty { return (inner, nil) }
      guard rest.first == colon else {
        throw Mistake(message: "expected : and ports after the bracket")
      }
      return (inner, rest.dropFirst())
    }
    guard let index = text.firstIndex(of: colon), text.lastIndex(of: colon) == index else {
      // Two colons or more are an address of IPv6 without brackets, so without ports.
      return (text, nil)
    }
    // A URL is no rule, so that the whole of it is told.
    if text[(index + 1)...].starts(with: "//".utf8) { return (text, nil) }
    return (text[..<index], text[(index + 1)...])
  }

  private static func unbracketed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard let (inner, ports) = try? split(text), ports == nil else { return text }
    return inner
  }

  private static func target(
    _ host: ArraySlice<UInt8>, _ rule: ByteString
  ) throws(Mistake) -> Target {
    let star = UInt8(ascii: "*")
    if host.elementsEqual([star]) { return .everything }
    if host.first == star {
      guard host.dropFirst().first == UInt8(ascii: "."),
        let name = DomainName(text: host.dropFirst(2))
      else { throw expectedHost(rule) }
      return .below(name)
    }
    if let range = AddressRange(text: host) {
      guard !IPAddress.isNeverOutside(range) else {
        throw UnallowableAddress(range).map { unallowable(range, $0) } ?? own(range.text)
      }
      return .addresses(range)
    }
    guard let name = DomainName(text: host) else {
      if host.contains(where: { $0 >= 0x80 }) {
        throw Mistake(message: "write a name with other letters as DNS has it, with xn--")
      }
      throw expectedHost(rule)
    }
    guard !name.isLocalhost else {
      throw own("localhost")
    }
    return .name(name)
  }

  /// Refuses addresses to which nothing that is allowed can lead.
  private static func check(_ range: AddressRange) throws(Mistake) {
    guard let what = UnallowableAddress(range), what == .linkLocal else { return }
    throw unallowable(range, what)
  }

  /// The mistake of naming addresses that no rule can allow.
  private static func unallowable(_ range: AddressRange, _ what: UnallowableAddress) -> Mistake {
    Mistake(
      message: "\(range.text) is \(what.text)"
        + (what == .linkLocal ? "; write another address of the host" : ""))
  }

  /// The mistake of naming a host that is the sandbox's own inside.
  private static func own(_ host: String) -> Mistake {
    Mistake(
      message: "\(host) is the sandbox's own inside; for a service of the host: --net-host PORT, "
        + "there host.nestbox.internal:PORT")
  }

  private static func expectedHost(_ rule: ByteString) -> Mistake {
    if let index = rule.bytes.firstIndex(of: UInt8(ascii: "/")),
      IPAddress(text: rule.bytes[..<index]) != nil
    {
      return Mistake(
        message: "\(rule.quoted) is not a network: after / stands a length up to 32 (IPv6: 128), "
          + "and the address has no bits after it")
    }
    let host = hostOfURL(rule).map { "; write \($0.quoted)" } ?? ""
    return Mistake(
      message: "expected a name, *.NAME, an address, a network such as 192.0.2.0/24, or *, "
        + "found \(rule.quoted)\(host)")
  }

  /// The host and the port of a URL, if they are a rule; nil if `text` is something else.
  private static func hostOfURL(_ text: ByteString) -> ByteString? {
    guard let colon = text.bytes.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let rest = text.bytes[(colon + 1)...]
    guard rest.starts(with: "//".utf8) else { return nil }
    let host = ByteString(rest.dropFirst(2).prefix { !"/?#".utf8.contains($0) })
    return (try? NetworkRule(host, denies: false)) == nil ? nil : host
  }

  private static func ports(
    _ text: ArraySlice<UInt8>, denies: Bool
  ) throws(Mistake) -> [ClosedRange<UInt16>] {
    if text.elementsEqual([UInt8(ascii: "*")]) {
      return []
    }
    var ranges: [ClosedRange<UInt16>] = []
    for part in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      let ends = part.split(
        separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
      let first = try port(ends[0])
      let last = ends.count == 2 ? try port(ends[1]) : first
      guard first <= last else {
        throw Mistake(message: "the ports \(ByteString(part).quoted) end before they begin")
      }
      ranges.append(first...last)
    }
    return ranges
  }

  static func port(_ text: ArraySlice<UInt8>) throws(Mistake) -> UInt16 {
    guard let number = UInt32(decimal: text), let port = UInt16(exactly: number), port > 0 else {
      throw Mistake(message: "expected a port from 1 to 65535, found \(ByteString(text).quoted)")
    }
    return port
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
