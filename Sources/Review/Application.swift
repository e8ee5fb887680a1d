// SPDX-License-Identifier: Apache-2.0
// Applying changes: in which order, and what is checked before each of them. An applied change is no
// longer a change, so an interrupted run can simply be run again.

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
struct Application {
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
  /// Directories that get their permissions after everything in them, as this run has left them.
  var finals: [(change: Change, status: EntryStatus?)] = []
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
  enum Obstacle: Error {
    case conflict(String)
    case failed(SystemCallError)
  }

  /// An open directory of the host.
  final class Folder {
    let tree: Int
    let path: FilePath
    let directory: OwnedDescriptor
    init(_ tree: Int, _ path: FilePath, _ directory: consuming OwnedDescriptor) {
      (self.tree, self.path) = (tree, path)
      self.directory = directory
    }
  }

  mutating func apply(_ list: [Change], _ isChosen: (Change) -> Bool) {
    let chosen = choose(list, isChosen)
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
    closeDirectories(waiting: directoriesWaiting(list, chosen))
    // The next run writes everything to the disk, before it removes the review.
    if report.isInterrupted { return }
    for tree in trees { tree.base.writeBack() }
  }

  /// Which changes are applied: those that `isChosen` says to, and the new directories on the way to them.
  private func choose(_ list: [Change], _ isChosen: (Change) -> Bool) -> [Bool] {
    var chosen = [Bool](repeating: false, count: list.count)
    var needed: Set<Change.Place> = []
    for index in list.indices.reversed() {
      let change = list[index]
      chosen[index] = isChosen(change)
      guard change.new != nil else { continue }
      if change.old?.kind != .directory, needed.contains(change.place) {
        chosen[index] = true
      }
      if chosen[index] {
        needed.insert(Change.Place(tree: change.tree, path: change.path.parent))
      }
    }
    return chosen
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
      leave(change, error)
    }
  }

  /// Notes in the report why a change was not applied.
  mutating func leave(_ change: Change, _ obstacle: Obstacle) {
    switch obstacle {
    case .conflict(let reason): report.left.append((change, reason))
    case .failed(let error):
      report.left.append((change, error.reason))
      if error.errno == .noSpace || error.errno.rawValue == 122 { report.isDiskFull = true }
    }
  }

  /// Does `body`, whose failure is an obstacle.
  static func trying<Result: ~Copyable>(
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
  mutating func require(
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
    if change.path == Change.top { return finals.append((change, change.old)) }
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
}
