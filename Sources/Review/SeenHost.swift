// SPDX-License-Identifier: Apache-2.0
// The file `seen` of a review: what the host had where the layer changes something. The end of a launch and
// --apply write it. The search for changes reads it, and tells by it what the host's owner has changed or
// removed since, and what --apply or the command has made.
//
// It has these entries, each between two NULs, so that one whose writing was interrupted does not count:
//
// STAMP/TREE/PATH  the host had this file there, at the end of the launch that made the change; of a directory,
//                  these permissions there, then or while --apply is at work in it
// set STAMP/...    --apply has given it its final permissions, and earlier ones count no more
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
  /// The entries of each place, by its `/TREE/PATH`.
  private(set) var places: [ByteString: Set<ByteString>] = [:]
  /// The others.
  private var others: Set<ByteString> = []
  private let isWhole: Bool
  /// Whether the file cannot be read, so that every change may be a conflict.
  let isUnreadable: Bool

  /// How long the file may be.
  static let mostBytes = 128 << 20

  /// What has become of the host's side of a change since the review began or, where nestbox has applied
  /// the change, since then.
  enum Finding {
    /// Only the command has changed it.
    case untouched
    /// The host's owner has changed or removed it as well.
    case conflict
    /// Only the host's owner has changed it: it is no change of the command.
    case ownersAlone
  }

  /// Reads the file's content; nil if it cannot be read.
  ///
  /// `permissions` are those that the directories under review had when the review began, if this process
  /// knows them.
  init(_ bytes: [UInt8]?, permissions: [UInt32] = []) {
    let parts = bytes?.split(separator: 0, omittingEmptySubsequences: false) ?? []
    for (part, next) in zip(parts, parts.dropFirst()) where !part.isEmpty && next.isEmpty {
      if let slash = part.firstIndex(of: UInt8(ascii: "/")) {
        SeenHost.add(part, at: ByteString(part[slash...]), to: &places)
      } else {
        others.insert(ByteString(part))
      }
    }
    isWhole = others.contains("whole") && !others.contains("open")
    isUnreadable = bytes == nil
    for (tree, permissions) in permissions.enumerated() {
      let key = SeenHost.key(Change.top, tree: tree)
      if places[key] == nil { places[key] = [SeenHost.top(permissions, tree: tree)] }
    }
  }

  private static func add(
    _ entry: ArraySlice<UInt8>, at key: ByteString, to places: inout [ByteString: Set<ByteString>]
  ) {
    guard entry.starts(with: final) else {
      places[key, default: []].insert(ByteString(entry))
      return
    }
    places[key] = places[key]?.filter { !$0.bytes.starts(with: "directory ".utf8) }
    places[key, default: []].insert(ByteString(entry.dropFirst(final.count)))
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
  var made: [ByteString] { others.filter { $0.bytes.contains(UInt8(ascii: " ")) } }

  // MARK: What the host's owner has done

  /// What the host's owner has done to what a change is about.
  func finding(_ change: Change, since started: FileTime) -> Finding {
    if isUnreadable { return .conflict }
    guard let old = change.old else { return isRemoved(change) ? .conflict : .untouched }
    if let new = change.new, new.kind == old.kind {
      return compared(change, old, new, since: started)
    }
    // The entries of a removed directory are changes by themselves.
    if change.new == nil, old.kind == .directory { return .untouched }
    return isChanged(change, old, since: started) ? .conflict : .untouched
  }

  /// Whether the host lacks the entry because its owner has removed it.
  private func isRemoved(_ change: Change) -> Bool {
    let key = SeenHost.key(change)
    if isNoted(SeenHost.removal(change), at: key) { return false }
    if isNoted(key, at: key) { return true }
    // Only files can have been renamed by the command, which the end of a launch tells.
    guard change.isFromHost else { return false }
    return change.new?.kind == .directory || !isWhole && change.counterpart == nil
  }

  /// What the owner has done to an entry that both sides have.
  private func compared(
    _ change: Change, _ old: EntryStatus, _ new: EntryStatus, since started: FileTime
  ) -> Finding {
    let key = SeenHost.key(change)
    // At the end of the launch the layer had there what the host had: the host is what has changed since.
    if isWhole, places[key] == nil { return .ownersAlone }
    if old.kind == .directory {
      guard change.kind == .mode else { return .untouched }
      if isNoted(SeenHost.stamp(old).appending(key), at: key) { return .untouched }
      if isNoted(SeenHost.stamp(new).appending(key), at: key) { return .ownersAlone }
      // Before the end of a launch only the time tells. It also changes with an entry that the owner has added, but
      // the layer alone does not say whether the command has changed the permissions: the kernel copies those that
      // the directory had before its owner closed it.
      return places[key] != nil || old.changed > started ? .conflict : .untouched
    }
    if isChanged(change, old, since: started) {
      // --apply has made it so.
      let isApplied = others.contains(SeenHost.stamp(new, identity: old.identity))
      return change.kind == .mode && isApplied ? .ownersAlone : .conflict
    }
    return .untouched
  }

  private func isChanged(_ change: Change, _ old: EntryStatus, since started: FileTime) -> Bool {
    let (key, stamp) = (SeenHost.key(change), SeenHost.stamp(old))
    if others.contains(stamp) { return false }
    if old.kind != .directory, old.changed > started { return true }
    return isWhole && !isNoted(stamp.appending(key), at: key)
  }

  private func isNoted(_ entry: ByteString, at key: ByteString) -> Bool {
    places[key]?.contains(entry) == true
  }

  // MARK: Entries

  /// What tells a file from another one, from an earlier content and from other permissions.
  ///
  /// It has no ctime, which a rename and the removal of another name change. The entries of a directory are
  /// changes by themselves, so of one it has the permissions alone.
  static func stamp(
    _ status: EntryStatus, identity: FileIdentity? = nil, permissions: UInt32? = nil,
    modified: FileTime? = nil
  ) -> ByteString {
    let bits = (permissions ?? status.permissions) & Change.bits(status.kind)
    if status.kind == .directory { return directory(bits) }
    let (identity, time) = (identity ?? status.identity, modified ?? status.modified)
    var text = String(identity.device)
    for number in [
      String(identity.inode), String(status.size), String(time.seconds), String(time.nanoseconds),
      String(bits, radix: 8),
    ] {
      text += " " + number
    }
    return ByteString(text)
  }

  private static func directory(_ permissions: UInt32) -> ByteString {
    ByteString("directory " + String(permissions & Change.bits(.directory), radix: 8))
  }

  /// The entry of a directory that has these permissions at the place of a change.
  static func permissions(_ permissions: UInt32, of change: Change) -> ByteString {
    directory(permissions).appending(key(change))
  }

  private static let final = Array("set ".utf8)

  /// The entry of a directory to which --apply has given its final permissions, for as long as the change waits.
  static func finalPermissions(_ permissions: UInt32, of change: Change) -> ByteString {
    ByteString(final).appending(self.permissions(permissions, of: change))
  }

  static func key(_ change: Change) -> ByteString { key(change.path, tree: change.tree) }

  private static func key(_ path: FilePath, tree: Int) -> ByteString {
    ByteString("/" + String(tree) + "/").appending(ByteString(path))
  }

  /// The number of the directory under review and the path that `key` names.
  static func place(_ key: ByteString) -> (tree: Int, path: FilePath)? {
    let parts = key.bytes.split(separator: UInt8(ascii: "/"), maxSplits: 1)
    guard parts.count == 2, let tree = Int(ByteString(parts[0]).text) else { return nil }
    return (tree, ByteString(parts[1]).path)
  }

  static func removal(_ change: Change) -> ByteString { ByteString("-").appending(key(change)) }

  /// What the end of a launch notes of a change that no earlier launch has noted.
  ///
  /// Of a directory whose owner has changed its permissions meanwhile, it cannot tell which they were.
  static func first(_ change: Change) -> Set<ByteString> {
    if change.isConflict, change.kind == .mode, change.old?.kind == .directory { return [] }
    return [(change.old.map { stamp($0) } ?? "none").appending(key(change))]
  }

  /// Notes the permissions of a directory under review itself.
  static func top(_ permissions: UInt32, tree: Int) -> ByteString {
    directory(permissions).appending(key(Change.top, tree: tree))
  }
}
