// SPDX-License-Identifier: Apache-2.0
// Datagrams: each pair of an address of the command and one that it sends to has a socket outside. Of a
// published port each sender outside has a socket inside; here that counts as outside.

internal import Linux
internal import Network
internal import SystemPackage
internal import Text

/// Receives the command's datagrams to a port, or those of others to a published port.
final class DatagramSocket: PacketWatcher {
  /// Whether it is a socket of IPv6, which may serve both families.
  let isIPv6: Bool
  private let port: UInt16
  /// The port inside to which it leads, if it is published.
  fileprivate let inside: UInt16?

  override var isPublished: Bool { inside != nil }

  init(_ number: CInt, isIPv6: Bool, inside: UInt16? = nil) {
    self.isIPv6 = isIPv6
    self.inside = inside
    port = InternetSocket.local(number)?.port ?? 0
    super.init(number)
  }

  override func receive(
    _ count: Int, from sender: Endpoint, at receiver: IPAddress, _ relay: Relay
  ) {
    relay.flow(from: sender, to: Endpoint(receiver, port), self).send(count, relay)
  }
}

/// Datagrams between an address of the command and one that it sends to.
final class Flow {
  let inside: Endpoint
  let target: Endpoint
  private let socket: DatagramSocket
  private var outside: FlowSocket?
  /// What the command has sent before it was decided where that leads.
  private var early: [[UInt8]] = []
  private(set) var isDecided = false
  private var decision: Decision?
  private var moved: (sent: UInt64, received: UInt64) = (0, 0)
  private(set) var lastUse: Int

  /// The most flows at a time; the one that was not used for longest makes room.
  static let most = 512
  /// How long one lasts without a datagram, in milliseconds.
  static let patience = 60_000
  /// How many datagrams wait for a decision, and their largest size: others are lost, as datagrams may
  /// be.
  private static let mostEarly = (number: 4, size: 2048)

  fileprivate init(_ inside: Endpoint, _ target: Endpoint, _ socket: DatagramSocket, _ now: Int) {
    (self.inside, self.target, self.socket, lastUse) = (inside, target, socket, now)
  }

  fileprivate func begin(_ relay: Relay) {
    if let port = socket.inside { return publish(port, relay) }
    relay.decide(target.address, Port(target.port, .udp)) { [weak self, unowned relay] decision in
      self?.connect(decision, relay)
    }
  }

  /// Leads to a port inside.
  private func publish(_ port: UInt16, _ relay: Relay) {
    isDecided = true
    let endpoint = Endpoint(IPAddress(v4: 127 << 24 | 1), port)
    guard let number = relay.takeDatagramSocket() else { return }
    let socket = FlowSocket(number, self)
    guard (try? InternetSocket.connect(number, to: endpoint)) != nil, relay.watch(socket, .input)
    else { return relay.giveBackDatagrams(socket) }
    outside = socket
  }

  private func connect(_ decision: Decision?, _ relay: Relay) {
    isDecided = true
    self.decision = decision
    let waiting = early
    early = []
    guard let endpoint = Flow.endpoint(of: decision, for: target.address),
      let number = try? InternetSocket.connecting(.datagram, to: endpoint).release()
      // The next datagram tries again.
    else { return relay.end(self) }
    let socket = FlowSocket(number, self)
    guard relay.watch(socket, .input) else {
      relay.drop(socket)
      return relay.end(self)
    }
    outside = socket
    for datagram in waiting { _ = InternetSocket.write(number, datagram, count: datagram.count) }
  }

  /// Where a flow to `target` leads: no answer may ever come, so that a program that tries both
  /// families itself gets the one that it uses.
  private static func endpoint(of decision: Decision?, for target: IPAddress) -> Endpoint? {
    guard let endpoints = decision?.endpoints else { return nil }
    let isV4 = target.v4 != nil
    return endpoints.first { ($0.address.v4 != nil) == isV4 } ?? endpoints.first
  }

  /// Sends what has been received: the first `count` bytes of the buffer.
  fileprivate func send(_ count: Int, _ relay: Relay) {
    lastUse = relay.now
    moved.sent &+= UInt64(count)
    if let outside {
      _ = InternetSocket.write(outside.number, relay.buffer, count: count)
    } else if !isDecided, early.count < Flow.mostEarly.number, count <= Flow.mostEarly.size {
      early.append(Array(relay.buffer[..<count]))
    }
  }

  /// Passes on an answer: the first `count` bytes of the buffer.
  fileprivate func receive(_ count: Int, _ relay: Relay) {
    lastUse = relay.now
    moved.received &+= UInt64(count)
    InternetSocket.sendPacket(
      socket.number, isIPv6: socket.isIPv6, relay.buffer, count: count, from: target.address,
      to: inside)
  }

  func end(_ relay: Relay) {
    if let decision {
      relay.log.ended(
        decision, outside == nil ? nil : Flow.endpoint(of: decision, for: target.address),
        sent: moved.sent, received: moved.received)
    }
    guard let outside else { return }
    if isPublished { relay.giveBackDatagrams(outside) } else { relay.drop(outside) }
    self.outside = nil
  }

  fileprivate var isPublished: Bool { socket.isPublished }
}

/// The socket outside of a flow.
private final class FlowSocket: Watcher {
  private unowned let flow: Flow
  private static let most = 64

  init(_ number: CInt, _ flow: Flow) {
    self.flow = flow
    super.init(number)
  }

  override func ready(_ relay: Relay) {
    for _ in 0..<FlowSocket.most {
      // A failure tells of an earlier datagram, which is lost.
      guard case .bytes(let count) = InternetSocket.read(number, into: &relay.buffer) else {
        return
      }
      flow.receive(count, relay)
    }
  }

  override func finish(_ relay: Relay) { flow.end(relay) }
}

extension Relay {
  /// The flow of a datagram; a new one if there is none.
  fileprivate func flow(
    from inside: Endpoint, to target: Endpoint, _ socket: DatagramSocket
  ) -> Flow {
    if let index = flows.firstIndex(where: { $0.inside == inside && $0.target == target }) {
      let flow = flows[index]
      // Those in use are found first.
      if index > 0 { flows.swapAt(index, index / 2) }
      return flow
    }
    if flows.count >= Flow.most, let oldest = flows.min(by: { $0.lastUse < $1.lastUse }) {
      end(oldest)
    }
    let flow = Flow(inside, target, socket, now)
    flows.append(flow)
    flow.begin(self)
    return flow
  }

  /// A socket inside, if need be that of the published flow that was not used for longest.
  fileprivate func takeDatagramSocket() -> CInt? {
    if datagramSockets.isEmpty,
      let oldest = flows.filter({ $0.isPublished }).min(by: { $0.lastUse < $1.lastUse })
    {
      end(oldest)
    }
    return datagramSockets.popLast()
  }

  fileprivate func end(_ flow: Flow) {
    flow.end(self)
    flows.removeAll { $0 === flow }
  }

  /// Ends the flows that have not been used for long.
  func endIdleFlows() {
    for flow in flows where now - flow.lastUse >= Flow.patience { end(flow) }
  }
}
