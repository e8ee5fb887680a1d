// SPDX-License-Identifier: Apache-2.0
// The operations on the new root, each as the calls that it takes.

internal import Linux
internal import SystemPackage
internal import Text

extension NewRoot {
  /// What the operations have to know of the sandbox as a whole.
  struct Circumstances {
    /// All that was decided.
    let plan: LaunchPlan
    /// Whether the sandbox has processes of its own, and so a procfs of its own.
    let hasProcesses: Bool
    /// Whether user 0 of the machine started the sandbox, as which a payload may write to /proc.
    let isRoot: Bool
    /// Whether mounts may keep flags that the kernel does not change.
    let isNoSecurityBoundary: Bool
    /// What the caller's warnings begin with.
    let warningPrefix: String
    /// The SELinux context of what is mounted.
    let label: ByteString?
  }

  /// Carries out one operation.
  mutating func perform(
    _ operation: FilesystemOperation, _ circumstances: Circumstances
  ) throws(LaunchError) {
    do throws(LaunchError) {
      try carryOut(operation, circumstances)
      StepLog.note(operation.step)
    } catch {
      throw error.from(operation.origin)
    }
  }

  private mutating func carryOut(
    _ operation: FilesystemOperation, _ circumstances: Circumstances
  ) throws(LaunchError) {
    let option = operation.option
    parents = operation.parents
    switch operation.action {
    case .bind(let source, let destination, let access, let isOptional):
      try bind(source, destination, access, isOptional, option, circumstances)
    case .bindDescriptor(let descriptor, let destination, let access):
      try bind(descriptor, destination, access, option, circumstances)
    case .overlay(let overlay, let destination):
      try mountOverlay(overlay, destination, option)
    case .same(let path, let isOptional):
      try showSame(path, isOptional, option, circumstances)
    case .program: try showProgram(option, circumstances)
    default: try performOther(operation, circumstances)
    }
  }

  /// Carries out an operation that shows nothing of the host.
  private mutating func performOther(
    _ operation: FilesystemOperation, _ circumstances: Circumstances
  ) throws(LaunchError) {
    let option = operation.option
    switch operation.action {
    case .bind, .bindDescriptor, .overlay, .same, .program: break
    case .remountReadOnly(let path):
      try step(.remountReadOnly, option, path) { root throws(SystemCallError) in
        try MountTree(root.existing(path)).restrictThisMount([
          .readOnly, .noSetUserID, .noDevices,
        ])
      }
    case .proc(let path):
      try mountProc(path, circumstances, option)
    case .dev(let path):
      try mountDevices(path, circumstances, option)
    case .tmpfs(let path, let permissions, let size):
      try step(.mountTmpfs, option, path) { root throws(SystemCallError) in
        try root.mount("tmpfs", [.noSetUserID, .noDevices], on: path) {
          context throws(SystemCallError) in
          try context.set("mode", to: permissions.octal)
          try circumstances.label(context)
          if let size { try context.set("size", to: ByteString(String(size))) }
        }
      }
    case .mqueue(let path):
      try step(.mountMqueue, option, path) { root throws(SystemCallError) in
        try root.mount(
          "mqueue", [.noSetUserID, .noDevices, .noExecution], on: path, circumstances.label)
      }
    case .directory(let path, let permissions):
      try step(.makeDirectory, option, path) { root throws(SystemCallError) in
        _ = try root.directory(path, permissions: permissions)
      }
    case .file(let descriptor, let destination, let permissions):
      try step(.writeFile, option, destination) { root throws(SystemCallError) in
        try Descriptors.copy(from: descriptor, to: root.file(destination, permissions))
      }
    case .data(let descriptor, let destination, let permissions, let access):
      try step(.writeFile, option, destination) { root throws(SystemCallError) in
        let tree = try root.dataTree(permissions) { file throws(SystemCallError) in
          try Descriptors.copy(from: descriptor, to: file)
        }
        try tree.restrict(access.attributes)
        try root.attach(tree, at: root.place(destination, .other, .mountPoint))
        // Not earlier: the kernel does not attach what has no name any more.
        try root.forgetData()
      }
    case .text(let text, let destination, let permissions):
      try mountText(text, on: destination, permissions, option)
    case .userFiles(let path): try mountUserFiles(in: path, option, circumstances)
    case .mask(let path): try mask(path, option)
    case .symbolicLink(let target, let path):
      try step(.makeSymbolicLink, option, path) { root throws(SystemCallError) in
        try root.link(path, to: target)
      }
    case .permissions(let permissions, let path):
      try step(.setPermissions, option, path) { root throws(SystemCallError) in
        try root.existing(path).setPermissions(UInt32(permissions.rawValue))
      }
    }
  }

  /// Runs `body` and names a failure in it.
  mutating func step(
    _ action: LaunchError.Action, _ option: String, _ path: FilePath,
    _ body: (inout NewRoot) throws(SystemCallError) -> Void
  ) throws(LaunchError) {
    do throws(SystemCallError) {
      try body(&self)
    } catch {
      throw LaunchError(
        action, option: option, subject: error.subject ?? ByteString(path), cause: error)
    }
  }
}

extension NewRoot.Circumstances {
  /// Gives a new file system its SELinux context.
  func label(_ filesystem: borrowing FilesystemContext) throws(SystemCallError) {
    if let label { try filesystem.set("context", to: label) }
  }
}

// MARK: - Binds

extension NewRoot {
  mutating func bind(
    _ source: FilePath, _ destination: FilePath, _ access: FilesystemOperation.Access,
    _ isOptional: Bool, _ option: String, _ circumstances: Circumstances,
    followsLink: Bool = true
  ) throws(LaunchError) {
    // First of all, so that a missing source leaves no mount point behind.
    guard let tree = try tree(of: source, isOptional, option, followsLink: followsLink) else {
      return
    }
    try bind(tree, from: source, destination, access, option, circumstances)
  }

  private mutating func bind(
    _ descriptor: CInt, _ destination: FilePath, _ access: FilesystemOperation.Access,
    _ option: String, _ circumstances: Circumstances
  ) throws(LaunchError) {
    let subject = ByteString(String(descriptor))
    // The open file lies on a mount of the host's namespace, of which none can be cloned here;
    // what its name leads to in this one is cloned, and has to be the same file.
    let source = try doing(.readSource, option: option, subject) { () throws(SystemCallError) in
      try Descriptors.path(of: descriptor)
    }
    guard let tree = try tree(of: source, false, option) else { return }
    try doing(.readSource, option: option, subject) { () throws(SystemCallError) in
      guard try tree.descriptor.fileIdentity() == Descriptors.fileIdentity(of: descriptor) else {
        throw SystemCallError(call: "fstat", errno: .staleNFSFileHandle)
      }
    }
    try bind(tree, from: source, destination, access, option, circumstances)
  }

  private mutating func bind(
    _ tree: borrowing MountTree, from source: FilePath, _ destination: FilePath,
    _ access: FilesystemOperation.Access, _ option: String, _ circumstances: Circumstances
  ) throws(LaunchError) {
    do throws(SystemCallError) {
      // What is mounted on the host later must not become visible, and writable, in a tree that
      // was bound read-only; in the others it may, as drives do.
      try tree.restrict(
        access.attributes, propagation: access == .readOnly ? .isolated : .unchanged)
    } catch {
      let failure = LaunchError(
        .restrictSource, option: option, subject: ByteString(source), cause: error)
      guard circumstances.isNoSecurityBoundary else { throw failure }
      // Where nobody listens there is nobody to warn.
      try? Descriptors.write(circumstances.warningPrefix + failure.message + "\n", to: 2)
    }
    try step(.bind, option, destination) { root throws(SystemCallError) in
      let kind = try tree.descriptor.status().kind
      let permissions: FilePermissions = kind == .directory ? .standardDirectory : .mountPoint
      try root.attach(tree, at: root.place(destination, kind, permissions))
    }
  }

  /// The tree at `source`; nil where it is optional and does not exist.
  private func tree(
    of source: FilePath, _ isOptional: Bool, _ option: String, followsLink: Bool = true
  ) throws(LaunchError) -> MountTree? {
    do throws(SystemCallError) {
      return try MountTree.clone(of: source, followsLink: followsLink)
    } catch {
      if isOptional && error.errno == .noSuchFileOrDirectory { return nil }
      if error.errno == .invalidArgument, let tree = NewRoot.tree(behind: source) { return tree }
      throw LaunchError(.findSource, option: option, subject: ByteString(source), cause: error)
    }
  }

  /// The tree that the magic link `source` leads to, as /dev/fd/3 and /proc/self/exe are; nil where
  /// it cannot be had.
  ///
  /// Such a link leads to a mount of the caller's namespace, of which none can be cloned here; what
  /// the file's name leads to can, if it is the same file.
  private static func tree(behind source: FilePath) -> MountTree? {
    do throws(SystemCallError) {
      let file = try OwnedDescriptor.open(source, .location)
      let tree = try MountTree.clone(of: Descriptors.path(of: file.rawValue))
      guard try tree.descriptor.fileIdentity() == file.fileIdentity() else { return nil }
      return tree
    } catch {
      return nil
    }
  }

  /// Makes a file system and attaches it on the directory `path`.
  ///
  /// What is written to it outlives the sandbox where `keepsWrites` is true.
  mutating func mount(
    _ type: StaticString, _ attributes: MountAttributes, on path: FilePath,
    keepsWrites: Bool = false,
    _ configure: (borrowing FilesystemContext) throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    let place = try directory(path)
    let tree = try MountTree.make(type, attributes, configure)
    if !keepsWrites { try own(tree) }
    try attach(tree, at: .found(place))
  }

  mutating func link(_ path: FilePath, to target: ByteString) throws(SystemCallError) {
    let entry = try entry(for: path)
    let identity = try entry.directory.fileIdentity()
    let directory = lock(entry.directory, identity)
    do throws(SystemCallError) {
      try entry.directory.makeSymbolicLink(entry.name, target: target)
      remember(entry, .other, directory)
    } catch {
      // Merged and unmerged file systems are served by one line if a link that is there already
      // and says the same is as good as a new one.
      guard error.errno == .fileExists,
        let existing = try? entry.directory.symbolicLinkTarget(entry.name),
        existing == target
      else { throw error }
    }
  }
}

extension FilesystemOperation.Access {
  /// The restrictions that a bound tree gets on top of those it has on the host.
  var attributes: MountAttributes {
    switch self {
    case .readOnly: [.readOnly, .noSetUserID, .noDevices]
    case .readWrite: [.noSetUserID, .noDevices]
    case .devices: [.noSetUserID]
    }
  }
}

extension FilePermissions {
  /// The permissions as chmod(1) takes them.
  var octal: ByteString { ByteString("0" + String(rawValue, radix: 8)) }
}

// MARK: - Proc

extension NewRoot {
  /// What of /proc changes the whole machine, for root.
  static let machineControls: [FilePath] = ["sys", "sysrq-trigger", "irq", "bus"]

  /// Makes what is at `name` read-only, if it is there.
  ///
  /// Permissions do not tell: the directory of the sysctls is writable to nobody, the files in it
  /// are to user 0 of the machine, be it without any capability and in a namespace of its own.
  private static func cover(
    _ name: FilePath, in proc: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    let control: MountTree
    do throws(SystemCallError) {
      control = try MountTree.clone(of: name, in: proc)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return }
      throw error
    }
    try control.restrict(.readOnly)
    try control.attach(on: name, in: proc)
  }

  private mutating func mountProc(
    _ path: FilePath, _ circumstances: Circumstances, _ option: String
  ) throws(LaunchError) {
    try step(.mountProc, option, path) { root throws(SystemCallError) in
      let place = try root.directory(path)
      let tree =
        circumstances.hasProcesses
        ? try MountTree.make("proc", [.noSetUserID, .noDevices, .noExecution])
        : try MountTree.clone(of: "/proc")
      if !circumstances.hasProcesses { try tree.restrict([.noSetUserID, .noDevices]) }
      try root.attach(tree, at: .found(place))
      for name in NewRoot.machineControls
      where circumstances.isRoot || tree.descriptor.isWritable(name) {
        try NewRoot.cover(name, in: tree.descriptor)
      }
    }
  }
}
