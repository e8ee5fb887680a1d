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
  public init() {}

  /// Brings the interface up.
  public mutating func bringUp() {
    let up = UInt32(IFF_UP)
    add(
      RTM_NEWLINK, 0,
      [0, 0] + LoopbackNetwork.raw(UInt16(0)) + LoopbackNetwork.index
        + LoopbackNetwork.raw(up) + LoopbackNetwork.raw(up))
  }

  /// The interface's number, which is the same in every network namespace.
  private static var index: [UInt8] { raw(UInt32(1)) }
  // The values of rtnetlink(7) by their names there.
  private static let localTable: UInt8 = 255
  private static let mainTable: UInt8 = 254
  private static let hostScope: UInt8 = 254
  private static let staticProtocol: UInt8 = 4
  private static let localType: UInt8 = 2
  private static let prohibitType: UInt8 = 8

  /// The number in this machine's order of bytes; both supported architectures begin with the last.
  private static func raw<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> Number(8 * $0)) }
  }

  private static func attribute(_ type: UInt16, _ data: [UInt8]) -> [UInt8] {
    raw(UInt16(data.count + 4)) + raw(type) + data
  }

  private mutating func add<Type: BinaryInteger>(_ type: Type, _ flags: UInt16, _ body: [UInt8]) {
    last = bytes.count
    let always = UInt16(NLM_F_REQUEST)
    bytes += LoopbackNetwork.raw(UInt32(16 + body.count)) + LoopbackNetwork.raw(UInt16(type))
    bytes += LoopbackNetwork.raw(flags | always) + LoopbackNetwork.raw(UInt32(count))
    bytes += LoopbackNetwork.raw(UInt32(0)) + body
    count += 1
  }

  private static func family(_ address: IPAddress) -> UInt8 {
    UInt8(address.v4 == nil ? AF_INET6 : AF_INET)
  }

  /// Gives the interface an address.
  public mutating func add(address: IPAddress) {
    let data = address.bytes
    // Nobody else can have it, so that it can be used at once.
    let noDetection: UInt8 = 2
    add(
      RTM_NEWADDR, UInt16(NLM_F_CREATE),
      [
        LoopbackNetwork.family(address), UInt8(data.count * 8), noDetection,
        LoopbackNetwork.hostScope,
      ] + LoopbackNetwork.index
        + LoopbackNetwork.attribute(2, data) + LoopbackNetwork.attribute(1, data))
  }

  /// Has the addresses of `range` lead to sockets here; those who connect do so from `source`.
  public mutating func add(local range: AddressRange, from source: IPAddress) {
    let length = range.isV4 ? range.length - 96 : range.length
    var body = [
      UInt8(range.isV4 ? AF_INET : AF_INET6), UInt8(length), 0, 0, LoopbackNetwork.localTable,
      LoopbackNetwork.staticProtocol, LoopbackNetwork.hostScope, LoopbackNetwork.localType,
      0, 0, 0, 0,
    ]
    if length > 0 { body += LoopbackNetwork.attribute(1, range.first.bytes) }
    body += LoopbackNetwork.attribute(4, LoopbackNetwork.index)
    body += LoopbackNetwork.attribute(7, source.bytes)
    add(RTM_NEWROUTE, UInt16(NLM_F_CREATE), body)
  }

  /// Has the kernel refuse every other address of IPv4.
  public mutating func prohibitOthers() {
    add(
      RTM_NEWROUTE, UInt16(NLM_F_CREATE),
      [
        UInt8(AF_INET), 0, 0, 0, LoopbackNetwork.mainTable, LoopbackNetwork.staticProtocol, 0,
        LoopbackNetwork.prohibitType, 0, 0, 0, 0,
      ])
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
