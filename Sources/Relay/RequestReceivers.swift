// SPDX-License-Identifier: Apache-2.0
// The processes that receive the requests to a network's holder, each one request.

internal import Linux
internal import Network
internal import Text

/// Processes that each accept one connection to a holder, and receive the request there.
///
/// A command that sees the holder's socket can send a descriptor whose close lasts as long as that command
/// likes: of a TCP socket with SO_LINGER, or of a file of its FUSE server. To refuse the descriptor is no
/// help, as the kernel closes what is in a socket's queue together with the socket. So the holder gets a
/// connection only after a launcher has proved its request there. Until then another process has the
/// connection, and may hang.
struct RequestReceivers: ~Copyable {
  private let listener: CInt
  /// The user namespace of those who may ask.
  private let callers: FileIdentity
  /// Where the holder hears of connections, and where the other processes tell of them.
  private let channel: (ours: CInt, theirs: CInt)
  /// The process that waits for the next connection.
  private var waiting: CInt?
  /// Those that have a connection, the oldest first.
  private var busy: [CInt] = []

  /// How many connections there may be on which nothing comes: the oldest makes room.
  private static let mostSilent = 32
  /// How many processes there may be: those that wait for a FUSE server cannot be killed.
  static let most = 2 * mostSilent
  /// How long a connection may be silent, in milliseconds.
  private static let patience: CInt = 10_000

  /// Prepares for connections to `listener` from the user namespace `callers`.
  /// - Throws: `SystemCallError` if descriptors are short.
  init(
    _ listener: CInt, callers: FileIdentity, _ queue: borrowing EventQueue
  ) throws(SystemCallError) {
    let pair = try SocketPair()
    try queue.add(pair.ours.rawValue, .input)
    (self.listener, self.callers) = (listener, callers)
    channel = (pair.ours.release(), pair.theirs.release())
  }

  /// Whether no process waits for the next connection.
  var lacksProcess: Bool { waiting == nil }

  // MARK: The holder

  /// Has a process wait for the next connection, if none does.
  ///
  /// While too many hang, none is made: launchers then wait for an answer.
  /// - Throws: `SystemCallError` if the kernel makes no process.
  mutating func begin(_ queue: borrowing EventQueue) throws(SystemCallError) {
    guard waiting == nil, busy.count < RequestReceivers.most else { return }
    guard let child = try ChildProcess.clone() else {
      receive()
      CurrentProcess.exit(0)
    }
    let number = child.release()
    waiting = number
    try queue.add(number, .input)
  }

  /// What an event at a descriptor means.
  enum Event {
    /// A launcher's request, and the connection on which it came.
    case request(MemberMessage.Request, CInt)
    /// Nothing for the holder.
    case none
    /// The descriptor is not of these processes.
    case others
  }

  /// Handles an event at the descriptor `number`.
  mutating func handle(_ number: CInt, _ queue: borrowing EventQueue) -> Event {
    if number == channel.ours { return hear(queue) }
    if number == waiting {
      waiting = nil
    } else if let place = busy.firstIndex(of: number) {
      busy.remove(at: place)
    } else {
      return .others
    }
    // A process that has just begun may have it open as well, so that a close would not do that.
    queue.remove(number)
    _ = try? OwnedDescriptor(number).waitForProcess()
    try? begin(queue)
    return .none
  }

  private mutating func hear(_ queue: borrowing EventQueue) -> Event {
    guard
      let (message, connection) = try? Descriptors.receive(
        from: channel.ours, capacity: MemberMessage.capacity)
    else { return .none }
    if connection >= 0 {
      if let request = MemberMessage.request(message) { return .request(request, connection) }
      Descriptors.close(connection)
      return .none
    }
    // The process has accepted a connection.
    if let waiting { busy.append(waiting) }
    waiting = nil
    for number in busy.dropLast(RequestReceivers.mostSilent) {
      OwnedDescriptor.borrowing(number) { process in try? process.send(.kill) }
    }
    try? begin(queue)
    return .none
  }

  // MARK: The process that receives

  /// Accepts a connection, and passes it to the holder with a launcher's request.
  ///
  /// The end of the process closes everything else, however long that lasts.
  private func receive() {
    // An open connection of a member would hide from it that the holder has ended.
    var kept = DescriptorSet()
    kept.insert([listener, channel.theirs])
    do throws(SystemCallError) {
      try Descriptors.closeAll(except: kept)
      try CurrentProcess.dieWithParent()
      if Descriptors.isHungUp(channel.theirs) { return }
      let connection = try accept()
      // The holder now has another process wait.
      try Descriptors.send([0], to: channel.theirs)
      guard
        try Descriptors.waitForInput(connection, milliseconds: RequestReceivers.patience)
      else { return }
      let (message, proof) = try Descriptors.receive(
        from: connection, capacity: MemberMessage.capacity)
      if message.isEmpty { return }
      guard isCallers(proof) else {
        return try Descriptors.send(MemberMessage.bytes(.failure(.isForeign)), to: connection)
      }
      try Descriptors.send(message, passing: connection, to: channel.theirs)
    } catch {
      // The other end of the connection sees that it has ended.
    }
  }

  private func accept() throws(SystemCallError) -> CInt {
    while true {
      _ = try Descriptors.waitForInput(listener, milliseconds: -1)
      if let accepted = try InternetSocket.accept(listener) { return accepted.release() }
    }
  }

  /// Whether the descriptor that came with a request is of the user namespace where the network was started.
  ///
  /// A command inside can neither be in that namespace nor open the files of the processes there.
  private func isCallers(_ descriptor: CInt) -> Bool {
    descriptor >= 0 && (try? Descriptors.fileIdentity(of: descriptor)) == callers
  }
}
