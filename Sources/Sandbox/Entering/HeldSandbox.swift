// SPDX-License-Identifier: Apache-2.0
// What the monitor of a named sandbox holds open: the child opens it once everything is set up, and
// waits until the monitor has it, before the payload runs.

internal import Linux
internal import SystemPackage
internal import Text

/// The places of what is held.
enum HeldPlace {
  /// Namespaces stand in the order of their names.
  static let root = Namespaces.names.count
  /// The terms, which come last.
  static let terms = root + 1
  /// How many places there are besides the terms.
  static let count = root + 1

  /// The name of the terms' file in memory, and its path in /proc.
  static let fileName: StaticString = "nestbox-sandbox"
  static let path: ByteString = "/memfd:nestbox-sandbox (deleted)"
}

extension Setup {
  /// Gives the monitor the namespaces, the root, and the terms of the command.
  /// - Parameters:
  ///   - proc: A procfs.
  ///   - command: The command.
  /// - Throws: `LaunchError` if the monitor does not get all of that.
  borrowing func offerEntrance(through proc: CInt?, to command: Command) throws(LaunchError) {
    try doing(.supervise, option: plan.sandbox.name?.option) { () throws(SystemCallError) in
      for (place, kind) in Namespaces.names.enumerated() {
        do throws(SystemCallError) {
          let namespace = try NamespaceFiles.open(kind.name, through: proc)
          try offer(place, namespace.rawValue)
        } catch {
          // An older kernel lacks the kind.
          if error.errno != .noSuchFileOrDirectory { throw error }
        }
      }
      let root = try OwnedDescriptor.open("/", .location)
      try offer(HeldPlace.root, root.rawValue)
      let terms = try SealedMemory.make(HeldPlace.fileName)
      try Descriptors.write(EntryTerms(of: command).bytes[...], to: terms.rawValue)
      try offer(HeldPlace.terms, terms.rawValue)
    }
    try waitForMonitor()
  }

  private borrowing func offer(_ place: Int, _ number: CInt) throws(SystemCallError) {
    try status.send(
      SetupMessage.isHeld(place: UInt8(truncatingIfNeeded: place)).bytes, passing: number)
  }
}

extension EntryTerms {
  /// The terms of a command that is about to be executed.
  init(of command: Command) throws(SystemCallError) {
    let (plan, sandbox) = (command.plan, command.plan.sandbox)
    capabilities = command.privileges.command
    hasUserNamespace = command.privileges.hasUserNamespace
    if sandbox.joined.user != nil { (user, group) = (sandbox.user?.value, sandbox.group?.value) }
    hasOwnSession = sandbox.hasOwnSession
    (landlock, landlockToTry) = (sandbox.landlockScopes, sandbox.landlockScopesToTry)
    limits = plan.resolved.applied(to: try ResourceLimits.current())
    keptVariables = sandbox.keptVariables
    // A command that enters finds the display of the launch, wherever it is typed.
    environment =
      sandbox.environment.flatMap { change in
        change == .display ? Environment.display(in: plan.resolved.inherited) : [change]
      } + command.variables
    workingDirectory = sandbox.workingDirectory?.value
    defaultCommand = sandbox.defaultCommand
    // The last one is the policy, with the word of this launch.
    filters = plan.policy == nil ? command.filters : Array(command.filters.dropLast())
    policy = plan.resolved.policy
    controlGroup = plan.group?.path
    if let label = sandbox.executionLabel { obstacle = label.option.name }
    record = LaunchRecord(plan, filters: filters)
  }
}

// MARK: - The monitor

/// What the monitor holds.
struct HeldSandbox {
  private var numbers: [CInt] = []

  /// Takes what belongs in `place`; returns whether that completes it.
  mutating func take(
    _ place: Int, _ descriptor: consuming OwnedDescriptor?
  ) throws(SystemCallError) -> Bool {
    guard let descriptor, place <= HeldPlace.terms else {
      throw SystemCallError(call: "recvmsg", errno: .badFileDescriptor)
    }
    if numbers.isEmpty { numbers = [CInt](repeating: -1, count: HeldPlace.count) }
    guard place == HeldPlace.terms else {
      numbers[place] = descriptor.release()
      return false
    }
    var writer = RecordWriter()
    for number in numbers { writer.write(number) }
    writer.write(descriptor.rawValue)
    try Descriptors.write(writer.bytes[...], to: descriptor.rawValue)
    try SealedMemory.seal(descriptor.rawValue)
    // Until this process ends: others open it in /proc.
    _ = descriptor.release()
    return true
  }

  /// Closes the namespaces, so that they end with their processes.
  mutating func letGo() {
    for number in numbers where number >= 0 { Descriptors.close(number) }
    numbers = []
  }
}

extension Monitor {
  /// Holds something of a sandbox that can be entered; answers when that was all.
  mutating func hold(
    _ place: UInt8, _ descriptor: consuming OwnedDescriptor?
  ) throws(LaunchError) {
    let isComplete: Bool
    do throws(SystemCallError) {
      isComplete = try held.take(Int(place), descriptor)
    } catch {
      throw LaunchError(.supervise, option: plan.sandbox.name?.option, cause: error)
    }
    if isComplete { try answer(.supervise) }
  }
}
