// SPDX-License-Identifier: Apache-2.0
// The user namespace: made and mapped, mapped by the caller, or joined; and the way on from there
// into a pid namespace that only its owner may enter.

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
      // The caller is told whose maps to write, and then says when they are.
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

  /// Goes on in the pid namespace that was asked for, which only the owner of the user namespace
  /// may make or join.
  borrowing func moveOn() throws(LaunchError) {
    if let pid = plan.sandbox.joined.pid {
      try doing(.joinNamespace, option: pid.option) { () throws(SystemCallError) in
        try CurrentProcess.setHidden(true)
        try Namespaces.pid.join(pid.value)
      }
      try continueAsSibling([])
    }
    // From within the namespace that was joined, as its parent is to be the one of the new one.
    if plan.namespaces.contains(.pid) { try continueAsSibling(.pid) }
  }

  /// Goes on in a new process that is a child of the monitor's, as this one is, and ends.
  private borrowing func continueAsSibling(_ namespaces: Namespaces) throws(LaunchError) {
    let sibling = try doing(.createProcess) { () throws(SystemCallError) in
      try ChildProcess.cloneSibling(namespaces)
    }
    if sibling != nil { CurrentProcess.exit(0) }
    // The new process speaks for itself: of two that follow each other, the first does so before
    // the second exists.
    try doing(.supervise) { () throws(SystemCallError) in
      let itself = try ChildProcess.openCurrent()
      try status.send(SetupMessage.hasMoved.bytes, passing: itself.rawValue)
    }
    // Until the monitor can end this process, nothing is to come of it.
    try waitForMonitor()
    if plan.sandbox.diesWithParent { try dieWithMonitor() }
  }

  /// Tells the monitor which namespaces there are, if a caller wants to know, and waits until it has
  /// passed that on.
  borrowing func announce() throws(LaunchError) {
    let channels = plan.sandbox.channels
    guard channels.information != nil || channels.status != nil else { return }
    let numbers = try doing(.describe) { () throws(SystemCallError) in
      try SandboxDescription.numbers(of: plan.namespaces)
    }
    try doing(.supervise) { () throws(SystemCallError) in
      try status.send(SetupMessage.isDescribed(numbers).bytes)
    }
    try waitForMonitor()
  }

  /// Has the monitor start the helpers that need the namespaces, if there are any, and waits until
  /// they are ready.
  borrowing func awaitHelpers() throws(LaunchError) {
    guard !plan.helpers.later.isEmpty else { return }
    try doing(.supervise) { () throws(SystemCallError) in
      try status.send(SetupMessage.isReady.bytes)
    }
    try waitForMonitor()
  }

  /// Waits for the monitor's answer.
  private borrowing func waitForMonitor() throws(LaunchError) {
    while true {
      let (answer, descriptor) = try doing(.supervise) { () throws(SystemCallError) in
        try Descriptors.receive(from: status.rawValue, capacity: 1)
      }
      switch answer.first {
      case SetupAnswer.hold: plan.helpers.lifelines.append(descriptor)
      case SetupAnswer.goOn: return
      // It has gone, and with it whoever should have been told before the command starts.
      default: CurrentProcess.exit(125)
      }
    }
  }

  /// Takes the means to make user namespaces away.
  borrowing func disableUserNamespaces() throws(LaunchError) {
    // The limit is one of this namespace: it holds for all that would be made below, and whoever
    // has no CAP_SYS_RESOURCE here cannot raise it again.
    let count = plan.sandbox.canRaiseLimits ? 1 : 0
    let option = plan.sandbox.disableUserNamespaces
    try doing(.disableUserNamespaces, option: option) { () throws(SystemCallError) in
      try IdentityMap.limitUserNamespaces(to: count)
    }
  }

  /// Goes on in the one user namespace that the limit still allows, for a command that will have
  /// the capability to raise it: there it is out of its reach, as everything else is that belongs
  /// to the namespace above.
  borrowing func leaveLimitBehind(_ proc: CInt?) throws(LaunchError) {
    let option = plan.sandbox.disableUserNamespaces
    try doing(.disableUserNamespaces, option: option) { () throws(SystemCallError) in
      let (user, group) = CurrentProcess.identity
      try Namespaces.user.unshare()
      try IdentityMap.write(user: (user, user), group: (group, group), through: proc)
    }
  }
}
