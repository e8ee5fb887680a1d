// SPDX-License-Identifier: Apache-2.0
// A sandbox with everything settled that depends on its caller and on the machine.

internal import Linux
internal import Text

/// A sandbox for one caller on one machine.
///
/// A class, so that monitor and child refer to it instead of each copying its parts: memory that is
/// written after the clone has to be copied by the kernel, a page at a time.
class ResolvedSandbox {
  /// What was asked for.
  final let sandbox: Sandbox
  /// The caller's environment.
  final let inherited: [ByteString]
  /// The caller's ids.
  final let identity: (user: UInt32, group: UInt32)
  /// The caller's directory; nil where no path leads to it.
  final let workingDirectory: ByteString?
  /// The kinds of namespaces that are to be new.
  final let namespaces: Namespaces

  /// Settles a sandbox.
  init(
    _ sandbox: Sandbox, inherited: [ByteString], identity: (user: UInt32, group: UInt32),
    workingDirectory: ByteString?
  ) {
    self.sandbox = sandbox
    self.inherited = inherited
    self.identity = identity
    self.workingDirectory = workingDirectory
    namespaces = sandbox.newNamespaces(for: identity.user)
  }

  /// The environment that the command is given, as far as it is known beforehand.
  final var environment: Environment {
    Environment(inherited, keeping: sandbox.keptVariables, sandbox.environment)
  }

  /// The user id that the command sees.
  final var user: UInt32 { sandbox.user?.value ?? identity.user }

  /// The group id that the command sees.
  final var group: UInt32 { sandbox.group?.value ?? identity.group }

  /// Whether a process of nestbox's stays in the sandbox: as process 1, or to hold something.
  final var hasInit: Bool {
    !sandbox.commandIsInit
      && (namespaces.contains(.pid) || !sandbox.lockFiles.isEmpty || !sandbox.channels.sync.isEmpty)
  }

  /// Whether the sandbox has processes of its own, and so a procfs of its own.
  final var hasProcesses: Bool { namespaces.contains(.pid) || sandbox.joined.pid != nil }

  /// Whether the command's capabilities are those of a user namespace that is not the caller's.
  final var hasUserNamespace: Bool { namespaces.contains(.user) || sandbox.joined.user != nil }
}

extension Sandbox {
  /// The kinds of namespaces that a launch by the user `user` makes.
  func newNamespaces(for user: UInt32) -> Namespaces {
    var namespaces = self.namespaces.resolved(for: user)
    if joined.user != nil { namespaces.remove(.user) }
    return namespaces
  }
}
