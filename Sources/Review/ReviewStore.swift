// SPDX-License-Identifier: Apache-2.0
// The store of reviews: a directory of this user alone, with a directory for each review.
//
// NAME/record     the directories, and when the review began
// NAME/removed    the record of a review that is being removed
// NAME/lock       locked while a sandbox, or a task that changes something, uses the review
// NAME/seen       what the host had where something was changed (SeenHost); seen-new while it is written
// NAME/upper-N    the layer of directory N, and what overlayfs needs beside it, NAME/work-N

internal import Linux
internal import Running
public import SystemPackage
public import Text

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

  /// Opens the store, or makes it and the directories on the way to it.
  func make() throws(ReviewError) -> OwnedDescriptor {
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
      try finish(OpenReview(directory), name, in: store)
      throw .isUnknown
    }
    return Review(name, place, store, OpenReview(directory), record)
  }

  /// Finishes what another nestbox was killed in: the begin of a review or its end.
  ///
  /// Without a record that can be read, it is one of the two only where no change would be lost.
  private func finish(
    _ directory: OpenReview, _ name: ByteString, in store: borrowing OwnedDescriptor
  ) throws(ReviewError) {
    // One that begins locks its directory next.
    if directory.isJustMade { throw .isInUse }
    let isLocked: Bool
    do throws(ReviewError) {
      isLocked = try directory.makeLock(at: path.pushing(name.path))
    } catch {
      throw .hasNoRecord
    }
    guard isLocked else { throw .isInUse }
    guard directory.holdsNoChange else { throw .hasNoRecord }
    try? directory.removeRemains(of: name, in: store)
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
}
