// SPDX-License-Identifier: Apache-2.0
// The user namespace: created and mapped, mapped by the caller, or joined; then a pid namespace
// that only its owner may enter.

internal import Linux
internal import SystemPackage
internal import Text

extension Setup {
  /// Gives the process an identity and the capabilities that all further steps need.
  borrowing func enterUserNamespace() throws(LaunchError) {
    if let user = plan.sandbox.joined.user {
      try doing(.joinNamespace, option: user.option) { () throws(SystemCallError) in
        try CurrentProcess.setHidden(true)
        try Namespaces.user.join(user.value)
      }
    } else if let maps = plan.sandbox.channels.mapsWritten {
      // The caller learns which process needs maps, and reports when it has written them.
      try announce()
      try doing(.waitForMaps, option: maps.option) { () throws(SystemCallError) in
        _ = try Descriptors.waitForByte(maps.value)
      }
    } else if plan.namespaces.contains(.user) {
      try mapIdentity()
    }
  }

  private borrowing func mapIdentity() throws(LaunchError) {
    let identity = plan.identity
    let user = plan.sandbox.user?.value ?? identity.user
    let group = plan.sandbox.group?.value ?? identity.group
    try doing(.writeIdentityMap) { () throws(SystemCallError) in
      try IdentityMap.write(
        user: (inside: user, outside: identity.user),
        group: (inside: group, outside: identity.group))
    }
  }

  /// Moves to the requested pid namespace, which only the owner of the user namespace may create or
  /// join.
  borrowing func moveOn() throws(LaunchError) {
    if let pid = plan.sandbox.joined.pid {
      try doing(.joinNamespace, option: pid.option) { () throws(SystemCallError) in
        try CurrentProcess.setHidden(true)
        try Namespaces.pid.join(pid.value)
      }
      try continueAsSibling([])
    }
    // From inside the joined namespace, which becomes the parent of the new one.
    if plan.namespaces.contains(.pid) { try continueAsSibling(.pid) }
  }

  /// Continues in a new process that is the monitor's child, as this one is, and exits.
  borrowing func continueAsSibling(_ namespaces: Namespaces) throws(LaunchError) {
    let sibling = try doing(.createProcess) { () throws(SystemCallError) in
      try ChildProcess.cloneSibling(namespaces)
    }
    if sibling != nil { CurrentProcess.exit(0) }
    try succeed()
    if plan.sandbox.diesWithMonitor { try dieWithMonitor() }
  }

  /// Announces this process to the monitor, in place of the one before.
  ///
  /// Each new process announces itself: the first of two successors does so before the second
  /// exists.
  borrowing func succeed() throws(LaunchError) {
    try doing(.supervise) { () throws(SystemCallError) in
      let itself = try ChildProcess.openCurrent()
      try status.send(SetupMessage.hasMoved.bytes, passing: itself.rawValue)
    }
    // Do nothing further until the monitor can kill this process.
    try waitForMonitor()
  }

  /// If the caller asked for the namespaces, reports them to the monitor and waits until it has
  /// passed them on.
  borrowing func announce() throws(LaunchError) {
    let channels = plan.sandbox.channels
    guard channels.information != nil || channels.status != nil else { return }
    let numbers = try doing(.describe) { () throws(SystemCallError) in
      try SandboxDescription.numbers(of: plan.namespaces)
    }
    if plan.isInPlace { return try describe(numbers) }
    try doing(.supervise) { () throws(SystemCallError) in
      try status.send(SetupMessage.isDescribed(numbers).bytes)
    }
    try waitForMonitor()
  }

  /// Describes the sandbox to the caller without a monitor.
  private borrowing func describe(_ numbers: [UInt64]) throws(LaunchError) {
    guard let number = plan.sandbox.channels.information?.value else { return }
    let description = SandboxDescription(of: CurrentProcess.number, plan.namespaces, numbers)
    try doing(.describe) { () throws(SystemCallError) in
      try Descriptors.write(description.information, to: number)
    }
    Descriptors.close(number)
  }

  /// If helpers need the namespaces, asks the monitor to start them and waits until they are ready.
  borrowing func awaitHelpers() throws(LaunchError) {
    guard !plan.helpers.later.isEmpty else { return }
    try doing(.supervise) { () throws(SystemCallError) in
      try status.send(SetupMessage.isReady.bytes)
    }
    try waitForMonitor()
  }

  /// Waits for the monitor's answer.
  borrowing func waitForMonitor() throws(LaunchError) {
    while true {
      let (answer, descriptor) = try doing(.supervise) { () throws(SystemCallError) in
        try Descriptors.receive(from: status.rawValue, capacity: 1)
      }
      switch answer.first {
      case SetupAnswer.hold: plan.helpers.lifelines.append(descriptor)
      case SetupAnswer.goOn: return
      // The monitor has ended, so the caller cannot be informed before the command starts.
      default: CurrentProcess.exit(125)
      }
    }
  }

  /// Forbids new user namespaces.
  borrowing func disableUserNamespaces() throws(LaunchError) {
    // The limit belongs to this namespace and covers all nested ones. A process without
    // CAP_SYS_RESOURCE here cannot raise it again.
    let count = plan.sandbox.canRaiseLimits ? 1 : 0
    let option = plan.sandbox.disableUserNamespaces
    try doing(.disableUserNamespaces, option: option) { () throws(SystemCallError) in
      try IdentityMap.limitUserNamespaces(to: count)
    }
  }

  /// If the command will have the capability to raise the limit, moves to the one user namespace
  /// that the limit still allows: from there the command cannot change the limit, or anything else
  /// that belongs to the parent namespace.
  borrowing func leaveLimitBehind(_ proc: CInt?) throws(LaunchError) {
    let option = plan.sandbox.disableUserNamespaces
    try doing(.disableUserNamespaces, option: option) { () throws(SystemCallError) in
      let (user, group) = CurrentProcess.identity
      try Namespaces.user.unshare()
      try IdentityMap.write(user: (user, user), group: (group, group), through: proc)
    }
  }
}
