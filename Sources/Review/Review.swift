// SPDX-License-Identifier: Apache-2.0
// A review in the store: its lock, its layers, its end.

internal import Linux
public import Sandbox
public import SystemPackage
public import Text

/// A review.
public final class Review {
  /// Its name.
  public let name: ByteString
  /// Where it lies.
  public let path: FilePath
  /// What is noted about it.
  public let record: ReviewRecord
  /// Where the working directory lies; nil where it lies in no directory under review.
  private(set) lazy var here: (tree: Int, path: FilePath)? = workingPlace
  private let store: OwnedDescriptor
  private let open: OpenReview
  private var trees: [ReviewTree] = []
  private var handedOver: FileIdentity?
  /// The file of what the host had, while this process adds to it.
  var notes = OwnedDescriptor.none
  /// The permissions that each layer got when this process made it; empty if another process did.
  let madeWith: [UInt32]

  init(
    _ name: ByteString, _ path: FilePath, _ store: consuming OwnedDescriptor,
    _ open: OpenReview, _ record: ReviewRecord, madeWith permissions: [UInt32] = []
  ) {
    (self.name, self.path, self.record, madeWith) = (name, path, record, permissions)
    self.store = store
    self.open = open
  }

  /// The directory of the review.
  var folder: OpenReview { open }

  /// Whether this process has the lock.
  var isLocked: Bool { open.lock.isOpen }

  /// Gives the lock up to a sandbox, whose processes hold it from now on.
  public func handOverLock() -> CInt {
    handedOver = try? open.lock.fileIdentity()
    return open.releaseLock()
  }

  /// Takes the lock back once the sandbox has ended; fails while processes of it still run.
  public func takeLockBack(_ number: CInt) throws(ReviewError) {
    // Where the launch has failed early, this process still has the descriptor.
    if let handedOver, (try? Descriptors.fileIdentity(of: number)) == handedOver {
      Descriptors.close(number)
    }
    guard try open.lock(at: path) else { throw .isInUse }
  }

  /// The descriptors by which the monitor reaches the review.
  public var descriptors: [CInt] { [store.rawValue, open.descriptor.rawValue] }

  /// Locks it for this process; fails while a sandbox or another task has it.
  public func acquire() throws(ReviewError) {
    var tries = 0
    while try !open.lock(at: path) {
      // One that only looks whether it is in use has it for a moment.
      guard tries < 10 else { throw .isInUse }
      tries += 1
      CurrentProcess.sleep(milliseconds: 5)
    }
    guard open.hasRecord else { throw .isUnknown }
  }

  /// Whether a sandbox or a task uses it.
  public var isInUse: Bool {
    isLocked ? false : open.isLockedElsewhere
  }

  /// The layers, for a launch.
  public func layers() throws(ReviewError) -> [ReviewLayer] {
    let place = try failing(path) { () throws(SystemCallError) in
      try Descriptors.path(of: open.descriptor.rawValue)
    }
    var layers: [ReviewLayer] = []
    for number in record.trees.indices {
      let upper = try openLayer(number)
      let name = ReviewStore.work(number)
      layers.append(
        try failing(path) { () throws(SystemCallError) in
          let work = try Review.makeWork(name, in: open.descriptor)
          return ReviewLayer(
            base: record.trees[number].path, upper: place.pushing(ReviewStore.layer(number)),
            work: place.pushing(name),
            files: [
              record.trees[number].identity, try upper.fileIdentity(), try work.fileIdentity(),
            ])
        })
    }
    return layers
  }

  /// Makes the directory that overlayfs needs beside a layer.
  ///
  /// The kernel refuses one that an earlier launch has used: a volatile layer is not written to the
  /// disk at its end.
  private static func makeWork(
    _ name: FilePath, in place: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> OwnedDescriptor {
    do throws(SystemCallError) {
      try place.makeDirectory(name, .init(rawValue: 0o700))
    } catch {
      guard error.errno == .fileExists else { throw error }
      try TreeRemoval.remove(name, from: place)
      try place.makeDirectory(name, .init(rawValue: 0o700))
    }
    return try place.openSubdirectory(name)
  }

  /// Writes the layers to the disk.
  public func writeBack() { open.descriptor.writeBack() }

  /// The directories under review and their layers.
  func openTrees() throws(ReviewError) -> [ReviewTree] {
    if trees.isEmpty {
      for number in record.trees.indices { trees.append(try openTree(number)) }
    }
    return trees
  }

  /// Closes them, which gives layers the permissions back that they had.
  public func close() { trees = [] }

  private func openTree(_ number: Int) throws(ReviewError) -> ReviewTree {
    let base = try Review.openBase(record.trees[number])
    let location = try openLayer(number)
    do throws(SystemCallError) {
      // The command may have closed the directory to its owner.
      let status = try location.entryStatus()
      let isClosed = status.permissions & 0o500 != 0o500
      if isClosed { try location.setPermissions(status.permissions | 0o700) }
      let upper = try open.descriptor.openSubdirectory(ReviewStore.layer(number))
      return ReviewTree(base, upper, status, isClosed: isClosed)
    } catch {
      throw .failed(path, error)
    }
  }

  /// Opens the location of a layer.
  private func openLayer(_ number: Int) throws(ReviewError) -> OwnedDescriptor {
    do throws(SystemCallError) {
      return try open.descriptor.openDirectlyInRoot(ReviewStore.layer(number))
    } catch {
      // A layer that may only not be reached is not gone.
      let isUnreachable = error.errno == .permissionDenied || error.errno == .notPermitted
      if error.isAbsence, !isUnreachable { throw .hasNoLayer }
      throw .failed(path, error)
    }
  }

  /// Fails where a directory under review is not at its place any more.
  public func requireDirectories() throws(ReviewError) {
    for tree in record.trees { _ = try Review.openBase(tree) }
  }

  private static func openBase(
    _ tree: ReviewRecord.Tree
  ) throws(ReviewError) -> OwnedDescriptor {
    do throws(SystemCallError) {
      let base = try OwnedDescriptor.open("/", .directory).openDirectlyInRoot(tree.path)
      guard try base.fileIdentity() == tree.identity else {
        throw SystemCallError(call: "fstat", errno: .staleNFSFileHandle)
      }
      return base
    } catch {
      guard error.isAbsence else { throw .failed(tree.path, error) }
      throw .directoryIsGone(tree.path)
    }
  }

  /// Removes the review if its layers are as this process has made them.
  ///
  /// Most launches end so. Then it takes only the names that nestbox and the kernel have made, and no
  /// walk.
  /// - Returns: Whether it was removed; if not, something was changed, or another process made the
  ///   layers.
  public func removeIfUnchanged() throws(ReviewError) -> Bool {
    guard !madeWith.isEmpty else { return false }
    for number in madeWith.indices {
      guard let upper = try? open.descriptor.openSubdirectory(ReviewStore.layer(number)),
        let status = try? upper.entryStatus(), status.permissions == madeWith[number],
        upper.isEmptyDirectory()
      else { return false }
    }
    do throws(SystemCallError) {
      try removeKnownNames()
    } catch {
      try remove()
    }
    return true
  }

  /// Removes the marks by which the kernel knows that the work directories are in use.
  ///
  /// Only the next mount would read them, and each launch makes new work directories. A launcher does
  /// this while the command runs: at the end it would have to wait for the disk.
  public func removeMarks() {
    for number in madeWith.indices {
      let work = ReviewStore.work(number)
      try? Review.removeMark("work", in: open.descriptor.openDirectlyInRoot(work))
    }
  }

  /// Empties the directory `name`, in which the kernel has made `incompat/volatile/dirty`, without
  /// permissions.
  private static func removeMark(
    _ name: FilePath, in place: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    let directory = try place.openDirectlyInRoot(name)
    try directory.setPermissions(0o700)
    let next: FilePath
    switch name {
    case "work": next = "incompat"
    case "incompat": next = "volatile"
    default: return try directory.remove("dirty", .other)
    }
    try removeMark(next, in: directory)
    try directory.remove(next, .directory)
  }

  /// The lock comes last: until then no other process takes the rest for a review.
  private func removeKnownNames() throws(SystemCallError) {
    for number in madeWith.indices {
      let work = ReviewStore.work(number)
      try open.descriptor.openDirectlyInRoot(work).remove("work", .directory)
      try open.descriptor.remove(work, .directory)
    }
    try open.descriptor.remove(ReviewStore.record, .other)
    for number in madeWith.indices {
      try open.descriptor.remove(ReviewStore.layer(number), .directory)
    }
    try open.descriptor.remove(ReviewStore.lock, .other)
    try store.remove(name.path, .directory)
  }

  /// Removes the review with all its changes.
  ///
  /// The record gets another name first, so that another process never takes what is left for a review,
  /// and the next one finishes what SIGKILL has interrupted.
  public func remove() throws(ReviewError) {
    trees = []
    try failing(path) { () throws(SystemCallError) in
      do throws(SystemCallError) {
        try open.descriptor.rename(ReviewStore.record, to: ReviewStore.removed)
      } catch {
        try TreeRemoval.remove(ReviewStore.record, from: open.descriptor)
      }
      try open.removeRemains(of: name, in: store)
    }
  }
}
