// SPDX-License-Identifier: Apache-2.0
// Applying changes: each file is copied beside its place and appears there by rename, in a directory
// that was opened without following a link. An applied change is no longer a change, so an
// interrupted run can simply be run again.

internal import Linux
internal import SystemPackage
internal import Text

extension Review {
  /// The name of a file that is being made.
  var temporary: FilePath { FilePath(".nestbox-" + String(record.token, radix: 16)) }

  /// Applies those of `changes` that `isChosen` says to; `overwrites` says whether files that were
  /// changed on the host as well are replaced.
  ///
  /// Before each change, and while it copies a file, it asks `isToStop`.
  public func apply(
    _ changes: Changes, overwrites: Bool, isToStop: @escaping () -> Bool,
    _ isChosen: (Change) -> Bool
  ) throws(ReviewError) -> ApplicationReport {
    var application = Application(
      self, trees: try openTrees(), temporary: temporary, overwrites: overwrites, isToStop)
    application.stores = storePlaces
    application.apply(changes.list, isChosen)
    return application.report
  }

  /// Where in each directory the store lies; nil where it lies elsewhere.
  private var storePlaces: [FilePath?] {
    guard let store = try? Descriptors.path(of: folder.descriptor.rawValue).parent else {
      return []
    }
    return record.trees.map { tree in
      if tree.path.starts(with: store) { return "" }
      guard store.starts(with: tree.path) else { return nil }
      return FilePath(root: nil, store.components.dropFirst(tree.path.components.count))
    }
  }
}

/// A run that applies changes.
private struct Application {
  let review: Review
  let trees: [ReviewTree]
  let temporary: FilePath
  let overwrites: Bool
  let isToStop: () -> Bool
  var report = ApplicationReport()
  /// Where in each directory the store of reviews lies.
  var stores: [FilePath?] = []
  /// The directory of the host that was opened last.
  private var recent: Folder?
  /// Directories that get their permissions after everything in them.
  private var finals: [Change] = []
  /// Files with several names, of which this run has removed one.
  private var touched: Set<FileIdentity> = []

  init(
    _ review: Review, trees: [ReviewTree], temporary: FilePath, overwrites: Bool,
    _ isToStop: @escaping () -> Bool
  ) {
    (self.review, self.trees) = (review, trees)
    (self.temporary, self.overwrites, self.isToStop) = (temporary, overwrites, isToStop)
  }

  /// Why a change is left.
  private enum Obstacle: Error {
    case conflict(String)
    case failed(SystemCallError)
  }

  /// An open directory of the host.
  private final class Folder {
    let tree: Int
    let path: FilePath
    let directory: OwnedDescriptor
    init(_ tree: Int, _ path: FilePath, _ directory: consuming OwnedDescriptor) {
      (self.tree, self.path) = (tree, path)
      self.directory = directory
    }
  }

  mutating func apply(_ list: [Change], _ isChosen: (Change) -> Bool) {
    var chosen = [Bool](repeating: false, count: list.count)
    var needed: Set<Change.Place> = []
    for index in list.indices.reversed() {
      let change = list[index]
      chosen[index] = isChosen(change)
      guard change.new != nil else { continue }
      // A new file needs the new directories on the way to it.
      if change.old?.kind != .directory, needed.contains(change.place) {
        chosen[index] = true
      }
      if chosen[index] {
        needed.insert(Change.Place(tree: change.tree, path: change.path.parent))
      }
    }
    // First remove what is replaced, then add, then remove the rest.
    for index in list.indices.reversed() where chosen[index] && list[index].isInReplaced {
      perform(list[index]) { (run, change) throws(Obstacle) in try run.remove(change) }
    }
    for index in list.indices where chosen[index] && list[index].new != nil {
      perform(list[index]) { (run, change) throws(Obstacle) in try run.put(change) }
    }
    for index in list.indices.reversed()
    where chosen[index] && list[index].new == nil && !list[index].isInReplaced {
      perform(list[index]) { (run, change) throws(Obstacle) in try run.remove(change) }
    }
    let waiting = directoriesWaiting(list, chosen)
    for change in finals.reversed() {
      // While something waits, the next run must be able to compare everything.
      let isUnreadable = (change.new?.permissions ?? 0) & 0o500 != 0o500
      let place = isUnreadable ? Change.Place(tree: change.tree, path: Change.top) : change.place
      try? setPermissions(of: change, isOpen: waiting.contains(place))
    }
    // The next run writes everything to the disk, before it removes the review.
    if report.isInterrupted { return }
    for tree in trees { tree.base.writeBack() }
  }

  /// Directories below which changes wait, if one of them is to be closed to its owner.
  private func directoriesWaiting(_ list: [Change], _ chosen: [Bool]) -> Set<Change.Place> {
    guard finals.contains(where: { ($0.new?.permissions ?? 0o700) & 0o700 != 0o700 }) else {
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

  private mutating func perform(
    _ change: Change, _ body: (inout Application, Change) throws(Obstacle) -> Void
  ) {
    if !report.isInterrupted, isToStop() { report.isInterrupted = true }
    if report.isDiskFull || report.isInterrupted {
      return report.left.append((change, "not tried"))
    }
    do throws(Obstacle) {
      // Another review's record there would choose what --apply writes next, and where.
      if change.tree < stores.count, let store = stores[change.tree],
        change.path.starts(with: store)
      {
        throw .conflict("it lies in the store of reviews")
      }
      if change.isConflict, !overwrites {
        report.overwritable.append(change)
        throw .conflict(change.conflict)
      }
      try body(&self, change)
      // From now on, the host can remove it.
      if change.old == nil { review.note([SeenHost.key(change)]) }
      if !change.isToldWithCounterpart { report.applied += 1 }
    } catch {
      switch error {
      case .conflict(let reason): report.left.append((change, reason))
      case .failed(let error):
        report.left.append((change, error.reason))
        if error.errno == .noSpace || error.errno.rawValue == 122 { report.isDiskFull = true }
      }
    }
  }

  private static func trying<Result: ~Copyable>(
    _ body: () throws(SystemCallError) -> Result
  ) throws(Obstacle) -> Result {
    do throws(SystemCallError) { return try body() } catch { throw .failed(error) }
  }

  /// The host's directory of an entry; what an interrupted run has left there is removed.
  private mutating func folder(_ change: Change) throws(Obstacle) -> Folder {
    let path = change.path.parent
    if let recent, recent.tree == change.tree, recent.path == path { return recent }
    do throws(SystemCallError) {
      let folder = Folder(change.tree, path, try trees[change.tree].openBase(path))
      try? folder.directory.remove(temporary, .other)
      try? folder.directory.remove(temporary, .directory)
      recent = folder
      return folder
    } catch {
      guard error.lacksDirectory else { throw .failed(error) }
      throw .conflict("the host has no directory for it")
    }
  }

  /// Makes sure that the host has what it had when the changes were looked for.
  private mutating func require(
    _ change: Change, _ name: FilePath, in folder: Folder
  ) throws(Obstacle) {
    let now = try Application.trying { () throws(SystemCallError) in
      try folder.directory.entryStatus(name)
    }
    guard let old = change.old else {
      if now == nil { return }
      throw .conflict("the host has made it meanwhile")
    }
    guard let now, now.identity == old.identity, now.kind == old.kind else {
      throw .conflict("the host has replaced it meanwhile")
    }
    // The entries of a directory are changes by themselves.
    if now.kind == .directory { return }
    // This run has changed the ctime of a file when it removed or replaced another name of it.
    let isTouched = touched.contains(now.identity)
    guard now.size == old.size, now.modified == old.modified,
      isTouched || now.changed == old.changed
    else { throw .conflict("the host has changed it meanwhile") }
    if now.links > 1, touched.insert(now.identity).inserted { review.note([SeenHost.stamp(now)]) }
  }

  // MARK: One change

  private mutating func remove(_ change: Change) throws(Obstacle) {
    let folder = try folder(change)
    let name = change.path.lastName.path
    guard let old = change.old else { return }
    try require(change, name, in: folder)
    do throws(SystemCallError) {
      try folder.directory.remove(name, old.kind == .directory ? .directory : .other)
    } catch {
      if error.errno == .directoryNotEmpty {
        throw .conflict("the host has other files in it")
      }
      throw .failed(error)
    }
  }

  private mutating func put(_ change: Change) throws(Obstacle) {
    guard let new = change.new else { return }
    if change.path == Change.top { return finals.append(change) }
    let folder = try folder(change)
    let name = change.path.lastName.path
    // A command that reads the store knows the name.
    if name == temporary { throw .conflict("nestbox needs its name for temporary files") }
    if new.kind == .directory { return try putDirectory(change, name, in: folder) }
    if new.kind == .device || new.kind == .socket {
      throw .conflict("a \(new.kind.rawValue) is not applied")
    }
    // If a directory stands here, the steps before this one have emptied it, or left what they refused.
    if change.old?.kind != .directory { try require(change, name, in: folder) }
    if change.kind == .mode || change.kind == .time, change.old?.links == 1 {
      return try setInPlace(change, name, new, in: folder)
    }
    try replace(change, name, new, in: folder)
  }

  /// Copies an entry of the layer, and puts the copy in the place of what the host has there.
  private mutating func replace(
    _ change: Change, _ name: FilePath, _ new: EntryStatus, in folder: Folder
  ) throws(Obstacle) {
    let replacesDirectory = change.old?.kind == .directory
    let upper = try Application.trying { () throws(SystemCallError) in
      try trees[change.tree].openUpper(change.path.parent)
    }
    do throws(SystemCallError) {
      try makeTemporary(name, new, from: upper, in: folder.directory)
    } catch {
      try? folder.directory.remove(temporary, .other)
      throw .failed(error)
    }
    do throws(Obstacle) {
      if replacesDirectory {
        try removeReplaced(change, name, in: folder)
      } else if change.old != nil {
        // The copy may have taken long.
        try require(change, name, in: folder)
      }
      try Application.trying { () throws(SystemCallError) in
        if let made = try folder.directory.entryStatus(temporary) {
          review.note([SeenHost.stamp(made)])
        }
        if replacesDirectory || change.old == nil {
          try folder.directory.rename(temporary, toFreeName: name)
        } else {
          try folder.directory.rename(temporary, to: name)
        }
      }
    } catch {
      try? folder.directory.remove(temporary, .other)
      if case .failed(let error) = error, error.errno == .fileExists {
        throw .conflict("the host has made it meanwhile")
      }
      throw error
    }
  }

  /// Copies an entry of the layer beside its place.
  private func makeTemporary(
    _ name: FilePath, _ new: EntryStatus, from upper: borrowing OwnedDescriptor,
    in directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    let permissions = new.permissions & Change.bits(new.kind)
    switch new.kind {
    case .link:
      try directory.makeSymbolicLink(temporary, target: upper.symbolicLinkTarget(name))
    case .fifo:
      try directory.makeFIFO(temporary, permissions)
    default:
      let source = try ReviewTree.openFile(name, in: upper)
      let status = try source.entryStatus()
      let file = try directory.create(temporary, .init(rawValue: 0o600))
      try Descriptors.copyRegular(source, size: status.size, to: file, isToStop: isToStop)
      try file.changePermissions(permissions)
      try directory.setModified(temporary, to: status.modified)
    }
  }

  private func setInPlace(
    _ change: Change, _ name: FilePath, _ new: EntryStatus, in folder: Folder
  ) throws(Obstacle) {
    try Application.trying { () throws(SystemCallError) in
      let entry = try folder.directory.openEntry(name)
      guard try entry.fileIdentity() == change.old?.identity else {
        throw SystemCallError(call: "fstat", errno: .staleNFSFileHandle)
      }
      if let old = change.old {
        review.note([SeenHost.stamp(old), SeenHost.stamp(old, modified: new.modified)])
      }
      if change.kind == .mode {
        try entry.setPermissions(new.permissions & Change.bits(new.kind))
      }
      if new.kind == .regular { try folder.directory.setModified(name, to: new.modified) }
    }
  }

  private mutating func removeReplaced(
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

  private mutating func putDirectory(
    _ change: Change, _ name: FilePath, in folder: Folder
  ) throws(Obstacle) {
    if change.kind != .mode {
      try require(change, name, in: folder)
      review.note([SeenHost.directory.appending(SeenHost.key(change))])
      try Application.trying { () throws(SystemCallError) in
        guard change.old != nil else {
          return try folder.directory.makeDirectory(name, .init(rawValue: 0o700))
        }
        // On a full disk, the file stays.
        try folder.directory.makeDirectory(temporary, .init(rawValue: 0o700))
        do throws(SystemCallError) {
          review.note([SeenHost.removal(change)])
          try folder.directory.remove(name, .other)
          try folder.directory.rename(temporary, toFreeName: name)
        } catch {
          try? folder.directory.remove(temporary, .directory)
          throw error
        }
      }
    } else {
      try Application.trying { () throws(SystemCallError) in
        let directory = try folder.directory.openEntry(name)
        guard let old = change.old, try directory.fileIdentity() == old.identity else {
          throw SystemCallError(call: "fstat", errno: .staleNFSFileHandle)
        }
        // What is in it comes first. Until then it has permissions of neither side.
        review.note([SeenHost.directory.appending(SeenHost.key(change))])
        try directory.setPermissions(old.permissions | 0o700)
      }
    }
    finals.append(change)
  }

  /// Gives a directory its final permissions; with `isOpen` those that the next run needs.
  private func setPermissions(of change: Change, isOpen: Bool) throws(SystemCallError) {
    guard let new = change.new else { return }
    let directory = try trees[change.tree].openBase(change.path)
    let bits = Change.bits(.directory)
    let status = try directory.entryStatus()
    let permissions = new.permissions & bits | (isOpen ? 0o700 : 0)
    try directory.setPermissions(permissions | status.permissions & ~bits & 0o7777)
  }
}
