// SPDX-License-Identifier: Apache-2.0
// What the host had where a layer changes something. It tells what the host's owner has changed or removed
// from what nestbox has applied, and from what the command has added.
//
// The file `seen` of a review has these entries, each after a NUL:
//
// STAMP/TREE/PATH  at the end of a launch, the host had this file there
// /TREE/PATH       the host had something there
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

  /// How long the file may be.
  static let mostBytes = 128 << 20

  init(_ bytes: [UInt8]) {
    entries = Set(bytes.split(separator: 0).map { ByteString($0) })
    isWhole = entries.contains("whole") && !entries.contains("open")
  }

  /// The entries of files that `--apply` has made: the only ones with a space and no slash.
  var made: [ByteString] {
    entries.filter { $0.bytes.contains(UInt8(ascii: " ")) && !$0.bytes.contains(UInt8(ascii: "/")) }
  }

  /// Whether the host's owner has changed or removed what a change is about, since the review began or,
  /// where nestbox has applied it, since then.
  func isConflict(_ change: Change, since started: FileTime) -> Bool {
    let key = SeenHost.key(change)
    guard let old = change.old else {
      if entries.contains(SeenHost.removal(change)) { return false }
      if entries.contains(key) { return true }
      // Only files can have been renamed by the command, which the end of a launch tells.
      guard change.isFromHost else { return false }
      return change.new?.kind == .directory || !isWhole && change.counterpart == nil
    }
    // The entries of a directory are changes by themselves.
    if old.kind == .directory, change.new?.kind ?? .directory == .directory { return false }
    let stamp = SeenHost.stamp(old)
    if entries.contains(stamp) { return false }
    if old.kind != .directory, old.changed > started { return true }
    return isWhole && !entries.contains(stamp.appending(key))
  }

  /// What tells a file from another one and from an earlier content.
  ///
  /// It has no ctime, which a rename and the removal of another name change.
  static func stamp(_ status: EntryStatus, modified: FileTime? = nil) -> ByteString {
    if status.kind == .directory { return "directory" }
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

  static func key(_ change: Change) -> ByteString {
    ByteString("/" + String(change.tree) + "/").appending(ByteString(change.path))
  }

  static func removal(_ change: Change) -> ByteString { ByteString("-").appending(key(change)) }
}

extension Review {
  /// What was noted.
  var seen: SeenHost {
    guard let file = try? folder.descriptor.openRegularEntry(ReviewStore.seen),
      let bytes = try? Descriptors.contents(
        of: file.rawValue, chunk: 1 << 16, limit: SeenHost.mostBytes)
    else { return SeenHost([]) }
    return SeenHost(bytes)
  }

  /// Notes at the end of a launch what the host has where the layer changes something.
  ///
  /// Without a note, the times of the files have to tell what the host has changed.
  public func noteHost(_ changes: Changes) {
    var entries = seen.made
    for change in changes.list {
      if let old = change.old {
        entries.append(SeenHost.stamp(old).appending(SeenHost.key(change)))
      }
      // Of a removed file, nothing is left that the host could not have.
      if change.new != nil, change.old != nil || change.isConflict {
        entries.append(SeenHost.key(change))
      }
    }
    if changes.unread.isEmpty, !changes.isIncomplete { entries.append("whole") }
    notes = .none
    try? folder.descriptor.remove(ReviewStore.seen, .other)
    note(entries)
  }

  /// Notes that a launch makes changes which `seen` does not have.
  public func noteLaunch() { note(["open"]) }

  /// Adds entries.
  ///
  /// If that fails, a change that nestbox has applied may be told as a conflict later.
  func note(_ entries: [ByteString]) {
    if !notes.isOpen {
      notes = (try? folder.descriptor.openInRoot(ReviewStore.seen, .appending)) ?? .none
    }
    var bytes: [UInt8] = []
    for entry in entries {
      bytes.append(0)
      bytes += entry.bytes
    }
    try? Descriptors.write(bytes[...], to: notes.rawValue)
  }
}
