// SPDX-License-Identifier: Apache-2.0
// The store of reviews: a directory of this user alone, with a directory for each review.
//
// NAME/record     the directories, and when the review began
// NAME/removed    the record of a review that is being removed
// NAME/lock       locked while a sandbox, or a task that changes something, uses the review
// NAME/seen       what the host had where something was changed (SeenHost); seen-new while it is written
// NAME/upper-N    the layer of directory N, and what overlayfs needs beside it, NAME/work-N

public import Linux
internal import Running
public import SystemPackage
public import Text

/// Why the store cannot do a task.
public enum ReviewError: Error, Equatable, Sendable {
  /// No review has the name.
  case isUnknown
  /// Another one has the name.
  case nameIsTaken
  /// A sandbox or another task uses it.
  case isInUse
  /// The record cannot be read.
  case hasNoRecord
  /// A layer is gone.
  case hasNoLayer
  /// The store is not a directory of this user alone.
  case storeIsUnsuitable(FilePath, StoreFlaw)
  /// A directory under review is not where it was.
  case directoryIsGone(FilePath)
  /// What was to be reviewed does not exist.
  case isMissing(FilePath)
  /// What was to be reviewed is a file.
  case isNoDirectory(FilePath)
  /// A system call failed on a path.
  case failed(FilePath, SystemCallError)
}

/// Why a store is not a directory of this user alone.
public enum StoreFlaw: Sendable {
  case isLink, isNoDirectory
  /// Another user owns it.
  case isForeign
  /// Other users may enter it.
  case isOpen
}

/// The store.
public struct ReviewStore: Sendable {
  /// Its directory.
  public let path: FilePath

  /// The store in `path`.
  public init(_ path: FilePath) {
    self.path = path
  }

  static let record: FilePath = "record"
  static let removed: FilePath = "removed"
  static let lock: FilePath = "lock"
  static let seen: FilePath = "seen"
  static let newSeen: FilePath = "seen-new"
  static func layer(_ number: Int) -> FilePath { FilePath("upper-" + String(number)) }
  static func work(_ number: Int) -> FilePath { FilePath("work-" + String(number)) }

  /// Opens the store; nil where there is none.
  func open() throws(ReviewError) -> OwnedDescriptor? {
    do throws(SystemCallError) {
      _ = try FileFacts(at: path)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw .failed(path, error)
    }
    return try opened()
  }

  /// Opens the store, or makes it in a directory that exists.
  private func opened() throws(ReviewError) -> OwnedDescriptor {
    do throws(SystemCallError) {
      return try OwnedDescriptor.privateDirectory(path)
    } catch {
      if let flaw { throw .storeIsUnsuitable(path, flaw) }
      throw .failed(path, error)
    }
  }

  /// What is wrong with the file that lies there.
  private var flaw: StoreFlaw? {
    guard let status = try? OwnedDescriptor.open(path, .linkLocation).entryStatus() else {
      return nil
    }
    if status.kind == .link { return .isLink }
    if status.kind != .directory { return .isNoDirectory }
    if status.owner != CurrentProcess.identity.user { return .isForeign }
    return status.permissions & 0o077 == 0 ? nil : .isOpen
  }

  private func make() throws(ReviewError) -> OwnedDescriptor {
    if let store = try? OwnedDescriptor.privateDirectory(path) { return store }
    try failing(path.parent) { () throws(SystemCallError) -> Void in
      var place: FilePath = "/"
      for component in path.components.dropLast() {
        let parent = try OwnedDescriptor.open(place, .directory)
        place.append(component)
        do throws(SystemCallError) {
          try parent.makeDirectory(FilePath(root: nil, [component]), .init(rawValue: 0o700))
        } catch {
          // A directory that exists may lie where this user may make none.
          guard (try? FileFacts(at: place, followsLinks: true))?.kind == .directory else {
            throw error
          }
        }
      }
    }
    return try opened()
  }

  /// The names of all reviews.
  public func names() throws(ReviewError) -> [ByteString] {
    guard let store = try open() else { return [] }
    let names = try failing(path) { () throws(SystemCallError) in
      try Directory.entries(of: store)
    }
    return names.filter { $0.kind == .directory && SandboxName.isValid($0.name) }.map(\.name)
      .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }

  /// Opens the review `name`.
  public func review(_ name: ByteString) throws(ReviewError) -> Review {
    guard SandboxName.isValid(name), let store = try open() else { throw .isUnknown }
    let place = path.pushing(name.path)
    let directory: OwnedDescriptor
    do throws(SystemCallError) {
      directory = try store.openSubdirectory(name.path)
    } catch {
      if error.errno == .noSuchFileOrDirectory { throw .isUnknown }
      throw .failed(place, error)
    }
    guard let file = try? directory.openRegularEntry(ReviewStore.record),
      let bytes = try? Descriptors.contents(of: file.rawValue, limit: ReviewRecord.mostBytes),
      let record = ReviewRecord(bytes)
    else {
      // Another nestbox may begin or remove it.
      let open = OpenReview(directory)
      if open.isLockedElsewhere { throw .isInUse }
      guard open.isRemoved else { throw .hasNoRecord }
      try? open.removeRemains(of: name, in: store)
      throw .isUnknown
    }
    return Review(name, place, store, OpenReview(directory), record)
  }

  /// Removes what is left of a review whose record cannot be read.
  public func removeRemains(of name: ByteString) throws(ReviewError) {
    guard SandboxName.isValid(name), let store = try open() else { throw .isUnknown }
    try failing(path.pushing(name.path)) { () throws(SystemCallError) -> Void in
      guard try store.openSubdirectory(name.path).lockedEntry(ReviewStore.lock) != nil else {
        throw SystemCallError(call: "flock", errno: .resourceTemporarilyUnavailable)
      }
      try TreeRemoval.remove(name.path, from: store)
    }
  }

  /// Removes the store, if there is one without reviews.
  public func removeEmpty() {
    guard let parent = try? OwnedDescriptor.open(path.parent, .directory) else {
      return
    }
    try? parent.remove(path.lastName.path, .directory)
  }

  /// Begins the review `name` of directories, with an empty layer for each.
  public func begin(
    _ name: ByteString, of directories: [FilePath]
  ) throws(ReviewError) -> Review {
    let store = try make()
    let place = path.pushing(name.path)
    do throws(SystemCallError) {
      try store.makeDirectory(name.path, .init(rawValue: 0o700))
    } catch {
      if error.errno == .fileExists { throw .nameIsTaken }
      throw .failed(place, error)
    }
    let (directory, record): (OpenReview, ReviewRecord)
    let permissions: [UInt32]
    do throws(ReviewError) {
      directory = OpenReview(
        try failing(place) { () throws(SystemCallError) in
          try store.openSubdirectory(name.path)
        })
      guard try directory.makeLock(at: place) else { throw ReviewError.isInUse }
      try failing(self.path) { () throws(SystemCallError) in
        try ReviewStore.requireLayers(in: directory.descriptor, of: store)
      }
      let trees: [ReviewRecord.Tree]
      (trees, permissions) = try ReviewStore.makeLayers(of: directories, in: directory.descriptor)
      record = try failing(place) { () throws(SystemCallError) in
        try ReviewStore.makeRecord(of: trees, in: directory.descriptor)
      }
    } catch {
      try? TreeRemoval.remove(name.path, from: store)
      throw error
    }
    return Review(name, place, store, directory, record, madeWith: permissions)
  }

  /// Writes the record of a review that begins.
  private static func makeRecord(
    of trees: [ReviewRecord.Tree], in directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> ReviewRecord {
    let record = ReviewRecord(
      started: try directory.entryStatus().changed, token: try CurrentProcess.randomNumber(),
      trees: trees)
    // In place: nothing was changed yet that a record cut short could lose.
    let file = try directory.create(ReviewStore.record, .init(rawValue: 0o600))
    try Descriptors.write(record.bytes[...], to: file.rawValue)
    return record
  }

  /// Fails where the file system of the store keeps no layers.
  ///
  /// A mark on the store tells later launches that it does.
  private static func requireLayers(
    in directory: borrowing OwnedDescriptor, of store: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    let device = Array(String(try store.fileIdentity().device).utf8)
    if store.attribute("user.nestbox.layers", 32) == device { return }
    do throws(SystemCallError) {
      try directory.requireLayer("user.overlay.nestbox")
    } catch {
      // Errors of file systems without them: reported as one error.
      guard error.errno == .notSupported || error.errno == .notPermitted else { throw error }
      throw SystemCallError(call: error.call, errno: .notSupported)
    }
    try store.setAttribute("user.nestbox.layers", to: device)
  }

  /// Makes the layers of directories of the host.
  /// - Returns: The directories, and the permissions of their layers.
  private static func makeLayers(
    of directories: [FilePath], in directory: borrowing OwnedDescriptor
  ) throws(ReviewError) -> ([ReviewRecord.Tree], [UInt32]) {
    var (trees, permissions): ([ReviewRecord.Tree], [UInt32]) = ([], [])
    for number in directories.indices {
      let path = directories[number]
      let (tree, bits): (ReviewRecord.Tree, UInt32)
      do throws(SystemCallError) {
        (tree, bits) = try makeLayer(layer(number), of: path, in: directory)
      } catch {
        let kind = try? FileFacts(at: path, followsLinks: true).kind
        if kind == nil, error.errno == .noSuchFileOrDirectory { throw .isMissing(path) }
        guard kind ?? .directory == .directory else { throw .isNoDirectory(path) }
        throw .failed(path, error)
      }
      trees.append(tree)
      permissions.append(bits)
    }
    return (trees, permissions)
  }

  /// Makes the layer of the directory `path` of the host.
  /// - Returns: The directory, and the permissions of the layer.
  private static func makeLayer(
    _ name: FilePath, of path: FilePath, in directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> (ReviewRecord.Tree, UInt32) {
    let base = try OwnedDescriptor.open(path, .directory)
    let status = try base.entryStatus()
    try directory.makeDirectory(name, .init(rawValue: 0o700))
    // The layer's top is the directory's own entry inside.
    let permissions = status.permissions & 0o1777
    try directory.openSubdirectory(name).changePermissions(permissions)
    return (
      ReviewRecord.Tree(
        path: try Descriptors.path(of: base.rawValue), identity: status.identity), permissions
    )
  }
}

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

  /// Whether somebody has begun to remove it.
  var isRemoved: Bool {
    if (try? descriptor.entryStatus(ReviewStore.removed)) != nil { return true }
    // Of one that begins, the lock follows the directory at once.
    guard descriptor.isEmptyDirectory(), let status = try? descriptor.entryStatus() else {
      return false
    }
    return FileTime.now.seconds - status.changed.seconds > 1
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

/// Adds the path to a failure in `body`.
func failing<Result: ~Copyable>(
  _ path: FilePath, _ body: () throws(SystemCallError) -> Result
) throws(ReviewError) -> Result {
  do throws(SystemCallError) { return try body() } catch { throw .failed(path, error) }
}
