// SPDX-License-Identifier: Apache-2.0
// The operand of --publish.

public import Text

/// A port of the host that leads to one inside.
public struct PublishedPort: Equatable, Sendable {
  /// The address of the host at which others connect.
  public let address: IPAddress
  /// The port there.
  public var port: UInt16
  /// The port inside.
  public let inside: UInt16
  /// What it is a port of, inside and outside.
  public let transport: Port.Transport

  /// Reads `[ADDRESS:]PORT[:INSIDE][/udp]`.
  /// - Parameter text: The operand.
  /// - Throws: `NetworkRule.Mistake` if it is something else.
  public init(_ text: ByteString) throws(NetworkRule.Mistake) {
    let mistake = NetworkRule.Mistake(
      "expected [ADDRESS:]PORT[:INSIDE][/udp], such as 8080, 8080:80 or 127.0.0.1:8080:80, found "
        + text.quoted)
    var bytes = text.bytes[...]
    guard bytes.count <= 128 else { throw mistake }
    let isUDP = bytes.suffix(4) == Array("/udp".utf8)[...]
    transport = isUDP ? .udp : .tcp
    if isUDP || bytes.suffix(4) == Array("/tcp".utf8)[...] { bytes = bytes.dropLast(4) }
    var typed: ArraySlice<UInt8>?
    if bytes.first == UInt8(ascii: "["), let end = bytes.firstIndex(of: UInt8(ascii: "]")) {
      typed = bytes[(bytes.startIndex + 1)..<end]
      guard bytes[(end + 1)...].first == UInt8(ascii: ":") else { throw mistake }
      bytes = bytes[(end + 2)...]
    }
    var parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    if typed == nil, parts.count > 1, parts[0].contains(UInt8(ascii: ".")) {
      typed = parts.removeFirst()
    }
    guard (1...2).contains(parts.count) else { throw mistake }
    if let typed {
      guard let address = IPAddress(text: typed) else { throw mistake }
      self.address = address
    } else {
      address = IPAddress(v4: 127 << 24 | 1)
    }
    port = try RuleText.port(parts[0])
    inside = parts.count == 2 ? try RuleText.port(parts[1]) : port
  }

  /// Whether only programs of this machine can connect.
  public var isLocal: Bool {
    address.v4.map { $0 >> 24 == 127 } ?? (address == IPAddress(high: 0, low: 1))
  }

  /// The port inside as rules have it.
  public var insideText: String { Port(inside, transport).text }

  /// The address and the port of the host.
  public var text: String {
    (address.v4 == nil ? "[" + address.text + "]" : address.text) + ":" + String(port)
  }

  /// Everything, as an operand.
  public var operand: String { text + ":" + insideText }
}
