// SPDX-License-Identifier: Apache-2.0
// The proxy between the sandbox and the buses of the host: xdg-dbus-proxy, which flatpak uses too.
//
// Its sockets lie in a file system in memory that is attached nowhere but in the sandbox, so that
// nothing has to be removed on the host, however the processes end.

internal import Linux
internal import SystemPackage
internal import Text

/// A proxy that runs.
struct BusProxy {
  /// The sockets' directory: a mount that is not attached yet, and the numbers of descriptors.
  let sockets: CInt
  /// Holds a byte once the sockets exist; the proxy ends when nobody has it open any more.
  let lifeline: CInt
  /// The process.
  let process: CInt
  /// The buses that it connects to.
  let buses: [ProxiedBus]

  /// The program, as it is searched for in the caller's PATH.
  static let program: ByteString = "xdg-dbus-proxy"

  /// Ends the proxy and waits until it has gone.
  func stop() {
    let process = OwnedDescriptor(process)
    try? process.sendSignal(9)
    _ = try? process.waitForProcess()
  }
}

/// A bus, what is allowed on it, and where it is.
struct ProxiedBus {
  let bus: Bus
  let access: BusAccess
  let address: BusAddress
}

extension Sandbox {
  /// Starts the proxy for the buses that are to be shown; nil where none is.
  func startBusProxy(
    _ image: ProcessImage, _ mask: SignalMask, warningPrefix: String
  ) throws(LaunchError) -> BusProxy? {
    guard !buses.isEmpty else { return nil }
    let environment = Environment(image.environment, [])
    let buses = try proxiedBuses(environment, user: CurrentProcess.identity.user)
    guard !buses.isEmpty else { return nil }
    do throws(LaunchError) {
      return try startProxy(for: buses, environment, mask)
    } catch {
      guard self.buses.isOptional, error.cause.errno == .noSuchFileOrDirectory else { throw error }
      let warning = "The command gets no D-Bus, as the program xdg-dbus-proxy is not in PATH"
      try? Descriptors.write(warningPrefix + warning + "\n", to: 2)
      return nil
    }
  }

  private func startProxy(
    for buses: [ProxiedBus], _ environment: Environment, _ mask: SignalMask
  ) throws(LaunchError) -> BusProxy {
    let option = buses.first?.access.option
    let identity = CurrentProcess.identity
    func attempt<R: ~Copyable>(
      _ body: () throws(SystemCallError) -> R
    ) throws(LaunchError) -> R {
      try doing(.startBusProxy, option: option, BusProxy.program, body)
    }
    let lifeline = try attempt { () throws(SystemCallError) in try Pipe() }
    let channel = try attempt { () throws(SystemCallError) in try SocketPair() }
    let child = try attempt { () throws(SystemCallError) in
      try ChildProcess.clone([.user, .mount])
    }
    guard let child else {
      BusProxyStart(
        arguments: arguments(for: buses, lifeline: lifeline.writeEnd.rawValue),
        environment: environment, identity: identity, lifeline: lifeline.writeEnd.rawValue,
        channel: channel.theirs.rawValue, signalMask: mask
      ).run()
    }
    let lifelineEnd = lifeline.readEnd.release()
    Descriptors.close(lifeline.writeEnd.release())
    let inbox = OwnedDescriptor(channel.ours.release())
    Descriptors.close(channel.theirs.release())
    // First the directory of the sockets, then, as exec closes the other end, nothing; or what
    // went wrong instead of either.
    let first = try attempt { () throws(SystemCallError) in
      try Descriptors.receive(from: inbox.rawValue, capacity: LaunchReport.size)
    }
    let second = try attempt { () throws(SystemCallError) in
      try Descriptors.receive(from: inbox.rawValue, capacity: LaunchReport.size)
    }
    for (message, _) in [first, second] where message.count == LaunchReport.size {
      let cause = LaunchReport.decode(message).cause
      throw LaunchError(
        .startBusProxy, option: option, subject: BusProxy.program, cause: cause)
    }
    return BusProxy(
      sockets: first.descriptor, lifeline: lifelineEnd,
      process: child.release(), buses: buses)
  }

  /// Where the buses are that are to be shown.
  func proxiedBuses(
    _ environment: Environment, user: UInt32
  ) throws(LaunchError) -> [ProxiedBus] {
    var proxied: [ProxiedBus] = []
    for (bus, access) in buses.shown {
      guard let address = BusAddress(of: bus, environment, user: user) else {
        if buses.isOptional { continue }
        throw LaunchError(
          .findBus, option: access.option, subject: ByteString(bus.rawValue + " bus"),
          cause: SystemCallError(call: "connect", errno: .noSuchFileOrDirectory))
      }
      // A filter that can be walked around is none.
      if address.isAbstract && !hidesAbstractSockets {
        if buses.isOptional { continue }
        throw LaunchError(
          .filterBus, option: access.option, subject: address.text,
          cause: SystemCallError(call: "connect", errno: .notPermitted))
      }
      proxied.append(ProxiedBus(bus: bus, access: access, address: address))
    }
    return proxied
  }

  /// Whether the command is kept from the abstract sockets of the host.
  private var hidesAbstractSockets: Bool {
    // One that is joined may be the host's.
    namespaces.others.contains(.network) || landlockScopes.contains(.abstractSockets)
  }

  /// The proxy's words.
  private func arguments(
    for buses: [ProxiedBus], lifeline: CInt
  ) -> [ByteString] {
    var words: [ByteString] = [BusProxy.program, ByteString("--fd=" + String(lifeline))]
    for proxied in buses {
      words += [proxied.address.text, ByteString(proxied.bus.rawValue), "--filter"]
      for rule in proxied.access.rules {
        words.append(ByteString(Array("--\(rule.policy.rawValue)=".utf8) + rule.pattern.bytes))
      }
    }
    return words
  }
}

/// The process that becomes the proxy.
private struct BusProxyStart {
  let arguments: [ByteString]
  let environment: Environment
  /// The caller's ids, by which the bus knows it.
  let identity: (user: UInt32, group: UInt32)
  let lifeline: CInt
  let channel: CInt
  let signalMask: SignalMask

  func run() -> Never {
    let error: LaunchError
    do throws(LaunchError) {
      error = try steps()
    } catch let failure {
      error = failure
    }
    let channel = OwnedDescriptor(self.channel)
    // Where this fails the monitor has gone, and nobody is left to tell.
    try? channel.send(LaunchReport.encode(error))
    CurrentProcess.exit(125)
  }

  /// The steps; returns only what kept the proxy from being executed.
  private func steps() throws(LaunchError) -> LaunchError {
    try doing(.startBusProxy) { () throws(SystemCallError) in
      let (user, group) = identity
      try IdentityMap.write(user: (user, user), group: (group, group))
      // Keys typed at the terminal are for the command alone.
      try CurrentProcess.beginSession()
      // Whoever reads from the caller's pipes would wait for the proxy as well.
      let null = try OwnedDescriptor.open("/dev/null", .readingAndWriting)
      for number in CInt(0)...2 { try null.replace(number) }
      try Descriptors.closeAll(except: [0, 1, 2, lifeline, channel])
      try enterDirectory()
      // It passes messages on; should one get the better of it, there is nothing to be gained.
      try MountNamespace.becomeReadOnly()
      try CurrentProcess.renounceNewPrivileges()
      try Capabilities.bound(to: Capabilities())
      CurrentProcess.setFileModeMask(0o077)
      try Descriptors.keepOnExec(lifeline)
      try signalMask.restore()
    }
    return Execution(
      file: arguments[0], words: arguments, name: nil, environment: environment
    ).run()
  }

  /// Makes the directory of the sockets, works in it, and sends it to the monitor.
  ///
  /// It stays when the descriptor here is closed: the monitor has one, and then the sandbox.
  private func enterDirectory() throws(SystemCallError) {
    let directory = try MountTree.make("tmpfs", [.noSetUserID, .noDevices, .noExecution]) {
      context throws(SystemCallError) in
      try context.set("mode", to: "0700")
      try context.set("size", to: "1m")
    }.asDirectory()
    try CurrentProcess.changeDirectory(to: directory)
    let channel = OwnedDescriptor(self.channel)
    do throws(SystemCallError) {
      try channel.send([0], passing: directory.rawValue)
      _ = channel.release()
    } catch {
      _ = channel.release()
      throw error
    }
  }
}
