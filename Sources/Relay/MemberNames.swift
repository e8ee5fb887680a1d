// SPDX-License-Identifier: Apache-2.0
// Names of members, for a command that also has a relay: its only name service is the relay's, which first asks
// that of the network. Else a rule such as `*` would hide the members, and lead to hosts with their names.

internal import Linux
internal import Network
internal import Text

extension Relay {
  /// Takes the socket that is connected to the network's name service.
  func takeMemberNames(_ number: CInt) -> Watcher {
    let names = MemberNames(number)
    memberNames = names
    return names
  }
}

/// The name service of a network that the sandbox shares with others.
final class MemberNames: Watcher {
  /// Questions without an answer yet: the number that each has there, and what to do with the answer.
  private var asked: [(number: UInt16, original: ArraySlice<UInt8>, reply: ([UInt8]?) -> Void)] = []
  private var next: UInt16 = 0

  /// How many questions wait; of more, the oldest get no answer.
  private static let most = 64

  /// Whether a member may go by `name`: it has no dot, or ends in the network's name.
  func knows(_ name: DomainName, _ relay: Relay) -> Bool {
    name.dots == 0 || relay.network.map { name.isBelow($0) } == true
  }

  /// Asks about a name; `reply` gets the answer, or nil if no member has the name.
  func ask(_ message: [UInt8], _ reply: @escaping ([UInt8]?) -> Void) {
    next &+= 1
    var message = message
    let original = message[..<2]
    (message[0], message[1]) = (UInt8(next >> 8), UInt8(next & 0xff))
    // The network has ended.
    guard case .bytes = InternetSocket.write(number, message, count: message.count) else {
      return reply(nil)
    }
    if asked.count == MemberNames.most { asked.removeFirst() }
    asked.append((next, original, reply))
  }

  override func ready(_ relay: Relay) {
    for _ in 0..<MemberNames.most {
      guard case .bytes(let count) = InternetSocket.read(number, into: &relay.buffer), count >= 2
      else {
        return
      }
      let given = UInt16(relay.buffer[0]) << 8 | UInt16(relay.buffer[1])
      guard let place = asked.firstIndex(where: { $0.number == given }) else { continue }
      let (_, original, reply) = asked.remove(at: place)
      // The code of the answer: an error is one about the name.
      let isFound = count > 3 && relay.buffer[3] & 0xf == 0
      reply(isFound ? Array(original) + relay.buffer[2..<count] : nil)
    }
  }
}
