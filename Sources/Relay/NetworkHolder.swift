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
  private var receivers: RequestReceivers
  private var members = MemberTable()
  /// The connections of members, and their addresses.
  private var connections: [(number: CInt, address: IPAddress)] = []
  private var buffer = [UInt8](repeating: 0, count: 4096)
  private var hasHadMembers = false
  /// How many members there may be.
  private var mostConnections = MemberTable.most

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
    try queue.add(names, .input)
    let receivers = try RequestReceivers(listener, callers: callers, queue)
    network = DomainName(text: socket.bytes[...])
    (self.socket, self.listener, self.names) = (socket.path, listener, names)
    namespaces = [user, own]
    self.directory = directory
    self.queue = queue
    self.receivers = receivers
  }

  /// Gives up everything that the holder does not need: it sees no file but its socket and those
  /// beside it.
  ///
  /// The process must have left its caller.
  public mutating func protect() throws(SystemCallError) {
    if let descriptors = Resource(named: "nofile"), let cores = Resource(named: "core") {
      let hard = try descriptors.limits().hard
      try descriptors.limit(soft: hard, hard: hard)
      // It has a few others, and one for each process that receives.
      let others = RequestReceivers.most + 16
      mostConnections = min(mostConnections, Int(clamping: hard) - others)
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
    try receivers.begin(queue)
  }

  /// How long a network waits for its first member, in milliseconds.
  private static let patience: CInt = 10_000
  /// How long to wait before another process is made where the kernel made none, in milliseconds.
  private static let pause: CInt = 100

  /// Serves the members until the last has left.
  public consuming func run() -> Never {
    let start = MonotonicClock.milliseconds
    while true {
      let left = start + Int(NetworkHolder.patience) - MonotonicClock.milliseconds
      var patience = hasHadMembers ? -1 : CInt(clamping: max(left, 0))
      if receivers.lacksProcess {
        try? receivers.begin(queue)
        if receivers.lacksProcess { patience = NetworkHolder.pause }
      }
      for number in (try? queue.wait(milliseconds: patience)) ?? [] { handle(number) }
      // Others that are connected do not count: each may be a command that stays silent.
      if members.members.isEmpty, hasHadMembers || left <= 0 { end() }
    }
  }

  private mutating func handle(_ number: CInt) {
    if number == names { return answer() }
    switch receivers.handle(number, queue) {
    case .request(let request, let connection): serve(request, connection)
    case .none: break
    // A member sends nothing but its end.
    case .others: drop(number)
    }
  }

  private func end() -> Never {
    // From here on, launchers find no network and make it again; one that has connected already notices
    // that nobody answers.
    try? directory.remove(socket, .other)
    CurrentProcess.exit(0)
  }

  /// Answers a launcher's request, and keeps the connection of a member.
  private mutating func serve(_ request: MemberMessage.Request, _ connection: CInt) {
    var isMember = false
    do throws(SystemCallError) {
      switch request {
      case .join(let name): isMember = try join(name, connection)
      case .list: try Descriptors.send(MemberMessage.bytes(members.members), to: connection)
      }
    } catch {
      // The launcher has ended, which its connection will tell if it is a member.
    }
    if !isMember { Descriptors.close(connection) }
  }

  /// - Returns: Whether the launcher's sandbox is a member now.
  private mutating func join(_ name: ByteString, _ connection: CInt) throws(SystemCallError) -> Bool
  {
    let answer =
      connections.count < mostConnections
      ? members.add(name, launcher: Descriptors.peerProcess(of: connection)) : .failure(.isFull)
    guard case .success(let address) = answer else {
      try Descriptors.send(MemberMessage.bytes(answer), to: connection)
      return false
    }
    guard (try? queue.add(connection, .input)) != nil else {
      members.remove(address)
      return false
    }
    connections.append((connection, address))
    hasHadMembers = true
    for namespace in namespaces {
      try? Descriptors.send(MemberMessage.bytes(answer), passing: namespace, to: connection)
    }
    return true
  }

  private mutating func drop(_ number: CInt) {
    guard let place = connections.firstIndex(where: { $0.number == number }) else { return }
    members.remove(connections.remove(at: place).address)
    queue.remove(number)
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
