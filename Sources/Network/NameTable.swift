// SPDX-License-Identifier: Apache-2.0
// The addresses that stand for names inside.

public import Text

/// The names that the command has learned, and the address that stands for each.
///
/// An address is never given to a second name while the sandbox lives, and a name has the same
/// address in every sandbox as long as no other name is in its way: programs keep addresses.
public struct NameTable: Sendable {
  // Computed, as the variables of a launch: each that is made once takes a page of its own.

  /// The addresses of IPv4 that stand for names, or for the relay.
  ///
  /// They are set aside for tests of networks, so that no host of the internet has them (RFC 2544).
  public static var pool: AddressRange {
    AddressRange(IPAddress(v4: 198 << 24 | 18 << 16), length: 96 + 15)
  }
  /// Those of IPv6, of the private ones.
  public static var poolV6: AddressRange {
    AddressRange(IPAddress(high: 0xfd00_6e62 << 32, low: 0), length: 64)
  }
  /// The name service.
  public static var nameServer: IPAddress { IPAddress(v4: 198 << 24 | 18 << 16 | 53) }
  /// The same as text, which a launch writes: to convert it would cost more than to write it.
  public static let nameServerText: StaticString = "198.18.0.53"
  /// The command's own address.
  public static var own: IPAddress { IPAddress(v4: 10 << 24 | 2 << 8 | 100) }
  /// The command's own address of IPv6.
  public static var ownV6: IPAddress { IPAddress(high: 0xfd00 << 48, low: 0x100) }

  /// The port at the command's own addresses where connections to every port arrive, if a rule allows
  /// them: the command itself may not bind a port below 1024.
  public static let portForAll: UInt16 = 1

  /// How many names there may be.
  public static let mostNames = 16_384
  /// The numbers of addresses; the first are kept for the relay.
  private static let numbers: Range<UInt32> = 256..<131_072

  /// The names by their numbers, in ascending order.
  private var entries: [(number: UInt32, name: DomainName)] = []

  /// A table of these names.
  public init(_ names: [DomainName]) {
    for name in names { _ = number(of: name) }
  }

  /// The number of a name, which gets one if it has none; nil if there are too many names.
  private mutating func number(of name: DomainName) -> UInt32? {
    // FNV-1a, which is the same in every process.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let span = UInt64(NameTable.numbers.count)
    var offset = (hash ^ hash >> 32) % span
    var number = NameTable.numbers.lowerBound + UInt32(offset)
    var place = place(of: number)
    while place < entries.count, entries[place].number == number {
      if entries[place].name == name { return number }
      offset = (offset + 1) % span
      number = NameTable.numbers.lowerBound + UInt32(offset)
      place = self.place(of: number)
    }
    guard entries.count < NameTable.mostNames else { return nil }
    entries.insert((number, name), at: place)
    return number
  }

  /// Where the entry with `number` is, or would be.
  private func place(of number: UInt32) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].number < number { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func name(of number: UInt32) -> DomainName? {
    let place = place(of: number)
    return place < entries.count && entries[place].number == number ? entries[place].name : nil
  }

  /// The addresses that stand for `name`; nil if there are too many names.
  public mutating func addresses(of name: DomainName) -> (v4: IPAddress, v6: IPAddress)? {
    guard let number = number(of: name) else { return nil }
    let first = NameTable.pool.first
    return (
      IPAddress(high: 0, low: first.low + UInt64(number)),
      IPAddress(high: NameTable.poolV6.first.high, low: UInt64(number))
    )
  }

  /// Whether `address` can stand for a name.
  public static func isSynthetic(_ address: IPAddress) -> Bool {
    pool.contains(address) || poolV6.contains(address)
  }

  /// The name for which `address` stands; nil if it stands for none.
  public func name(of address: IPAddress) -> DomainName? {
    if NameTable.pool.contains(address) {
      return name(of: UInt32(truncatingIfNeeded: address.low - NameTable.pool.first.low))
    }
    guard NameTable.poolV6.contains(address), let number = UInt32(exactly: address.low) else {
      return nil
    }
    return name(of: number)
  }
}
