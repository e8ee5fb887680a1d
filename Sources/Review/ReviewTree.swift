// SPDX-License-Identifier: Apache-2.0
// A directory under review beside its layer: opening in both, and removing from the layer.

internal import Linux
internal import Sandbox
public import SystemPackage
internal import Text

/// A directory under review and its layer.
final class ReviewTree {
  let base: OwnedDescriptor
  let upper: OwnedDescriptor
  /// The device of the directory: what is mounted in it is left alone.
  let device: UInt64
  /// The layer's top, as the command left it.
  let top: EntryStatus
  /// Directories of the layer that were closed to this user, and their permissions.
  fileprivate var closed: [(path: FilePath, permissions: UInt32)] = []

  init(
    _ base: consuming OwnedDescriptor, _ upper: consuming OwnedDescriptor, _ top: EntryStatus,
    isClosed: Bool
  ) {
    device = (try? base.fileIdentity().device) ?? 0
    self.top = top
    if isClosed { closed.append(("", top.permissions)) }
    self.base = base
    self.upper = upper
  }

  deinit {
    for (path, permissions) in closed.reversed() {
      try? openUpper(path).setPermissions(permissions)
    }
  }

  /// Opens the directory `path` of the host's tree.
  func openBase(_ path: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    // A mount there is not under review.
    let directory = try base.openDirectlyInRoot(path.isEmpty ? "." : path, crossesMounts: false)
    // Where a filter hides openat2(2), the device tells most mounts.
    guard try directory.fileIdentity().device == device else {
      throw SystemCallError(call: "openat2", errno: .improperLink)
    }
    return directory
  }

  /// Opens the directory `path` of the layer.
  func openUpper(_ path: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    try upper.openDirectlyInRoot(path.isEmpty ? "." : path)
  }

  /// Gives the layer's top the permissions of the host's directory, and returns them.
  func resetTop() throws(SystemCallError) -> UInt32 {
    let permissions = try base.entryStatus().permissions
    closed.removeAll { $0.path.isEmpty }
    try openUpper("").setPermissions(permissions & Change.bits(.directory))
    return permissions
  }

  /// What a layer has at a place.
  enum LayerEntry { case nothing, whiteout, file }

  /// What the layer has at `path`; a file where that cannot be told.
  func layerEntry(_ path: FilePath) -> LayerEntry {
    do throws(SystemCallError) {
      let status = try openUpper(path.parent).entryStatus(path.lastName.path)
      return status.map { $0.isWhiteout ? .whiteout : .file } ?? .nothing
    } catch {
      return error.lacksDirectory ? .nothing : .file
    }
  }
}

extension Review {
  /// Whether the layer has something at `path`.
  public func hasChange(_ path: FilePath, tree number: Int) -> Bool {
    guard path != Change.top, let trees = try? openTrees(), trees.indices.contains(number) else {
      return false
    }
    return trees[number].layerEntry(path) != .nothing
  }
}

extension ReviewTree {
  /// Opens the directory `path` of the layer to this user, who owns it, until this value ends: for reading
  /// and searching, or as `permissions` says.
  ///
  /// If SIGKILL ends this process meanwhile, the layer keeps the permissions that this adds. So it opens
  /// nothing that is open enough.
  func unlock(
    _ path: FilePath, _ status: EntryStatus, for permissions: UInt32 = 0o500
  ) throws(SystemCallError) {
    guard status.permissions & permissions != permissions,
      status.owner == CurrentProcess.identity.user
    else { return }
    let directory = try openUpper(path)
    guard try directory.fileIdentity() == status.identity else { return }
    try directory.setPermissions(status.permissions | 0o700)
    closed.append((path, status.permissions))
  }

  /// Opens the regular file `name` of a directory of the layer; where its permissions forbid that,
  /// they allow it meanwhile.
  static func openFile(
    _ name: FilePath, in upper: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> OwnedDescriptor {
    do throws(SystemCallError) {
      return try upper.openRegularEntry(name)
    } catch {
      guard error.errno == .permissionDenied, let status = try upper.entryStatus(name),
        status.kind == .regular, status.owner == CurrentProcess.identity.user
      else { throw error }
      // By the location, so that no link is followed.
      let entry = try upper.openEntry(name)
      guard try entry.fileIdentity() == status.identity else { throw error }
      try entry.setPermissions(status.permissions | 0o400)
      defer { try? entry.setPermissions(status.permissions) }
      return try upper.openRegularEntry(name)
    }
  }
}

/// Removes trees that may be hostile: deep, closed to their owner, or full of links.
enum TreeRemoval {
  private static let mostDepth = 64

  /// Removes the entry `name` of a directory with all that is below.
  static func remove(
    _ name: FilePath, from directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    do throws(SystemCallError) {
      return try directory.remove(name, .other)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return }
      guard error.errno == .isDirectory || error.errno == .notPermitted else { throw error }
    }
    if (try? directory.remove(name, .directory)) != nil { return }
    let top = try opened(name, in: directory)
    // Move a tree that is too deep to the top, so that neither descriptors nor the stack run out.
    var isDone = false
    while !isDone { isDone = try empty(top, top, depth: 0) }
    try directory.remove(name, .directory)
  }

  private static func opened(
    _ name: FilePath, in directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> OwnedDescriptor {
    if let open = try? directory.openSubdirectory(name), let status = try? open.entryStatus(),
      status.permissions & 0o700 == 0o700
    {
      return open
    }
    // It is closed to its owner.
    let location = try directory.openEntry(name)
    let status = try location.entryStatus()
    if status.kind == .directory, status.owner == CurrentProcess.identity.user {
      try location.setPermissions(status.permissions | 0o700)
    }
    return try directory.openSubdirectory(name)
  }

  /// Removes what is in a directory.
  /// - Returns: Whether all of it is gone; if not, the rest lies in `top`.
  private static func empty(
    _ directory: borrowing OwnedDescriptor, _ top: borrowing OwnedDescriptor, depth: Int
  ) throws(SystemCallError) -> Bool {
    var isDone = true
    for entry in try Directory.entries(of: directory) {
      let name = entry.name.path
      guard entry.kind == .directory else {
        try directory.remove(name, .other)
        continue
      }
      if (try? directory.remove(name, .directory)) != nil { continue }
      let inside = try opened(name, in: directory)
      if depth == mostDepth {
        // A name that no command could have taken.
        let number = try CurrentProcess.randomNumber()
        try directory.move(name, to: top, as: FilePath("deep-" + String(number)))
        isDone = false
        continue
      }
      if try !empty(inside, top, depth: depth + 1) { isDone = false }
      try directory.remove(name, .directory)
    }
    return isDone
  }
}
