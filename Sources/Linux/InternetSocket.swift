// SPDX-License-Identifier: Apache-2.0
// Sockets of TCP and UDP that never wait.

internal import CLinux
internal import Glibc
internal import SystemPackage
public import Text

/// An address and a port.
public struct Endpoint: Equatable, Sendable {
  /// The address.
  public let address: IPAddress
  /// The port.
  public let port: UInt16

  /// Joins an address and a port.
  public init(_ address: IPAddress, _ port: UInt16) { (self.address, self.port) = (address, port) }

  fileprivate init(_ endpoint: linux_endpoint) {
    self.init(IPAddress(high: endpoint.high, low: endpoint.low), endpoint.port)
  }

  fileprivate var raw: linux_endpoint {
    linux_endpoint(high: address.high, low: address.low, port: port)
  }

  fileprivate var family: CInt { address.v4 == nil ? AF_INET6 : AF_INET }
}

/// What became of an attempt to read or write without waiting.
public enum Transfer: Equatable, Sendable {
  /// So many bytes went through; when reading, 0 is the end.
  case bytes(Int)
  /// Nothing, without waiting.
  case wouldWait
  /// The connection has failed.
  case failed

  fileprivate init(_ result: CLong) {
    switch result {
    case 0...: self = .bytes(result)
    case CLong(-EAGAIN), CLong(-EINTR): self = .wouldWait
    default: self = .failed
    }
  }
}

/// Calls on sockets of the internet; none of them waits.
public enum InternetSocket {
  /// The two kinds.
  public enum Kind: Sendable {
    /// TCP.
    case stream
    /// UDP.
    case datagram

    fileprivate var type: CInt {
      CInt(self == .stream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue)
    }
  }

  /// Makes a socket that is bound to `endpoint`, and listens if it is one of TCP.
  ///
  /// One at the unspecified address of IPv6 serves IPv4 as well. No other socket can share its
  /// address. With `again`, ended connections of an earlier one do not count (SO_REUSEADDR). One that is
  /// `transparent` can be led to by `PortRedirection`, for which this process needs CAP_NET_ADMIN. With `locally`
  /// it gets only what arrives by the interface lo (SO_BINDTOIFINDEX).
  /// See bind(2), listen(2), ip(7), ipv6(7), socket(7).
  public static func bound(
    _ kind: Kind, to endpoint: Endpoint, again: Bool = false, transparent: Bool = false,
    locally: Bool = false
  ) throws(SystemCallError) -> OwnedDescriptor {
    let family = endpoint.family
    let socket = OwnedDescriptor(try check(linux_internet_socket(family, kind.type), "socket"))
    if family == AF_INET6 {
      let level = CInt(IPPROTO_IPV6)
      let isAny = endpoint.address == IPAddress(high: 0, low: 0)
      let number = socket.rawValue
      try check(linux_set_option(number, level, IPV6_V6ONLY, isAny ? 0 : 1), "setsockopt")
      if !isAny || kind == .datagram {
        // An address to which only a route leads; those of IPv4 need nothing.
        try check(linux_set_option(number, level, IPV6_FREEBIND, 1), "setsockopt")
      }
    }
    if transparent {
      let (level, name) =
        family == AF_INET
        ? (CInt(IPPROTO_IP), IP_TRANSPARENT) : (CInt(IPPROTO_IPV6), IPV6_TRANSPARENT)
      try check(linux_set_option(socket.rawValue, level, name, 1), "setsockopt(IP_TRANSPARENT)")
    }
    if locally {
      // The option's number, which the C library of older systems lacks, and that of lo.
      try check(linux_set_option(socket.rawValue, SOL_SOCKET, 62, 1), "setsockopt")
    }
    if again {
      try check(linux_set_option(socket.rawValue, SOL_SOCKET, SO_REUSEADDR, 1), "setsockopt")
    }
    if kind == .datagram {
      try check(linux_ask_for_destinations(socket.rawValue, family), "setsockopt")
    }
    try check(linux_bind(socket.rawValue, family, endpoint.raw), "bind")
    if kind == .stream {
      try check(listen(socket.rawValue, 4096) < 0 ? -errno : 0, "listen")
    }
    return socket
  }

  /// Makes a socket and begins to connect it; a failure may show only later.
  ///
  /// See connect(2).
  public static func connecting(
    _ kind: Kind, to endpoint: Endpoint
  ) throws(SystemCallError) -> OwnedDescriptor {
    let family = endpoint.family
    let socket = OwnedDescriptor(try check(linux_internet_socket(family, kind.type), "socket"))
    let result = linux_connect(socket.rawValue, family, endpoint.raw)
    if result != -EINPROGRESS { try check(result, "connect") }
    return socket
  }

  /// Whether this process can make sockets of IPv6: the kernel or a filter may lack or refuse them.
  ///
  /// See socket(2).
  public static var hasIPv6: Bool {
    let socket = linux_internet_socket(AF_INET6, Kind.datagram.type)
    if socket >= 0 { Descriptors.close(socket) }
    return socket >= 0
  }

  /// Makes a socket over IPv4 that is not connected.
  ///
  /// See socket(2).
  public static func unconnected(_ kind: Kind) throws(SystemCallError) -> OwnedDescriptor {
    OwnedDescriptor(try check(linux_internet_socket(AF_INET, kind.type), "socket"))
  }

  /// Begins to connect a socket that is not connected; a failure may show only later.
  ///
  /// See connect(2).
  public static func connect(_ number: CInt, to endpoint: Endpoint) throws(SystemCallError) {
    let result = linux_connect(number, endpoint.family, endpoint.raw)
    if result != -EINPROGRESS { try check(result, "connect") }
  }

  /// Ends the connection of a socket, by a reset unless both sides have ended, so that it can connect
  /// again.
  ///
  /// See connect(2), AF_UNSPEC.
  public static func disconnect(_ number: CInt) { _ = linux_disconnect(number) }

  /// Whether a socket has no connection, not even one of which something is still to be sent.
  ///
  /// See tcp(7), TCP_INFO.
  public static func isClosed(_ number: CInt) -> Bool { linux_is_closed(number) == 1 }

  /// Whether `address` is one of this machine: the kernel would send from it to itself.
  ///
  /// This tells the first address of each network on an interface; `RouteSocket` tells all.
  /// - Returns: nil if no route leads to it.
  public static func isOwn(_ address: IPAddress) throws(SystemCallError) -> Bool? {
    do throws(SystemCallError) {
      // Connecting a datagram socket sends nothing.
      let socket = try connecting(.datagram, to: Endpoint(address, 9))
      return local(socket.rawValue)?.address == address
    } catch {
      guard error.lacksRoute else { throw error }
      return nil
    }
  }

  /// The address and port of this end.
  ///
  /// See getsockname(2).
  public static func local(_ number: CInt) -> Endpoint? {
    var endpoint = linux_endpoint()
    guard unsafe linux_local_endpoint(number, &endpoint) == 0 else { return nil }
    return Endpoint(endpoint)
  }

  /// Accepts a connection.
  /// - Returns: The connection, or nil if none waits.
  ///
  /// See accept4(2).
  public static func accept(_ number: CInt) throws(SystemCallError) -> OwnedDescriptor? {
    try accept { linux_accept(number) }
  }

  /// Accepts a connection of the internet, and tells its other end.
  public static func accept(
    _ number: CInt, from peer: inout Endpoint?
  ) throws(SystemCallError) -> OwnedDescriptor? {
    var endpoint = linux_endpoint()
    let accepted = try accept { unsafe linux_accept_from(number, &endpoint) }
    peer = Endpoint(endpoint)
    return accepted
  }

  private static func accept(
    _ call: () -> CInt
  ) throws(SystemCallError) -> OwnedDescriptor? {
    while true {
      switch call() {
      case -EAGAIN: return nil
      // This one has ended already.
      case -ECONNABORTED, -EINTR: continue
      case let result: return OwnedDescriptor(try check(result, "accept4"))
      }
    }
  }

  /// Whether the connection has failed.
  ///
  /// See socket(7), SO_ERROR.
  public static func hasFailed(_ number: CInt) -> Bool { linux_socket_error(number) != 0 }

  /// Has small writes sent at once, and notices peers that vanish.
  ///
  /// See tcp(7).
  public static func tune(_ number: CInt) {
    _ = linux_set_option(number, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
    _ = linux_set_option(number, SOL_SOCKET, SO_KEEPALIVE, 1)
  }

  /// Has the end of the last descriptor send a reset to the peer, even if that is the end of this process.
  ///
  /// See socket(7), SO_LINGER.
  public static func resetOnClose(_ number: CInt) { _ = linux_set_reset_on_close(number, 1) }

  /// Undoes `resetOnClose`: the peer gets everything that was sent, and then the end.
  public static func endOnClose(_ number: CInt) { _ = linux_set_reset_on_close(number, 0) }

  /// Has the connections that a listener will accept hold less in the kernel than they otherwise may.
  ///
  /// What waits there grows colder than the processor's caches: between processes of one machine, streams are
  /// faster with little. See socket(7), SO_RCVBUF.
  public static func holdLittle(_ listener: CInt) {
    _ = linux_set_option(listener, SOL_SOCKET, SO_RCVBUF, 212_992)
  }

  /// Notices a peer that has ended and closed its socket, soon after its kernel has forgotten that.
  ///
  /// Such a peer cannot be told from one that still reads (tcp_fin_timeout); for one on this machine the
  /// packets cost nothing. See tcp(7), TCP_KEEPIDLE.
  public static func probeSoon(_ number: CInt) {
    _ = linux_set_option(number, CInt(IPPROTO_TCP), TCP_KEEPIDLE, 20)
    _ = linux_set_option(number, CInt(IPPROTO_TCP), TCP_KEEPINTVL, 20)
  }

  /// Tells the peer that nothing more is sent.
  ///
  /// See shutdown(2).
  public static func endSending(_ number: CInt) { _ = shutdown(number, CInt(SHUT_WR)) }

  /// Looks at what comes next in a stream, which stays there.
  public static func peek(_ number: CInt, into buffer: inout [UInt8]) -> Transfer {
    unsafe buffer.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return .failed }
      return unsafe Transfer(
        linux_receive_bytes(number, start, bytes.count, CInt(MSG_PEEK)))
    }
  }

  /// Drops the next `count` bytes of a stream.
  ///
  /// See tcp(7), MSG_TRUNC.
  public static func discard(_ number: CInt, _ count: Int) -> Transfer {
    Transfer(linux_receive_bytes(number, nil, count, CInt(MSG_TRUNC)))
  }

  /// Moves at most `count` bytes from a stream to a pipe or the other way, without a copy in this process.
  ///
  /// See splice(2).
  public static func splice(_ source: CInt, to destination: CInt, _ count: Int) -> Transfer {
    Transfer(linux_splice(source, destination, count))
  }

  /// Reads from a stream or a connected datagram socket.
  public static func read(_ number: CInt, into buffer: inout [UInt8]) -> Transfer {
    unsafe buffer.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return .failed }
      return unsafe Transfer(linux_receive_bytes(number, start, bytes.count, 0))
    }
  }

  /// Writes the first `count` bytes of `buffer`.
  public static func write(_ number: CInt, _ buffer: [UInt8], count: Int) -> Transfer {
    unsafe buffer.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress, count <= bytes.count else { return .failed }
      return unsafe Transfer(linux_send_bytes(number, start, count))
    }
  }

  /// Receives a datagram and its sender.
  public static func receive(
    _ number: CInt, into buffer: inout [UInt8]
  ) -> (Transfer, sender: Endpoint) {
    var sender = linux_endpoint()
    let result = unsafe buffer.withUnsafeMutableBytes { bytes -> Transfer in
      guard let start = bytes.baseAddress else { return .failed }
      return unsafe Transfer(linux_receive_from(number, start, bytes.count, &sender))
    }
    return (result, Endpoint(sender))
  }

  /// Sends a datagram; one that cannot be sent is lost.
  public static func send(_ number: CInt, _ bytes: [UInt8], to receiver: Endpoint) {
    unsafe bytes.withUnsafeBytes { buffer in
      guard let start = buffer.baseAddress else { return }
      _ = unsafe linux_send_to(number, receiver.family, start, buffer.count, receiver.raw)
    }
  }

  /// Receives a datagram at a socket that `bound` has made, its sender, and the address that it was sent
  /// to.
  public static func receivePacket(
    _ number: CInt, into buffer: inout [UInt8]
  ) -> (Transfer, sender: Endpoint, receiver: IPAddress) {
    var (sender, receiver) = (linux_endpoint(), linux_endpoint())
    let result = unsafe buffer.withUnsafeMutableBytes { bytes -> Transfer in
      guard let start = bytes.baseAddress else { return .failed }
      return unsafe Transfer(
        linux_receive_packet(number, start, bytes.count, &sender, &receiver))
    }
    return (result, Endpoint(sender), Endpoint(receiver).address)
  }

  /// Sends the first `count` bytes of `buffer` from such a socket and from `sender`; a datagram that
  /// cannot be sent is lost.
  public static func sendPacket(
    _ number: CInt, isIPv6: Bool, _ buffer: [UInt8], count: Int, from sender: IPAddress,
    to receiver: Endpoint
  ) {
    unsafe buffer.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress, count <= bytes.count else { return }
      _ = unsafe linux_send_packet(
        number, isIPv6 ? AF_INET6 : AF_INET, start, count, Endpoint(sender, 0).raw, receiver.raw)
    }
  }
}
