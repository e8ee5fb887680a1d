// SPDX-License-Identifier: Apache-2.0
// The name service inside: it knows the names that rules allow, and gives each an address that leads
// to the relay.

internal import Linux
internal import Network
internal import SystemPackage
internal import Text

extension Relay {
  /// Answers a message of a program; `reply` gets the answer, at once or later.
  func answer(_ message: ArraySlice<UInt8>, _ reply: @escaping ([UInt8]) -> Void) {
    let question: DNSQuestion
    switch DNSQuestion.read(message) {
    case .ignored: return
    case .rejected(let answer): return reply(answer)
    case .question(let read): question = read
    }
    guard let name = question.name else {
      log.lookUp(question.text, .unnamed)
      return reply(question.answer(.noName))
    }
    if name.isLocalhost {
      return reply(
        answer(question, IPAddress(v4: 127 << 24 | 1), IPAddress(high: 0, low: 1)))
    }
    guard let memberNames, memberNames.knows(name, self), !policy.isPinned(name) else {
      return answer(question, about: name, reply)
    }
    memberNames.ask(Array(message), self) { [unowned self] answer in
      switch answer {
      case .found(let bytes): reply(bytes)
      case .none: self.answer(question, about: name, reply)
      case .failed: reply(question.answer(.failed))
      }
    }
  }

  /// Answers a question about a host outside.
  private func answer(
    _ question: DNSQuestion, about name: DomainName, _ reply: @escaping ([UInt8]) -> Void
  ) {
    if let reason = policy.refusal(ofLookup: name) {
      if name == ownName {
        // As in the sandbox's file hosts. Programs ask for it without need, such as for an address of IPv6.
        let isAddress = [DNSType.a, DNSType.any].contains(question.type)
        return reply(question.answer(isAddress ? [IPAddress(v4: 127 << 24 | 1 << 8 | 1)] : []))
      }
      // Programs ask for the names of addresses without need.
      if !name.isReverse { tell(Refusal(reason, name.text)) }
      log.lookUp(name.text, reason)
      return reply(question.answer(.noName, prohibition: "nestbox: not named by --net-allow"))
    }
    // Pass nothing else on: a record could lead past the relay, and a name could carry data out.
    guard [DNSType.a, DNSType.aaaa, DNSType.any].contains(question.type) else {
      return reply(question.answer([]))
    }
    if policy.isPinned(name) {
      log.lookUp(name.text, nil, isFound: true)
      note(ReachedHost(name.text, nil))
      return reply(answer(question, name))
    }
    resolver.find(name, self) { relay, result in
      switch result {
      case .found:
        relay.log.lookUp(name.text, nil, isFound: true)
        relay.note(ReachedHost(name.text, nil))
        reply(relay.answer(question, name))
      case .none:
        relay.log.lookUp(name.text, nil)
        reply(question.answer(.noName))
      case .failed(let reason):
        relay.log.lookUp(name.text, reason)
        reply(question.answer(.failed))
      }
    }
  }

  private func answer(_ question: DNSQuestion, _ name: DomainName) -> [UInt8] {
    guard let addresses = table.addresses(of: name) else {
      tellFull(name.text)
      return question.answer(.failed)
    }
    return answer(question, addresses.v4, addresses.v6)
  }

  private func answer(_ question: DNSQuestion, _ v4: IPAddress, _ v6: IPAddress) -> [UInt8] {
    var addresses: [IPAddress] = []
    if question.type != DNSType.aaaa { addresses.append(v4) }
    if question.type != DNSType.a, hasIPv6 { addresses.append(v6) }
    let isOther = ![DNSType.a, DNSType.aaaa, DNSType.any].contains(question.type)
    return question.answer(isOther ? [] : addresses)
  }
}

/// The name service for datagrams.
final class NameSocket: PacketWatcher {
  override func receive(
    _ count: Int, from sender: Endpoint, at receiver: IPAddress, _ relay: Relay
  ) {
    let number = self.number
    relay.answer(relay.buffer[..<count]) { InternetSocket.send(number, $0, to: sender) }
  }
}

/// Accepts streams to the name service.
final class NameListener: Watcher {
  private static let most = 64

  override func ready(_ relay: Relay) {
    do throws(SystemCallError) {
      while let socket = try InternetSocket.accept(number) {
        guard relay.nameStreams.count < NameListener.most else { continue }
        let stream = NameStream(socket.release(), deadline: relay.now + NameStream.patience)
        guard relay.watch(stream, .input) else {
          relay.drop(stream)
          continue
        }
        relay.nameStreams.append(stream)
      }
    } catch {
      switch error.errno {
      case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .noBufferSpace:
        relay.pause(self)
      default: relay.drop(self)
      }
    }
  }
}

/// A stream to the name service: questions, each after its length.
final class NameStream: Watcher {
  /// When it ends, unless a question arrives.
  private(set) var deadline: Int
  private var unread: [UInt8] = []
  private var isOpen = true

  /// How long a program may take for a question, in milliseconds.
  static let patience = 5000
  /// Questions are short.
  private static let longest = 4096

  init(_ number: CInt, deadline: Int) {
    self.deadline = deadline
    super.init(number)
  }

  override func ready(_ relay: Relay) {
    guard isOpen else { return }
    switch InternetSocket.read(number, into: &relay.buffer) {
    case .wouldWait: return
    case .failed, .bytes(0): return end(relay)
    case .bytes(let count): unread += relay.buffer[..<count]
    }
    while isOpen, unread.count >= 2 {
      let length = Int(unread[0]) << 8 | Int(unread[1])
      guard length <= NameStream.longest else { return end(relay) }
      guard unread.count >= length + 2 else { break }
      let message = unread[2..<(length + 2)]
      unread.removeFirst(length + 2)
      deadline = relay.now + NameStream.patience
      relay.answer(message) { [weak self, unowned relay] in self?.send($0, relay) }
    }
    if unread.count > NameStream.longest + 2 { end(relay) }
  }

  /// Sends an answer, and closes the stream of a program that does not read answers.
  private func send(_ answer: [UInt8], _ relay: Relay) {
    guard isOpen else { return }
    let bytes = [UInt8(truncatingIfNeeded: answer.count >> 8), UInt8(answer.count & 0xff)] + answer
    if InternetSocket.write(number, bytes, count: bytes.count) != .bytes(bytes.count) { end(relay) }
  }

  func end(_ relay: Relay) {
    guard isOpen else { return }
    isOpen = false
    relay.nameStreams.removeAll { $0 === self }
    relay.drop(self)
  }
}
