// SPDX-License-Identifier: Apache-2.0
// What a launch makes on the host, and takes back where it fails.
//
// To remove a name takes away what is mounted on it, in every mount namespace: a launch that takes
// back a mount point must not take the protection of another sandbox with it, which found it there
// and made use of it. So whoever makes something in a directory of the host locks that from before
// until it is settled what becomes of the launch, and whoever is about to mount on something that
// is there already waits until nobody has locked the directory in which it lies (flock(2)).

internal import Linux
internal import SystemPackage
internal import Text

extension NewRoot {
  /// A file or directory that was made in a file system that outlives the launch.
  struct Leftover {
    /// The directory, one of those that are locked.
    let directory: CInt
    let name: FilePath
    let kind: FileKind
    /// Which file it is, for a name may be given to another.
    let stamp: UInt64

    /// Removes it; it stays where somebody else has put something into it by now, or in its place.
    func takeBack() {
      let directory = OwnedDescriptor(self.directory)
      try? directory.remove(name, kind, ifStill: stamp)
      _ = directory.release()
    }
  }

  /// Notes a file system that was made for this sandbox.
  mutating func own(_ tree: borrowing MountTree) throws(SystemCallError) {
    otherDevices.append(try tree.descriptor.status().device)
  }

  /// Whether what is on `device` goes away with the sandbox.
  func isOwn(_ device: UInt64) -> Bool {
    device == baseDevice || otherDevices.contains(device)
  }

  /// Locks a directory in which something is about to be made; nil where it need not be taken back,
  /// or cannot be: a mount point that stays behind is better than no sandbox.
  ///
  /// One descriptor serves all that is made in one directory.
  mutating func lock(
    _ directory: borrowing OwnedDescriptor, _ identity: FileIdentity
  ) -> CInt? {
    if isOwn(identity.device) { return nil }
    if let known = locks.first(where: { $0.identity == identity }) { return known.directory }
    guard let locked = try? directory.locked(.exclusive) else { return nil }
    let number = locked.release()
    locks.append((number, identity))
    return number
  }

  /// Notes what was made, for `undo` and for the monitor, which may have to end this process; from
  /// here on nothing may fail.
  mutating func remember(_ entry: borrowing Entry, _ kind: FileKind, _ directory: CInt?) {
    guard let directory, let stamp = try? entry.directory.openEntry(entry.name).stamp()
    else { return }
    leftovers.append(
      Leftover(directory: directory, name: entry.name, kind: kind, stamp: stamp))
    let isElsewhere = directory != lastTold
    guard !isElsewhere || directoriesTold < NewRoot.mostDirectories else { return }
    let message = SetupMessage.hasLeft(
      ByteString(entry.name), kind, stamp: stamp, isElsewhere: isElsewhere)
    lastTold = -1
    guard
      (try? Descriptors.send(message.bytes, passing: isElsewhere ? directory : -1, to: monitor))
        != nil
    else { return }
    lastTold = directory
    if isElsewhere { directoriesTold += 1 }
  }

  /// Of how many directories the monitor is told: it has to have them open.
  ///
  /// What lies in others stays where this process cannot take it back itself.
  private static let mostDirectories = 64

  /// Takes back what was made on the host, after a failure.
  mutating func undo() {
    guard !leftovers.isEmpty else { return }
    do throws(SystemCallError) {
      // What is a mount point in this namespace could not be removed in it.
      try CurrentProcess.changeDirectory(to: base)
      try MountNamespace.detach("new")
    } catch {
      return
    }
    for leftover in leftovers.reversed() { leftover.takeBack() }
    handOver()
  }

  /// Leaves it to the monitor to take back what was made, if the launch fails: it is mounted on from
  /// now on, and an open directory of the host is in reach of planted links.
  mutating func handOver() {
    for lock in locks { Descriptors.close(lock.directory) }
    (locks, leftovers) = ([], [])
  }

  /// Leaves what was made where it is, and the directories to others.
  mutating func keepLeftovers() {
    if directoriesTold > 0 { try? Descriptors.send(SetupMessage.hasSettled.bytes, to: monitor) }
    (directoriesTold, lastTold) = (0, -1)
    handOver()
  }
}

// MARK: - What others make

extension NewRoot {
  /// How long another launch is waited for, and how long between two looks, in milliseconds.
  private static let patience: (all: Int, each: Int) = (2000, 5)

  /// Opens what is to be mounted on, where no launch is going to take it away again.
  mutating func settled(
    _ path: FilePath, _ mode: OpenMode, links: Int = 0
  ) throws(SystemCallError) -> OwnedDescriptor {
    let file = try root.openInRoot(path, mode)
    // The new root itself, what goes away with it, and what another user has made.
    guard let last = path.lastComponent, last.kind == .regular else { return file }
    let status = try file.status()
    guard !isOwn(status.device), status.owner == CurrentProcess.identity.user else { return file }
    let parent = path.removingLastComponent()
    let directory = try root.openInRoot(parent.isEmpty ? "/" : parent, .directory)
    if links < NewRoot.maximumLinks,
      let target = try? directory.symbolicLinkTarget(FilePath(root: nil, [last]))
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
        // Where this user may not read, or locks are not to be had, no launch has one.
        return try root.openInRoot(path, mode)
      }
      // Looked up once more while it is held: by now it may be gone, or have been made again.
      if lock != nil { return try root.openInRoot(path, mode) }
      let isTooLong = waited >= NewRoot.patience.all
      switch FileLocks.holder(of: identity, programs: ["nestbox", "bwrap"]) {
      // Another user's launch cannot have made what is this user's, and could keep all waiting. What
      // is no launch makes no mount points: a script that locks a directory while it runs us.
      case .foreign: return try root.openInRoot(path, mode)
      // The monitor of a launch whose child has ended takes back what that has made, at once.
      case .unknown where isTooLong: return try root.openInRoot(path, mode)
      case .own, .unknown: break
      }
      // The other may wait for this launch in turn.
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
