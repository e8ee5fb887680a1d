// SPDX-License-Identifier: Apache-2.0
// The proxy between the sandbox and the buses of the host: xdg-dbus-proxy, which flatpak uses too.
//
// Its sockets lie in a file system in memory that is attached nowhere but in the sandbox, so that
// the host needs no cleaning up, however the processes end.

internal import Linux
internal import SystemPackage
internal import Text

/// A proxy that runs.
struct BusProxy {
  /// The process.
  let helper: Helper
  /// The sockets' directory: a mount that is not attached yet.
  let sockets: CInt
  /// The buses that it connects to.
  let buses: [ProxiedBus]

  /// The program, as it is searched for in the caller's PATH.
  static let program: ByteString = "xdg-dbus-proxy"
}

/// A bus, the access to it, and where it listens.
struct ProxiedBus {
  let bus: Bus
  let access: BusAccess
  let address: BusAddress
}

extension ResolvedSandbox {
  /// Starts the proxy for the requested buses; nil if there are none.
  ///
  /// It writes into `log` what it does, unless that is -1.
  func startBusProxy(
    _ mask: SignalMask, warningPrefix: String, log: CInt
  ) throws(LaunchError) -> BusProxy? {
    let environment = Environment(inherited, [])
    let buses = try proxiedBuses()
    guard let first = buses.first else { return nil }
    let role = Helper.Role(
      action: .startBusProxy, option: first.access.option, name: BusProxy.program,
      loss: .isTold("The D-Bus proxy has ended; the command no longer has D-Bus"))
    do throws(LaunchError) {
      let (helper, sockets) = try Helper.start(role, in: [.user, .mount]) {
        process throws(LaunchError) in
        try process.becomeBusProxy(for: buses, environment, mask, log: log)
      }
      return BusProxy(helper: helper, sockets: sockets, buses: buses)
    } catch {
      guard sandbox.buses.isOptional, error.cause.errno == .noSuchFileOrDirectory else {
        throw error
      }
      let warning = "The command gets no D-Bus: the program xdg-dbus-proxy is not in PATH"
      try? Descriptors.write(warningPrefix + warning + "\n", to: 2)
      return nil
    }
  }

  /// The requested buses and where they listen.
  func proxiedBuses() throws(LaunchError) -> [ProxiedBus] {
    let environment = Environment(inherited, [])
    var proxied: [ProxiedBus] = []
    for (bus, access) in sandbox.buses.shown {
      guard let address = BusAddress(of: bus, environment, user: identity.user) else {
        if sandbox.buses.isOptional { continue }
        throw LaunchError(
          .findBus, option: access.option, subject: ByteString(bus.rawValue + " bus"),
          cause: SystemCallError(call: "connect", errno: .noSuchFileOrDirectory))
      }
      // A filter that the command can bypass protects nothing.
      if address.isAbstract && !hidesAbstractSockets {
        if sandbox.buses.isOptional { continue }
        throw LaunchError(
          .filterBus, option: access.option, subject: address.text,
          cause: SystemCallError(call: "connect", errno: .notPermitted))
      }
      proxied.append(ProxiedBus(bus: bus, access: access, address: address))
    }
    return proxied
  }

  /// Whether the command cannot reach the host's abstract sockets.
  private var hidesAbstractSockets: Bool {
    // A joined network namespace may be the host's.
    namespaces.contains(.network) || sandbox.landlockScopes.contains(.abstractSockets)
  }
}

// MARK: - In the proxy's process

extension HelperProcess {
  /// Executes the proxy; returns only what kept it from being executed.
  fileprivate borrowing func becomeBusProxy(
    for buses: [ProxiedBus], _ environment: Environment, _ mask: SignalMask, log: CInt
  ) throws(LaunchError) -> LaunchError {
    try doing(.startBusProxy) { () throws(SystemCallError) in
      try leaveCaller(keeping: log < 0 ? [] : [log])
      if log >= 0 { try OwnedDescriptor(log).replace(1) }
      try enterSocketDirectory()
      // It only passes messages on, so a payload that takes it over gains nothing.
      try renouncePrivileges()
      try Descriptors.keepOnExec(lifeline)
      try mask.restore()
    }
    let words = arguments(for: buses, isLogging: log >= 0)
    return Execution(file: words[0], words: words, name: nil, environment: environment).run()
  }

  /// Makes the directory of the sockets, works in it, and passes it to the monitor.
  ///
  /// It stays when the descriptor here is closed: the monitor has one, and then the sandbox.
  private borrowing func enterSocketDirectory() throws(SystemCallError) {
    let directory = try MountTree.make("tmpfs", [.noSetUserID, .noDevices, .noExecution]) {
      context throws(SystemCallError) in
      try context.set("mode", to: "0700")
      try context.set("size", to: "1m")
    }.asDirectory()
    try CurrentProcess.changeDirectory(to: directory)
    try pass(directory)
  }

  /// The proxy's words.
  private borrowing func arguments(for buses: [ProxiedBus], isLogging: Bool) -> [ByteString] {
    var words: [ByteString] = [BusProxy.program, ByteString("--fd=" + String(lifeline))]
    for proxied in buses {
      words += [proxied.address.text, ByteString(proxied.bus.rawValue), "--filter"]
      if isLogging { words.append("--log") }
      for rule in proxied.access.rules {
        words.append(ByteString(Array("--\(rule.policy.rawValue)=".utf8) + rule.pattern.bytes))
      }
    }
    return words
  }
}
