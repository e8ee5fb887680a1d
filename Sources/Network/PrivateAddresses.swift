// SPDX-License-Identifier: Apache-2.0
// Addresses to which a name must not lead unless a rule says so.

public import Text

extension IPAddress {
  /// Ranges that no host of the internet has: private networks, links, loopback, multicast.
  ///
  /// 198.18.0.0/15 is not among them: a resolver that hands out stand-ins uses it, as nestbox does.
  /// See RFC 6890.
  private static let privateRanges: [AddressRange] = [
    v4(0, 8), v4(10 << 24, 8), v4(100 << 24 | 64 << 16, 10), v4(127 << 24, 8),
    v4(169 << 24 | 254 << 16, 16), v4(172 << 24 | 16 << 16, 12), v4(192 << 24, 24),
    v4(192 << 24 | 168 << 16, 16), v4(224 << 24, 4), v4(240 << 24, 4),
    // ::/96 has the unspecified address, loopback, and IPv4 addresses in an old form.
    v6(0, 96), v6(0xfc00 << 48, 7), v6(0xfe80 << 48, 10), v6(0xfec0 << 48, 10),
    multicastV6,
    // Local translation to IPv4, whatever it means on this network (RFC 8215).
    v6(0x0064_ff9b_0001_0000, 48),
  ]

  private static func v4(_ address: UInt32, _ length: Int) -> AddressRange {
    AddressRange(IPAddress(v4: address), length: 96 + length)
  }

  private static func v6(_ high: UInt64, _ length: Int) -> AddressRange {
    AddressRange(IPAddress(high: high, low: 0), length: length)
  }

  /// Whether a name may lead to it only if a rule says so.
  public var isPrivate: Bool {
    if IPAddress.privateRanges.contains(where: { $0.contains(self) }) { return true }
    guard let embedded else { return false }
    return IPAddress.privateRanges.contains { $0.contains(embedded) }
  }

  /// The IPv4 address to which packets for this IPv6 address may be translated; nil if it has none.
  var embedded: IPAddress? {
    // 64:ff9b::/96 (RFC 6052), 2002::/16 (RFC 3056), and Teredo, which inverts it (RFC 4380).
    if high == 0x0064_ff9b_0000_0000, low >> 32 == 0 {
      return IPAddress(v4: UInt32(truncatingIfNeeded: low))
    }
    if high >> 48 == 0x2002 { return IPAddress(v4: UInt32(truncatingIfNeeded: high >> 16)) }
    if high >> 32 == 0x2001_0000 { return IPAddress(v4: ~UInt32(truncatingIfNeeded: low)) }
    return nil
  }

  /// Ranges that mean the machine itself, no machine, or several: loopback, unspecified, multicast.
  ///
  /// A network in a rule that happens to include one of them does not mean it.
  private static let ranges: [AddressRange] = [
    v4(0, 8), v4(127 << 24, 8), v4(224 << 24, 3), v6(0, 127), multicastV6,
  ]

  fileprivate static var multicastV6: AddressRange { v6(0xff00 << 48, 8) }

  /// Whether it means the machine itself, no machine, or several.
  var isNeverOutside: Bool { IPAddress.ranges.contains { $0.contains(self) } }

  /// Whether all addresses of `range` do.
  static func isNeverOutside(_ range: AddressRange) -> Bool {
    ranges.contains { $0.contains(range) }
  }
}

/// Addresses that a rule cannot allow, apart from those that are the sandbox's own inside.
public enum UnallowableAddress: Sendable {
  /// No host has it.
  case reserved
  /// It means several hosts.
  case multicast
  /// It means all hosts of a network.
  case broadcast
  /// It belongs to a link: nothing leads to it without the number of an interface.
  case linkLocal

  /// What all addresses of `range` are; nil if a rule can allow some, or if they are the sandbox's own.
  init?(_ range: AddressRange) {
    func isWithin(_ address: UInt32, _ length: Int) -> Bool {
      AddressRange(IPAddress(v4: address), length: 96 + length).contains(range)
    }
    if isWithin(.max, 32) {
      self = .broadcast
    } else if isWithin(224 << 24, 4) || IPAddress.multicastV6.contains(range) {
      self = .multicast
    } else if isWithin(0, 8) && !isWithin(0, 32) || isWithin(224 << 24, 3) {
      self = .reserved
    } else if AddressRange(IPAddress(high: 0xfe80 << 48, low: 0), length: 10).contains(range) {
      self = .linkLocal
    } else {
      return nil
    }
  }

  /// What `address` is; nil if a rule can allow it, or if it is the sandbox's own.
  public init?(_ address: IPAddress) { self.init(AddressRange(address, length: 128)) }

  /// What it is, and why no rule can allow it.
  public var text: String {
    let (kind, reason) =
      switch self {
      case .reserved: ("reserved", "no host has it")
      case .multicast: ("multicast", "it means several hosts")
      case .broadcast: ("broadcast", "it means several hosts")
      case .linkLocal: ("link-local", "it means a host only together with an interface")
      }
    return "a \(kind) address, which no rule can allow: \(reason)"
  }
}
