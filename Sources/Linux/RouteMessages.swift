// SPDX-License-Identifier: Apache-2.0
// Requests to the kernel about interfaces, addresses and routes, as rtnetlink(7) has them.

internal import CLinux
internal import Glibc
internal import SystemPackage

/// A socket for requests about the network namespace in which it was made, whichever namespace its process
/// enters later.
///
/// See netlink(7).
public struct RouteSocket: ~Copyable {
  fileprivate let descriptor: OwnedDescriptor

  /// Makes one in this process's network namespace.
  public init() throws(SystemCallError) {
    descriptor = OwnedDescriptor(try check(linux_route_socket(), "socket"))
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
      let error = message[16..<20].enumerated().reduce(UInt32(0)) {
        $0 | UInt32($1.element) << (8 * UInt32($1.offset))
      }
      try check(CInt(bitPattern: error), "sendmsg(NETLINK_ROUTE)")
    }
  }
}
