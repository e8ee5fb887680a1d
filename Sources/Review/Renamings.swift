// SPDX-License-Identifier: Apache-2.0
// Finds renamed files among the changes: a removed file, and an added one with the same content.

internal import Linux
internal import SystemPackage
internal import Text

extension ChangeSearch {
  /// How many bytes the search for renamings compares at most.
  private static let mostBytes: Int64 = 64 << 20

  /// Finds removed files whose content an added file has.
  ///
  /// The kernel notes no renaming for an ordinary user. The content alone tells one, not the number of the
  /// inode, which the file system may have given to another file since.
  mutating func findRenamings(_ trees: [ReviewTree]) {
    var removed = RemovedFiles()
    for (index, change) in changes.list.enumerated() where change.kind == .removed {
      guard let old = change.old, old.kind == .regular, old.size > 0 else { continue }
      removed.add(index, old, change)
    }
    if removed.isEmpty || isToStop() { return }
    var bytes = ChangeSearch.mostBytes
    for index in changes.list.indices where changes.list[index].kind == .added {
      if isToStop() { return }
      let change = changes.list[index]
      guard let new = change.new, new.kind == .regular, new.size > 0 else { continue }
      var candidates = removed.candidates(new, change, { changes.list[$0].counterpart != nil })
      candidates.list.removeAll { changes.list[$0].tree != change.tree }
      var isFound = false
      for candidate in candidates.list where !isFound {
        if new.size > bytes {
          candidates.areAll = false
          break
        }
        bytes -= new.size
        isFound = isSame(changes.list[candidate].path, change.path, new.size, trees[change.tree])
        if isFound {
          changes.list[index].counterpart = changes.list[candidate].path
          changes.list[candidate].counterpart = change.path
        }
      }
      if !isFound, !candidates.areAll { changes.mayHideRenamings = true }
    }
  }

  private func isSame(
    _ old: FilePath, _ new: FilePath, _ size: Int64, _ tree: ReviewTree
  ) -> Bool {
    do throws(SystemCallError) {
      let file = try tree.openBase(old.parent).openRegularEntry(old.lastName.path)
      let other = try ReviewTree.openFile(
        new.lastName.path, in: tree.openUpper(new.parent))
      return try Descriptors.haveSameContent(file, other, size: size, isToStop: isToStop)
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
  /// - Returns: They, and whether no other file has its size.
  mutating func candidates(
    _ status: EntryStatus, _ change: Change, _ isTaken: (Int) -> Bool
  ) -> (list: [Int], areAll: Bool) {
    var (found, areAll): ([Int], Bool) = ([], true)
    for trait in RemovedFiles.traits(status, change) {
      guard var known = files[trait] else { continue }
      while known.taken < known.list.count, isTaken(known.list[known.taken]) { known.taken += 1 }
      files[trait]?.taken = known.taken
      let next = known.list[known.taken...]
      for candidate in next.prefix(8) where !isTaken(candidate) && !found.contains(candidate) {
        found.append(candidate)
      }
      // The last trait is the size alone.
      areAll = next.count <= 8
    }
    return (found, areAll)
  }
}
