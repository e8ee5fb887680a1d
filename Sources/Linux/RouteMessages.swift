// SPDX-License-Identifier: Apache-2.0
// Requests to the kernel about interfaces, addresses and routes, as rtnetlink(7) has them.

internal import CLinux
internal import Glibc
internal import SystemPackage
public import Text

/// A socket for requests about the network namespace in which it was made, whichever namespace its process
/// enters later.
///
/// See netlink(7).
public struct RouteSocket: ~Copyable {
  fileprivate let descriptor: OwnedDescriptor

  /// No socket.
  public static var none: RouteSocket { RouteSocket(.none) }

  /// Whether there is one.
  public var isOpen: Bool { descriptor.isOpen }

  private init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

  /// Makes one in this process's network namespace.
  public init() throws(SystemCallError) {
    descriptor = OwnedDescriptor(try check(linux_route_socket(), "socket"))
  }
}

extension RouteSocket {
  /// Whether the kernel delivers what is sent to `address` on this machine: a broadcast as well.
  ///
  /// A source address would not tell: a further address of an interface has the first one as its source.
  /// - Parameters:
  ///   - address: The address.
  ///   - served: The source address of routes to a program that passes on what it accepts.
  /// - Returns: nil if no route leads there, or one of the types blackhole, prohibit and unreachable.
  /// - Throws: `SystemCallError` if the kernel does not say.
  public borrowing func isOwn(
    _ address: IPAddress, servedFrom served: IPAddress
  ) throws(SystemCallError) -> Bool? {
    guard let route = try route(to: address) else { return nil }
    let kind = RouteSocket.kind(of: route)
    if kind == UInt8(RTN_LOCAL), address != served,
      RouteMessages.attribute(UInt16(RTA_PREFSRC.rawValue), of: route) == served.bytes
    {
      return false
    }
    return kind != UInt8(RTN_UNICAST)
  }

  /// Whether `address` means all hosts of a network of this machine; false also if the kernel does not say.
  public borrowing func isBroadcast(_ address: IPAddress) -> Bool {
    guard isOpen, let route = try? route(to: address) else { return false }
    return RouteSocket.kind(of: route) == UInt8(RTN_BROADCAST)
  }

  /// The type in a message about a route (rtm_type).
  private static func kind(of route: [UInt8]) -> UInt8 { route[23] }

  /// The kernel's message about the route to `address`.
  /// - Returns: nil if there is none, or one of the types blackhole, prohibit and unreachable.
  ///
  /// See rtnetlink(7), RTM_GETROUTE.
  private borrowing func route(to address: IPAddress) throws(SystemCallError) -> [UInt8]? {
    let isV4 = address.v4 != nil
    let bytes = isV4 ? Array(address.bytes.suffix(4)) : address.bytes
    // struct rtmsg: the family, the length of the address in bits, and nothing else that counts.
    var body = [UInt8(isV4 ? AF_INET : AF_INET6), UInt8(bytes.count * 8)] + [UInt8](zeros: 10)
    body += RouteMessages.attribute(UInt16(RTA_DST.rawValue), bytes)
    let number = try CurrentProcess.randomNumber()
    let sequence = RouteMessages.raw(UInt32(truncatingIfNeeded: number))
    var request = RouteMessages.raw(UInt32(16 + body.count))
    request += RouteMessages.raw(UInt16(RTM_GETROUTE)) + RouteMessages.raw(UInt16(NLM_F_REQUEST))
    request += sequence + RouteMessages.raw(UInt32(0)) + body
    try Descriptors.send(request, to: descriptor.rawValue)
    // An answer to an earlier request may wait if that was interrupted.
    for _ in 0..<8 {
      let (message, _) = try Descriptors.receive(from: descriptor.rawValue, capacity: 1024)
      guard message.count >= 20, Array(message[8..<12]) == sequence else { continue }
      if message[4] == UInt8(NLMSG_ERROR) {
        let error = SystemCallError(
          call: "sendmsg(NETLINK_ROUTE)",
          errno: Errno(rawValue: 0 &- RouteMessages.result(in: message)))
        // A route of the type blackhole or prohibit has an error that could also mean the request; a socket gets
        // it from the route alone.
        guard error.lacksRoute || error.errno == RouteSocket.failure(at: address) else {
          throw error
        }
        return nil
      }
      guard message[4] == UInt8(RTM_NEWROUTE), message.count >= 28 else { break }
      return message
    }
    throw SystemCallError(call: "recvmsg(NETLINK_ROUTE)", errno: .protocolError)
  }

  /// The error of a socket that is to send to `address`; nil if it has none.
  private static func failure(at address: IPAddress) -> Errno? {
    do throws(SystemCallError) {
      // Connecting a datagram socket sends nothing.
      _ = try InternetSocket.connecting(.datagram, to: Endpoint(address, 9))
      return nil
    } catch {
      return error.errno
    }
  }
}

/// Requests that are sent to the kernel together.
struct RouteMessages {
  private var bytes: [UInt8] = []
  private var count = 0

  /// The number in this machine's order of bytes; both supported architectures begin with the last.
  static func raw<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> Number(8 * $0)) }
  }

  /// An attribute, filled up to the place where the next one may begin.
  static func attribute(_ type: UInt16, _ data: [UInt8]) -> [UInt8] {
    raw(UInt16(data.count + 4)) + raw(type) + data
      + [UInt8](repeating: 0, count: (4 - data.count % 4) % 4)
  }

  /// The value of an attribute of a route; nil if it has none.
  static func attribute(_ type: UInt16, of message: [UInt8]) -> [UInt8]? {
    var place = 28
    while place + 4 <= message.count {
      let length = Int(message[place]) + Int(message[place + 1]) << 8
      guard length >= 4, place + length <= message.count else { return nil }
      if message[place + 2] == UInt8(type & 0xff), message[place + 3] == UInt8(type >> 8) {
        return Array(message[place + 4..<place + length])
      }
      place += (length + 3) / 4 * 4
    }
    return nil
  }

  /// Adds a request of the kind `type`.
  mutating func add<Type: BinaryInteger>(_ type: Type, _ flags: UInt16, _ body: [UInt8]) {
    let always = UInt16(NLM_F_REQUEST | NLM_F_ACK)
    bytes += RouteMessages.raw(UInt32(16 + body.count)) + RouteMessages.raw(UInt16(type))
    bytes += RouteMessages.raw(flags | always) + RouteMessages.raw(UInt32(count))
    bytes += RouteMessages.raw(UInt32(0)) + body
    count += 1
  }

  /// Sends them, and throws what the kernel refuses first.
  func apply(through socket: borrowing RouteSocket) throws(SystemCallError) {
    let number = socket.descriptor.rawValue
    try Descriptors.send(bytes, to: number)
    for _ in 0..<count {
      let (message, _) = try Descriptors.receive(from: number, capacity: 256)
      // The header, whose second word begins with the type, then the error as a negative number.
      guard message.count >= 20, message[4] == UInt8(NLMSG_ERROR) else {
        throw SystemCallError(call: "recvmsg(NETLINK_ROUTE)", errno: .protocolError)
      }
      try check(RouteMessages.result(in: message), "sendmsg(NETLINK_ROUTE)")
    }
  }

  /// The result that a message of the kind NLMSG_ERROR has behind its header: 0, or an error as a negative
  /// number.
  fileprivate static func result(in message: [UInt8]) -> CInt {
    let number = message[16..<20].enumerated().reduce(UInt32(0)) {
      $0 | UInt32($1.element) << (8 * UInt32($1.offset))
    }
    return CInt(bitPattern: number)
  }
}
