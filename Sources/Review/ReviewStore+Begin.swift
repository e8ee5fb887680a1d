// SPDX-License-Identifier: Apache-2.0
// The begin of a review: its directory, its lock, a layer for each directory, and its record.

internal import Linux
public import SystemPackage
public import Text

extension ReviewStore {
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
