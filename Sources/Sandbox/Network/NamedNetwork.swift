// SPDX-License-Identifier: Apache-2.0
// --network: how a sandbox becomes a member of a network that it shares with others.
//
// The network's holder (Relay/NetworkHolder.swift) has a user namespace and a network namespace with a bridge.
// Nobody but a process in the holder's user namespace may link another network namespace to that bridge. So
// the child joins the holder's namespaces first, makes the sandbox's network namespace there, and then
// continues in the sandbox's user namespace, which lies below the holder's. The command thus has no right
// over its network, whatever its capabilities are: it cannot take another address, and sees no packets
// that are meant for others.

internal import Linux
public import Network
internal import Relay
public import SystemPackage
public import Text

/// A sandbox's place in a network, for as long as the connection is open.
struct Membership {
  /// The option, and the network's name.
  let network: Setting<ByteString>
  /// The member's address.
  let address: IPAddress
  /// The connection to the holder, which the monitor and init keep.
  let connection: CInt
  /// The holder's namespaces, for the child.
  let namespaces: (user: CInt, network: CInt)
}

/// The networks of this user: a socket for each in a directory, at which its holder listens.
public struct NamedNetworks {
  private let path: FilePath

  /// Those of the registry in `registry`.
  public init(registry: FilePath) { path = registry.appending(".networks") }

  /// Opens the directory, which is made if it is missing.
  fileprivate func open() throws(SystemCallError) -> OwnedDescriptor {
    _ = try OwnedDescriptor.privateDirectory(path.removingLastComponent())
    return try OwnedDescriptor.privateDirectory(path)
  }

  /// How long to wait for an answer, in milliseconds.
  fileprivate static let patience: CInt = 10_000

  /// Throws if a command that can write to the directory may have made the socket.
  ///
  /// The child could else join namespaces where that command has every capability, and which are below this
  /// process's own like a holder's. A holder has never executed a program in its user namespace, and hides: this
  /// process cannot look into it, but into every process that a command can have listen there. Only root can look
  /// into all.
  fileprivate static func check(_ holder: borrowing OwnedDescriptor) throws(SystemCallError) {
    if try Capabilities.permitted().contains("sys_ptrace") { return }
    let number = Descriptors.peerProcess(of: holder.rawValue)
    // Outside of this process's pid namespace.
    if number == 0 { throw SystemCallError(call: "recvmsg", errno: .notPermitted) }
    // It has ended.
    guard (try? ProcessHandle(number)) != nil else {
      throw SystemCallError(call: "connect", errno: .connectionReset)
    }
    if (try? ProcessDirectory(number).link("ns/user")) != nil {
      throw SystemCallError(call: "connect", errno: .notPermitted)
    }
  }

  /// Sends a request to a holder, with the proof that this process is no command inside.
  fileprivate static func ask(
    _ request: MemberMessage.Request, _ holder: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    let own = try NamespaceFiles.open("user")
    try holder.send(MemberMessage.bytes(request), passing: own.rawValue)
  }

  /// The networks, and who is in each.
  ///
  /// The socket of a holder that was killed is removed.
  public func list() -> [(name: ByteString, members: [NetworkMember])] {
    guard FileAccess.read.isGranted(path), let directory = try? open(),
      let names = try? directory.names()
    else { return [] }
    var networks: [(name: ByteString, members: [NetworkMember])] = []
    for name in names {
      guard let lock = try? directory.locked(.exclusive) else { continue }
      do throws(SystemCallError) {
        let holder = try directory.connect(to: name)
        _ = consume lock
        try NamedNetworks.check(holder)
        try NamedNetworks.ask(.list, holder)
        guard try Descriptors.waitForInput(holder.rawValue, milliseconds: 1000) else { continue }
        let answer = try Descriptors.receive(
          from: holder.rawValue, capacity: MemberMessage.listCapacity)
        if answer.descriptor >= 0 { Descriptors.close(answer.descriptor) }
        let members = MemberMessage.members(answer.message)
        if !members.isEmpty { networks.append((ByteString(name), members)) }
      } catch {
        if error.errno == .connectionRefused { try? directory.remove(name, .other) }
      }
    }
    return networks.sorted { $0.name.bytes.lexicographicallyPrecedes($1.name.bytes) }
  }
}

// MARK: - The launcher

extension ResolvedSandbox {
  /// Makes the sandbox a member of its network, if it has one; starts the network's holder if there is none.
  func joinNamedNetwork(_ image: ProcessImage) throws(LaunchError) -> Membership? {
    guard let network = sandbox.network.shared else { return nil }
    let path = sandbox.network.directory
    let directory = try doing(.joinNetwork, option: network.option, network.value) {
      () throws(SystemCallError) in
      try NamedNetworks(registry: path).open()
    }
    let deadline = MonotonicClock.milliseconds + Int(NamedNetworks.patience)
    while true {
      var answer = try askHolder(network, in: directory)
      if case .membership(let membership) = answer { return membership }
      // One launcher at a time starts a holder.
      let lock = try doing(.joinNetwork, option: network.option, network.value) {
        () throws(SystemCallError) in
        guard MonotonicClock.milliseconds < deadline else {
          throw SystemCallError(call: "flock", errno: .timedOut)
        }
        return try directory.locked(.exclusive)
      }
      if lock != nil { answer = try askHolder(network, in: directory) }
      switch answer {
      case .membership(let membership): return membership
      case .none where lock != nil: try startHolder(of: network, in: directory, image)
      // Another launcher starts a holder, or the holder is about to end.
      default: CurrentProcess.sleep(milliseconds: 2)
      }
    }
  }

  private enum HolderAnswer {
    case membership(Membership)
    /// The holder has closed the connection.
    case end
    /// There is no holder.
    case none
  }

  /// Asks the holder for an address.
  private func askHolder(
    _ network: Setting<ByteString>, in directory: borrowing OwnedDescriptor
  ) throws(LaunchError) -> HolderAnswer {
    do throws(SystemCallError) {
      let holder = try directory.connect(to: network.value.path)
      try NamedNetworks.check(holder)
      try NamedNetworks.ask(.join(sandbox.name?.value ?? ""), holder)
      var namespaces: [CInt] = []
      var address: IPAddress?
      while namespaces.count < 2 {
        guard try Descriptors.waitForInput(holder.rawValue, milliseconds: NamedNetworks.patience)
        else { throw SystemCallError(call: "poll", errno: .timedOut) }
        let (message, descriptor) = try Descriptors.receive(
          from: holder.rawValue, capacity: MemberMessage.capacity)
        if message.isEmpty { return .end }
        switch MemberMessage.answer(message) {
        case .success(let given) where descriptor >= 0: address = given
        case .failure(let refusal): throw refusal.error
        default: throw SystemCallError(call: "recvmsg", errno: .protocolError)
        }
        namespaces.append(descriptor)
      }
      guard let address else { return .end }
      return .membership(
        Membership(
          network: network, address: address, connection: holder.release(),
          namespaces: (namespaces[0], namespaces[1])))
    } catch {
      switch error.errno {
      case .noSuchFileOrDirectory, .connectionRefused: return .none
      case .connectionReset, .brokenPipe: return .end
      default:
        throw LaunchError(
          .joinNetwork, option: network.option, subject: network.value, cause: error)
      }
    }
  }

  /// Starts the holder, and returns once launchers can connect to it.
  private func startHolder(
    of network: Setting<ByteString>, in directory: borrowing OwnedDescriptor,
    _ image: ProcessImage
  ) throws(LaunchError) {
    let role = Helper.Role(
      action: .joinNetwork, option: network.option, name: network.value, loss: .endsSandbox)
    let name = network.value
    let (listener, copy, callers) = try doing(role.action, option: role.option, name) {
      () throws(SystemCallError) in
      // Left by a holder that was killed.
      try? directory.remove(name.path, .other)
      let listener = try directory.bind(at: name.path)
      // Above 2, as the standard descriptors are replaced.
      return (
        try OwnedDescriptor.copy(of: listener.rawValue).release(),
        try OwnedDescriptor.copy(of: directory.rawValue).release(),
        try NamespaceFiles.open("user").fileIdentity()
      )
    }
    defer {
      Descriptors.close(listener)
      Descriptors.close(copy)
    }
    do throws(LaunchError) {
      let (helper, _) = try Helper.start(role, in: [.user, .network]) {
        process throws(LaunchError) in
        try doing(role.action, option: role.option, name) { () throws(SystemCallError) in
          try process.leaveCaller(keeping: [listener, copy])
          var holder = try NetworkHolder(
            name, in: OwnedDescriptor(copy), listener: listener, callers: callers)
          // The launcher waits for its own children alone.
          try ChildProcess.continueAsOrphan()
          image.overwrite(with: ProgramName.nestbox)
          try holder.protect()
          Descriptors.close(process.lifeline)
          process.isReady()
          holder.run()
        }
      }
      Descriptors.close(helper.lifeline)
      _ = try? OwnedDescriptor(helper.process).waitForProcess()
    } catch {
      try? directory.remove(name.path, .other)
      throw error
    }
  }
}

extension MemberRefusal {
  /// The failure of a launch that was refused.
  fileprivate var error: SystemCallError {
    let errno: Errno =
      switch self {
      case .isTaken: .fileExists
      case .isFull: .tooManyUsers
      case .isNoHostName: .invalidArgument
      case .isForeign: .notPermitted
      }
    return SystemCallError(call: "recvmsg", errno: errno)
  }
}

// MARK: - The child

extension Setup {
  /// Makes the network namespace of a member, and continues in the sandbox's user namespace.
  borrowing func joinNamedNetwork() throws(LaunchError) {
    guard let membership = plan.helpers.membership else { return }
    let network = membership.network
    let opened = try doing(.joinNetwork, option: network.option, network.value) {
      () throws(SystemCallError) in
      try Namespaces.user.join(membership.namespaces.user)
      try Namespaces.network.join(membership.namespaces.network)
      return try MemberNetwork.enter(
        membership.address, group: plan.sandbox.network.allowed.isEmpty ? plan.identity.group : nil)
    }
    // Before any path is resolved.
    Descriptors.close(membership.namespaces.user)
    Descriptors.close(membership.namespaces.network)
    if !opened {
      plan.warn(
        "--network: the command cannot listen on ports below 1024, as /proc/sys is read-only here")
    }
    try configureNetwork()
    try continueAsSibling(plan.namespaces.intersection([.user, .pid]))
  }
}

// MARK: - The monitor

extension Monitor {
  /// Tells if the network of the sandbox ends, as its holder was killed.
  mutating func watch(_ membership: Membership) throws(LaunchError) {
    try add(
      Watch(number: membership.connection, interest: .input) { monitor throws(LaunchError) in
        if monitor.phase.isLaunching {
          throw LaunchError(
            .joinNetwork, option: membership.network.option, subject: membership.network.value,
            cause: SystemCallError(call: "recvmsg", errno: .connectionReset))
        }
        monitor.plan.warn(
          "The network \(membership.network.value.quoted) has ended, as its holder has; no member reaches "
            + "another any more")
        return false
      })
  }
}
