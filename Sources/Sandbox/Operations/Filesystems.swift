// SPDX-License-Identifier: Apache-2.0
// Operations that mount new file systems.

internal import Linux
internal import SystemPackage
internal import Text

extension RootBuilder where Self: ~Copyable {
  /// Mounts an empty file system in memory on a directory.
  mutating func mountTmpfs(
    on path: FilePath, _ permissions: FilePermissions, size: UInt64?
  ) throws(LaunchError) {
    try step(.mountTmpfs, ByteString(path)) { root throws(SystemCallError) in
      try root.attach(root.makeMemory(permissions, size: size), .directory, at: path)
    }
  }

  /// Makes an empty directory in memory.
  ///
  /// All of them share one file system. The kernel limits each file system in memory to half of the
  /// machine's, so that several could fill all of it. One with a size, a label or bits that
  /// mkdirat(2) does not take has a file system of its own.
  mutating func makeMemory(
    _ permissions: FilePermissions, size: UInt64? = nil
  ) throws(SystemCallError) -> Tree {
    let label = resolved.sandbox.fileLabel?.value
    guard size != nil || label != nil || permissions.rawValue & 0o6000 != 0 else {
      return try sharedMemory(permissions)
    }
    let tree = try make("tmpfs", [.noSetUserID, .noDevices]) { context throws(SystemCallError) in
      try context.set("mode", to: permissions.octal)
      try context.set(label: label)
      if let size { try context.set("size", to: ByteString(String(size))) }
    }
    try own(tree)
    return tree
  }

  /// Mounts the message queues of the ipc namespace on a directory.
  mutating func mountMessageQueues(on path: FilePath) throws(LaunchError) {
    let label = resolved.sandbox.fileLabel?.value
    try step(.mountMqueue, ByteString(path)) { root throws(SystemCallError) in
      do throws(SystemCallError) {
        let tree = try root.make("mqueue", [.noSetUserID, .noDevices, .noExecution]) {
          context throws(SystemCallError) in
          try context.set(label: label)
        }
        try root.own(tree)
        try root.attach(tree, .directory, at: path)
      } catch {
        // If both fail, the missing directory is told, as bubblewrap tells it.
        _ = try root.directory(at: path)
        throw error
      }
    }
  }

  /// Mounts an overlay on a directory.
  mutating func mount(_ overlay: Overlay, on path: FilePath) throws(LaunchError) {
    let tree = try makeOverlay(overlay, for: path)
    try step(.mountOverlay, ByteString(path)) { root throws(SystemCallError) in
      if !overlay.writes.areKept { try root.own(tree) }
      try root.attach(tree, .directory, at: path)
    }
  }

  /// Mounts procfs on a directory: a new one if the sandbox has a pid namespace, otherwise the
  /// host's.
  mutating func mountProc(on path: FilePath) throws(LaunchError) {
    try step(.mountProc, ByteString(path)) { root throws(SystemCallError) in
      let isNew = root.resolved.hasProcesses
      let tree =
        isNew
        ? try root.make("proc", [.noSetUserID, .noDevices, .noExecution])
        : try root.hostTree("/proc")
      if !isNew { try root.restrict(tree, [.noSetUserID, .noDevices]) }
      try root.attach(tree, .directory, at: path)
      let isRoot = root.resolved.identity.user == 0
      for name in MachineControls.inProc where isRoot || root.isWritable(name, in: tree) {
        try root.protect(name, in: tree)
      }
    }
  }

  /// Makes `name` read-only, if it exists.
  ///
  /// Permissions do not protect it: no user may write to the directory of the sysctls, but the
  /// machine's user 0 may write to the files in it, even without capabilities and in a user
  /// namespace.
  private mutating func protect(
    _ name: FilePath, in proc: borrowing Tree
  ) throws(SystemCallError) {
    let control: Tree
    do throws(SystemCallError) {
      control = try clone(name, in: proc)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return }
      throw error
    }
    try restrict(control, .readOnly)
    try attach(control, on: name, in: proc)
  }
}

/// Files through which root changes the whole machine.
enum MachineControls {
  /// Their names in /proc.
  static let inProc: [FilePath] = ["sys", "sysrq-trigger", "irq", "bus"]
}

extension FilesystemContext {
  /// Gives a new file system its SELinux context, if one is requested.
  borrowing func set(label: ByteString?) throws(SystemCallError) {
    if let label { try set("context", to: label) }
  }
}
