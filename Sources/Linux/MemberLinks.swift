// SPDX-License-Identifier: Apache-2.0
// The links of a network between sandboxes: a bridge in the namespace of its holder, and for each member a
// pair of interfaces (veth), one at the bridge and one in the member's own namespace.

internal import CLinux
internal import Glibc
internal import SystemPackage
public import Text

/// The links of a network between sandboxes.
///
/// See rtnetlink(7), veth(4).
public enum MemberLinks {
  /// The interface's number, the first after lo: nothing else has made one in a new namespace.
  private static let index: UInt32 = 2
  // The values of rtnetlink(7) by their names there.
  private static let (master, linkInfo, familyInfo, namespace): (UInt16, UInt16, UInt16, UInt16) =
    (10, 18, 26, 28)
  private static let (hardwareAddress, name): (UInt16, UInt16) = (1, 3)
  private static let (kind, data): (UInt16, UInt16) = (1, 2)
  private static let linkScope: UInt8 = 253
  private static let mainTable: UInt8 = 254
  private static let staticProtocol: UInt8 = 4
  private static let unicastType: UInt8 = 1

  /// Makes the bridge of this process's network namespace, with `address`; `length` says how many bits of it
  /// all members share.
  public static func makeBridge(
    _ address: IPAddress, length: Int
  ) throws(SystemCallError) {
    var messages = RouteMessages()
    // Programs that are in no group hear multicasts as well, and so do those that nobody asks for it.
    let doesNotSnoop = RouteMessages.attribute(23, [0])
    messages.add(
      RTM_NEWLINK, UInt16(NLM_F_CREATE | NLM_F_EXCL),
      header(index) + text(name, "members") + hardware(address)
        + RouteMessages.attribute(
          linkInfo, text(kind, "bridge") + RouteMessages.attribute(data, doesNotSnoop)))
    addAddress(address, length, to: &messages)
    try messages.apply(through: RouteSocket())
  }

  /// Links this process's network namespace, which is new, to the bridge in that of `holder`.
  /// - Parameters:
  ///   - own: A descriptor of this process's namespace.
  ///   - address: The member's address.
  ///   - length: How many bits of it all members share.
  ///   - holder: A socket of the bridge's namespace.
  ///   - avoidsIPv6: Whether the interface may not get an address of IPv6 by itself.
  /// - Throws: `SystemCallError` if the kernel refuses a link, an address or a route.
  public static func join(
    _ own: CInt, _ address: IPAddress, length: Int, through holder: borrowing RouteSocket,
    avoidsIPv6: Bool
  ) throws(SystemCallError) {
    var messages = RouteMessages()
    // The end in the member's namespace first: its number, its name, and where it is. It comes up later,
    // as it may not be up alone.
    let end =
      header(index, isUp: false) + text(name, "eth0") + hardware(address)
      + RouteMessages.attribute(namespace, RouteMessages.raw(UInt32(bitPattern: own)))
    // The end at the bridge has the address for its name. That of a member which had this address may still be
    // there: the kernel removes a namespace some time after its last process, or later while somebody holds
    // it, and both would answer for the address until then.
    let bridgeEnd = text(name, address.text)
    var removal = RouteMessages()
    removal.add(RTM_DELLINK, 0, header(0, isUp: false) + bridgeEnd)
    do throws(SystemCallError) {
      try removal.apply(through: holder)
    } catch {
      guard error.errno == .operationNotSupportedByDevice else { throw error }
    }
    addPair(
      header(0) + bridgeEnd + RouteMessages.attribute(master, RouteMessages.raw(index)), end,
      to: &messages)
    try messages.apply(through: holder)
    messages = RouteMessages()
    if avoidsIPv6 { avoidIPv6(index, &messages) }
    messages.add(RTM_NEWLINK, 0, header(index))
    addAddress(address, length, to: &messages)
    // Programs that look for each other send to these.
    addRoute(IPAddress(v4: .max), 32, to: &messages)
    addRoute(IPAddress(v4: 224 << 24), 4, to: &messages)
    try messages.apply(through: RouteSocket())
  }

  /// Makes a pair of interfaces that both stay in this process's network namespace, one of them with
  /// `address` and a route for everything that no other route leads away or refuses: programs see a link.
  public static func makeLink(_ address: IPAddress) throws(SystemCallError) {
    var messages = RouteMessages()
    let other = index + 1
    let end = header(other, isUp: false) + text(name, "eth0-end")
    addPair(header(index, isUp: false) + text(name, "eth0"), end, to: &messages)
    try messages.apply(through: RouteSocket())
    messages = RouteMessages()
    // The kernel would take a second to find out whether an address of its own is free: Chromium then gives up
    // what it loads, as the network has changed. A kernel without IPv6 refuses this.
    for number in [other, index] { avoidIPv6(number, &messages) }
    try? messages.apply(through: RouteSocket())
    messages = RouteMessages()
    // Neither may come up before it has the other.
    for number in [other, index] { messages.add(RTM_NEWLINK, 0, header(number)) }
    addAddress(address, 32, to: &messages)
    addRoute(IPAddress(v4: 0), 0, metric: .max, to: &messages)
    try messages.apply(through: RouteSocket())
  }

  /// Adds a request that the interface of this number gets no address of IPv6 by itself.
  private static func avoidIPv6(_ index: UInt32, _ messages: inout RouteMessages) {
    let none = RouteMessages.attribute(8, [1])
    messages.add(
      RTM_NEWLINK, 0,
      header(index, isUp: false)
        + RouteMessages.attribute(familyInfo, RouteMessages.attribute(UInt16(AF_INET6), none)))
  }

  /// Adds the request for a pair of interfaces, each described by its head and attributes.
  private static func addPair(_ one: [UInt8], _ end: [UInt8], to messages: inout RouteMessages) {
    let peer = RouteMessages.attribute(data, RouteMessages.attribute(1, end))
    messages.add(
      RTM_NEWLINK, UInt16(NLM_F_CREATE | NLM_F_EXCL),
      one + RouteMessages.attribute(linkInfo, text(kind, "veth") + peer))
  }

  /// The head of a request about the interface of this number, which is brought up unless that is to wait.
  private static func header(_ index: UInt32, isUp: Bool = true) -> [UInt8] {
    let up = isUp ? UInt32(IFF_UP) : 0
    return [0, 0, 0, 0] + RouteMessages.raw(index) + RouteMessages.raw(up) + RouteMessages.raw(up)
  }

  private static func text(_ type: UInt16, _ text: String) -> [UInt8] {
    RouteMessages.attribute(type, Array(text.utf8) + [0])
  }

  /// A hardware address that follows from the other one, so that a member that returns has its own again.
  private static func hardware(_ address: IPAddress) -> [UInt8] {
    // Two bits say that it is one machine's, and that nobody has assigned it.
    RouteMessages.attribute(hardwareAddress, [0x02, 0x6e] + address.bytes.suffix(4))
  }

  private static func addAddress(
    _ address: IPAddress, _ length: Int, to messages: inout RouteMessages
  ) {
    guard let v4 = address.v4 else { return }
    let broadcast = IPAddress(v4: v4 | (UInt32.max >> UInt32(length)))
    messages.add(
      RTM_NEWADDR, UInt16(NLM_F_CREATE),
      [UInt8(AF_INET), UInt8(length), 0, 0] + RouteMessages.raw(index)
        + RouteMessages.attribute(2, address.bytes) + RouteMessages.attribute(1, address.bytes)
        + RouteMessages.attribute(4, broadcast.bytes))
  }

  private static func addRoute(
    _ destination: IPAddress, _ length: Int, metric: UInt32 = 0, to messages: inout RouteMessages
  ) {
    messages.add(
      RTM_NEWROUTE, UInt16(NLM_F_CREATE),
      [
        UInt8(AF_INET), UInt8(length), 0, 0, mainTable, staticProtocol, linkScope, unicastType,
        0, 0, 0, 0,
      ] + RouteMessages.attribute(1, destination.bytes)
        + RouteMessages.attribute(4, RouteMessages.raw(index))
        + RouteMessages.attribute(6, RouteMessages.raw(metric)))
  }
}
