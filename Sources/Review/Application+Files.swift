// SPDX-License-Identifier: Apache-2.0
// Applying changes of files, links and FIFOs: each is copied beside its place and appears there by rename, in
// a directory that was opened without following a link.

internal import Linux
internal import SystemPackage
internal import Text

extension Application {
  /// Copies an entry of the layer, and puts the copy in the place of what the host has there.
  mutating func replace(
    _ change: Change, _ name: FilePath, _ new: EntryStatus, in folder: Folder
  ) throws(Obstacle) {
    let replacesDirectory = change.old?.kind == .directory
    let upper = try Application.trying { () throws(SystemCallError) in
      try trees[change.tree].openUpper(change.path.parent)
    }
    do throws(SystemCallError) {
      try makeTemporary(name, new, from: upper, in: folder.directory)
    } catch {
      try? folder.directory.remove(temporary, .other)
      throw .failed(error)
    }
    do throws(Obstacle) {
      if replacesDirectory {
        try removeReplaced(change, name, in: folder)
      } else if change.old != nil {
        // The copy may have taken long.
        try require(change, name, in: folder)
      }
      try Application.trying { () throws(SystemCallError) in
        if let made = try folder.directory.entryStatus(temporary) {
          review.note([SeenHost.stamp(made)])
        }
        if replacesDirectory || change.old == nil {
          try folder.directory.rename(temporary, toFreeName: name)
        } else {
          try folder.directory.rename(temporary, to: name)
        }
      }
    } catch {
      try? folder.directory.remove(temporary, .other)
      if case .failed(let error) = error, error.errno == .fileExists {
        throw .conflict("the host has made it meanwhile")
      }
      throw error
    }
  }

  /// Copies an entry of the layer beside its place.
  private func makeTemporary(
    _ name: FilePath, _ new: EntryStatus, from upper: borrowing OwnedDescriptor,
    in directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    let permissions = new.permissions & Change.bits(new.kind)
    switch new.kind {
    case .link:
      try directory.makeSymbolicLink(temporary, target: upper.symbolicLinkTarget(name))
    case .fifo:
      try directory.makeFIFO(temporary, permissions)
    default:
      let source = try ReviewTree.openFile(name, in: upper)
      let status = try source.entryStatus()
      let file = try directory.create(temporary, .init(rawValue: 0o600))
      try Descriptors.copyRegular(source, size: status.size, to: file, isToStop: isToStop)
      try file.changePermissions(permissions)
      try directory.setModified(temporary, to: status.modified)
    }
  }

  /// Gives a file of the host, whose content stays, the permissions and the time that the layer has.
  func setInPlace(
    _ change: Change, _ name: FilePath, _ new: EntryStatus, in folder: Folder
  ) throws(Obstacle) {
    try Application.trying { () throws(SystemCallError) in
      let entry = try folder.directory.openEntry(name)
      guard try entry.fileIdentity() == change.old?.identity else {
        throw SystemCallError(call: "fstat", errno: .staleNFSFileHandle)
      }
      if let old = change.old {
        // It is killed before, between or after the two calls.
        review.note([
          SeenHost.stamp(old), SeenHost.stamp(old, permissions: new.permissions),
          SeenHost.stamp(old, permissions: new.permissions, modified: new.modified),
        ])
      }
      if change.kind == .mode {
        try entry.setPermissions(new.permissions & Change.bits(new.kind))
      }
      if new.kind == .regular { try folder.directory.setModified(name, to: new.modified) }
    }
  }
}
