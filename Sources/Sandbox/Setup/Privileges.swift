// SPDX-License-Identifier: Apache-2.0
// Which of the launcher's privileges the command keeps: usually none.

internal import Linux
internal import Text

/// The capabilities of the command and of init.
struct Privileges {
  /// What the command has, in all five sets.
  let command: Capabilities
  /// Whether they count only in the sandbox's user namespace.
  let hasUserNamespace: Bool
  /// Capabilities that init has and the command lacks; empty if the command has all.
  ///
  /// The kernel lets a process inspect or trace another only if it has all the other's capabilities
  /// (ptrace(2), PTRACE_MODE_*). A capability that init never uses therefore protects its memory,
  /// descriptors and working directory from a payload of the same user. A process outside that owns
  /// the user namespace has every capability in it and may inspect init. So may a payload with
  /// CAP_SYS_PTRACE, whatever init has: in that case there is no fence, so that tracing init gains
  /// nothing.
  let fence: Capabilities

  /// Works out who keeps what.
  init(_ resolved: ResolvedSandbox) throws(SystemCallError) {
    let available = try Capabilities.permitted()
    self.init(
      command: resolved.capabilities(of: available),
      hasUserNamespace: resolved.hasUserNamespace, available)
  }

  /// Works out what init and the command keep if the command gets `command`.
  init(command: Capabilities, hasUserNamespace: Bool) throws(SystemCallError) {
    let available = try Capabilities.permitted()
    self.init(command: command & available, hasUserNamespace: hasUserNamespace, available)
  }

  private init(command: Capabilities, hasUserNamespace: Bool, _ available: Capabilities) {
    self.command = command
    self.hasUserNamespace = hasUserNamespace
    let spare = command.contains("sys_ptrace") ? 0 : available.subtracting(command).bits
    fence = Capabilities(bits: spare & (~spare &+ 1))
  }

  /// Removes what neither init nor the command keeps, from this process and its future children.
  func bound() throws(SystemCallError) {
    // no_new_privs first: from here on, no exec can gain privileges.
    try CurrentProcess.renounceNewPrivileges()
    // While CAP_SETPCAP is still there; the bounding set would outlast the other four.
    try Capabilities.bound(to: command)
  }

  /// Leaves init only the fence.
  func dropInInit() throws(SystemCallError) {
    try Capabilities.set(permitted: fence, effective: Capabilities(), inheritable: Capabilities())
  }

  /// Leaves the command only its capabilities.
  func dropInCommand() throws(SystemCallError) {
    let inheritable = hasUserNamespace ? command : Capabilities()
    try Capabilities.set(permitted: command, effective: command, inheritable: inheritable)
    // An exec by a user other than 0 keeps only the ambient set. Outside a user namespace only user
    // 0 has capabilities.
    if hasUserNamespace { try command.raiseAmbient() }
  }
}

extension [CapabilityChange] {
  /// The result of applying the changes to `capabilities`, in order.
  func applied(to capabilities: Capabilities) -> Capabilities {
    reduce(capabilities) { kept, change in
      switch change {
      case .add(let added): kept | added
      case .drop(let dropped): kept.subtracting(dropped)
      }
    }
  }
}
