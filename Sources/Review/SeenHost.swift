// SPDX-License-Identifier: Apache-2.0
// The file `seen` of a review: what the host had where the layer changes something. From it nestbox tells
// what the host's owner has changed or removed since, and what --apply or the command has made.
//
// It has these entries, each between two NULs, so that one whose writing was interrupted does not count:
//
// STAMP/TREE/PATH  at the end of the launch that made the change, the host had this file there
// none/TREE/PATH   it had nothing there
// /TREE/PATH       the host has had something there
// STAMP            the file is as --apply has made it
// -/TREE/PATH      --apply removes what is there, and puts something else in its place
// whole            the end of a launch has noted all changes
// open             a launch that resumes the review may have made others since
//
// --apply notes what it is about to do, so that it can be killed and run again without a conflict.

internal import Linux
internal import SystemPackage
internal import Text

/// What the host had where a layer changes something.
struct SeenHost {
  private let entries: Set<ByteString>
  private let isWhole: Bool
  /// Whether the file cannot be read, so that every change may be a conflict.
  let isUnreadable: Bool

  /// How long the file may be.
  static let mostBytes = 128 << 20

  /// Reads the file's content; nil if it cannot be read.
  init(_ bytes: [UInt8]?) {
    var entries: Set<ByteString> = []
    let parts = bytes?.split(separator: 0, omittingEmptySubsequences: false) ?? []
    for (part, next) in zip(parts, parts.dropFirst()) where !part.isEmpty && next.isEmpty {
      entries.insert(ByteString(part))
    }
    self.entries = entries
    isWhole = entries.contains("whole") && !entries.contains("open")
    isUnreadable = bytes == nil
  }

  /// The file's content.
  static func bytes(_ entries: [ByteString]) -> [UInt8] {
    var bytes: [UInt8] = []
    for entry in entries {
      bytes.append(0)
      bytes += entry.bytes
      bytes.append(0)
    }
    return bytes
  }

  /// The entries of files that `--apply` has made: the only ones with a space and no slash.
  var made: [ByteString] {
    entries.filter { $0.bytes.contains(UInt8(ascii: " ")) && !$0.bytes.contains(UInt8(ascii: "/")) }
  }

  /// The entries of each place, by its `/TREE/PATH`.
  var places: [ByteString: [ByteString]] {
    var places: [ByteString: [ByteString]] = [:]
    for entry in entries {
      guard let slash = entry.bytes.firstIndex(of: UInt8(ascii: "/")) else { continue }
      places[ByteString(entry.bytes[slash...]), default: []].append(entry)
    }
    return places
  }

  /// Whether the host's owner has changed or removed what a change is about, since the review began or,
  /// where nestbox has applied it, since then.
  func isConflict(_ change: Change, since started: FileTime) -> Bool {
    if isUnreadable { return true }
    let key = SeenHost.key(change)
    guard let old = change.old else {
      if entries.contains(SeenHost.removal(change)) { return false }
      if entries.contains(key) { return true }
      // Only files can have been renamed by the command, which the end of a launch tells.
      guard change.isFromHost else { return false }
      return change.new?.kind == .directory || !isWhole && change.counterpart == nil
    }
    let stamp = SeenHost.stamp(of: change, old)
    if old.kind == .directory, change.new?.kind ?? .directory == .directory {
      // Its entries are changes by themselves. The owner may have changed its permissions, where the layer has
      // those from before.
      return change.kind == .mode && isWhole
        && ![stamp, SeenHost.directory].contains { entries.contains($0.appending(key)) }
    }
    if entries.contains(stamp) { return false }
    if old.kind != .directory, old.changed > started { return true }
    return isWhole && !entries.contains(stamp.appending(key))
  }

  /// What tells a file from another one and from an earlier content.
  ///
  /// It has no ctime, which a rename and the removal of another name change.
  static func stamp(_ status: EntryStatus, modified: FileTime? = nil) -> ByteString {
    if status.kind == .directory { return directory }
    let time = modified ?? status.modified
    var text = String(status.identity.device)
    for number in [
      String(status.identity.inode), String(status.size), String(time.seconds),
      String(time.nanoseconds),
    ] {
      text += " " + number
    }
    return ByteString(text)
  }

  /// The same of what the host has at the place of a change; of a directory whose permissions change, it has
  /// those.
  fileprivate static func stamp(of change: Change, _ old: EntryStatus) -> ByteString {
    guard old.kind == .directory, change.kind == .mode else { return stamp(old) }
    return directory.appending(ByteString(" " + String(old.permissions, radix: 8)))
  }

  /// The stamp of every directory.
  static let directory: ByteString = "directory"

  static func key(_ change: Change) -> ByteString {
    ByteString("/" + String(change.tree) + "/").appending(ByteString(change.path))
  }

  /// The number of the directory under review and the path that `key` names.
  static func place(_ key: ByteString) -> (tree: Int, path: FilePath)? {
    let parts = key.bytes.split(separator: UInt8(ascii: "/"), maxSplits: 1)
    guard parts.count == 2, let tree = Int(ByteString(parts[0]).text) else { return nil }
    return (tree, ByteString(parts[1]).path)
  }

  static func removal(_ change: Change) -> ByteString { ByteString("-").appending(key(change)) }
}

extension Review {
  /// What was noted.
  var seen: SeenHost {
    do throws(SystemCallError) {
      let file = try folder.descriptor.openRegularEntry(ReviewStore.seen)
      return SeenHost(
        try Descriptors.contents(
          of: file.rawValue, chunk: 1 << 16, limit: SeenHost.mostBytes))
    } catch {
      return SeenHost(error.errno == .noSuchFileOrDirectory ? [] : nil)
    }
  }

  /// Notes at the end of a launch what the host has where the layer changes something.
  ///
  /// What an earlier launch has noted of a place stays as long as the layer has something there: the
  /// owner may have changed it since. If the note cannot be written, the earlier one stays, which says
  /// that it is not whole.
  public func noteHost(_ changes: Changes) {
    let seen = seen
    guard !seen.isUnreadable, let trees = try? openTrees() else { return }
    var (entries, known) = (seen.made, seen.places)
    for change in changes.list {
      let key = SeenHost.key(change)
      let stamp = change.old.map { SeenHost.stamp(of: change, $0) } ?? "none"
      let removal = SeenHost.removal(change)
      let noted = known.removeValue(forKey: key) ?? [stamp.appending(key)]
      entries += noted.filter { $0 != key && ($0 != removal || change.old == nil) }
      // What the command has removed, it may make again after the host has removed it too.
      if change.new != nil, change.old != nil || change.isConflict { entries.append(key) }
    }
    for (key, noted) in known {
      guard let place = SeenHost.place(key), trees.indices.contains(place.tree) else { continue }
      let entry = trees[place.tree].layerEntry(place.path)
      if entry != .nothing { entries += noted.filter { $0 != key || entry == .file } }
    }
    if changes.unread.isEmpty, !changes.isIncomplete { entries.append("whole") }
    replaceNotes(SeenHost.bytes(entries))
  }

  /// Replaces the file at once, so that it is never there in part.
  private func replaceNotes(_ bytes: [UInt8]) {
    guard bytes.count <= SeenHost.mostBytes else { return }
    notes = .none
    let (name, new) = (ReviewStore.seen, ReviewStore.newSeen)
    do throws(SystemCallError) {
      try? folder.descriptor.remove(new, .other)
      let file = try folder.descriptor.create(new, .init(rawValue: 0o600))
      try Descriptors.write(bytes[...], to: file.rawValue)
      try folder.descriptor.rename(new, to: name)
    } catch {
      try? folder.descriptor.remove(new, .other)
    }
  }

  /// Notes that a launch makes changes which `seen` does not have.
  /// - Throws: `ReviewError` if it cannot be noted: then the host's owner would not be told of a conflict.
  public func noteLaunch() throws(ReviewError) {
    do throws(SystemCallError) {
      if !notes.isOpen { notes = try folder.descriptor.openInRoot(ReviewStore.seen, .appending) }
      try Descriptors.write(SeenHost.bytes(["open"])[...], to: notes.rawValue)
    } catch {
      throw .failed(path, error)
    }
  }

  /// Adds entries.
  ///
  /// If that fails, a change that nestbox has applied may be told as a conflict later.
  func note(_ entries: [ByteString]) {
    if !notes.isOpen {
      notes = (try? folder.descriptor.openInRoot(ReviewStore.seen, .appending)) ?? .none
    }
    try? Descriptors.write(SeenHost.bytes(entries)[...], to: notes.rawValue)
  }
}
