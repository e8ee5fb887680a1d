// SPDX-License-Identifier: Apache-2.0
// What the command keeps of the launcher's privileges: as a rule nothing.

internal import Linux
internal import Text

/// The capabilities of the command and of init.
struct Privileges {
  /// What the command has, in all five sets.
  let command: Capabilities
  /// Whether they count only in a user namespace of the sandbox's.
  let hasUserNamespace: Bool
  /// What init has and the command does not, or nothing where the command has everything.
  ///
  /// The kernel lets a process look into another and take it over only where it has the other's
  /// capabilities (ptrace(2), PTRACE_MODE_*): one that init never uses keeps its memory,
  /// descriptors and working directory from a payload of the same user. Who is outside of the user
  /// namespace and owns it has every capability in it, and may look. So may a payload that keeps
  /// CAP_SYS_PTRACE, whatever init has: there is no fence then, so that nothing is to be gained.
  let fence: Capabilities

  /// Works out who keeps what.
  init(_ resolved: ResolvedSandbox) throws(SystemCallError) {
    let available = try Capabilities.permitted()
    hasUserNamespace = resolved.hasUserNamespace
    command = resolved.capabilities(of: available)
    let spare = command.contains("sys_ptrace") ? 0 : available.subtracting(command).bits
    fence = Capabilities(bits: spare & (~spare &+ 1))
  }

  /// Takes from this process and its children to come what neither init nor the command keeps.
  func bound() throws(SystemCallError) {
    // no_new_privs first: from here on nothing that is executed can gain anything.
    try CurrentProcess.renounceNewPrivileges()
    // While CAP_SETPCAP is still there; the bounding set would outlast the other four.
    try Capabilities.bound(to: command)
  }

  /// Leaves init with the fence alone.
  func dropInInit() throws(SystemCallError) {
    try Capabilities.set(permitted: fence, effective: Capabilities(), inheritable: Capabilities())
  }

  /// Leaves the command with its own.
  func dropInCommand() throws(SystemCallError) {
    let inheritable = hasUserNamespace ? command : Capabilities()
    try Capabilities.set(permitted: command, effective: command, inheritable: inheritable)
    // An exec by a user other than 0 would lose them all but for the ambient set; outside of a user
    // namespace only user 0 has any.
    if hasUserNamespace { try command.raiseAmbient() }
  }
}

extension [CapabilityChange] {
  /// What is left of `capabilities` after the changes, in order.
  func applied(to capabilities: Capabilities) -> Capabilities {
    reduce(capabilities) { kept, change in
      switch change {
      case .add(let added): kept | added
      case .drop(let dropped): kept.subtracting(dropped)
      }
    }
  }
}
