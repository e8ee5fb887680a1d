// SPDX-License-Identifier: Apache-2.0
// How a rule of --net-allow or --net-deny is written: its parts, and what each means.

internal import Text

/// The parts of a rule as they were typed.
struct RuleText {
  typealias Mistake = NetworkRule.Mistake

  /// The rule.
  let whole: ByteString
  /// Whether it denies.
  let denies: Bool
  let host: ArraySlice<UInt8>
  let ports: ArraySlice<UInt8>?
  let transport: Port.Transport?
  /// What stands behind `=`.
  let pinned: ArraySlice<UInt8>?
  /// What stands behind `@`.
  let allowed: ArraySlice<UInt8>?

  private static let longest = 1024

  init(_ text: ByteString, denies: Bool) throws(Mistake) {
    (whole, self.denies) = (text, denies)
    var rest = Array(text.bytes.prefix(RuleText.longest + 1))[...]
    guard rest.count <= RuleText.longest else {
      throw Mistake("the rule is too long", hasRemedy: true)
    }
    let isUDP = rest.suffix(4) == Array("/udp".utf8)[...]
    let isTCP = rest.suffix(4) == Array("/tcp".utf8)[...]
    if isUDP || isTCP { rest = rest.dropLast(4) }
    transport = isUDP ? .udp : isTCP || !denies ? .tcp : nil
    var (pinned, allowed): (ArraySlice<UInt8>?, ArraySlice<UInt8>?)
    if let index = rest.firstIndex(of: UInt8(ascii: "=")) {
      (pinned, rest) = (rest[(index + 1)...], rest[..<index])
    } else if let index = rest.firstIndex(of: UInt8(ascii: "@")) {
      (allowed, rest) = (rest[(index + 1)...], rest[..<index])
    }
    guard !denies || pinned == nil && allowed == nil else {
      throw Mistake("a rule that denies takes no = and no @")
    }
    (self.pinned, self.allowed) = (pinned, allowed)
    (host, ports) = try RuleText.split(rest)
  }

  /// Separates a host, in brackets or not, from the ports behind it.
  static func split(
    _ text: ArraySlice<UInt8>, isOutside: Bool = false
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
      guard rest.first == colon else { throw Mistake("expected : and ports after the bracket") }
      return (inner, rest.dropFirst())
    }
    guard let index = text.firstIndex(of: colon), let last = text.lastIndex(of: colon) else {
      return (text, nil)
    }
    guard index == last else {
      // Without brackets it is an address of IPv6, so without ports.
      try requireNoPort(text, behind: last, isOutside: isOutside)
      return (text, nil)
    }
    // A URL is no rule, so that the whole of it is told.
    if text[(index + 1)...].starts(with: "//".utf8) { return (text, nil) }
    return (text[..<index], text[(index + 1)...])
  }

  /// Refuses an address of IPv6 whose end a person may have meant as a port: both would be addresses.
  ///
  /// If `isOutside` is true, it is one that a name leads to.
  private static func requireNoPort(
    _ text: ArraySlice<UInt8>, behind colon: Int, isOutside: Bool
  ) throws(Mistake) {
    let (front, end) = (text[..<colon], text[(colon + 1)...])
    // Of ports, hardly anybody means one with a single digit; of addresses, many end so.
    guard end.count > 1, (try? port(end)) != nil, IPAddress(text: text) != nil,
      let address = IPAddress(text: front)
    else { return }
    let (inner, port) = (ByteString(front).text, ByteString(end).text)
    if !isOutside, address.isNeverOutside { throw own(inner, port) }
    throw Mistake(
      "\(ByteString(text).text) may mean an address alone, or one and a port: write '[\(inner)]:\(port)' for "
        + "port \(port), or '[\(inner):\(port)]' for the address alone", hasRemedy: true)
  }

  private static func unbracketed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard let (inner, ports) = try? split(text), ports == nil else { return text }
    return inner
  }
}

// MARK: - What the parts mean

extension RuleText {
  /// The hosts.
  func target() throws(Mistake) -> NetworkRule.Target {
    let target = try hosts()
    switch target {
    case .name: break
    case .below where pinned == nil: break
    default:
      guard pinned == nil, allowed == nil else {
        throw Mistake("only a name can be followed by = or @")
      }
    }
    if !denies, case .addresses(let range) = target { try RuleText.check(range) }
    return target
  }

  private func hosts() throws(Mistake) -> NetworkRule.Target {
    let star = UInt8(ascii: "*")
    if host.elementsEqual([star]) { return .everything }
    if host.first == star {
      guard host.dropFirst().first == UInt8(ascii: "."),
        let name = DomainName(text: host.dropFirst(2))
      else { throw expectedHost }
      return .below(name)
    }
    if let range = AddressRange(text: host) {
      guard !IPAddress.isNeverOutside(range) else {
        throw UnallowableAddress(range).map { RuleText.unallowable(range, $0) } ?? own(range.text)
      }
      return .addresses(range)
    }
    guard let name = DomainName(text: host) else {
      if host.contains(where: { $0 >= 0x80 }) {
        throw Mistake("write a name with other letters as DNS has it, with xn--", hasRemedy: true)
      }
      throw expectedHost
    }
    guard !name.isLocalhost else { throw own("localhost") }
    return .name(name)
  }

  /// The ports behind the host; nil if there are none.
  func namedPorts() throws(Mistake) -> [ClosedRange<UInt16>]? {
    try ports.map { bytes throws(Mistake) in try RuleText.ports(bytes) }
  }

  /// Where the name leads.
  func pin() throws(Mistake) -> NetworkRule.Pin? {
    guard let pinned else { return nil }
    let (address, portText) = try RuleText.split(pinned, isOutside: true)
    guard let address = IPAddress(text: address) else {
      throw Mistake("expected an address after =, such as NAME=127.0.0.1:8080")
    }
    try RuleText.check(AddressRange(address, length: 128))
    let port = try portText.map { bytes throws(Mistake) in try RuleText.port(bytes) }
    return NetworkRule.Pin(address: address, port: port)
  }

  /// Where the name's addresses may lie although they are private.
  func range() throws(Mistake) -> AddressRange? {
    guard let allowed else { return nil }
    guard let range = AddressRange(text: RuleText.unbracketed(allowed)) else {
      throw Mistake("expected addresses after @, such as NAME:8080@10.0.0.0/8")
    }
    try RuleText.check(range)
    return range
  }

  /// The ports of the rule, of which `typed` are those that it names.
  func checked(_ typed: [ClosedRange<UInt16>]?) throws(Mistake) -> [ClosedRange<UInt16>] {
    let ports = typed ?? (denies ? [] : [80...80, 443...443])
    guard denies || !ports.isEmpty || transport == .tcp else {
      throw Mistake(
        "not all ports of UDP can be allowed; name up to 1024, such as 8000-8010", hasRemedy: true)
    }
    if !denies, ports.contains(where: { $0.contains(53) }) {
      throw Mistake(
        "port 53 always leads to nestbox's own name service; leave it out", hasRemedy: true)
    }
    guard ports.reduce(0, { $0 + $1.count }) <= NetworkRule.mostPorts else {
      throw Mistake("expected at most 1024 ports", hasRemedy: true)
    }
    return ports
  }

  /// Ports and ranges of ports; none for all.
  private static func ports(
    _ text: ArraySlice<UInt8>
  ) throws(Mistake) -> [ClosedRange<UInt16>] {
    if text.elementsEqual([UInt8(ascii: "*")]) { return [] }
    var ranges: [ClosedRange<UInt16>] = []
    for part in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      let ends = part.split(
        separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
      let first = try port(ends[0])
      let last = ends.count == 2 ? try port(ends[1]) : first
      guard first <= last else {
        throw Mistake("the ports \(ByteString(part).quoted) end before they begin")
      }
      ranges.append(first...last)
    }
    return ranges
  }

  static func port(_ text: ArraySlice<UInt8>) throws(Mistake) -> UInt16 {
    guard let number = UInt32(decimal: text), let port = UInt16(exactly: number), port > 0 else {
      throw Mistake("expected a port from 1 to 65535, found \(ByteString(text).quoted)")
    }
    return port
  }
}

// MARK: - Mistakes

extension RuleText {
  /// Refuses addresses to which nothing that is allowed can lead.
  private static func check(_ range: AddressRange) throws(Mistake) {
    guard let what = UnallowableAddress(range), what == .linkLocal else { return }
    throw unallowable(range, what)
  }

  /// The mistake of naming addresses that no rule can allow.
  private static func unallowable(_ range: AddressRange, _ what: UnallowableAddress) -> Mistake {
    Mistake(
      "\(range.text) is \(what.text)"
        + (what == .linkLocal ? "; write another address of the host" : ""), hasRemedy: true)
  }

  /// The mistake of naming a host that is the sandbox's own inside.
  private func own(_ host: String) -> Mistake {
    guard let ports, let first = (try? RuleText.ports(ports))?.first?.lowerBound else {
      return RuleText.own(host, nil)
    }
    let text = ByteString(ports).text
    guard transport == .udp else { return RuleText.own(host, text, first: String(first)) }
    return Mistake(
      "\(host) is the sandbox's own inside; for a service of the host, write "
        + "\(NetworkRule.callersHost):\(text)=127.0.0.1/udp", hasRemedy: true)
  }

  private static func own(_ host: String, _ ports: String?, first: String? = nil) -> Mistake {
    Mistake(
      "\(host) is the sandbox's own inside; for a service of the host: --net-host \(ports ?? "PORT"), "
        + "there \(NetworkRule.callersHost):\(first ?? ports ?? "PORT")", hasRemedy: true)
  }

  private var expectedHost: Mistake {
    if let index = whole.bytes.firstIndex(of: UInt8(ascii: "/")),
      IPAddress(text: whole.bytes[..<index]) != nil
    {
      return Mistake(
        "\(whole.quoted) is not a network: after / stands a length up to 32 (IPv6: 128), "
          + "and the address has no bits after it")
    }
    return Mistake(
      "expected a name, *.NAME, an address, a network such as 192.0.2.0/24, or *, found \(whole.quoted)"
    )
  }
}
