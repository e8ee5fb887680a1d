// SPDX-License-Identifier: Apache-2.0
// The holder of a network between sandboxes: a process that lives as long as the network has members. It has the
// bridge in its namespaces, below which members make theirs, gives out addresses, and is the members' name
// service. It belongs to no launch, and ends with its last member.

public import Linux
internal import Network
internal import Seccomp
internal import SystemPackage
public import Text

/// The holder of a network, in new namespaces of the kinds user and network.
public struct NetworkHolder: ~Copyable {
  private let network: DomainName?
  private let socket: FilePath
  private let directory: OwnedDescriptor
  private let listener: CInt
  private let names: CInt
  private let namespaces: [CInt]
  private var queue: EventQueue
  private var members = MemberTable()
  /// Who is connected, and the addresses of those that are members.
  private var connections: [(number: CInt, address: IPAddress?)] = []
  private var buffer = [UInt8](repeating: 0, count: 4096)
  private var hasHadMembers = false
  /// How many connections there may be: those of members, and of others that ask.
  private var mostConnections = MemberTable.most + NetworkHolder.mostWaiting
  private static let mostWaiting = 64
  /// The user namespace of those who may ask.
  private let callers: FileIdentity

  /// Makes the network's bridge and name service.
  /// - Parameters:
  ///   - socket: The network's name, and that of the socket where it is found.
  ///   - directory: The directory where that is.
  ///   - listener: That socket.
  ///   - callers: The user namespace of the launcher that starts the network.
  /// - Throws: `SystemCallError` if the kernel lacks something.
  public init(
    _ socket: ByteString, in directory: consuming OwnedDescriptor, listener: CInt,
    callers: FileIdentity
  ) throws(SystemCallError) {
    try MemberLinks.makeBridge(MemberAddresses.holder, length: MemberAddresses.length)
    let names = try InternetSocket.bound(.datagram, to: Endpoint(MemberAddresses.holder, 53))
      .release()
    let user = try NamespaceFiles.open("user").release()
    let own = try NamespaceFiles.open("net").release()
    let queue = try EventQueue()
    try queue.add(listener, .input)
    try queue.add(names, .input)
    network = DomainName(text: socket.bytes[...])
    (self.socket, self.listener, self.names) = (socket.path, listener, names)
    namespaces = [user, own]
    self.callers = callers
    self.directory = directory
    self.queue = queue
  }

  /// Gives up everything that the holder does not need: it sees no file but its socket and those
  /// beside it.
  ///
  /// The process must have left its caller.
  public mutating func protect() throws(SystemCallError) {
    if let descriptors = Resource(named: "nofile"), let cores = Resource(named: "core") {
      let hard = try descriptors.limits().hard
      try descriptors.limit(soft: hard, hard: hard)
      // It has a few others.
      mostConnections = Int(clamping: min(hard, UInt64(mostConnections) + 16)) - 16
      try cores.limit(soft: 0, hard: 0)
    }
    try CurrentProcess.changeDirectory(to: directory)
    try CurrentProcess.changeRootToWorkingDirectory()
    // In its memory are the arguments and the environment of the launcher that started it.
    try CurrentProcess.setHidden(true)
    // Launchers ask who does this, and believe nobody whom they can look into.
    try Descriptors.listen(listener)
    try CurrentProcess.renounceNewPrivileges()
    try Capabilities.bound(to: Capabilities())
    try Capabilities.set(
      permitted: Capabilities(), effective: Capabilities(), inheritable: Capabilities())
    try BuiltInPolicy.holderProgram.install()
  }

  /// How long a network waits for its first member, in milliseconds.
  private static let patience: CInt = 10_000
  /// Serves the members until the last has left.
  public consuming func run() -> Never {
    while true {
      let patience = hasHadMembers ? -1 : NetworkHolder.patience
      let ready = (try? queue.wait(milliseconds: patience)) ?? []
      for number in ready {
        switch number {
        case listener: accept()
        case names: answer()
        default: hear(number)
        }
      }
      // Others that are connected do not count: each may be a command that stays silent.
      if members.members.isEmpty, hasHadMembers || ready.isEmpty { end() }
    }
  }

  private func end() -> Never {
    // From here on, launchers find no network and make it again; one that has connected already notices
    // that nobody answers.
    try? directory.remove(socket, .other)
    CurrentProcess.exit(0)
  }

  private mutating func accept() {
    guard let accepted = try? InternetSocket.accept(listener) else { return }
    let number = accepted.release()
    let waiting = connections.indices.filter { connections[$0].address == nil }
    if waiting.count >= NetworkHolder.mostWaiting { drop(waiting[0]) }
    guard connections.count < mostConnections,
      (try? queue.add(number, .input)) != nil
    else { return Descriptors.close(number) }
    connections.append((number, nil))
  }

  /// Reads a request, or the end of a connection.
  private mutating func hear(_ number: CInt) {
    guard let place = connections.firstIndex(where: { $0.number == number }) else { return }
    do throws(SystemCallError) {
      let (message, descriptor) = try Descriptors.receive(
        from: number, capacity: MemberMessage.capacity)
      guard isCallers(descriptor) else {
        if !message.isEmpty {
          try? Descriptors.send(MemberMessage.bytes(.failure(.isForeign)), to: number)
        }
        return drop(place)
      }
      switch MemberMessage.request(message) {
      case .join(let name) where connections[place].address == nil:
        let answer = members.add(name, launcher: Descriptors.peerProcess(of: number))
        guard case .success(let address) = answer else {
          return try Descriptors.send(MemberMessage.bytes(answer), to: number)
        }
        connections[place].address = address
        hasHadMembers = true
        for namespace in namespaces {
          try Descriptors.send(MemberMessage.bytes(answer), passing: namespace, to: number)
        }
      case .list: try Descriptors.send(MemberMessage.bytes(members.members), to: number)
      default: drop(place)
      }
    } catch {
      if error.errno != .resourceTemporarilyUnavailable { drop(place) }
    }
  }

  /// Whether the descriptor that came with a request is of the user namespace where the network was
  /// started; closes it.
  ///
  /// A command inside can often reach the socket, as it has the caller's user id. But it can neither be in
  /// that namespace nor open the files of the processes there.
  private func isCallers(_ descriptor: CInt) -> Bool {
    guard descriptor >= 0 else { return false }
    defer { Descriptors.close(descriptor) }
    return (try? Descriptors.fileIdentity(of: descriptor)) == callers
  }

  private mutating func drop(_ place: Int) {
    let (number, address) = connections.remove(at: place)
    if let address { members.remove(address) }
    Descriptors.close(number)
  }

  /// How many questions are answered before others have their turn.
  private static let mostQuestions = 64

  private mutating func answer() {
    for _ in 0..<NetworkHolder.mostQuestions {
      let (transfer, sender) = InternetSocket.receive(names, into: &buffer)
      guard case .bytes(let count) = transfer else { return }
      switch DNSQuestion.read(buffer[..<count]) {
      case .ignored: break
      case .rejected(let answer): InternetSocket.send(names, answer, to: sender)
      case .question(let question):
        InternetSocket.send(names, members.answer(to: question, network: network), to: sender)
      }
    }
  }
}
