// SPDX-License-Identifier: Apache-2.0
// Reading and writing the file `seen` of a review (SeenHost).

internal import Linux
internal import SystemPackage
internal import Text

extension Review {
  /// What was noted.
  var seen: SeenHost {
    do throws(SystemCallError) {
      let file = try folder.descriptor.openRegularEntry(ReviewStore.seen)
      let bytes = try Descriptors.contents(
        of: file.rawValue, chunk: 1 << 16, limit: SeenHost.mostBytes)
      return SeenHost(bytes, permissions: madeWith)
    } catch {
      return SeenHost(error.errno == .noSuchFileOrDirectory ? [] : nil, permissions: madeWith)
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
      let removal = SeenHost.removal(change)
      let noted = known.removeValue(forKey: key) ?? SeenHost.first(change)
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
