// SPDX-License-Identifier: Apache-2.0
// The module Network has what a launch with --net-allow must know of names, addresses and messages:
// rules and decisions, names and their addresses inside, DNS messages, the host's resolver settings.
// Nothing in it calls the kernel, and everything that reads what others wrote has bounds.
//
// This file: names of hosts.

internal import Text

/// The name of a host, in lower case and without a dot at its end.
///
/// Names consist of letters, digits, hyphens and underscores, and dots between their labels: other
/// bytes, which a DNS message may hold, are in no rule and could be mistaken for a dot.
public struct DomainName: Equatable, Sendable {
  /// The name's bytes.
  public let bytes: [UInt8]

  /// The longest name, without a dot at its end.
  public static let longest = 253
  private static let longestLabel = 63

  /// Reads a name; nil if hosts are not called so, or if it is an address.
  public init?(text: ArraySlice<UInt8>) {
    let text = text.last == UInt8(ascii: ".") ? text.dropLast() : text
    guard !text.isEmpty, text.count <= DomainName.longest else { return nil }
    var label = 0
    var lower: [UInt8] = []
    lower.reserveCapacity(text.count)
    for byte in text {
      switch byte {
      case UInt8(ascii: "."):
        guard label > 0 else { return nil }
        label = -1
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        break
      default: return nil
      }
      label += 1
      guard label <= DomainName.longestLabel else { return nil }
      lower.append((UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte)
    }
    guard label > 0 else { return nil }
    // No host is called so, and programs take it for an address: 1.2.3 is 1.2.0.3.
    let last = lower[(lower.lastIndex(of: UInt8(ascii: ".")).map { $0 + 1 } ?? 0)...]
    guard UInt32(decimal: last) == nil, !last.starts(with: Array("0x".utf8)) else { return nil }
    bytes = lower
  }

  /// The name as text.
  public var text: String { ByteString(bytes).text }

  /// How many dots it has.
  public var dots: Int { bytes.count(where: { $0 == UInt8(ascii: ".") }) }

  /// Whether it lies below `other`, at any depth.
  public func isBelow(_ other: DomainName) -> Bool {
    bytes.count > other.bytes.count + 1 && bytes.suffix(other.bytes.count) == other.bytes[...]
      && bytes[bytes.count - other.bytes.count - 1] == UInt8(ascii: ".")
  }

  /// Whether it always means the machine itself.
  ///
  /// See RFC 6761, 6.3.
  public var isLocalhost: Bool {
    let name = Array("localhost".utf8)
    return bytes == name || bytes.suffix(10) == (".localhost".utf8).map { $0 }[...]
  }

  /// Whether it stands for an address, of which it is asked what it is called.
  public var isReverse: Bool { bytes.suffix(5) == Array(".arpa".utf8)[...] }

  /// The name in the form of DNS messages.
  var wire: [UInt8] {
    var wire: [UInt8] = []
    for label in bytes.split(separator: UInt8(ascii: ".")) {
      wire.append(UInt8(truncatingIfNeeded: label.count))
      wire += label
    }
    return wire + [0]
  }

  /// The same name followed by `domain`; nil if that is too long.
  public func within(_ domain: DomainName) -> DomainName? {
    DomainName(text: (bytes + [UInt8(ascii: ".")] + domain.bytes)[...])
  }
}
