// SPDX-License-Identifier: Apache-2.0
// Addresses of the internet as numbers and as text.

/// An address of IPv4 or IPv6.
///
/// An IPv4 address is held in the form that dual-stack sockets use, `::ffff:192.0.2.1`, so that both
/// families are compared in the same way. See ipv6(7).
public struct IPAddress: Equatable, Sendable {
  /// The first eight bytes.
  public let high: UInt64
  /// The last eight bytes.
  public let low: UInt64

  /// The address with these bytes.
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// An IPv4 address.
  public init(v4: UInt32) {
    self.init(high: 0, low: 0xffff_0000_0000 | UInt64(v4))
  }

  /// The IPv4 address; nil if it is one of IPv6.
  public var v4: UInt32? {
    high == 0 && low >> 32 == 0xffff ? UInt32(truncatingIfNeeded: low) : nil
  }

  /// The address in the order of the network, 4 or 16 bytes.
  public var bytes: [UInt8] {
    if let v4 { return (0..<4).map { UInt8(truncatingIfNeeded: v4 >> (24 - 8 * UInt32($0))) } }
    return (0..<16).map { index in
      UInt8(truncatingIfNeeded: (index < 8 ? high : low) >> (56 - 8 * UInt64(index % 8)))
    }
  }

  /// The address of 4 or 16 bytes in the order of the network; nil for another number of bytes.
  public init?(_ bytes: ArraySlice<UInt8>) {
    switch bytes.count {
    case 4: self.init(v4: bytes.reduce(0) { $0 << 8 | UInt32($1) })
    case 16:
      self.init(
        high: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
        low: bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) })
    default: return nil
    }
  }

  /// Reads an address as people write it; nil for anything else, zones such as `%eth0` included.
  public init?(text: ArraySlice<UInt8>) {
    if let v4 = IPAddress.readV4(text) {
      self.init(v4: v4)
    } else if let groups = IPAddress.readV6(text) {
      self.init(
        high: groups[..<4].reduce(0) { $0 << 16 | UInt64($1) },
        low: groups[4...].reduce(0) { $0 << 16 | UInt64($1) })
    } else {
      return nil
    }
  }

  /// Four numbers in decimal; none may begin with 0, which some programs take for octal.
  private static func readV4(_ text: ArraySlice<UInt8>) -> UInt32? {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var address: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0"),
        let number = UInt32(decimal: part), number <= 255
      else { return nil }
      address = address << 8 | number
    }
    return address
  }

  /// The eight groups.
  private static func readV6(_ text: ArraySlice<UInt8>) -> [UInt16]? {
    guard text.count <= 45 else { return nil }
    let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count >= 3 else { return nil }
    var groups: [UInt16] = []
    // Where `::` stands.
    var gap: Int?
    for (index, part) in parts.enumerated() {
      if part.isEmpty {
        // At the ends, a colon has an empty part beside it only as half of `::`.
        if index == 0 {
          guard parts[1].isEmpty else { return nil }
        } else if index == parts.count - 1 {
          guard parts[index - 1].isEmpty else { return nil }
        } else {
          guard gap == nil else { return nil }
          gap = groups.count
        }
      } else if index == parts.count - 1, let v4 = readV4(part) {
        groups += [UInt16(v4 >> 16), UInt16(v4 & 0xffff)]
      } else {
        guard part.count <= 4 else { return nil }
        var group: UInt16 = 0
        for byte in part {
          guard let digit = IPAddress.hexadecimal(byte) else { return nil }
          group = group << 4 | digit
        }
        groups.append(group)
      }
    }
    guard let gap else { return groups.count == 8 ? groups : nil }
    guard groups.count < 8 else { return nil }
    groups.insert(contentsOf: [UInt16](repeating: 0, count: 8 - groups.count), at: gap)
    return groups
  }

  private static func hexadecimal(_ byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  /// The address as people write it.
  ///
  /// See RFC 5952.
  public var text: String {
    let bytes = bytes
    var text = ""
    if v4 != nil {
      for byte in bytes {
        if !text.isEmpty { text += "." }
        text += String(byte)
      }
      return text
    }
    let groups = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
    var (start, length) = (0, 0)
    var index = 0
    while index < 8 {
      let zeros = groups[index...].prefix { $0 == 0 }.count
      if zeros > max(length, 1) { (start, length) = (index, zeros) }
      index += zeros + 1
    }
    index = 0
    while index < 8 {
      if length > 0, index == start {
        text += "::"
        index += length
      } else {
        if !text.isEmpty, text.utf8.last != UInt8(ascii: ":") { text += ":" }
        text += String(groups[index], radix: 16)
        index += 1
      }
    }
    return text
  }
}

/// The addresses that begin with the same bits.
public struct AddressRange: Equatable, Sendable {
  /// The first of them.
  public let first: IPAddress
  /// How many bits of the 128 they share.
  public let length: Int

  /// The range of the first `length` of 128 bits of `address`.
  public init(_ address: IPAddress, length: Int) {
    self.length = min(max(length, 0), 128)
    let (high, low) = AddressRange.mask(self.length)
    first = IPAddress(high: address.high & high, low: address.low & low)
  }

  /// Reads `ADDRESS` or `ADDRESS/LENGTH`; nil for anything else, also if an address has bits after
  /// the length.
  public init?(text: ArraySlice<UInt8>) {
    let slash = text.firstIndex(of: UInt8(ascii: "/")) ?? text.endIndex
    guard let address = IPAddress(text: text[..<slash]) else { return nil }
    let whole = address.v4 == nil ? 128 : 32
    var length = whole
    if slash < text.endIndex {
      guard let number = UInt32(decimal: text[(slash + 1)...]), number <= whole else { return nil }
      length = Int(number)
    }
    self.init(address, length: length + 128 - whole)
    guard first == address else { return nil }
  }

  private static func mask(_ length: Int) -> (UInt64, UInt64) {
    (
      length >= 64 ? .max : length <= 0 ? 0 : ~(.max >> UInt64(length)),
      length >= 128 ? .max : length <= 64 ? 0 : ~(.max >> UInt64(length - 64))
    )
  }

  /// Whether `address` is one of them.
  public func contains(_ address: IPAddress) -> Bool {
    let (high, low) = AddressRange.mask(length)
    return address.high & high == first.high && address.low & low == first.low
  }

  /// Whether all of `other` are among them.
  public func contains(_ other: AddressRange) -> Bool {
    other.length >= length && contains(other.first)
  }

  /// Whether they are addresses of IPv4.
  public var isV4: Bool { length >= 96 && first.v4 != nil }

  /// The range as people write it.
  public var text: String {
    let length = isV4 ? length - 96 : length
    return length == (isV4 ? 32 : 128) ? first.text : first.text + "/" + String(length)
  }
}

extension UInt32 {
  /// The number in decimal that `text` consists of; nil for anything else.
  public init?(decimal text: ArraySlice<UInt8>) {
    guard !text.isEmpty else { return nil }
    var number: UInt32 = 0
    for byte in text {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      let (product, isTooLarge) = number.multipliedReportingOverflow(by: 10)
      let (sum, isTooLargeNow) = product.addingReportingOverflow(UInt32(byte - UInt8(ascii: "0")))
      guard !isTooLarge, !isTooLargeNow else { return nil }
      number = sum
    }
    self = number
  }
}
