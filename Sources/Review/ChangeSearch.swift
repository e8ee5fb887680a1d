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
    search.changes.unread = search.unread.map { (place($0.path, tree: $0.tree), $0.reason) }
    return search.changes
  }
}

/// A search for changes.
struct ChangeSearch {
  var changes = Changes()
  /// Directories that could not be read, and why.
  private(set) var unread: [(tree: Int, path: FilePath, reason: String)] = []
  private var number = 0
  /// The changes that were found in each directory of the layer that this search looks through.
  private var blocks: [Block] = []
  /// When the review began.
  private let started: FileTime
  /// What an interrupted run of `--apply` may have left in a directory of the host: no change of it.
  private let temporary: ByteString
  let isToStop: () -> Bool

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
    /// How many directories are above it.
    let depth: Int
    /// How many changes were found before those that lie in it or follow it.
    let start: Int
  }

  /// The changes that were found in a directory, without what was found in those in it.
  private struct Block {
    let depth: Int
    /// Which of the changes around it precede it: those before this index.
    let start: Int
    let changes: Range<Int>
  }

  init(since started: FileTime, _ temporary: ByteString, _ isToStop: @escaping () -> Bool) {
    (self.started, self.temporary, self.isToStop) = (started, temporary, isToStop)
  }

  /// Looks through one layer.
  mutating func search(_ tree: ReviewTree, _ number: Int) {
    self.number = number
    let first = changes.list.count
    blocks = []
    defer { sort() }
    var pending: [Place] = []
    let top = tree.top
    guard let base = try? tree.base.entryStatus() else {
      changes.isIncomplete = true
      return
    }
    if Change.modesDiffer(base, top) {
      add(Change(tree: number, path: Change.top, kind: .mode, old: base, new: top))
    }
    pending.append(
      Place(path: "", status: top, hasBase: true, isOpaque: false, depth: 0, start: first))
    while let place = pending.popLast() {
      if isFull { return }
      guard ByteString(place.path).count < ChangeSearch.limit.path else {
        changes.isIncomplete = true
        continue
      }
      let count = changes.list.count
      do throws(SystemCallError) {
        pending += try look(place, tree).reversed()
      } catch {
        unread.append((number, place.path.isEmpty ? Change.top : place.path, error.reason))
      }
      blocks.append(
        Block(depth: place.depth, start: place.start, changes: count..<changes.list.count))
    }
  }

  /// Puts what was found in a directory behind the change of the directory.
  ///
  /// The search looks through a directory before those in it, and through these in the order of their names.
  private mutating func sort() {
    let start = blocks.first?.changes.lowerBound ?? changes.list.count
    var sorted: [Change] = []
    sorted.reserveCapacity(changes.list.count - start)
    // What is left of the blocks around the next one.
    var open: [Range<Int>] = []
    for block in blocks + [Block(depth: 0, start: 0, changes: 0..<0)] {
      while open.count > block.depth { sorted += changes.list[open.removeLast()] }
      if let rest = open.popLast() {
        sorted += changes.list[rest.lowerBound..<block.start]
        open.append(block.start..<rest.upperBound)
      }
      open.append(block.changes)
    }
    changes.list.replaceSubrange(start..., with: sorted)
  }

  /// Marks the changes of what the host's owner has changed or removed as well since the review began, and
  /// leaves out what only the owner has changed.
  mutating func markConflicts(_ seen: SeenHost) {
    var kept: [Change] = []
    kept.reserveCapacity(changes.list.count)
    for var change in changes.list {
      switch seen.finding(change, since: started) {
      case .untouched: break
      case .ownersAlone: continue
      case .conflict:
        change.isConflict = true
        // The host had it when the command began.
        if change.old == nil { change.kind = .changed }
      }
      kept.append(change)
    }
    changes.list = kept
  }

  /// Whether the search ends here: there are more changes than are told, or its caller has it stop.
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
    let entries = ChangeSearch.sorted(
      try Directory.entries(of: upper)
        + (isOpaque && base.isOpen ? Directory.entries(of: base) : []))
    // Only where the host's directory has other entries since can one be missing.
    let mayLackSome =
      base.isOpen
      ? try base.entryStatus().changed > started : upper.attribute(ChangeSearch.origin, 256) != nil
    var inside: [Place] = []
    for name in entries {
      // One directory can have more of them than the memory has room for.
      if isFull { return inside }
      let path = place.path.pushing(name.path)
      let old = base.isOpen ? try base.entryStatus(name.path) : nil
      guard let new = try upper.entryStatus(name.path) else {
        if isOpaque, name != temporary, let old { remove(path, old, tree) }
        continue
      }
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
          Place(
            path: path, status: new, hasBase: old?.kind == .directory, isOpaque: isOpaque,
            depth: place.depth + 1, start: changes.list.count))
      }
    }
    return inside
  }

  /// The names of entries in the order of their bytes, each once.
  private static func sorted(_ entries: [DirectoryEntry]) -> [ByteString] {
    var names: [ByteString] = []
    names.reserveCapacity(entries.count)
    let sorted = entries.map(\.name).sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    for name in sorted where name != names.last { names.append(name) }
    return names
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
        for name in ChangeSearch.sorted(try Directory.entries(of: directory)).reversed() {
          guard let old = try directory.entryStatus(name.path) else { continue }
          pending.append((path.pushing(name.path), old))
        }
      } catch {
        unread.append((number, path, error.reason))
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
