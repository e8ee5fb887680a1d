// SPDX-License-Identifier: Apache-2.0
// Ports of the host that lead inside.
//
// A socket can connect inside only if it was made there. The set-up therefore makes some before the
// command starts, and the relay reuses them: no process of it has to be inside.

internal import Linux
internal import Network
internal import SystemPackage
internal import Text

/// Unconnected sockets that were made inside.
struct SocketPool {
  /// How many there are, and so how many published connections at a time.
  static let size = 64

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

/// Accepts connections to a published port.
final class PublishedListener: Watcher {
  private let inside: UInt16
  private static let most = 64

  init(_ number: CInt, inside: UInt16) {
    self.inside = inside
    super.init(number)
  }

  override func ready(_ relay: Relay) {
    for _ in 0..<PublishedListener.most {
      do throws(SystemCallError) {
        guard let socket = try InternetSocket.accept(number) else { return }
        Connection.publish(socket.release(), inside, relay)
      } catch {
        relay.pause(self)
        return
      }
    }
  }
}
