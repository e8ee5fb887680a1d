// SPDX-License-Identifier: Apache-2.0
// Ports of the host that lead inside.
//
// A socket can connect inside only if it was made there. The set-up therefore makes some before the
// command starts, and the relay reuses them: no process of it has to be inside.

public import Linux
public import Network
internal import SystemPackage
internal import Text

/// A socket that listens outside, and the port inside to which it leads.
public struct PublishedSocket: Sendable {
  /// The socket.
  public let number: CInt
  let inside: Port
  let isIPv6: Bool

  /// Listens at a port of the host, in the caller's network.
  public init(_ port: PublishedPort) throws(SystemCallError) {
    let isStream = port.transport == .tcp
    number = try InternetSocket.bound(
      isStream ? .stream : .datagram, to: Endpoint(port.address, port.port), again: isStream
    ).release()
    inside = Port(port.inside, port.transport)
    isIPv6 = port.address.v4 == nil
  }

  /// What looks after it.
  var watcher: Watcher {
    inside.transport == .tcp
      ? PublishedListener(number, inside: inside.number)
      : DatagramSocket(number, isIPv6: isIPv6, inside: inside.number)
  }
}

/// Unconnected sockets that were made inside.
struct SocketPool {
  /// How many there are, and so how many published connections at a time.
  static var size: Int { Refusal.mostPublished }

  private var free: [CInt] = []
  /// Sockets of ended connections, of which the kernel may still send something.
  private var closing: [CInt] = []

  /// Adds a new socket.
  mutating func add(_ number: CInt) { free.append(number) }

  /// A socket to connect; nil if all are in use.
  mutating func take() -> CInt? {
    if let number = free.popLast() { return number }
    guard let index = closing.firstIndex(where: { InternetSocket.isClosed($0) }) else { return nil }
    let number = closing.remove(at: index)
    InternetSocket.disconnect(number)
    return number
  }

  /// Takes a socket back, whose connection is reset unless it has ended in order.
  mutating func give(_ number: CInt, inOrder: Bool) {
    if inOrder {
      closing.append(number)
    } else {
      InternetSocket.disconnect(number)
      free.append(number)
    }
  }
}

/// Who has connected to a published port.
struct PublishedCaller {
  /// The other end's address.
  let address: IPAddress
  /// The port inside to which the connection leads.
  let inside: UInt16
}

/// Which published ports the command has served.
struct PublishedPortUse {
  private var served: [UInt16] = []
  /// The first who was refused at each port.
  private var refused: [PublishedCaller] = []

  /// Notes whether something listened at the port inside.
  mutating func note(_ caller: PublishedCaller, isServed: Bool) {
    if isServed {
      if !served.contains(caller.inside) { served.append(caller.inside) }
    } else if !refused.contains(where: { $0.inside == caller.inside }) {
      refused.append(caller)
    }
  }

  /// Refusals at ports that were never served: a server may start late, or end early.
  var refusals: [Refusal] {
    refused.compactMap { caller in
      served.contains(caller.inside)
        ? nil
        : Refusal(
          .unserved, "127.0.0.1", port: Port(caller.inside), address: caller.address.text)
    }
  }
}

/// Accepts connections to a published port.
final class PublishedListener: Watcher {
  private let inside: UInt16
  private static let most = 64

  override var isPublished: Bool { true }

  init(_ number: CInt, inside: UInt16) {
    self.inside = inside
    super.init(number)
  }

  override func ready(_ relay: Relay) {
    for _ in 0..<PublishedListener.most {
      do throws(SystemCallError) {
        var peer: Endpoint?
        guard let socket = try InternetSocket.accept(number, from: &peer), let peer else { return }
        let caller = PublishedCaller(address: peer.address, inside: inside)
        Connection.publish(socket.release(), caller, relay)
      } catch {
        relay.pause(self)
        return
      }
    }
  }
}
