// SPDX-License-Identifier: Apache-2.0
// The end: what is told of it, and what is ended and taken back with it.

internal import Linux
internal import SystemPackage
internal import Text

extension Monitor {
  /// Tells the caller how the command ended, if it was executed at all.
  mutating func end(_ termination: Termination) throws(LaunchError) -> Termination {
    // Everybody who could still say something has ended.
    try readReport()
    StepLog.note("the command ended with status " + String(termination.shellStatus))
    if !phase.wasExecuted {
      killAll()
      clearAway()
    }
    if phase.wasExecuted, let number = plan.sandbox.channels.status?.value {
      let line = SandboxDescription.exitLine(termination.shellStatus)
      // A caller that does not listen any more does not change how the command ended.
      try? Descriptors.write(line, to: number)
    }
    // What lives on inside keeps its helpers; init holds what ends them.
    if phase != .running || !plan.hasInit { plan.helpers.stop() }
    job.takeTerminalBack()
    // A shell inside cannot give the terminal back: in its pid namespace the caller's group has no
    // number.
    if plan.namespaces.contains(.pid), !plan.sandbox.hasOwnSession {
      Terminal.takeBackIfAbandoned()
    }
    return termination
  }

  /// How long the end of what was killed is waited for, in milliseconds.
  ///
  /// Only the kernel can delay it: namespaces are taken down first, and with them mounts that may
  /// not answer.
  private static let patience = 2000

  /// Ends whatever the launch has come to: nothing of it goes on.
  mutating func killAll() {
    // Both, as init does not take the command along where they have no pid namespace.
    try? command?.send(.kill)
    try? child.descriptor.send(.kill)
  }

  /// Waits for what was killed, and takes back what it made on the host: nothing of it is left.
  mutating func clearAway() {
    let deadline = MonotonicClock.milliseconds + Monitor.patience
    if phase.hasChild, Monitor.isReady(child.descriptor.rawValue, before: deadline) {
      _ = try? child.wait()
    }
    drainMessages(until: deadline)
    plan.helpers.stop()
    leftovers.takeBack()
    job.takeTerminalBack()
  }

  private static func isReady(_ number: CInt, before deadline: Int) -> Bool {
    let left = CInt(clamping: max(deadline - MonotonicClock.milliseconds, 0))
    return (try? Descriptors.waitForInput(number, milliseconds: left)) ?? false
  }

  /// Reads what the child said last: what it has made on the host, and that it has gone on as
  /// another process in the meantime.
  private mutating func drainMessages(until deadline: Int) {
    while let number = status?.rawValue, Monitor.isReady(number, before: deadline),
      let (bytes, descriptor) = try? Descriptors.receive(
        from: number, capacity: SetupMessage.capacity),
      !bytes.isEmpty
    {
      var passed = descriptor < 0 ? nil : OwnedDescriptor(descriptor)
      switch SetupMessage(bytes[...]) {
      case .hasMoved, .hasStarted:
        // One that cannot be received still waits for an answer, and ends as this channel does.
        guard let process = passed.take() else { return }
        try? process.send(.kill)
      case .hasLeft(let name, let kind, let stamp, let isElsewhere) where !phase.wasExecuted:
        leftovers.remember(name, kind, stamp, in: isElsewhere ? passed.take() : nil, isElsewhere)
      case .hasSettled: leftovers.keep()
      default: break
      }
    }
  }
}

// MARK: - What a failed launch leaves

/// What a launch has made on the host: names in open directories, which are locked until it is
/// settled that the launch does not fail (Setup/Leftovers.swift).
struct MonitoredLeftovers {
  private var leftovers: [NewRoot.Leftover] = []
  /// The directories, each once, in the order in which they came; -1 for one that did not arrive.
  private var directories: [CInt] = []

  /// Notes what lies in `directory` where it is elsewhere, or else in the one that came last.
  mutating func remember(
    _ name: ByteString, _ kind: FileKind, _ stamp: UInt64,
    in directory: consuming OwnedDescriptor?, _ isElsewhere: Bool
  ) {
    if isElsewhere {
      if let directory { directories.append(directory.release()) } else { directories.append(-1) }
    }
    // What lies in one that did not arrive stays.
    guard let last = directories.last, last >= 0 else { return }
    leftovers.append(
      NewRoot.Leftover(directory: last, name: name.path, kind: kind, stamp: stamp))
  }

  /// Leaves what the launch made on the host where it is: the command has it now.
  mutating func keep() {
    for directory in directories where directory >= 0 { Descriptors.close(directory) }
    directories = []
    leftovers = []
  }

  /// Takes back what the launch made on the host, now that nothing of it is left.
  ///
  /// Inside it could not be done any more: most of it is a mount point there.
  mutating func takeBack() {
    for leftover in leftovers.reversed() { leftover.takeBack() }
    keep()
  }
}
