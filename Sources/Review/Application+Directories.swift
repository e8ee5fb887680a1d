// SPDX-License-Identifier: Apache-2.0
// Applying changes of directories: while this run puts files in one, its owner may write to it, and its own
// permissions come last.

internal import Linux
internal import SystemPackage
internal import Text

extension Application {
  /// Removes the directory that another entry takes the place of.
  func removeReplaced(
    _ change: Change, _ name: FilePath, in folder: Folder
  ) throws(Obstacle) {
    review.note([SeenHost.removal(change)])
    do throws(SystemCallError) {
      try folder.directory.remove(name, .directory)
    } catch {
      switch error.errno {
      case .noSuchFileOrDirectory: return
      case .directoryNotEmpty: throw .conflict("the host has other files in the directory")
      case .notDirectory: throw .conflict("the host has replaced it meanwhile")
      default: throw .failed(error)
      }
    }
  }

  /// Makes a directory, or opens the one that the host has to its owner; its permissions come last.
  mutating func putDirectory(
    _ change: Change, _ name: FilePath, in folder: Folder
  ) throws(Obstacle) {
    if change.kind == .mode {
      try openToOwner(change, name, in: folder)
    } else {
      try require(change, name, in: folder)
      try Application.trying { () throws(SystemCallError) in
        try makeDirectory(change, name, in: folder.directory)
      }
    }
    let status = try Application.trying { () throws(SystemCallError) in
      try folder.directory.entryStatus(name)
    }
    finals.append((change, status))
  }

  private static let own: UInt32 = 0o700

  private func makeDirectory(
    _ change: Change, _ name: FilePath, in parent: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    review.note([SeenHost.permissions(Application.own, of: change)])
    guard change.old != nil else {
      return try parent.makeDirectory(name, .init(rawValue: Application.own))
    }
    // On a full disk, the file stays.
    try parent.makeDirectory(temporary, .init(rawValue: Application.own))
    do throws(SystemCallError) {
      review.note([SeenHost.removal(change)])
      try parent.remove(name, .other)
      try parent.rename(temporary, toFreeName: name)
    } catch {
      try? parent.remove(temporary, .directory)
      throw error
    }
  }

  /// Lets the owner write to a directory of the host whose permissions the command has changed.
  ///
  /// Until this run has applied what is in it, it has the host's permissions and those bits.
  private func openToOwner(
    _ change: Change, _ name: FilePath, in folder: Folder
  ) throws(Obstacle) {
    let directory = try Application.trying { () throws(SystemCallError) in
      try folder.directory.openEntry(name)
    }
    let permissions = try requireAsItWas(change.old, directory).permissions | Application.own
    try setPermissions(of: directory, to: permissions, for: change)
  }

  /// Makes sure that a directory of the host is the same as before, with the same permissions.
  /// - Returns: What it is now, with set-id bits.
  private func requireAsItWas(
    _ old: EntryStatus?, _ directory: borrowing OwnedDescriptor
  ) throws(Obstacle) -> EntryStatus {
    let now: EntryStatus
    do throws(SystemCallError) { now = try directory.entryStatus() } catch { throw .failed(error) }
    guard let old, now.identity == old.identity else {
      throw .conflict("the host has replaced it meanwhile")
    }
    guard !Change.modesDiffer(old, now) else {
      throw .conflict("the host has changed it meanwhile")
    }
    return now
  }

  private func setPermissions(
    of directory: borrowing OwnedDescriptor, to permissions: UInt32, for change: Change
  ) throws(Obstacle) {
    review.note([SeenHost.permissions(permissions, of: change)])
    do throws(SystemCallError) {
      try directory.setPermissions(permissions)
    } catch {
      throw .failed(error)
    }
  }

  // MARK: The permissions of directories, which come last

  /// Gives directories their final permissions.
  ///
  /// Changes wait below those in `waiting`: the next run must be able to compare everything.
  mutating func closeDirectories(waiting: Set<Change.Place>) {
    for (change, status) in finals.reversed() {
      let isUnreadable = (change.new?.permissions ?? 0) & 0o500 != 0o500
      let place = isUnreadable ? Change.Place(tree: change.tree, path: Change.top) : change.place
      do throws(Obstacle) {
        try finish(change, status, isOpen: waiting.contains(place))
      } catch {
        report.applied -= 1
        leave(change, error)
      }
    }
  }

  /// Gives a directory its final permissions; with `isOpen` also those that the next run needs.
  private func finish(
    _ change: Change, _ old: EntryStatus?, isOpen: Bool
  ) throws(Obstacle) {
    guard let new = change.new else { return }
    let directory = try Application.trying { () throws(SystemCallError) in
      try trees[change.tree].openBase(change.path)
    }
    // Its owner may have put another directory there, or closed it, while this run put files in it.
    let status = try requireAsItWas(old, directory)
    let bits = Change.bits(.directory)
    let permissions = new.permissions & bits | (isOpen ? Application.own : 0)
    try setPermissions(
      of: directory, to: permissions | status.permissions & ~bits & 0o7777, for: change)
    review.note([SeenHost.finalPermissions(permissions, of: change)])
  }

  /// Directories below which changes wait, if one of them is to be closed to its owner.
  func directoriesWaiting(_ list: [Change], _ chosen: [Bool]) -> Set<Change.Place> {
    guard finals.contains(where: { ($0.change.new?.permissions ?? 0o700) & 0o700 != 0o700 }) else {
      return []
    }
    var directories: Set<Change.Place> = []
    let others = list.indices.lazy.filter { !chosen[$0] }.map { list[$0] }
    for change in Array(others) + report.left.map(\.change) where change.path != Change.top {
      var place = change.place
      var isNew = true
      while isNew, !place.path.isEmpty {
        place.path.removeLastComponent()
        isNew = directories.insert(place).inserted
      }
      directories.insert(Change.Place(tree: change.tree, path: Change.top))
    }
    return directories
  }
}
