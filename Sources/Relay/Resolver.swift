// SPDX-License-Identifier: Apache-2.0
// Finds the addresses of names outside: by the host's file hosts, or from its name servers.

internal import Linux
internal import Network
internal import SystemPackage
internal import Text

/// Look-ups of names, several at a time.
final class Resolver {
  /// What a look-up has found.
  enum Result {
    /// Addresses, the ones to try first in front.
    case found([IPAddress])
    /// There is no such name, or it has no address.
    case none
    /// The name servers did not tell; nil if nestbox could not ask them.
    case failed(NetworkPolicy.Reason?)
  }

  /// What to do with a result.
  typealias Completion = (Relay, Result) -> Void

  let settings: ResolverSettings
  private var lookups: [Lookup] = []
  /// Those that begin once others have ended.
  private var waiting: [Lookup] = []
  private var isStarting = false
  private var known: [(name: DomainName, addresses: [IPAddress], until: Int)] = []

  /// The most look-ups at a time, and the most who wait for one of them.
  private static let most = 64
  private static let mostWaiting = 1024
  private static let mostKnown = 256

  init(_ settings: ResolverSettings) { self.settings = settings }

  /// Finds the addresses of `name`, at once or later.
  func find(_ name: DomainName, _ relay: Relay, _ completion: @escaping Completion) {
    let addresses = settings.addresses(of: name)
    if !addresses.isEmpty { return completion(relay, .found(addresses)) }
    if let entry = known.first(where: { $0.name == name && $0.until > relay.now }) {
      return completion(relay, .found(entry.addresses))
    }
    if let lookup = (lookups + waiting).first(where: { $0.name == name }) {
      // The others ask again.
      guard lookup.completions.count < Resolver.most else { return completion(relay, .failed(nil)) }
      lookup.completions.append(completion)
      return
    }
    let lookup = Lookup(name, settings.candidates(for: name), completion)
    guard lookups.count < Resolver.most else {
      guard waiting.count < Resolver.mostWaiting else { return completion(relay, .failed(nil)) }
      return waiting.append(lookup)
    }
    lookups.append(lookup)
    lookup.ask(self, relay)
  }

  /// Notes what a look-up has found, and tells those who wait for it.
  fileprivate func end(_ lookup: Lookup, _ result: Result, _ lifetime: UInt32, _ relay: Relay) {
    lookups.removeAll { $0 === lookup }
    if case .found(let addresses) = result {
      known.removeAll { $0.name == lookup.name || $0.until <= relay.now }
      if known.count >= Resolver.mostKnown { known = [] }
      known.append((lookup.name, addresses, relay.now + Int(lifetime) * 1000))
    }
    if case .failed(let reason?) = result { relay.tell(Refusal(reason, lookup.name.text)) }
    for completion in lookup.completions { completion(relay, result) }
    startWaiting(relay)
  }

  /// Begins look-ups that wait.
  ///
  /// One that ends at once comes back here, and is left to the loop that runs.
  private func startWaiting(_ relay: Relay) {
    guard !isStarting else { return }
    isStarting = true
    while lookups.count < Resolver.most, !waiting.isEmpty {
      let next = waiting.removeFirst()
      lookups.append(next)
      next.ask(self, relay)
    }
    isStarting = false
  }

  /// Tells of the look-ups that have no result when the relay ends: a name server may have got the name already,
  /// and the log has every name that leaves this machine.
  func finish(_ relay: Relay) {
    for lookup in lookups + waiting {
      relay.log.lookUp(lookup.name.text, lookup.failure)
      if let failure = lookup.failure { relay.tell(Refusal(failure, lookup.name.text)) }
    }
  }

  /// When something has to be done next.
  var nextTime: Int { lookups.reduce(Int.max) { min($0, $1.deadline) } }

  func handleTimes(_ relay: Relay) {
    guard nextTime <= relay.now else { return }
    for lookup in lookups where lookup.deadline <= relay.now {
      lookup.timeIsUp(self, relay)
    }
  }
}

/// One look-up: the name in each search domain, at each server, twice.
private final class Lookup {
  var completions: [Resolver.Completion]
  private(set) var deadline = Int.max
  private var candidates: ArraySlice<DomainName>
  private var attempt = 0
  private var server: Endpoint?
  private var queries: [DNSQuery] = []
  private var answers: [DNSQuery.Answer?] = [nil, nil]
  /// What was wrong with the last attempt; nil during the first one.
  private(set) var failure: NetworkPolicy.Reason?
  private var socket: LookupSocket?
  /// Where the rest of an answer is fetched that did not fit in a datagram.
  private var streams: [LookupStream] = []
  let name: DomainName

  /// How long a server may take, and how long for the other family once one has addresses.
  private static let patience: (each: Int, second: Int) = (2000, 150)
  private static let rounds = 2

  init(
    _ name: DomainName, _ candidates: [DomainName], _ completion: @escaping Resolver.Completion
  ) {
    self.name = name
    self.candidates = candidates[...]
    completions = [completion]
  }

  /// Asks the next server; ends the look-up if none is left.
  func ask(_ resolver: Resolver, _ relay: Relay) {
    let servers = resolver.settings.servers
    while let name = candidates.first, attempt < servers.count * Lookup.rounds {
      let server = Endpoint(servers[attempt % servers.count], 53)
      self.server = server
      // Some old servers know no options.
      let hasOptions = attempt < servers.count
      attempt += 1
      answers = [nil, nil]
      guard let random = try? CurrentProcess.randomNumber(), let number = connect(to: server)
      else { continue }
      let socket = LookupSocket(number, self)
      queries = [
        DNSQuery(
          UInt16(truncatingIfNeeded: random), name, DNSType.a, hasOptions: hasOptions),
        DNSQuery(
          UInt16(truncatingIfNeeded: random >> 16), name, DNSType.aaaa, hasOptions: hasOptions),
      ]
      // If no server is there, the second one may learn that of the first, and then no read does.
      let isSent = queries.allSatisfy {
        InternetSocket.write(number, $0.bytes, count: $0.bytes.count) != .failed
      }
      if !isSent { failure = .nameServersSilent }
      guard isSent, relay.watch(socket, .input) else {
        relay.drop(socket)
        continue
      }
      self.socket = socket
      deadline = relay.now + Lookup.patience.each
      return
    }
    end(.failed(failure), 0, relay)
  }

  /// A socket for datagrams to `server`; nil if there is none, or no way to the server.
  private func connect(to server: Endpoint) -> CInt? {
    do throws(SystemCallError) {
      return try InternetSocket.connecting(.datagram, to: server).release()
    } catch {
      // Other failures, such as a lack of descriptors, are not the server's.
      if error.lacksRoute { failure = .nameServersSilent }
      return nil
    }
  }

  /// Reads answers.
  func ready(_ relay: Relay) {
    while let socket {
      switch InternetSocket.read(socket.number, into: &relay.buffer) {
      case .wouldWait: return
      // No server is there.
      case .failed: return askAgain(relay.resolver, relay)
      case .bytes(let count):
        for index in queries.indices {
          if let answer = queries[index].answer(relay.buffer[..<count]) {
            note(answer, index, relay)
          }
        }
        judge(relay)
      }
    }
  }

  private func note(_ answer: DNSQuery.Answer, _ index: Int, _ relay: Relay) {
    guard answer.isCut else { return answers[index] = answer }
    guard answers[index] == nil, !streams.contains(where: { $0.index == index }), let server else {
      return
    }
    guard let number = try? InternetSocket.connecting(.stream, to: server).release() else {
      return answers[index] = answer
    }
    let stream = LookupStream(number, self, queries[index], answer, index)
    streams.append(stream)
    if !relay.watch(stream, .changes) { end(stream, nil, relay) }
  }

  /// Takes the whole answer, or, without one, the part that fitted in a datagram.
  fileprivate func end(_ stream: LookupStream, _ answer: DNSQuery.Answer?, _ relay: Relay) {
    streams.removeAll { $0 === stream }
    relay.drop(stream)
    answers[stream.index] = answer ?? stream.part
    judge(relay)
  }

  private func judge(_ relay: Relay) {
    let arrived = answers.compactMap { $0 }
    let isFound = arrived.contains { !$0.addresses.isEmpty }
    guard arrived.count == answers.count else {
      if isFound { deadline = min(deadline, relay.now + Lookup.patience.second) }
      return
    }
    if isFound { return found(relay) }
    // A part without addresses does not tell that the name has none.
    guard arrived.allSatisfy({ !$0.isCut && ($0.code == .fine || $0.code == .noName) }) else {
      return askAgain(relay.resolver, relay, after: .nameServersFailed)
    }
    _ = candidates.popFirst()
    (attempt, failure) = (0, nil)
    closeSocket(relay)
    if candidates.isEmpty { end(.none, 0, relay) } else { ask(relay.resolver, relay) }
  }

  /// Ends with the addresses that have arrived, the families in turn.
  private func found(_ relay: Relay) {
    let v4 = answers[0]?.addresses ?? []
    let v6 = answers[1]?.addresses ?? []
    var addresses: [IPAddress] = []
    for index in 0..<max(v4.count, v6.count) {
      if index < v6.count { addresses.append(v6[index]) }
      if index < v4.count { addresses.append(v4[index]) }
    }
    let lifetime = answers.compactMap { $0?.lifetime }.min() ?? 0
    end(.found(addresses), max(lifetime, 1), relay)
  }

  func timeIsUp(_ resolver: Resolver, _ relay: Relay) {
    for stream in streams where answers[stream.index] == nil {
      answers[stream.index] = stream.part
    }
    if answers.contains(where: { $0?.addresses.isEmpty == false }) { return found(relay) }
    askAgain(resolver, relay)
  }

  private func askAgain(
    _ resolver: Resolver, _ relay: Relay, after failure: NetworkPolicy.Reason = .nameServersSilent
  ) {
    self.failure = failure
    closeSocket(relay)
    ask(resolver, relay)
  }

  private func closeSocket(_ relay: Relay) {
    if let socket { relay.drop(socket) }
    socket = nil
    for stream in streams { relay.drop(stream) }
    streams = []
  }

  private func end(_ result: Resolver.Result, _ lifetime: UInt32, _ relay: Relay) {
    closeSocket(relay)
    deadline = .max
    relay.resolver.end(self, result, lifetime, relay)
    completions = []
  }
}

/// The socket of a look-up.
private final class LookupSocket: Watcher {
  private let lookup: Lookup

  init(_ number: CInt, _ lookup: Lookup) {
    self.lookup = lookup
    super.init(number)
  }

  override func ready(_ relay: Relay) { lookup.ready(relay) }
}

/// A stream on which a name server gives the whole of an answer.
private final class LookupStream: Watcher {
  let index: Int
  /// The part of the answer that came in a datagram.
  let part: DNSQuery.Answer
  private unowned let lookup: Lookup
  private let query: DNSQuery
  private var isAsked = false
  private var unread: [UInt8] = []

  init(
    _ number: CInt, _ lookup: Lookup, _ query: DNSQuery, _ part: DNSQuery.Answer, _ index: Int
  ) {
    (self.lookup, self.query, self.part, self.index) = (lookup, query, part, index)
    super.init(number)
  }

  override func ready(_ relay: Relay) {
    if !isAsked {
      let count = query.bytes.count
      let bytes = [UInt8(count >> 8), UInt8(count & 0xff)] + query.bytes
      switch InternetSocket.write(number, bytes, count: bytes.count) {
      // It is not connected yet.
      case .wouldWait: return
      case .bytes(bytes.count): isAsked = true
      default: return lookup.end(self, nil, relay)
      }
    }
    while true {
      switch InternetSocket.read(number, into: &relay.buffer) {
      case .wouldWait: return
      case .failed, .bytes(0): return lookup.end(self, nil, relay)
      // At most two bytes and 65 535 are kept.
      case .bytes(let count): unread += relay.buffer[..<count].prefix(65_537 - unread.count)
      }
      guard unread.count >= 2 else { continue }
      let end = 2 + Int(unread[0]) << 8 + Int(unread[1])
      if unread.count >= end { return lookup.end(self, query.answer(unread[2..<end]), relay) }
    }
  }
}
