// SPDX-License-Identifier: Apache-2.0
// `NewRoot` as a `RootBuilder`: each ability as system calls.

internal import Linux
internal import SystemPackage
internal import Text

extension NewRoot: RootBuilder {
  typealias Tree = MountTree
  typealias HostFile = OwnedDescriptor

  var resolved: ResolvedSandbox { plan.resolved }

  var terminal: FilePath? {
    plan.standard?.withholdsTerminal == true ? nil : Terminal.standard
  }

  mutating func makeTerminal(in terminals: borrowing MountTree) throws(SystemCallError) -> MountTree
  {
    let master: OwnedDescriptor
    do throws(SystemCallError) {
      master = try PseudoTerminal.open(in: terminals.descriptor)
    } catch {
      throw error.about("/dev/pts/ptmx")
    }
    let tree = try MountTree.clone(of: PseudoTerminal.name(of: master), in: terminals.descriptor)
    // One of an earlier --dev is covered, or will not be found in /dev.
    self.master = OwnedDescriptor(master.release())
    return tree
  }

  func passOver() {}

  func warn(of failure: LaunchError) {
    // If standard error is closed, the warning has no reader.
    try? Descriptors.write(plan.warningPrefix + failure.message + "\n", to: 2)
  }
}

// MARK: - New file systems

extension NewRoot {
  func make(
    _ type: StaticString, _ attributes: MountAttributes,
    _ configure: (borrowing FilesystemContext) throws(SystemCallError) -> Void
  ) throws(SystemCallError) -> MountTree {
    try MountTree.make(type, attributes, configure)
  }

  mutating func sharedMemory(_ permissions: FilePermissions) throws(SystemCallError) -> MountTree {
    memories += 1
    let name = FilePath("memory" + String(memories))
    return try inScratch { directory throws(SystemCallError) in
      try directory.makeDirectory(name, permissions)
      return try MountTree.clone(of: name, in: directory)
    }
  }

  mutating func makeFile(
    _ permissions: FilePermissions,
    _ fill: (borrowing OwnedDescriptor) throws(SystemCallError) -> Void
  ) throws(SystemCallError) -> MountTree {
    files += 1
    let name = FilePath("data" + String(files))
    return try inScratch { directory throws(SystemCallError) in
      let file = try directory.create(name, permissions)
      try fill(file)
      return try MountTree.clone(of: name, in: directory)
    }
  }

  mutating func emptyTree(_ kind: FileKind) throws(SystemCallError) -> MountTree {
    // It keeps its name, so that it can be covered in turn.
    let name: FilePath = kind == .directory ? "empty" : "nothing"
    let isMade = kind == .directory ? hasEmptyDirectory : hasEmptyFile
    if kind == .directory { hasEmptyDirectory = true } else { hasEmptyFile = true }
    return try inScratch { directory throws(SystemCallError) in
      if !isMade {
        switch kind {
        case .directory:
          try directory.makeDirectory(name, FilePermissions(rawValue: 0o555))
        case .other: try directory.makeFile(name, .mountPoint)
        }
      }
      return try MountTree.clone(of: name, in: directory)
    }
  }

  /// Waits for the sockets of `proxy`, and attaches them where their trees can be cloned.
  mutating func keepSockets(of proxy: BusProxy) throws(LaunchError) {
    let option = proxy.buses.first?.access.option
    try doing(.startBusProxy, option: option, BusProxy.program) { () throws(SystemCallError) in
      guard try Descriptors.waitForByte(proxy.helper.lifeline) else {
        // The other end is closed: the proxy ended without a report.
        throw SystemCallError(call: "read", errno: .brokenPipe)
      }
      // The kernel clones a part of a mount only if the mount is attached.
      try inScratch { directory throws(SystemCallError) in
        try directory.makeDirectory(NewRoot.sockets, .standardDirectory)
        try MountTree(OwnedDescriptor(proxy.sockets)).attach(on: NewRoot.sockets, in: directory)
      }
    }
  }

  mutating func socketTree(_ bus: Bus) throws(SystemCallError) -> MountTree {
    try inScratch { directory throws(SystemCallError) in
      try MountTree.clone(of: NewRoot.sockets.appending(bus.rawValue), in: directory)
    }
  }

  private static let sockets: FilePath = "sockets"
}

// MARK: - Trees

extension NewRoot {
  func kind(of tree: borrowing MountTree) throws(SystemCallError) -> FileKind {
    if let status = try tree.descriptor.statusIfTold() { return status.kind }
    // Opening it still shows what it is.
    let path = FilePath("/proc/self/fd/" + String(tree.descriptor.rawValue))
    return (try? OwnedDescriptor.open(path, .directory)) != nil ? .directory : .other
  }

  func isRegularFile(_ tree: borrowing MountTree) throws(SystemCallError) -> Bool {
    try tree.descriptor.isRegularFile()
  }

  func isOwn(_ tree: borrowing MountTree) throws(SystemCallError) -> Bool {
    try tree.descriptor.statusIfTold().map { isOwn($0.device) } ?? false
  }

  func isHostFile(
    _ place: borrowing MountTree, _ path: FilePath
  ) throws(SystemCallError) -> Bool {
    let file = try ifPresent { () throws(SystemCallError) in
      try OwnedDescriptor.open(path, .location)
    }
    guard let file else { return false }
    return try file.fileIdentity() == place.descriptor.fileIdentity()
  }

  func restrict(
    _ tree: borrowing MountTree, _ attributes: MountAttributes, propagation: MountPropagation
  ) throws(SystemCallError) {
    try tree.restrict(attributes, propagation: propagation)
  }

  func restrictMount(
    at place: borrowing MountTree, _ attributes: MountAttributes
  ) throws(SystemCallError) {
    try place.restrictThisMount(attributes)
  }

  func setPermissions(
    of tree: borrowing MountTree, to permissions: FilePermissions
  ) throws(SystemCallError) {
    try tree.descriptor.setPermissions(UInt32(permissions.rawValue))
  }

  mutating func attach(
    _ tree: borrowing MountTree, on place: borrowing MountTree
  ) throws(SystemCallError) {
    try attach(tree, on: place.descriptor)
  }

  mutating func attach(
    _ tree: borrowing MountTree, _ kind: FileKind, at path: FilePath
  ) throws(SystemCallError) {
    switch try place(path, kind, kind == .directory ? .standardDirectory : .mountPoint) {
    // The new entry is not a link; if somebody replaced it by one, the link is not followed.
    case .made(let entry):
      try tree.attach(on: entry.name, in: entry.holder.directory)
      keep(entry)
    case .found(let descriptor): try attach(tree, on: descriptor)
    }
  }

  /// Attaches `tree` at `place`.
  ///
  /// If that is the root itself, later lookups begin in `tree`: from the old descriptor they would
  /// end below it.
  private mutating func attach(
    _ tree: borrowing MountTree, on place: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    forgetRecent()
    // Another user's FUSE mount is not the root.
    let file = try place.fileIdentityIfTold()
    try tree.attach(at: place)
    if file == rootFile {
      root = try tree.descriptor.openInRoot(".", .directory)
      rootFile = try root.fileIdentity()
    }
  }
}
