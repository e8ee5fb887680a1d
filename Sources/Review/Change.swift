// SPDX-License-Identifier: Apache-2.0
// One change of a directory under review.

internal import Linux
public import SystemPackage
internal import Text

/// A change.
public struct Change: Equatable, Sendable {
  /// What happens to the entry.
  public enum Kind: String, CaseIterable, Sendable {
    case added, changed, removed
    /// A file, directory or link takes the place of an entry of another kind.
    case type
    /// Only the permissions.
    case mode
    /// Only the time of the last change.
    case time
  }

  /// The path of a directory under review itself: a change there is one of its permissions.
  public static var top: FilePath { "." }

  /// The number of the directory under review.
  public let tree: Int
  /// The path from there.
  public let path: FilePath
  /// What happens.
  public internal(set) var kind: Kind
  /// What the host has there; nil where there is nothing.
  let old: EntryStatus?
  /// What the layer has there; nil where it removes the entry.
  let new: EntryStatus?
  /// The target, where the layer has a link there.
  var target: ByteString?
  /// Whether the entry lies in a directory that something else replaces.
  var isInReplaced = false
  /// Whether the host lacks the entry now, but the kernel has copied it from there.
  var isFromHost = false
  /// Whether the host has changed or removed the entry since the review began.
  var isConflict = false
  /// The conflict, for people.
  var conflict: String {
    "the host has \(old == nil ? "removed" : "changed") it since the review began"
  }
  /// Where the content comes from, if the file was renamed; in the removed entry, where it went.
  public var counterpart: FilePath?

  /// Where the entry is.
  struct Place: Hashable {
    let tree: Int
    var path: FilePath
  }

  /// Where it is.
  var place: Place { Place(tree: tree, path: path) }

  /// Whether this is the half of a renaming that is told with the other half.
  var isToldWithCounterpart: Bool { kind == .removed && counterpart != nil }
}

/// What deserves a look before a change is applied.
public struct Mark: Equatable, Sendable {
  /// A name for programs.
  public let name: String
  /// The words for people.
  public let text: String
}

/// All changes of a review.
public struct Changes: Sendable {
  /// The changes in the order of their paths: what is in a directory follows it.
  public internal(set) var list: [Change] = []
  /// Directories that could not be read, as messages name them, and why.
  public internal(set) var unread: [(path: FilePath, reason: String)] = []
  /// Whether the layer has more changes than the bound allows.
  public internal(set) var isIncomplete = false
  /// Whether files that are told as removed and added may be renamed, because the search for renamings
  /// compares only so many.
  public internal(set) var mayHideRenamings = false

  /// The changes as reports count them: a renaming is one.
  public var told: [Change] { list.filter { !$0.isToldWithCounterpart } }

  /// The changes that somebody chose; what could not be looked at stays told.
  public func only(where isChosen: (Change) -> Bool) -> Changes {
    var chosen = self
    chosen.list.removeAll { !isChosen($0) }
    return chosen
  }

  /// Whether nothing was changed.
  public var isEmpty: Bool { list.isEmpty && unread.isEmpty && !isIncomplete }
}

/// The result of applying changes.
public struct ApplicationReport: Sendable {
  /// How many changes were applied.
  public internal(set) var applied = 0
  /// Changes that were left, and why.
  public internal(set) var left: [(change: Change, reason: String)] = []
  /// The changes that `--overwrite` would not have left.
  public internal(set) var overwritable: [Change] = []
  /// Whether the run stopped because the disk was full.
  public internal(set) var isDiskFull = false
  /// Whether the run stopped because its caller asked for that.
  public internal(set) var isInterrupted = false

  /// The fewest changes that choose, each with all below, what `--overwrite` would not have left.
  ///
  /// A directory that is removed or replaced was left as well if a conflict in it was: it stands for both.
  public var overwriteChoices: [Change] {
    var tops: [Change.Place: Change] = [:]
    for change in overwritable { tops[change.place] = change }
    for (change, _) in left where change.old?.kind == .directory && change.new?.kind != .directory {
      tops[change.place] = change
    }
    var (choices, known): ([Change], Set<Change.Place>) = ([], [])
    for change in overwritable {
      var (top, place) = (change, change.place)
      while !place.path.isEmpty {
        top = tops[place] ?? top
        place.path.removeLastComponent()
      }
      if known.insert(top.place).inserted { choices.append(top) }
    }
    return choices
  }
}
