// SPDX-License-Identifier: Apache-2.0
// Networks between sandboxes: their addresses, their members, and what members and holder tell each other.

public import Text

/// The addresses of every network between sandboxes: they need not differ, as none reaches another.
public enum MemberAddresses {
  /// How many bits all addresses of a network share.
  public static let length = 16
  private static let first: UInt32 = 10 << 24 | 77 << 16
  /// All of them.
  public static let range = AddressRange(IPAddress(v4: first), length: 96 + length)
  /// The holder's, where the name service is.
  public static let holder = IPAddress(v4: first | 1)
  /// The numbers of members: neither the network's own, nor the holder's, nor the one for all.
  fileprivate static let numbers: Range<UInt32> = 2..<65_535

  fileprivate static func address(_ number: UInt32) -> IPAddress { IPAddress(v4: first | number) }
}

/// A member of a network.
public struct NetworkMember: Equatable, Sendable {
  /// The name of its sandbox; empty if it has none.
  public let name: ByteString
  /// Its address.
  public let address: IPAddress
  /// The process that launched it.
  public let launcher: Int32

  /// States a member.
  public init(name: ByteString, address: IPAddress, launcher: Int32) {
    (self.name, self.address, self.launcher) = (name, address, launcher)
  }
}

/// The members of a network, as its holder knows them.
public struct MemberTable: Sendable {
  /// The members.
  public private(set) var members: [NetworkMember] = []
  /// Where the next member without a name looks for a number.
  ///
  /// They count on: processes that outlive a launch keep its address until another member gets it, and joining
  /// waits for the kernel to remove the link of a launch that has just ended.
  private var next = MemberAddresses.numbers.lowerBound

  /// How many there may be: a bridge has no more ports than about a thousand.
  public static let most = 1000

  /// No members.
  public init() {}

  /// Adds a member, or says why not.
  ///
  /// A name has the same address each time, unless another member has that.
  public mutating func add(
    _ name: ByteString, launcher: Int32
  ) -> Result<IPAddress, MemberRefusal> {
    guard members.count < MemberTable.most else { return .failure(.isFull) }
    let host = MemberTable.host(name)
    if !name.isEmpty {
      guard let host, !host.isLocalhost else { return .failure(.isNoHostName) }
      if members.contains(where: { MemberTable.host($0.name) == host }) {
        return .failure(.isTaken)
      }
    }
    // FNV-1a.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in host?.bytes ?? [] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let numbers = MemberAddresses.numbers
    let after = { (number: UInt32) in
      number + 1 == numbers.upperBound ? numbers.lowerBound : number + 1
    }
    var number = host == nil ? next : numbers.lowerBound + UInt32(hash % UInt64(numbers.count))
    // There are far more numbers than members.
    while members.contains(where: { $0.address == MemberAddresses.address(number) }) {
      number = after(number)
    }
    if host == nil { next = after(number) }
    let address = MemberAddresses.address(number)
    members.append(NetworkMember(name: name, address: address, launcher: launcher))
    return .success(address)
  }

  /// Removes the member with this address.
  public mutating func remove(_ address: IPAddress) {
    members.removeAll { $0.address == address }
  }

  private static func host(_ name: ByteString) -> DomainName? { DomainName(text: name.bytes[...]) }

  /// The answer to a program's question: the address of the member that goes by the name, or by the name
  /// and the `network`'s.
  public func answer(to question: DNSQuestion, network: DomainName?) -> [UInt8] {
    guard let name = question.name else { return question.answer(.noName) }
    let addresses = { (kinds: [UInt16], address: IPAddress) in
      question.answer(kinds.contains(question.type) ? [address] : [])
    }
    if name.isLocalhost {
      if question.type == DNSType.aaaa { return question.answer([IPAddress(high: 0, low: 1)]) }
      return addresses([DNSType.a, DNSType.any], IPAddress(v4: 127 << 24 | 1))
    }
    let member = members.first { member in
      guard let host = MemberTable.host(member.name) else { return false }
      return host == name || network.flatMap { host.within($0) } == name
    }
    guard let member else { return question.answer(.noName) }
    return addresses([DNSType.a, DNSType.any], member.address)
  }
}

/// Why a sandbox does not become a member.
public enum MemberRefusal: UInt8, Error, Sendable {
  /// Another member has the name.
  case isTaken = 1
  /// There are as many members as there may be.
  case isFull = 2
  /// No host can have the sandbox's name.
  case isNoHostName = 3
  /// Who asks is not in the user namespace where the network was started.
  case isForeign = 4
}

// MARK: - Messages

/// What is sent to the holder of a network, and what it answers.
public enum MemberMessage {
  /// The longest request.
  public static let capacity = 128
  /// The longest list.
  public static let listCapacity = 1 << 17

  /// A request of a launcher.
  public enum Request: Equatable, Sendable {
    /// To become a member under a name, which may be empty.
    case join(ByteString)
    /// To list the members.
    case list
  }

  /// The request as it is sent.
  public static func bytes(_ request: Request) -> [UInt8] {
    switch request {
    case .join(let name): [1] + name.bytes
    case .list: [2]
    }
  }

  /// The request that was sent; nil if these bytes are none.
  public static func request(_ bytes: [UInt8]) -> Request? {
    switch bytes.first {
    case 1 where bytes.count <= 65: .join(ByteString(bytes.dropFirst()))
    case 2: .list
    default: nil
    }
  }

  /// The answer to a request to join, which comes twice, each time with a descriptor: of the holder's user
  /// namespace, and of its network namespace.
  public static func bytes(_ answer: Result<IPAddress, MemberRefusal>) -> [UInt8] {
    switch answer {
    case .success(let address): [0] + address.bytes
    case .failure(let refusal): [refusal.rawValue]
    }
  }

  /// The answer in these bytes; nil if they are none.
  public static func answer(_ bytes: [UInt8]) -> Result<IPAddress, MemberRefusal>? {
    guard let first = bytes.first else { return nil }
    if first != 0 { return MemberRefusal(rawValue: first).map { .failure($0) } }
    guard let address = IPAddress(bytes[1...]), MemberAddresses.range.contains(address) else {
      return nil
    }
    return .success(address)
  }

  /// The list as it is sent.
  public static func bytes(_ members: [NetworkMember]) -> [UInt8] {
    var bytes: [UInt8] = []
    for member in members {
      let number = UInt32(bitPattern: member.launcher)
      bytes += (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
      bytes += member.address.bytes.suffix(4)
      bytes.append(UInt8(truncatingIfNeeded: member.name.count))
      bytes += member.name.bytes
    }
    return bytes
  }

  /// The members in a list, as far as it is well-formed.
  public static func members(_ bytes: [UInt8]) -> [NetworkMember] {
    var members: [NetworkMember] = []
    var rest = bytes[...]
    while rest.count >= 9, let address = IPAddress(rest.dropFirst(4).prefix(4)) {
      let number = rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      let length = Int(rest[rest.startIndex + 8])
      rest = rest.dropFirst(9)
      guard rest.count >= length else { break }
      members.append(
        NetworkMember(
          name: ByteString(Array(rest.prefix(length))), address: address,
          launcher: Int32(bitPattern: number)))
      rest = rest.dropFirst(length)
    }
    return members
  }
}
