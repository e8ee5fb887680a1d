// SPDX-License-Identifier: Apache-2.0
// All helpers of one launch: which it starts, in which order, and how they end with it.

internal import Linux
internal import Seccomp
internal import Text

/// A helper that is started once the child's namespaces exist.
struct LaterHelper {
  /// Starts it beside the child with the given descriptor.
  let start: (borrowing ChildProcess) throws(LaunchError) -> Helper
}

/// The helpers of a launch.
struct Helpers {
  /// Those that run.
  private(set) var running: [Helper] = []
  /// Those that still need the child's namespaces.
  private(set) var later: [LaterHelper] = []
  /// The helper that filters bus messages, for the set-up.
  private(set) var busProxy: BusProxy?
  /// The helper that watches the command.
  private(set) var watcher: Watcher?
  /// The relay between the sandbox and the network.
  private(set) var relay: NetworkRelay?
  /// The sandbox's place in a network that it shares with others.
  private(set) var membership: Membership?
  /// The lifelines, which init holds, or the monitor if there is no init.
  var lifelines: [CInt] = []

  /// Starts the helpers that must run before the child exists.
  static func start(
    for resolved: ResolvedSandbox, _ mask: SignalMask, warningPrefix: String, _ image: ProcessImage,
    line words: [ByteString], _ execution: (policy: SeccompProgram?, word: UInt64)
  ) throws(LaunchError) -> Helpers {
    var helpers = Helpers()
    if let option = resolved.sandbox.explain {
      let (helper, watcher) = try resolved.startWatcher(option, line: words, execution)
      helpers.add(helper)
      helpers.watcher = watcher
    }
    do throws(LaunchError) {
      if let membership = try resolved.joinNamedNetwork(image) {
        helpers.membership = membership
        helpers.lifelines.append(membership.connection)
      }
      if let relay = try resolved.prepareRelay() {
        helpers.relay = relay
        helpers.lifelines.append(relay.helper.lifeline)
      }
      try helpers.startBusProxy(for: resolved, mask, warningPrefix: warningPrefix)
    } catch {
      helpers.stop()
      throw error
    }
    return helpers
  }

  private mutating func startBusProxy(
    for resolved: ResolvedSandbox, _ mask: SignalMask, warningPrefix: String
  ) throws(LaunchError) {
    guard !resolved.sandbox.buses.isEmpty else { return }
    let log = try watcher?.openBusLog(option: resolved.sandbox.explain) ?? -1
    defer { if log >= 0 { Descriptors.close(log) } }
    if let proxy = try resolved.startBusProxy(mask, warningPrefix: warningPrefix, log: log) {
      add(proxy.helper)
      busProxy = proxy
    }
  }

  private mutating func add(_ helper: Helper) {
    running.append(helper)
    lifelines.append(helper.lifeline)
  }

  /// Closes in the child what the monitor keeps for helpers that may start later.
  func closeHelpersEnds() { relay?.closeRelaysEnds() }

  /// Starts the relay.
  /// - Returns: Its helper; nil if it runs already.
  mutating func start(_ relay: NetworkRelay) throws(LaunchError) -> Helper? {
    guard let helper = try relay.start() else { return nil }
    running.append(helper)
    return helper
  }

  /// Starts those that need the child's namespaces.
  /// - Returns: The new ones.
  mutating func startLater(
    beside child: borrowing ChildProcess
  ) throws(LaunchError) -> ArraySlice<Helper> {
    let count = running.count
    for helper in later { add(try helper.start(child)) }
    later = []
    return running[count...]
  }

  /// Ends all of them after the command.
  mutating func end() {
    for helper in running { helper.end() }
    running = []
  }

  /// Ends all of them.
  mutating func stop() {
    for helper in running { helper.stop() }
    running = []
  }

  /// Notes that a helper has ended and has been reaped.
  mutating func forget(_ process: CInt) {
    running.removeAll { $0.process == process }
  }
}
