// SPDX-License-Identifier: Apache-2.0
// The relay: one loop over all sockets. It never waits for a single socket, bounds everything that
// the command can make it keep, and leaves each decision to the policy.

internal import Linux
internal import Network
internal import SystemPackage
internal import Text

/// A descriptor and what to do when something happens to it.
class Watcher {
  /// The descriptor, which `Relay.drop` closes.
  let number: CInt

  init(_ number: CInt) { self.number = number }

  /// Whether it is a port of the host.
  var isPublished: Bool { false }

  /// Handles what has happened; it may be less than it seems, as numbers are used again.
  func ready(_ relay: Relay) {}

  /// Notes what it has done, as nothing lives inside any more.
  func finish(_ relay: Relay) {}
}

/// A socket of datagrams or packets.
class PacketWatcher: Watcher {
  /// How many receptions have failed in a row.
  private var failures = 0
  /// How many are read before others have their turn.
  private static let most = 64

  /// Receives the datagrams, one after the other.
  final override func ready(_ relay: Relay) {
    for _ in 0..<PacketWatcher.most where relay.isWatching(self) {
      let (transfer, sender, receiver) = InternetSocket.receivePacket(number, into: &relay.buffer)
      guard case .bytes(let count) = transfer else {
        // An error of an earlier answer is reported once. A command with CAP_NET_ADMIN can destroy the
        // socket; then there is nothing more to read.
        failures = transfer == .failed ? failures + 1 : 0
        if failures > 1000 { relay.drop(self) }
        return
      }
      failures = 0
      receive(count, from: sender, at: receiver, relay)
    }
  }

  /// Handles a datagram, the first `count` bytes of the buffer.
  func receive(_ count: Int, from sender: Endpoint, at receiver: IPAddress, _ relay: Relay) {}
}

/// The relay of one sandbox.
final class Relay {
  let policy: NetworkPolicy
  let resolver: Resolver
  var table: NameTable
  /// Whether the sandbox has IPv6.
  var hasIPv6 = false
  /// What the command takes for the name of its machine; and the network that the sandbox shares with others, and
  /// who knows the names there.
  var (ownName, network): (DomainName?, DomainName?) = (nil, nil)
  var memberNames: MemberNames?
  /// The time after the last wait, in milliseconds.
  private(set) var now = MonotonicClock.milliseconds
  /// What is read comes here, from every socket in turn.
  var buffer = [UInt8](repeating: 0, count: 65_536)
  /// How many connections there are.
  var connections = 0
  /// Connections that do not reach the outside yet.
  var waiting: [Connection] = []
  /// Connections with more to move.
  private var busy: [Connection] = []
  /// Where datagrams lead.
  var flows: [Flow] = []
  private var nextLookAtFlows = 0
  /// Sockets for published connections.
  var pool = SocketPool()
  /// Which published ports were served.
  var portUse = PublishedPortUse()
  /// The same for published datagrams.
  var datagramSockets: [CInt] = []
  /// Pipes for connections that move much.
  var pipes = PipePool()
  /// Streams to the name service.
  var nameStreams: [NameStream] = []
  private var queue: EventQueue
  private var watchers: [Watcher?] = []
  /// Listeners that are not looked at until a time, for lack of descriptors.
  private var paused: [Watcher] = []
  private var pausedUntil = 0
  let log: NetworkLog
  /// Tells which addresses are this machine's; made before the relay's policy, which permits none.
  let routes: RouteSocket
  private let notices: CInt
  /// When the relay ends at the latest; nil while something lives inside.
  private var endTime: Int?
  /// When it gives back the pages of the program that its start has read.
  private var restTime: Int
  /// In milliseconds; most short commands end sooner.
  private static let startTime = 100
  private var told: [Refusal] = []
  /// Whether a profile is learned from the run.
  private let isLearning: Bool
  private var reached: [ReachedHost] = []
  /// The most connections at a time.
  let mostConnections: Int

  init(
    _ policy: NetworkPolicy, _ settings: ResolverSettings, notices: CInt, log: CInt?,
    lifeline: CInt,
    isLearning: Bool, descriptors: UInt64
  ) throws(SystemCallError) {
    self.policy = policy
    self.notices = notices
    self.log = NetworkLog(log, notices: notices, lifeline: lifeline)
    self.isLearning = isLearning
    resolver = Resolver(settings)
    table = NameTable(policy.exactNames)
    queue = try EventQueue()
    // Some sandboxes around this one have no such sockets.
    routes = (try? RouteSocket()) ?? RouteSocket.none
    restTime = MonotonicClock.milliseconds + Relay.startTime
    // Two sockets a connection; and the listeners, look-ups and streams to the name service.
    let others = UInt64(NetworkRule.mostPorts / 2)
    let most = descriptors > others ? (descriptors - others) / 2 : 16
    mostConnections = Int(min(most, UInt64(Refusal.mostConnections)))
  }

  /// Waits for something to happen, and handles it, without end.
  func run() throws(SystemCallError) {
    while true {
      let ready = try queue.wait(milliseconds: timeLeft)
      now = MonotonicClock.milliseconds
      for number in ready { watcher(Int(number))?.ready(self) }
      let unfinished = busy
      busy = []
      for connection in unfinished { connection.move(self) }
      handleTimes()
      // Something may have arrived together with the end of the lifeline.
      if let endTime, now >= endTime || ready.isEmpty && isIdle { end() }
    }
  }

  /// Whether the watcher was not dropped.
  func isWatching(_ watcher: Watcher) -> Bool { self.watcher(Int(watcher.number)) === watcher }

  private func watcher(_ number: Int) -> Watcher? {
    watchers.indices.contains(number) ? watchers[number] : nil
  }

  /// How long nothing has to be done unless something happens.
  private var timeLeft: CInt {
    if !busy.isEmpty || endTime != nil && isIdle { return 0 }
    var next = min(endTime ?? Int.max, restTime)
    for connection in waiting { next = min(next, connection.nextTime) }
    for stream in nameStreams { next = min(next, stream.deadline) }
    next = min(next, resolver.nextTime, memberNames?.nextTime ?? .max)
    if !paused.isEmpty { next = min(next, pausedUntil) }
    if !flows.isEmpty { next = min(next, nextLookAtFlows) }
    return next == .max ? -1 : CInt(clamping: max(next - now, 0))
  }

  private func handleTimes() {
    if restTime <= now {
      CurrentProcess.releaseImage()
      restTime = .max
    }
    for connection in waiting where connection.nextTime <= now { connection.timeIsUp(self) }
    for stream in nameStreams where stream.deadline <= now { stream.end(self) }
    resolver.handleTimes(self)
    memberNames?.handleTimes(self)
    if nextLookAtFlows <= now {
      endIdleFlows()
      nextLookAtFlows = now + Flow.patience / 4
    }
    guard !paused.isEmpty, pausedUntil <= now else { return }
    let listeners = paused
    paused = []
    for listener in listeners where !watch(listener, .input) { drop(listener) }
  }

  // MARK: Watchers

  /// Watches a descriptor.
  /// - Returns: Whether the kernel can.
  func watch(_ watcher: Watcher, _ interest: EventQueue.Interest) -> Bool {
    do throws(SystemCallError) {
      try queue.add(watcher.number, interest)
    } catch {
      return false
    }
    let place = Int(watcher.number)
    while watchers.count <= place { watchers.append(nil) }
    watchers[place] = watcher
    return true
  }

  /// Changes which events of a descriptor are watched.
  func rewatch(_ watcher: Watcher, _ interest: EventQueue.Interest) -> Bool {
    queue.remove(watcher.number)
    return watch(watcher, interest)
  }

  /// Closes a descriptor.
  func drop(_ watcher: Watcher) {
    forget(watcher)
    Descriptors.close(watcher.number)
  }

  /// Stops watching a descriptor.
  private func forget(_ watcher: Watcher) {
    let place = Int(watcher.number)
    if watchers.indices.contains(place), watchers[place] === watcher { watchers[place] = nil }
  }

  /// Gives the socket of a published connection back.
  func giveBack(_ watcher: Watcher, inOrder: Bool) {
    queue.remove(watcher.number)
    forget(watcher)
    pool.give(watcher.number, inOrder: inOrder)
  }

  /// Gives the socket of published datagrams back.
  func giveBackDatagrams(_ watcher: Watcher) {
    queue.remove(watcher.number)
    forget(watcher)
    InternetSocket.disconnect(watcher.number)
    // What has arrived meanwhile is not for the next sender.
    for _ in 0..<1024 where InternetSocket.read(watcher.number, into: &buffer) == .wouldWait {
      break
    }
    datagramSockets.append(watcher.number)
  }

  /// Leaves a listener alone for a moment, as descriptors are short.
  func pause(_ listener: Watcher) {
    queue.remove(listener.number)
    watchers[Int(listener.number)] = nil
    paused.append(listener)
    pausedUntil = now + 100
  }

  /// Moves more of a connection after others had their turn.
  func continueLater(_ connection: Connection) {
    if !busy.contains(where: { $0 === connection }) { busy.append(connection) }
  }

  // MARK: The end

  /// For how long the relay sends what ended programs have left, in milliseconds: the kernel does the
  /// same for their other sockets.
  static let lastPatience = 60_000

  /// Ends as soon as nothing is left to send.
  fileprivate func beginToEnd() {
    // The log sets its own if it has waited for its reader meanwhile.
    log.endTime = min(log.endTime, now + Relay.lastPatience)
    endTime = log.endTime
    // The ports are free for others at once.
    for watcher in watchers {
      if let watcher, watcher.isPublished { drop(watcher) }
    }
  }

  /// Whether nothing is left to send, as far as it is known.
  private var isIdle: Bool { connections == 0 && !flows.contains { !$0.isDecided } }

  /// Ends without a task, but a moment later: the monitor, which takes the end of a helper for a failure,
  /// hears first why the set-up has failed.
  func giveUp() -> Never {
    for watcher in watchers { if let watcher { drop(watcher) } }
    _ = try? queue.wait(milliseconds: 1000)
    CurrentProcess.exit(0)
  }

  private func end() -> Never {
    for watcher in watchers { watcher?.finish(self) }
    resolver.finish(self)
    for refusal in portUse.refusals { tell(refusal) }
    // The monitor waits for this.
    Descriptors.close(notices)
    CurrentProcess.exit(0)
  }

  // MARK: Notices

  /// Whether anybody hears of another refusal.
  var tellsMore: Bool { log.isWritten || told.count < Refusal.most }

  /// Tells the monitor of a refusal, each once.
  func tell(_ refusal: Refusal) {
    guard told.count < Refusal.most, !told.contains(refusal) else { return }
    told.append(refusal)
    // If the monitor has ended, nobody wants to know.
    try? Descriptors.send(refusal.bytes, to: notices)
  }

  /// Tells the monitor, once for names and once for connections of each kind, that there is no room for more.
  func tellFull(
    _ host: String, _ port: Port? = nil, _ reason: NetworkPolicy.Reason = .full
  ) {
    guard !told.contains(where: { $0.reason == reason && ($0.port == nil) == (port == nil) }) else {
      return
    }
    tell(Refusal(reason, host, port: port))
  }

  /// Tells the monitor of a host that the command has reached, each once.
  func note(_ host: ReachedHost) {
    guard isLearning, reached.count < ReachedHost.most, !reached.contains(host) else { return }
    reached.append(host)
    // The last place says that there is more.
    let isLast = reached.count == ReachedHost.most
    try? Descriptors.send((isLast ? ReachedHost("", nil) : host).bytes, to: notices)
  }
}

/// The lifeline, whose other end the sandbox holds: when all inside has ended, so does the relay.
final class Lifeline: Watcher {
  override func ready(_ relay: Relay) {
    guard InternetSocket.read(number, into: &relay.buffer) != .wouldWait else { return }
    relay.beginToEnd()
    relay.drop(self)
  }
}

/// Accepts connections on a port.
final class Listener: Watcher {
  /// How many are accepted before others have their turn.
  private static let most = 64

  override func ready(_ relay: Relay) {
    for _ in 0..<Listener.most {
      do throws(SystemCallError) {
        guard let socket = try InternetSocket.accept(number) else { return }
        Connection.admit(socket.release(), relay)
      } catch {
        switch error.errno {
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .noBufferSpace:
          relay.pause(self)
        // A command with CAP_NET_ADMIN can destroy the socket.
        default: relay.drop(self)
        }
        return
      }
    }
  }
}
