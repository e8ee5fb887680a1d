// SPDX-License-Identifier: Apache-2.0
// Files that a launch creates on the host, and removes if it fails.
//
// Removing a name unmounts everything mounted on it, in every mount namespace. If another sandbox
// found the mount point and mounted its protection there, a launch that removes it would remove
// that protection too. Therefore a launch locks a directory of the host (flock(2)) before it
// creates anything there, until the launch has succeeded or failed; and before a launch mounts on
// something that already exists, it waits until no other launch locks the directory that holds it.

internal import Linux
internal import SystemPackage
internal import Text

extension NewRoot {
  /// A file or directory created in a file system that outlives the launch.
  struct Leftover {
    /// The directory, which is locked.
    let directory: CInt
    let name: FilePath
    let kind: FileKind
    /// Identifies the file, because its name may be reused for another.
    let stamp: UInt64

    /// Removes it, unless somebody has since put something into it or replaced it.
    func takeBack() {
      try? OwnedDescriptor.borrowing(directory) { directory throws(SystemCallError) in
        try directory.remove(name, kind, ifStill: stamp)
      }
    }
  }

  /// Notes a file system created for this sandbox.
  mutating func own(_ tree: borrowing MountTree) throws(SystemCallError) {
    otherDevices.append(try tree.descriptor.status().device)
  }

  /// Whether the contents of `device` vanish with the sandbox.
  func isOwn(_ device: UInt64) -> Bool {
    device == baseDevice || otherDevices.contains(device)
  }

  /// Locks a directory before something is created in it; nil if that need not or cannot be removed
  /// later: a mount point left behind is better than no sandbox.
  ///
  /// One descriptor serves everything created in one directory.
  private mutating func lock(
    _ directory: borrowing OwnedDescriptor, _ identity: FileIdentity
  ) -> CInt? {
    if isOwn(identity.device) { return nil }
    if let known = locks.first(where: { $0.identity == identity }) { return known.directory }
    guard let locked = try? directory.locked(.exclusive) else { return nil }
    let number = locked.release()
    locks.append((number, identity))
    return number
  }

  /// What is blamed for a file that `--exec` keeps from being made on the host.
  static let refusal = "--exec does not allow that"

  /// Creates something by `body` and notes it, if it outlives the launch.
  mutating func create(
    _ entry: borrowing Entry, _ kind: FileKind, _ body: () throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    let identity = entry.holder.identity
    // After the pivot no process could remove it.
    if plan.isInPlace, !isOwn(identity.device) {
      throw SystemCallError(call: NewRoot.refusal, errno: .notPermitted)
    }
    guard let directory = lock(entry.holder.directory, identity) else { return try body() }
    // Before it exists: the monitor does not kill this process until it has heard of the rest.
    try? Descriptors.send(SetupMessage.isCreating(true).bytes, to: monitor)
    var isTold = false
    defer {
      if !isTold { try? Descriptors.send(SetupMessage.isCreating(false).bytes, to: monitor) }
    }
    try body()
    isTold = remember(entry, kind, directory)
  }

  /// Notes what was created, for `undo` and for the monitor; returns whether it told the monitor.
  ///
  /// Nothing may fail after this.
  private mutating func remember(
    _ entry: borrowing Entry, _ kind: FileKind, _ directory: CInt
  ) -> Bool {
    guard let file = try? entry.holder.directory.openEntry(entry.name),
      // nestbox makes empty files: one with content is what an editor has saved in its place.
      let status = try? file.entryStatus(), status.kind != .regular || status.size == 0,
      let stamp = try? file.stamp()
    else { return false }
    leftovers.append(
      Leftover(directory: directory, name: entry.name, kind: kind, stamp: stamp))
    let isElsewhere = directory != lastTold
    guard !isElsewhere || directoriesTold < NewRoot.mostDirectories else { return false }
    let message = SetupMessage.hasLeft(
      ByteString(entry.name), kind, stamp: stamp, isElsewhere: isElsewhere)
    lastTold = -1
    guard
      (try? Descriptors.send(message.bytes, passing: isElsewhere ? directory : -1, to: monitor))
        != nil
    else { return false }
    lastTold = directory
    if isElsewhere { directoriesTold += 1 }
    return true
  }

  /// How many directories the monitor hears of: it keeps each one open.
  ///
  /// If this process cannot remove what lies in further directories, that stays.
  private static let mostDirectories = 64

  /// Removes what was created on the host, after a failure.
  mutating func undo() {
    guard !leftovers.isEmpty else { return }
    do throws(SystemCallError) {
      // A mount point cannot be removed in the namespace where it is one.
      try CurrentProcess.changeDirectory(to: base.descriptor)
      try MountNamespace.detach("new")
    } catch {
      return
    }
    for leftover in leftovers.reversed() { leftover.takeBack() }
    handOver()
  }

  /// From here on the monitor removes what was created if the launch fails: mounts cover it now,
  /// and a planted link could lead to an open directory of the host.
  mutating func handOver() {
    for lock in locks { Descriptors.close(lock.directory) }
    (locks, leftovers) = ([], [])
  }

  /// Keeps what was created, and unlocks the directories.
  mutating func keepLeftovers() {
    if directoriesTold > 0 { try? Descriptors.send(SetupMessage.hasSettled.bytes, to: monitor) }
    (directoriesTold, lastTold) = (0, -1)
    handOver()
  }
}

// MARK: - What others make

extension NewRoot {
  /// How long to wait for another launch, and how long between two checks, in milliseconds.
  private static let patience: (all: Int, each: Int) = (2000, 5)

  /// Opens a mount point once no other launch can still remove it.
  mutating func settled(
    _ path: FilePath, _ mode: OpenMode, links: Int = 0
  ) throws(SystemCallError) -> OwnedDescriptor {
    let file = try root.openInRoot(path, mode)
    // The new root itself, what vanishes with it, and what another user created.
    guard path.endsInName, let status = try file.statusIfTold() else { return file }
    guard !isOwn(status.device), status.owner == CurrentProcess.identity.user else { return file }
    let parent = path.parent
    let directory = try root.openInRoot(parent.isEmpty ? "/" : parent, .directory)
    if links < NewRoot.maximumLinks,
      let target = try? directory.symbolicLinkTarget(path.lastName.path)
    {
      return try settled(parent.pushing(target.path), mode, links: links + 1)
    }
    let identity = try directory.fileIdentity()
    guard !isOwn(identity.device), !locks.contains(where: { $0.identity == identity }) else {
      return file
    }
    return try wait(for: directory, identity, path, mode)
  }

  private mutating func wait(
    for directory: borrowing OwnedDescriptor, _ identity: FileIdentity, _ path: FilePath,
    _ mode: OpenMode
  ) throws(SystemCallError) -> OwnedDescriptor {
    var waited = 0
    while true {
      let lock: OwnedDescriptor?
      do throws(SystemCallError) {
        lock = try directory.locked(.shared)
      } catch {
        // If this user may not read the directory, or it cannot be locked, no launch holds a lock
        // on it.
        return try root.openInRoot(path, mode)
      }
      // Looked up again under the lock: it may have been removed or recreated meanwhile.
      if lock != nil { return try root.openInRoot(path, mode) }
      let isTooLong = waited >= NewRoot.patience.all
      switch FileLocks.holder(of: identity, programs: ProgramName.launchers) {
      // Another user's launch cannot have created this user's file, and could make everybody wait.
      // Other programs that lock a directory, such as a script that runs nestbox meanwhile, create
      // no mount points.
      case .foreign: return try root.openInRoot(path, mode)
      // When a launch's child has ended, its monitor immediately removes what the child created.
      case .unknown where isTooLong: return try root.openInRoot(path, mode)
      case .own, .unknown: break
      }
      // The other launch may be waiting for this one.
      keepLeftovers()
      guard !isTooLong else {
        throw SystemCallError(
          call: "flock", subject: ByteString(path), errno: .resourceTemporarilyUnavailable)
      }
      CurrentProcess.sleep(milliseconds: NewRoot.patience.each)
      waited += NewRoot.patience.each
    }
  }
}
