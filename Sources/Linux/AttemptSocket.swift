// SPDX-License-Identifier: Apache-2.0
// Attempts to reach ports where nothing listens: the kernel refuses them and tells nobody else.

internal import CLinux
internal import Glibc
internal import SystemPackage
public import Text

/// A socket that gets a copy of each packet that begins a connection to an address of this network
/// namespace, except for those of localhost and those to ports that are served anyway.
///
/// See raw(7).
public enum AttemptSocket {
  /// Makes one that gets every packet of TCP until `narrow` is called: to compile a filter takes the
  /// kernel as long as some ten of the launch's other calls, and most commands need none.
  ///
  /// This process needs CAP_NET_RAW.
  public static func make(isIPv6: Bool) throws(SystemCallError) -> OwnedDescriptor {
    let family = isIPv6 ? AF_INET6 : AF_INET
    let socket = OwnedDescriptor(try check(linux_raw_socket(family), "socket(SOCK_RAW)"))
    try check(linux_ask_for_destinations(socket.rawValue, family), "setsockopt")
    return socket
  }

  /// Has the kernel leave out the other packets; those that it keeps already stay.
  public static func narrow(
    _ socket: CInt, isIPv6: Bool, except ports: [ClosedRange<UInt16>]
  ) throws(SystemCallError) {
    let program = filter(isIPv6, ports)
    let result = unsafe program.withUnsafeBufferPointer { program -> CInt in
      guard let start = program.baseAddress else { return -EINVAL }
      return unsafe linux_attach_filter(socket, start, UInt16(clamping: program.count))
    }
    try check(result, "setsockopt(SO_ATTACH_FILTER)")
  }

  /// The address and the port that the first `count` bytes of `buffer` were sent to; nil if it is not such
  /// a packet.
  public static func target(
    of buffer: [UInt8], count: Int, at address: IPAddress, isIPv6: Bool,
    except ports: [ClosedRange<UInt16>]
  ) -> Endpoint? {
    // What precedes the header of TCP: nothing in IPv6.
    guard let first = buffer.first else { return nil }
    let start = isIPv6 ? 0 : Int(first & 15) * 4
    guard count >= start + 14, buffer.count >= start + 14, buffer[start + 13] & synAndAck == syn
    else { return nil }
    let port = UInt16(buffer[start + 2]) << 8 | UInt16(buffer[start + 3])
    return ports.contains { $0.contains(port) } ? nil : Endpoint(address, port)
  }

  /// The flags of TCP: only the first packet of a connection has SYN alone of these.
  private static let (syn, synAndAck): (UInt8, UInt8) = (0x02, 0x12)

  /// The program, for bpf(4)'s machine: one word for each instruction of linux/filter.h.
  private static func filter(_ isIPv6: Bool, _ ports: [ClosedRange<UInt16>]) -> [UInt64] {
    // The places in the header of TCP, which begins at X in IPv4.
    let (half, byte): (UInt16, UInt16) = isIPv6 ? (0x28, 0x30) : (0x48, 0x50)
    func step(_ code: UInt16, _ number: UInt32, _ yes: UInt8 = 0, _ no: UInt8 = 0) -> UInt64 {
      UInt64(code) | UInt64(yes) << 16 | UInt64(no) << 24 | UInt64(number) << 32
    }
    let (isEqual, isAtLeast, isAbove): (UInt16, UInt16, UInt16) = (0x15, 0x35, 0x25)
    let (drop, pass) = (step(0x06, 0), step(0x06, 128))
    var program: [UInt64] = []
    // X is the length of the header of IPv4, and localhost is not looked at.
    if !isIPv6 { program = [step(0xb1, 0), step(0x30, 16), step(isEqual, 127, 0, 1), drop] }
    program += [
      step(byte, 13), step(0x54, UInt32(synAndAck)), step(isEqual, UInt32(syn), 1, 0), drop,
      step(half, 2),
    ]
    for range in ports {
      program += [
        step(isAtLeast, UInt32(range.lowerBound), 0, 2),
        step(isAbove, UInt32(range.upperBound), 1, 0), drop,
      ]
    }
    return program + [pass]
  }
}

/// A socket that gets a copy of what the kernel answers to datagrams which nothing receives.
///
/// See icmp(7), RFC 792 and RFC 4443.
public enum UnreachedSocket {
  /// Makes one, for which this process needs CAP_NET_RAW.
  public static func make(isIPv6: Bool) throws(SystemCallError) -> OwnedDescriptor {
    let family = isIPv6 ? AF_INET6 : AF_INET
    let socket = OwnedDescriptor(try check(linux_unreachable_socket(family), "socket(SOCK_RAW)"))
    try check(linux_ask_for_destinations(socket.rawValue, family), "setsockopt")
    return socket
  }

  /// Where a datagram was sent to, according to the first `count` bytes of `buffer`; nil if they do not answer a
  /// datagram.
  public static func target(of buffer: [UInt8], count: Int, isIPv6: Bool) -> Endpoint? {
    let packet = buffer.prefix(count)
    // What precedes the answer, which has 8 bytes and then the headers of the datagram.
    func length(_ place: Int) -> Int { packet.count > place ? Int(packet[place] & 15) * 4 : count }
    let answer = isIPv6 ? 0 : length(0)
    let header = answer + 8
    let ports = header + (isIPv6 ? 40 : length(header))
    guard packet.count >= ports + 4 else { return nil }
    // The type and the code, the protocol, and the receiver's address.
    let (kind, code, transport): (UInt8, UInt8, Int) = isIPv6 ? (1, 4, 6) : (3, 3, 9)
    guard packet[answer] == kind, packet[answer + 1] == code, packet[header + transport] == 17,
      let address = IPAddress(
        isIPv6 ? packet[(header + 24)..<(header + 40)] : packet[(header + 16)..<(header + 20)])
    else { return nil }
    return Endpoint(address, UInt16(packet[ports + 2]) << 8 | UInt16(packet[ports + 3]))
  }
}
