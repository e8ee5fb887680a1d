// SPDX-License-Identifier: Apache-2.0
// A network that consists of the interface lo alone: addresses of it, and routes by which further
// addresses lead to sockets of this machine.

internal import CLinux
internal import Glibc
internal import SystemPackage
public import Text

/// Settings of the interface lo, sent to the kernel together.
///
/// See rtnetlink(7).
public struct LoopbackNetwork {
  private var bytes: [UInt8] = []
  private var count = 0
  /// Where the last message begins.
  private var last = 0
  private var firstOptional: Int?

  /// No settings.
  public init() {
    // A launch waits: most networks fit into this, and nothing is written twice.
    bytes.reserveCapacity(512)
  }

  /// Brings the interface up.
  public mutating func bringUp() {
    let up = UInt32(IFF_UP)
    begin(RTM_NEWLINK, 0)
    put([0, 0])
    put(UInt16(0))
    putIndex()
    put(up)
    put(up)
    end()
  }

  // The values of rtnetlink(7) by their names there.
  private static let localTable: UInt8 = 255
  private static let mainTable: UInt8 = 254
  private static let hostScope: UInt8 = 254
  private static let staticProtocol: UInt8 = 4
  private static let localType: UInt8 = 2
  private static let prohibitType: UInt8 = 8
  private static let addressAttribute: UInt16 = 1
  private static let localAttribute: UInt16 = 2
  private static let destinationAttribute: UInt16 = 1
  private static let interfaceAttribute: UInt16 = 4
  private static let sourceAttribute: UInt16 = 7

  /// Adds the number in this machine's order of bytes; both supported architectures begin with the last.
  private mutating func put<Number: FixedWidthInteger>(_ number: Number) {
    for place in 0..<Number.bitWidth / 8 {
      bytes.append(UInt8(truncatingIfNeeded: number >> Number(8 * place)))
    }
  }

  private mutating func put(_ more: [UInt8]) { bytes.append(contentsOf: more) }

  /// Adds the interface's number, which is the same in every network namespace.
  private mutating func putIndex() { put(UInt32(1)) }

  private mutating func beginAttribute(_ type: UInt16, count: Int) {
    put(UInt16(count + 4))
    put(type)
  }

  private mutating func putAttribute(_ type: UInt16, _ data: [UInt8]) {
    beginAttribute(type, count: data.count)
    put(data)
  }

  /// Begins a message, of which `end` then states the length.
  private mutating func begin<Type: BinaryInteger>(_ type: Type, _ flags: UInt16) {
    last = bytes.count
    put(UInt32(0))
    put(UInt16(type))
    put(flags | UInt16(NLM_F_REQUEST))
    put(UInt32(count))
    put(UInt32(0))
    count += 1
  }

  private mutating func end() {
    let length = UInt32(bytes.count - last)
    for place in 0..<4 { bytes[last + place] = UInt8(truncatingIfNeeded: length >> (8 * place)) }
  }

  private static func family(_ address: IPAddress) -> UInt8 {
    UInt8(address.v4 == nil ? AF_INET6 : AF_INET)
  }

  /// Gives the interface an address.
  public mutating func add(address: IPAddress) {
    let data = address.bytes
    // Nobody else can have it, so that it can be used at once.
    let noDetection: UInt8 = 2
    begin(RTM_NEWADDR, UInt16(NLM_F_CREATE))
    put(LoopbackNetwork.family(address))
    put(UInt8(data.count * 8))
    put(noDetection)
    put(LoopbackNetwork.hostScope)
    putIndex()
    putAttribute(LoopbackNetwork.localAttribute, data)
    putAttribute(LoopbackNetwork.addressAttribute, data)
    end()
  }

  /// Has the addresses of `range` lead to sockets here; those who connect do so from `source`.
  public mutating func add(local range: AddressRange, from source: IPAddress) {
    let length = range.isV4 ? range.length - 96 : range.length
    beginRoute(
      UInt8(range.isV4 ? AF_INET : AF_INET6), length: UInt8(length), LoopbackNetwork.localTable,
      LoopbackNetwork.hostScope, LoopbackNetwork.localType)
    if length > 0 { putAttribute(LoopbackNetwork.destinationAttribute, range.first.bytes) }
    beginAttribute(LoopbackNetwork.interfaceAttribute, count: 4)
    putIndex()
    putAttribute(LoopbackNetwork.sourceAttribute, source.bytes)
    end()
  }

  /// Has the kernel refuse every other address of IPv4.
  public mutating func prohibitOthers() {
    beginRoute(
      UInt8(AF_INET), length: 0, LoopbackNetwork.mainTable, 0, LoopbackNetwork.prohibitType)
    end()
  }

  private mutating func beginRoute(
    _ family: UInt8, length: UInt8, _ table: UInt8, _ scope: UInt8, _ type: UInt8
  ) {
    begin(RTM_NEWROUTE, UInt16(NLM_F_CREATE))
    for byte in [family, length, 0, 0, table, LoopbackNetwork.staticProtocol, scope, type] {
      bytes.append(byte)
    }
    put(UInt32(0))
  }

  /// Lets the kernel refuse what is added from here on.
  public mutating func beginOptional() { firstOptional = count }

  /// Makes the settings in this process's network namespace.
  /// - Returns: Whether the kernel has accepted those that it may refuse.
  @discardableResult
  public consuming func apply() throws(SystemCallError) -> Bool {
    let socket = OwnedDescriptor(try check(linux_route_socket(), "socket"))
    // The kernel answers the last one, and before that each that it refuses. The flags follow the length
    // and the type.
    bytes[last + 6] |= UInt8(NLM_F_ACK)
    try Descriptors.send(bytes, to: socket.rawValue)
    var areAllAccepted = true
    while true {
      let (message, _) = try Descriptors.receive(from: socket.rawValue, capacity: 256)
      // The header, whose second word begins with the type, then the error as a negative number.
      guard message.count >= 20, message[4] == UInt8(NLMSG_ERROR) else {
        throw SystemCallError(call: "recvmsg(NETLINK_ROUTE)", errno: .protocolError)
      }
      let error = CInt(bitPattern: LoopbackNetwork.word(message, at: 16))
      let number = Int(LoopbackNetwork.word(message, at: 8))
      if error != 0, let firstOptional, number >= firstOptional {
        areAllAccepted = false
      } else {
        try check(error, "sendmsg(NETLINK_ROUTE)")
      }
      if number == count - 1 { return areAllAccepted }
    }
  }

  private static func word(_ bytes: [UInt8], at place: Int) -> UInt32 {
    var word: UInt32 = 0
    for index in 0..<4 { word |= UInt32(bytes[place + index]) << UInt32(8 * index) }
    return word
  }
}
