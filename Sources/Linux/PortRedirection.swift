// SPDX-License-Identifier: Apache-2.0
// Has one socket accept the connections to every port: a socket for each port would cost more memory
// than the sandbox. The kernel's packet filter does so, which may lack in a container.

internal import CLinux
internal import Glibc
internal import SystemPackage
public import Text

/// Rules of the packet filter for the network namespace of this process.
///
/// See nft(8), tproxy.
public struct PortRedirection {
  private var bytes: [UInt8] = []
  private var count = 0

  // The names of the kernel's header nf_tables.h, and their values.
  private enum Message {
    static let newTable: UInt16 = 0x0a00
    static let newChain: UInt16 = 0x0a03
    static let newRule: UInt16 = 0x0a06
    static let begin: UInt16 = 0x10
    static let end: UInt16 = 0x11
  }
  private enum Family {
    static let inet: UInt8 = 1
    static let v4: UInt8 = 2
    static let v6: UInt8 = 10
  }
  private static let nested: UInt16 = 0x8000
  private static let tcp: UInt8 = 6
  private static let name = Array("nestbox\0".utf8)

  /// Begins with a table and a chain that sees what arrives at this namespace's addresses.
  public init() {
    add(Message.begin, nil)
    let table = PortRedirection.attribute(1, PortRedirection.name)
    add(Message.newTable, table)
    // Before addresses are looked up, like every program that does so (priority mangle).
    let hook =
      PortRedirection.attribute(1, PortRedirection.word(0))
      + PortRedirection.attribute(2, PortRedirection.word(UInt32(bitPattern: -150)))
    add(
      Message.newChain,
      table + PortRedirection.attribute(3, PortRedirection.name)
        + PortRedirection.attribute(4 | PortRedirection.nested, hook)
        + PortRedirection.attribute(7, Array("filter\0".utf8)))
  }

  /// Has the socket that listens at `endpoint` accept the connections of TCP to all addresses of its
  /// family, except for `others`, its own and those of localhost.
  public mutating func lead(to endpoint: Endpoint, except others: [IPAddress]) {
    let isV4 = endpoint.address.v4 != nil
    typealias Rule = PortRedirection
    // The destination's place in the header.
    let offset: UInt32 = isV4 ? 16 : 24
    var steps = Rule.load(meta: 15) + Rule.compare(isEqual: true, [isV4 ? Family.v4 : Family.v6])
    steps += Rule.load(meta: 16) + Rule.compare(isEqual: true, [Rule.tcp])
    // What the command sends, not what another sandbox does: it arrives by lo, the interface 1.
    steps += Rule.load(meta: 4) + Rule.compare(isEqual: true, [1, 0, 0, 0])
    if isV4 {
      steps += Rule.load(header: offset, 1) + Rule.compare(isEqual: false, [127])
    }
    let local = isV4 ? [] : [IPAddress(high: 0, low: 1)]
    for address in others + local + [endpoint.address] where (address.v4 != nil) == isV4 {
      let data = address.bytes
      steps += Rule.load(header: offset, UInt32(data.count)) + Rule.compare(isEqual: false, data)
    }
    steps += Rule.set(1, endpoint.address.bytes)
    steps += Rule.set(2, [UInt8(endpoint.port >> 8), UInt8(endpoint.port & 0xff)])
    steps += Rule.expression(
      "tproxy",
      Rule.attribute(1, Rule.word(UInt32(isV4 ? Family.v4 : Family.v6)))
        + Rule.attribute(2, Rule.word(1)) + Rule.attribute(3, Rule.word(2)))
    add(
      Message.newRule,
      Rule.attribute(1, Rule.name) + Rule.attribute(2, Rule.name)
        + Rule.attribute(4 | Rule.nested, steps))
  }

  /// Puts the rules in force.
  public consuming func apply() throws(SystemCallError) {
    add(Message.end, nil)
    let socket = OwnedDescriptor(try check(linux_filter_socket(), "socket(NETLINK_NETFILTER)"))
    try Descriptors.send(bytes, to: socket.rawValue)
    // The kernel has answered within the call. The first and the last message get no answer.
    for _ in 2..<count {
      let (message, _) = try Descriptors.receive(from: socket.rawValue, capacity: 256)
      guard message.count >= 20, message[4] == UInt8(NLMSG_ERROR) else {
        throw SystemCallError(call: "recvmsg(NETLINK_NETFILTER)", errno: .protocolError)
      }
      var error: UInt32 = 0
      for index in 0..<4 { error |= UInt32(message[16 + index]) << UInt32(8 * index) }
      try check(CInt(bitPattern: error), "sendmsg(NETLINK_NETFILTER)")
    }
  }

  /// Whether `error` means that the kernel has no such rules, or cannot load them here.
  public static func isUnsupported(_ error: SystemCallError) -> Bool {
    let reasons: [Errno] = [
      .protocolNotSupported, .noSuchFileOrDirectory, .notSupported, .addressFamilyNotSupported,
    ]
    return error.call.hasSuffix("(NETLINK_NETFILTER)") && reasons.contains(error.errno)
  }

  // MARK: Bytes

  /// The number with its highest byte first.
  private static func word(_ number: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
  }

  private static func attribute(_ type: UInt16, _ data: [UInt8]) -> [UInt8] {
    let length = UInt16(data.count + 4)
    return [UInt8(length & 0xff), UInt8(length >> 8), UInt8(type & 0xff), UInt8(type >> 8)] + data
      + [UInt8](repeating: 0, count: -data.count & 3)
  }

  private mutating func add(_ type: UInt16, _ attributes: [UInt8]?) {
    let length = UInt32(20 + (attributes?.count ?? 0))
    // NLM_F_REQUEST, and for what is made NLM_F_ACK, NLM_F_CREATE and NLM_F_APPEND.
    let flags: UInt16 = attributes == nil ? 1 : 0xc05
    for number in [length, UInt32(type) | UInt32(flags) << 16, UInt32(count), 0] {
      for shift: UInt32 in [0, 8, 16, 24] {
        bytes.append(UInt8(truncatingIfNeeded: number >> shift))
      }
    }
    // The family; and, of the first and last message, which part of the filter they are for.
    bytes += [attributes == nil ? 0 : Family.inet, 0, 0, attributes == nil ? 10 : 0]
    bytes += attributes ?? []
    count += 1
  }

  private static func expression(_ name: String, _ data: [UInt8]) -> [UInt8] {
    attribute(
      1 | nested, attribute(1, Array(name.utf8) + [0]) + attribute(2 | nested, data))
  }

  /// Loads a fact about the packet into the first register.
  private static func load(meta key: UInt32) -> [UInt8] {
    expression("meta", attribute(1, word(1)) + attribute(2, word(key)))
  }

  /// Loads bytes of the header of IP into the first register.
  private static func load(header offset: UInt32, _ length: UInt32) -> [UInt8] {
    expression(
      "payload",
      attribute(1, word(1)) + attribute(2, word(1)) + attribute(3, word(offset))
        + attribute(4, word(length)))
  }

  /// Goes on only if the first register is, or is not, `data`.
  private static func compare(isEqual: Bool, _ data: [UInt8]) -> [UInt8] {
    expression(
      "cmp",
      attribute(1, word(1)) + attribute(2, word(isEqual ? 0 : 1))
        + attribute(3 | nested, attribute(1, data)))
  }

  private static func set(_ register: UInt32, _ data: [UInt8]) -> [UInt8] {
    expression(
      "immediate", attribute(1, word(register)) + attribute(2 | nested, attribute(1, data)))
  }
}
