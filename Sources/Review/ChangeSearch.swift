// SPDX-License-Identifier: Apache-2.0
// Finds what a layer changes: a walk through the layer, beside the directory of the host. It looks
// only at what was written, so its time does not depend on the size of the directory.

internal import Linux
internal import SystemPackage
internal import Text

extension Review {
  /// The changes of all directories, or only the first ones once `isToStop` tells to end.
  public func changes(
    isToStop: @escaping () -> Bool = { false }
  ) throws(ReviewError) -> Changes {
    let trees = try openTrees()
    var search = ChangeSearch(since: record.started, ByteString(temporary), isToStop)
    for (number, tree) in trees.enumerated() { search.search(tree, number) }
    search.findRenamings(trees)
    search.markConflicts(seen)
    return search.changes
  }
}

/// A search for changes.
struct ChangeSearch {
  private(set) var changes = Changes()
  private var number = 0
  /// When the review began.
  private let started: FileTime
  /// What an interrupted run of `--apply` may have left in a directory of the host: no change of it.
  private let temporary: ByteString
  private let isToStop: () -> Bool

  /// How many changes are told, and how long a path may be that is followed.
  private static let limit = (changes: 1_000_000, path: 4000)

  /// A directory of the layer that waits for its turn.
  private struct Place {
    let path: FilePath
    let status: EntryStatus
    /// Whether the host has a directory there.
    let hasBase: Bool
    /// Whether entries of the host that the layer lacks are removed.
    let isOpaque: Bool
  }

  init(since started: FileTime, _ temporary: ByteString, _ isToStop: @escaping () -> Bool) {
    (self.started, self.temporary, self.isToStop) = (started, temporary, isToStop)
  }

  /// Looks through one layer.
  mutating func search(_ tree: ReviewTree, _ number: Int) {
    self.number = number
    var pending: [Place] = []
    let top = tree.top
    guard let base = try? tree.base.entryStatus() else {
      changes.isIncomplete = true
      return
    }
    if Change.modesDiffer(base, top) {
      add(Change(tree: number, path: Change.top, kind: .mode, old: base, new: top))
    }
    pending.append(Place(path: "", status: top, hasBase: true, isOpaque: false))
    while let place = pending.popLast() {
      if isFull { return }
      guard ByteString(place.path).count < ChangeSearch.limit.path else {
        changes.isIncomplete = true
        continue
      }
      do throws(SystemCallError) {
        pending += try look(place, tree).reversed()
      } catch {
        changes.unread.append((place.path.isEmpty ? Change.top : place.path, error.reason))
      }
    }
  }

  /// Marks the changes of what the host has changed or removed since the review began.
  mutating func markConflicts(_ seen: SeenHost) {
    for index in changes.list.indices where seen.isConflict(changes.list[index], since: started) {
      changes.list[index].isConflict = true
      // The host had it when the command began.
      if changes.list[index].old == nil { changes.list[index].kind = .changed }
    }
  }

  /// Whether there are more changes than are told, or nobody waits for them any more.
  private var isFull: Bool {
    mutating get {
      if isToStop() { return true }
      if changes.list.count >= ChangeSearch.limit.changes { changes.isIncomplete = true }
      return changes.isIncomplete && changes.list.count >= ChangeSearch.limit.changes
    }
  }

  private mutating func add(_ change: Change) { changes.list.append(change) }

  /// Looks at one directory of the layer, and returns those in it.
  private mutating func look(
    _ place: Place, _ tree: ReviewTree
  ) throws(SystemCallError) -> [Place] {
    try tree.unlock(place.path, place.status)
    // Through the location, which no link has led to.
    let upper = try tree.openUpper(place.path).openSubdirectory(".")
    let isOpaque =
      place.isOpaque || upper.attribute("user.overlay.opaque") == [UInt8(ascii: "y")]
    let base = place.hasBase ? try tree.openBase(place.path) : OwnedDescriptor.none
    let entries = try Directory.entries(of: upper).map(\.name)
      .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    // Only where the host's directory has other entries since can one be missing.
    let mayLackSome =
      base.isOpen
      ? try base.entryStatus().changed > started : upper.attribute(ChangeSearch.origin, 256) != nil
    var inside: [Place] = []
    for name in entries {
      // One directory can have more of them than the memory has room for.
      if isFull { return inside }
      let path = place.path.pushing(name.path)
      guard let new = try upper.entryStatus(name.path) else { continue }
      let old = base.isOpen ? try base.entryStatus(name.path) : nil
      if new.isWhiteout {
        if let old { remove(path, old, tree) }
        continue
      }
      try compare(path, old, new, base, upper, tree)
      if old == nil, mayLackSome {
        changes.list[changes.list.count - 1].isFromHost = isFromHost(path, new, upper, tree)
      }
      if new.kind == .directory {
        inside.append(
          Place(path: path, status: new, hasBase: old?.kind == .directory, isOpaque: isOpaque))
      }
    }
    if isOpaque, base.isOpen {
      let kept = Set(entries)
      for entry in try Directory.entries(of: base)
      where !kept.contains(entry.name) && entry.name != temporary {
        guard let old = try base.entryStatus(entry.name.path) else { continue }
        remove(place.path.pushing(entry.name.path), old, tree)
      }
    }
    return inside
  }

  private static let origin: StaticString = "user.overlay.origin"

  /// Whether the kernel has copied an entry of the layer from the host, where a file may have been renamed
  /// since.
  private func isFromHost(
    _ path: FilePath, _ new: EntryStatus, _ upper: borrowing OwnedDescriptor, _ tree: ReviewTree
  ) -> Bool {
    let name = path.lastName.path
    // No other file can have a mark of this user.
    guard new.kind == .directory || new.kind == .regular else { return false }
    do throws(SystemCallError) {
      if new.kind == .directory { try tree.unlock(path, new) }
      let file =
        new.kind == .directory
        ? try upper.openSubdirectory(name) : try ReviewTree.openFile(name, in: upper)
      return file.attribute(ChangeSearch.origin, 256) != nil
    } catch {
      return false
    }
  }

  /// Notes that an entry of the host is removed, with all that is below.
  private mutating func remove(
    _ path: FilePath, _ old: EntryStatus, _ tree: ReviewTree, isReplaced: Bool = false
  ) {
    var pending = [(path, old)]
    var isFirst = true
    while let (path, old) = pending.popLast() {
      if isFull { return }
      // The directory itself is told as replaced.
      if !(isReplaced && isFirst) {
        var change = Change(tree: number, path: path, kind: .removed, old: old, new: nil)
        change.isInReplaced = isReplaced
        add(change)
      }
      isFirst = false
      guard old.kind == .directory else { continue }
      do throws(SystemCallError) {
        let directory = try tree.openBase(path)
        for entry in try Directory.entries(of: directory).reversed() {
          guard let old = try directory.entryStatus(entry.name.path) else { continue }
          pending.append((path.pushing(entry.name.path), old))
        }
      } catch {
        changes.unread.append((path, error.reason))
      }
    }
  }

  /// Notes how an entry of the layer differs from the host's.
  private mutating func compare(
    _ path: FilePath, _ old: EntryStatus?, _ new: EntryStatus, _ base: borrowing OwnedDescriptor,
    _ upper: borrowing OwnedDescriptor, _ tree: ReviewTree
  ) throws(SystemCallError) {
    let name = path.lastName.path
    let target = new.kind == .link ? try upper.symbolicLinkTarget(name) : nil
    let kind: Change.Kind
    if let old, old.kind == new.kind {
      if try isContentChanged(name, old, new, target, base, upper) {
        kind = .changed
      } else if new.kind != .link, Change.modesDiffer(old, new) {
        kind = .mode
      } else if new.kind == .regular, old.modified != new.modified {
        kind = .time
      } else {
        return
      }
    } else {
      kind = old == nil ? .added : .type
    }
    var change = Change(tree: number, path: path, kind: kind, old: old, new: new)
    change.target = target
    add(change)
    if kind == .type, let old, old.kind == .directory {
      remove(path, old, tree, isReplaced: true)
    }
  }

  private func isContentChanged(
    _ name: FilePath, _ old: EntryStatus, _ new: EntryStatus, _ target: ByteString?,
    _ base: borrowing OwnedDescriptor, _ upper: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> Bool {
    switch new.kind {
    case .link: return try base.symbolicLinkTarget(name) != target
    case .regular:
      if old.size != new.size { return true }
      // The host's file may be closed to its owner, whose command had opened it. What has been applied
      // has the same time.
      guard let file = try? base.openRegularEntry(name) else { return old.modified != new.modified }
      let other = try ReviewTree.openFile(name, in: upper)
      return try !Descriptors.haveSameContent(file, other, size: new.size, isToStop: isToStop)
    // The layer's is another one by nature; nothing of it is applied.
    case .device, .socket: return false
    case .directory, .fifo: return false
    }
  }
}

extension Change {
  /// The bits of permissions that are applied: never set-id bits, of directories the sticky bit.
  static func bits(_ kind: FileFacts.Kind) -> UInt32 { kind == .directory ? 0o1777 : 0o777 }

  static func modesDiffer(_ old: EntryStatus, _ new: EntryStatus) -> Bool {
    (old.permissions ^ new.permissions) & bits(new.kind) != 0
  }
}

// MARK: - Renamings

extension ChangeSearch {
  /// How many bytes the search for renamings compares at most.
  private static let mostBytes: Int64 = 64 << 20

  /// Finds removed files whose content an added file has.
  ///
  /// The kernel notes no renaming for an ordinary user.
  mutating func findRenamings(_ trees: [ReviewTree]) {
    var removed = RemovedFiles()
    for (index, change) in changes.list.enumerated() where change.kind == .removed {
      guard let old = change.old, old.kind == .regular, old.size > 0 else { continue }
      removed.add(index, old, change)
    }
    if removed.isEmpty || isToStop() { return }
    var bytes = ChangeSearch.mostBytes
    for index in changes.list.indices where changes.list[index].kind == .added {
      let change = changes.list[index]
      guard let new = change.new, new.kind == .regular, new.size > 0, new.size <= bytes else {
        continue
      }
      for candidate in removed.candidates(new, change, { changes.list[$0].counterpart != nil }) {
        guard changes.list[candidate].tree == change.tree, new.size <= bytes else { continue }
        bytes -= new.size
        guard isSame(changes.list[candidate].path, change.path, new.size, trees[change.tree])
        else {
          continue
        }
        changes.list[index].counterpart = changes.list[candidate].path
        changes.list[candidate].counterpart = change.path
        break
      }
    }
  }

  private func isSame(
    _ old: FilePath, _ new: FilePath, _ size: Int64, _ tree: ReviewTree
  ) -> Bool {
    do throws(SystemCallError) {
      let file = try tree.openBase(old.parent).openRegularEntry(old.lastName.path)
      let other = try ReviewTree.openFile(
        new.lastName.path, in: tree.openUpper(new.parent))
      return try Descriptors.haveSameContent(file, other, size: size)
    } catch {
      return false
    }
  }
}

/// Removed files, by what a file keeps when it is renamed.
private struct RemovedFiles {
  /// What files have in common: the size, and the time or the name or neither.
  private struct Trait: Hashable {
    let size: Int64
    var seconds: Int64?
    var nanoseconds: Int64 = 0
    var name: ByteString?
  }

  /// Their indices, and how many of the first are known to be taken.
  private var files: [Trait: (list: [Int], taken: Int)] = [:]

  var isEmpty: Bool { files.isEmpty }

  private static func traits(_ status: EntryStatus, _ change: Change) -> [Trait] {
    let time = status.modified
    return [
      Trait(size: status.size, seconds: time.seconds, nanoseconds: time.nanoseconds),
      Trait(size: status.size, name: change.path.lastName), Trait(size: status.size),
    ]
  }

  mutating func add(_ index: Int, _ status: EntryStatus, _ change: Change) {
    for trait in RemovedFiles.traits(status, change) {
      files[trait, default: ([], 0)].list.append(index)
    }
  }

  /// A few files that may have become this one, the likeliest first: a renamed file keeps its time.
  mutating func candidates(
    _ status: EntryStatus, _ change: Change, _ isTaken: (Int) -> Bool
  ) -> [Int] {
    var found: [Int] = []
    for trait in RemovedFiles.traits(status, change) {
      guard var known = files[trait] else { continue }
      while known.taken < known.list.count, isTaken(known.list[known.taken]) { known.taken += 1 }
      files[trait]?.taken = known.taken
      for candidate in known.list[known.taken...].prefix(8)
      where !isTaken(candidate) && !found.contains(candidate) {
        found.append(candidate)
      }
    }
    return found
  }
}
