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
  /// What it says about a name.
  enum Answer {
    /// An answer to the program.
    case found([UInt8])
    /// No member has the name.
    case none
    /// It does not tell: a host outside that has the name is not asked for either.
    case failed
  }

  typealias Reply = (Answer) -> Void

  /// Questions that were passed on, in order: the number that each has there, the program's own, until when an
  /// answer may come, and what to do with it.
  private var asked: [(number: UInt16, original: ArraySlice<UInt8>, deadline: Int, reply: Reply)] =
    []
  /// Those that are passed on once others have an answer.
  private var waiting: [(message: [UInt8], reply: Reply)] = []
  private var next: UInt16 = 0

  /// How many questions are asked at a time, as the socket of the service has room for some hundred of all members,
  /// how many wait, and the most bytes of one: programs send no longer ones.
  private static let most = (asked: 64, waiting: 1024, bytes: 512)
  /// How long an answer may take, in milliseconds: a datagram may be lost, and programs ask again after 5 s.
  private static let patience = 4000

  /// Whether a member may go by `name`: it has no dot, or ends in the network's name.
  func knows(_ name: DomainName, _ relay: Relay) -> Bool {
    name.dots == 0 || relay.network.map { name.isBelow($0) } == true
  }

  /// Asks about a name; `reply` gets the answer, at once or later.
  func ask(_ message: [UInt8], _ relay: Relay, _ reply: @escaping Reply) {
    guard waiting.count < MemberNames.most.waiting, message.count <= MemberNames.most.bytes else {
      return reply(.failed)
    }
    waiting.append((message, reply))
    askWaiting(relay)
  }

  private func askWaiting(_ relay: Relay) {
    while asked.count < MemberNames.most.asked, !waiting.isEmpty {
      let (question, reply) = waiting.removeFirst()
      var message = question
      next &+= 1
      let original = question[..<2]
      (message[0], message[1]) = (UInt8(next >> 8), UInt8(next & 0xff))
      switch InternetSocket.write(number, message, count: message.count) {
      case .bytes: asked.append((next, original, relay.now + MemberNames.patience, reply))
      case .wouldWait: reply(.failed)
      // The network has ended.
      case .failed: reply(.none)
      }
    }
  }

  /// When something has to be done next.
  var nextTime: Int { asked.first?.deadline ?? .max }

  /// Gives up questions without an answer.
  func handleTimes(_ relay: Relay) {
    while nextTime <= relay.now { asked.removeFirst().reply(.failed) }
    askWaiting(relay)
  }

  override func ready(_ relay: Relay) {
    for _ in 0..<MemberNames.most.asked {
      guard case .bytes(let count) = InternetSocket.read(number, into: &relay.buffer), count >= 2
      else { break }
      let given = UInt16(relay.buffer[0]) << 8 | UInt16(relay.buffer[1])
      guard let place = asked.firstIndex(where: { $0.number == given }) else { continue }
      let (_, original, _, reply) = asked.remove(at: place)
      // The code of the answer: an error is one about the name.
      let isFound = count > 3 && relay.buffer[3] & 0xf == 0
      reply(isFound ? .found(Array(original) + relay.buffer[2..<count]) : .none)
    }
    askWaiting(relay)
  }
}
