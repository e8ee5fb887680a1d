// SPDX-License-Identifier: Apache-2.0
// The directory of a review while a process works on it: its lock, and the end of what lies in it.

internal import Linux
internal import SystemPackage
internal import Text

/// The open directory of a review, and its lock.
final class OpenReview {
  let descriptor: OwnedDescriptor
  /// The lock, while this process has it.
  private(set) var lock = OwnedDescriptor.none

  init(_ descriptor: consuming OwnedDescriptor) {
    self.descriptor = descriptor
  }

  /// Locks it.
  /// - Returns: Whether nobody else has it locked.
  func lock(at path: FilePath) throws(ReviewError) -> Bool {
    do throws(SystemCallError) {
      return try takeLock(isMade: false)
    } catch {
      guard error.isAbsence || error.errno == .isDirectory else { throw .failed(path, error) }
    }
    // Another nestbox has removed the review.
    guard hasRecord else { throw .isUnknown }
    // A command that could write to the store has put a link or something else there: no lock is lost.
    return try failing(path) { () throws(SystemCallError) in
      try TreeRemoval.remove(ReviewStore.lock, from: descriptor)
      return try takeLock(isMade: true)
    }
  }

  /// Makes the lock of a review that begins.
  func makeLock(at path: FilePath) throws(ReviewError) -> Bool {
    try failing(path) { () throws(SystemCallError) in try takeLock(isMade: true) }
  }

  private func takeLock(isMade: Bool) throws(SystemCallError) -> Bool {
    guard let file = try descriptor.lockedEntry(ReviewStore.lock, isMade: isMade) else {
      return false
    }
    lock = file
    return true
  }

  /// Whether another process has it locked.
  var isLockedElsewhere: Bool {
    do throws(SystemCallError) {
      return try descriptor.lockedEntry(ReviewStore.lock, isMade: false) == nil
    } catch {
      return false
    }
  }

  /// Whether its record exists: if not, another process has removed it, or begins to.
  var hasRecord: Bool {
    do throws(SystemCallError) {
      return try descriptor.entryStatus(ReviewStore.record) != nil
    } catch {
      return true
    }
  }

  /// Whether it is empty and was made a moment ago, as a review that begins is until it has its lock.
  var isJustMade: Bool {
    guard let entries = try? descriptor.openSubdirectory("."), entries.isEmptyDirectory(),
      let status = try? descriptor.entryStatus()
    else {
      return false
    }
    return FileTime.now.seconds - status.changed.seconds <= 1
  }

  /// Whether a process was killed while it began this review or ended it: a record was not written yet,
  /// or is removed or renamed already, and no layer holds a change that is still to be decided about.
  var holdsNoChange: Bool {
    // Its owner has decided: the record gets this name before a layer is removed.
    if (try? descriptor.entryStatus(ReviewStore.removed)) != nil { return true }
    guard let entries = try? Directory.entries(of: descriptor.openSubdirectory(".")) else {
      return false
    }
    return entries.allSatisfy { entry in
      if entry.name.path == ReviewStore.lock { return true }
      // A layer that the kernel mounted lies beside a record.
      guard entry.name.bytes.starts(with: "upper-".utf8),
        let layer = try? descriptor.openSubdirectory(entry.name.path)
      else { return false }
      return layer.isEmptyDirectory()
    }
  }

  /// Removes what a review has beside its record: the lock at last, then the mark that it is removed.
  func removeRemains(
    of name: ByteString, in store: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    for entry in try Directory.entries(of: descriptor.openSubdirectory("."))
    where entry.name.path != ReviewStore.lock && entry.name.path != ReviewStore.removed {
      try TreeRemoval.remove(entry.name.path, from: descriptor)
    }
    for last in [ReviewStore.lock, ReviewStore.removed] {
      try TreeRemoval.remove(last, from: descriptor)
    }
    do throws(SystemCallError) {
      try store.remove(name.path, .directory)
    } catch {
      // Another task has finished the same.
      if error.errno != .noSuchFileOrDirectory { throw error }
    }
  }

  /// Gives up the lock's descriptor, whose number this returns: the caller owns it from then on.
  func releaseLock() -> CInt { exchange(&lock, with: .none).release() }
}
