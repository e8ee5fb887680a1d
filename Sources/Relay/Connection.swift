// SPDX-License-Identifier: Apache-2.0
// A connection of the command, and the connection outside that it is joined to.

internal import Linux
internal import Network
internal import SystemPackage
internal import Text

/// A connection through the relay.
///
/// The command connects to the outside, or, through a published port, a program outside connects to
/// the command. In both cases the side that was accepted is called inside.
///
/// It keeps no bytes: what one side cannot take yet stays in the kernel, in the buffer of the other or in a pipe.
final class Connection {
  private let inside: Side
  private var outside: Side?
  /// Where it may still lead.
  private var candidates: ArraySlice<Endpoint> = []
  private var attempts: [Attempt] = []
  private var nextAttempt = Int.max
  private var deadline: Int
  private var isOpen = true
  /// Who has connected to a published port; nil for a connection of the command.
  private var caller: PublishedCaller?
  /// Both directions.
  private var (toOutside, toInside) = (Way(), Way())
  private var decision: Decision?
  /// Where it leads, once it does.
  private var endpoint: Endpoint?

  /// How long the outside may take to answer, and how long before another address is tried as well.
  ///
  /// See RFC 8305.
  private static let patience: (all: Int, each: Int) = (30_000, 250)

  private init(_ socket: CInt, _ relay: Relay) {
    inside = Side(socket)
    // Until both sides have ended in order: if the relay is killed, neither may take a part for the whole.
    InternetSocket.resetOnClose(socket)
    deadline = relay.now + Connection.patience.all
    inside.connection = self
    relay.connections += 1
    relay.waiting.append(self)
  }

  // MARK: Admission

  /// Decides where an accepted connection leads: refused ones are reset.
  static func admit(_ socket: CInt, _ relay: Relay) {
    guard let target = InternetSocket.local(socket), relay.hasRoom(for: target) else {
      InternetSocket.resetOnClose(socket)
      return Descriptors.close(socket)
    }
    let connection = Connection(socket, relay)
    relay.decide(target.address, Port(target.port)) { [unowned relay] decision in
      connection.connect(decision, relay)
    }
  }

  /// Leads a connection to a published port inside.
  static func publish(_ socket: CInt, _ caller: PublishedCaller, _ relay: Relay) {
    let hasRoom = relay.connections < relay.mostConnections
    guard hasRoom, let number = relay.pool.take() else {
      let reason = hasRoom ? NetworkPolicy.Reason.fullPublished : .full
      relay.tellFull("127.0.0.1", Port(caller.inside), reason)
      relay.log.refused(caller, reason)
      InternetSocket.resetOnClose(socket)
      return Descriptors.close(socket)
    }
    let connection = Connection(socket, relay)
    connection.caller = caller
    let endpoint = Endpoint(IPAddress(v4: 127 << 24 | 1), caller.inside)
    let attempt = Attempt(number, endpoint, connection)
    connection.attempts = [attempt]
    guard (try? InternetSocket.connect(number, to: endpoint)) != nil, relay.watch(attempt, .output)
    else { return connection.fail(relay) }
  }

  // MARK: The outside

  /// Connects to the first endpoint that answers: exactly to these, without another look-up.
  private func connect(_ decision: Decision?, _ relay: Relay) {
    guard isOpen else { return }
    self.decision = decision
    candidates = (decision?.endpoints ?? [])[...]
    tryNext(relay)
  }

  private func tryNext(_ relay: Relay) {
    nextAttempt = .max
    while let endpoint = candidates.popFirst() {
      guard let socket = try? InternetSocket.connecting(.stream, to: endpoint) else { continue }
      let attempt = Attempt(socket.release(), endpoint, self)
      guard relay.watch(attempt, .output) else {
        relay.drop(attempt)
        continue
      }
      attempts.append(attempt)
      if !candidates.isEmpty { nextAttempt = relay.now + Connection.patience.each }
      return
    }
    if attempts.isEmpty { giveUp(relay) }
  }

  /// When something has to be done next.
  var nextTime: Int { min(nextAttempt, deadline) }

  /// Does what the time demands.
  func timeIsUp(_ relay: Relay) {
    if deadline <= relay.now { giveUp(relay) } else { tryNext(relay) }
  }

  /// An attempt has succeeded or failed.
  fileprivate func settle(_ attempt: Attempt, _ relay: Relay) {
    attempts.removeAll { $0 === attempt }
    let hasFailed = InternetSocket.hasFailed(attempt.number)
    if let caller { relay.portUse.note(caller, isServed: !hasFailed) }
    guard !hasFailed else {
      leave(attempt, relay)
      return tryNext(relay)
    }
    for other in attempts { leave(other, relay) }
    attempts = []
    relay.waiting.removeAll { $0 === self }
    InternetSocket.resetOnClose(attempt.number)
    let side = Side(attempt.number)
    side.connection = self
    outside = side
    endpoint = attempt.endpoint
    InternetSocket.tune(inside.number)
    InternetSocket.tune(side.number)
    // A client that has closed both directions would keep its place.
    if caller == nil { InternetSocket.probeSoon(inside.number) }
    guard relay.rewatch(side, .changes), relay.watch(inside, .changes) else { return fail(relay) }
    move(relay)
  }

  // MARK: Bytes

  /// Moves what can be moved, in both directions.
  func move(_ relay: Relay) {
    guard isOpen, let outside else { return }
    let up = toOutside.move(inside.number, outside.number, relay)
    let down = toInside.move(outside.number, inside.number, relay)
    if up == .failed || down == .failed { return fail(relay) }
    if hasEnded { return end(outside, relay) }
    if up == .more || down == .more { relay.continueLater(self) }
  }

  // MARK: The end

  /// Whether both sides have sent everything.
  private var hasEnded: Bool { toOutside.hasEnded && toInside.hasEnded }

  /// Ends both sides in order.
  private func end(_ outside: Side, _ relay: Relay) {
    InternetSocket.endOnClose(inside.number)
    InternetSocket.endOnClose(outside.number)
    close(relay)
  }

  /// Closes a socket of the other side, or gives it back.
  private func leave(_ watcher: Watcher, _ relay: Relay) {
    guard caller != nil else { return relay.drop(watcher) }
    relay.giveBack(watcher, inOrder: hasEnded)
  }

  /// Tells that nothing answers: the command sees a connection that was reset.
  private func giveUp(_ relay: Relay) {
    if let decision, let endpoint = decision.endpoints.first {
      let place = Refusal.place(endpoint.address.text, String(endpoint.port))
      relay.tell(Refusal(.unanswered, decision.host, port: decision.port, address: place))
    }
    fail(relay)
  }

  /// Resets both sides.
  func fail(_ relay: Relay) {
    if isOpen { close(relay) }
  }

  private func close(_ relay: Relay) {
    isOpen = false
    if let decision {
      relay.log.ended(decision, endpoint, sent: toOutside.moved, received: toInside.moved)
    }
    if let caller {
      relay.log.ended(
        caller, isConnected: outside != nil, sent: toInside.moved, received: toOutside.moved)
    }
    relay.waiting.removeAll { $0 === self }
    relay.connections -= 1
    toOutside.leave(relay)
    toInside.leave(relay)
    for attempt in attempts { leave(attempt, relay) }
    relay.drop(inside)
    if let outside { leave(outside, relay) }
    // The sides refer to the connection, and it to them.
    inside.connection = nil
    outside?.connection = nil
    (attempts, outside) = ([], nil)
  }
}

/// One end of a connection.
private final class Side: Watcher {
  var connection: Connection?

  override func ready(_ relay: Relay) { connection?.move(relay) }

  override func finish(_ relay: Relay) { connection?.fail(relay) }
}

/// An attempt to connect to an address outside.
private final class Attempt: Watcher {
  let endpoint: Endpoint
  private let connection: Connection

  init(_ number: CInt, _ endpoint: Endpoint, _ connection: Connection) {
    (self.endpoint, self.connection) = (endpoint, connection)
    super.init(number)
  }

  override func ready(_ relay: Relay) { connection.settle(self, relay) }
}
