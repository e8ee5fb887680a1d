// SPDX-License-Identifier: Apache-2.0
// The sockets on their way from the set-up to the relay. The monitor takes them first, and starts the
// relay when something happens to one of them: a command that does not use the network needs no relay.

public import Linux
internal import SystemPackage

/// What a socket is for.
enum PassedSocket: UInt8 {
  /// The name service for datagrams.
  case names
  /// The name service for streams.
  case nameStreams
  /// Connections to a port.
  case connections
  /// Datagrams to a port, over IPv6 or both families, and over IPv4 alone.
  case datagrams, datagramsV4
  /// Not connected, for published connections and datagrams.
  case unconnected, unconnectedDatagrams
  /// Copies of attempts to connect to ports that nothing serves, over IPv4 and over IPv6.
  case attempts, attemptsV6
  /// Copies of answers to datagrams that nothing receives.
  case unreached, unreachedV6
  /// Connected to the name service of the network that the sandbox shares with others.
  case memberNames
}

/// The sockets of a message.
///
/// A message has a byte that says whether it is the last, one that says whether there is IPv6, and a
/// byte for each of its sockets.
public struct PassedSockets: Sendable {
  /// What the sockets are for, as the values of `PassedSocket`, one for each number: an array of pairs has
  /// a type that the runtime would have to make while a command waits.
  private var kinds: [UInt8] = []
  /// The numbers of all.
  public private(set) var numbers: [CInt] = []
  /// Whether no more follow.
  public private(set) var areAll = false
  private(set) var hasIPv6 = false

  /// None.
  public init() {}

  /// Receives those of the next message.
  /// - Throws: `SystemCallError` if it is not such a message.
  public mutating func receive(from number: CInt) throws(SystemCallError) {
    let (message, descriptors) = try Descriptors.receiveAll(
      from: number, capacity: Descriptors.mostPassed + 2)
    guard message.count == descriptors.count + 2, PassedSockets.areKnown(message) else {
      for descriptor in descriptors { Descriptors.close(descriptor) }
      throw SystemCallError(call: "recvmsg", errno: message.isEmpty ? .brokenPipe : .protocolError)
    }
    (areAll, hasIPv6) = (message[0] == 1, message[1] == 1)
    kinds.append(contentsOf: message[2...])
    numbers.append(contentsOf: descriptors)
  }

  /// Whether a message names only uses that this nestbox knows.
  private static func areKnown(_ message: [UInt8]) -> Bool {
    for index in message.indices.dropFirst(2) where PassedSocket(rawValue: message[index]) == nil {
      return false
    }
    return true
  }

  /// Those at which the command's packets arrive.
  public var listening: [CInt] {
    var listening: [CInt] = []
    listening.reserveCapacity(numbers.count)
    for (index, number) in numbers.enumerated() {
      let isUnconnected =
        kinds[index] == PassedSocket.unconnected.rawValue
        || kinds[index] == PassedSocket.unconnectedDatagrams.rawValue
      if !isUnconnected { listening.append(number) }
    }
    return listening
  }

  /// Calls `body` with each and what it is for.
  func forEach(_ body: (PassedSocket, CInt) -> Void) {
    for (index, number) in numbers.enumerated() {
      if let what = PassedSocket(rawValue: kinds[index]) { body(what, number) }
    }
  }
}

/// Collects sockets, and sends as many as possible together: each message costs time.
struct SocketPassing: ~Copyable {
  private let destination: CInt
  private var kinds: [UInt8] = []
  private var numbers: [CInt] = []

  init(to destination: CInt) { self.destination = destination }

  mutating func pass(
    _ what: PassedSocket, _ socket: consuming OwnedDescriptor
  ) throws(SystemCallError) {
    if numbers.count == Descriptors.mostPassed { try send(areAll: false, hasIPv6: false) }
    if what == .connections { InternetSocket.holdLittle(socket.rawValue) }
    kinds.append(what.rawValue)
    numbers.append(socket.release())
  }

  private mutating func send(areAll: Bool, hasIPv6: Bool) throws(SystemCallError) {
    let message = [areAll ? 1 : 0, hasIPv6 ? 1 : 0] + kinds
    try Descriptors.send(message, passing: numbers, to: destination)
    for number in numbers { Descriptors.close(number) }
    (kinds, numbers) = ([], [])
  }

  /// Sends the rest.
  consuming func end(hasIPv6: Bool) throws(SystemCallError) {
    try send(areAll: true, hasIPv6: hasIPv6)
  }
}
