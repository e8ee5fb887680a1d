// SPDX-License-Identifier: Apache-2.0
// A sandbox with everything resolved that depends on its caller and on the machine.

internal import Linux
internal import Seccomp
internal import Text

/// A sandbox for one caller on one machine: launch, plan and diagnosis all read this value.
///
/// A class, so that monitor and child refer to it instead of copying its parts: after the clone,
/// the kernel copies each page that a process writes. A launch stores the properties that it needs;
/// those that it needs once or never are computed on demand.
public final class ResolvedSandbox {
  /// What was asked for.
  let sandbox: Sandbox
  /// The program of the policy.
  let policy: SeccompProgram?
  /// The caller's environment.
  let inherited: [ByteString]
  /// The caller's ids.
  let identity: (user: UInt32, group: UInt32)
  /// The caller's directory; nil where no path leads to it.
  let workingDirectory: ByteString?
  /// The kinds of namespaces that are to be new.
  let namespaces: Namespaces
  /// Whether a filter refuses Unix sockets, as the kernel cannot keep the command from abstract ones
  /// alone.
  let refusesUnixSockets: Bool
  /// Whether the kernel limits the sandbox's processes by its user namespace, if that was asked for:
  /// it never limits the host's root, nor anybody without a new namespace by the sandbox alone.
  ///
  /// See setrlimit(2), RLIMIT_NPROC.
  let countsProcesses: Bool
  /// The caller's terminals in whose place the command gets one of its own.
  let terminals: StandardTerminals

  /// Settles a sandbox; `namespaces` are those of a running one that is entered.
  init(
    _ sandbox: Sandbox, policy: SeccompProgram? = nil, inherited: [ByteString],
    identity: (user: UInt32, group: UInt32), workingDirectory: ByteString?,
    refusesUnixSockets: Bool = false, namespaces: Namespaces? = nil
  ) {
    self.sandbox = sandbox
    self.policy = policy
    self.inherited = inherited
    self.identity = identity
    self.workingDirectory = workingDirectory
    self.refusesUnixSockets = refusesUnixSockets
    var made = sandbox.namespaces.resolved(for: identity.user)
    if sandbox.joined.user != nil { made.remove(.user) }
    self.namespaces = namespaces ?? made
    terminals = sandbox.replacesTerminals ? .find() : .none
    // Before the child is made, which has another user namespace.
    countsProcesses =
      sandbox.processLimit != nil && (made.contains(.user) || sandbox.joined.user != nil)
      && (identity.user != 0 || !IdentityMap.isOfHost)
  }
}

extension Sandbox {
  /// The sandbox with everything settled that depends on `caller` and on the machine.
  /// - Throws: `UsageError` if parts of the sandbox contradict each other, or its policy has a
  ///   mistake.
  public func resolved(for caller: Caller) throws(UsageError) -> ResolvedSandbox {
    try validate()
    let program: SeccompProgram?
    do throws(PolicyError) {
      program = try policy?.program()
    } catch {
      throw UsageError(error.message)
    }
    let resolved = ResolvedSandbox(
      self, policy: program, inherited: caller.image.environment,
      identity: CurrentProcess.identity, workingDirectory: CurrentProcess.workingDirectory,
      refusesUnixSockets: lacksSocketScope)
    try resolved.checkLimits()
    return resolved
  }

  /// Whether Landlock should bar only abstract sockets, and the kernel cannot do that.
  ///
  /// There is no such replacement for the scope of signals, so both together fail.
  var lacksSocketScope: Bool {
    guard landlockScopes == .abstractSockets else { return false }
    return (try? LandlockScopes.areSupported()) == false
  }
}

extension ResolvedSandbox {
  /// The time that the command has, in milliseconds; nil without a limit.
  public var timeLimit: Int64? { sandbox.timeLimit?.value }

  /// Whether an option asks what was used.
  public var isMeasured: Bool { sandbox.isMeasured }
}

// MARK: - The command

extension ResolvedSandbox {
  /// The command's environment, as far as it is known beforehand.
  var environment: Environment {
    Environment(inherited, keeping: sandbox.keptVariables, sandbox.environment)
  }

  /// The user id that the command sees.
  var user: UInt32 { sandbox.user?.value ?? identity.user }

  /// The group id that the command sees.
  var group: UInt32 { sandbox.group?.value ?? identity.group }

  /// If no option names the command's directory, it starts in the first of these that exists, or
  /// else in `/`.
  func startDirectories(_ environment: Environment) -> [ByteString] {
    var directories: [ByteString] = []
    if let workingDirectory { directories.append(workingDirectory) }
    if let home = environment.value(of: "HOME") { directories.append(home) }
    return directories
  }

  /// The command's capabilities, of those that are `available` to the process that sets it up.
  ///
  /// In a new user namespace the command keeps only added ones. Without one, root keeps all that
  /// were not dropped.
  func capabilities(of available: Capabilities) -> Capabilities {
    sandbox.capabilities.applied(to: hasUserNamespace ? Capabilities() : available) & available
  }

  /// Whether the command's capabilities are those of a user namespace that is not the caller's.
  var hasUserNamespace: Bool { namespaces.contains(.user) || sandbox.joined.user != nil }
}

// MARK: - Processes and namespaces

extension ResolvedSandbox {
  /// Whether a nestbox process stays in the sandbox: as process 1, to hold descriptors, or to lead
  /// the session of a terminal, in which the command could not be stopped otherwise.
  var hasInit: Bool {
    !sandbox.commandIsInit
      && (namespaces.contains(.pid) || !sandbox.lockFiles.isEmpty || !sandbox.channels.sync.isEmpty
        || !terminals.isEmpty)
  }

  /// Whether everything inside ends with the command: by request, because the monitor ends and
  /// nobody would hold the time limit, or because the command is process 1.
  var endsAll: Bool {
    namespaces.contains(.pid) && !sandbox.isKept
      && (sandbox.killsOnExit || sandbox.diesWithParent || sandbox.commandIsInit
        || sandbox.timeLimit != nil || sandbox.processorTimeLimit != nil
        || sandbox.outputLimit != nil || sandbox.explain != nil)
  }

  /// Whether the sandbox has another pid namespace than the caller, and therefore a new procfs.
  var hasProcesses: Bool { namespaces.contains(.pid) || sandbox.joined.pid != nil }

  /// Whether the pid namespace can be entered only after the user namespace was joined.
  var needsGoBetween: Bool {
    sandbox.joined.pid != nil || sandbox.joined.user != nil && namespaces.contains(.pid)
  }

  /// Whether the child shares namespaces with possibly hostile processes and must hide its memory
  /// and descriptors from them.
  var isHidden: Bool { sandbox.joined.user != nil || sandbox.joined.pid != nil }

  /// How many times the child continues as another process.
  var moves: Int {
    if sandbox.network.shared != nil { return 1 }
    guard needsGoBetween else { return 0 }
    return (sandbox.joined.pid == nil ? 0 : 1) + (namespaces.contains(.pid) ? 1 : 0)
  }

  /// The kinds that the child begins in: the user namespace, which the kernel makes first, and the
  /// pid namespace, which only a clone can enter.
  ///
  /// If the caller writes the maps, all kinds, because it learns of all of them first. (A time
  /// namespace must be created before its first process.)
  var firstNamespaces: Namespaces {
    // The child continues in them once it has made the network namespace, which lies outside.
    if sandbox.network.shared != nil { return [] }
    // A control group namespace begins where the process is that makes it, and the kernel looks at
    // the parent's place during a clone.
    if sandbox.channels.mapsWritten != nil {
      return namespaces.subtracting(sandbox.needsGroup ? [.time, .cgroup] : .time)
    }
    return needsGoBetween
      ? namespaces.intersection(.user) : namespaces.intersection([.user, .pid])
  }

  /// The kinds that are made in the user namespace once it is mapped.
  var remainingNamespaces: Namespaces {
    let rest = namespaces.subtracting(firstNamespaces).subtracting(.pid)
    return sandbox.network.shared == nil ? rest : rest.subtracting([.user, .network])
  }
}

extension NamespaceRequest {
  /// The kinds of namespaces to make for the user `user` on the running kernel.
  func resolved(for user: UInt32) -> Namespaces {
    var namespaces = others.union(.mount)
    if user != 0 || self.user.isGranted(.user) { namespaces.insert(.user) }
    if cgroup.isGranted(.cgroup) { namespaces.insert(.cgroup) }
    return namespaces
  }
}

extension NamespaceRequest.Wish {
  /// Whether to create a namespace of this kind on the running kernel.
  fileprivate func isGranted(_ kind: Namespaces) -> Bool {
    switch self {
    case .share: false
    case .create: true
    case .createWhereSupported: kind.isSupported
    }
  }
}
