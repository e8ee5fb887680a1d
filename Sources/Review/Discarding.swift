// SPDX-License-Identifier: Apache-2.0
// Discarding changes: they are taken out of the layer.

internal import Linux
public import SystemPackage
internal import Text

extension Review {
  /// Takes the change at `path`, with all below it, out of the layer.
  /// - Returns: Whether it could be taken out by itself: not, if the layer removes or replaces a
  ///   directory above it as a whole.
  public func discard(_ path: FilePath, tree number: Int) throws(ReviewError) -> Bool {
    let tree = try openTrees()[number]
    if path == Change.top {
      let permissions = try failing(self.path) { () throws(SystemCallError) in try tree.resetTop() }
      note([SeenHost.top(permissions, tree: number)])
      // The next search opens it again, as it is now.
      close()
      return true
    }
    let trash: FilePath = "trash"
    let folder = self.folder
    return try failing(self.path.pushing(path)) { () throws(SystemCallError) -> Bool in
      let parent: OwnedDescriptor
      do throws(SystemCallError) {
        // Nothing can be removed from a directory that its owner may not write to.
        try tree.unlock(path.parent, tree.openUpper(path.parent).entryStatus(), for: 0o700)
        parent = try tree.openUpper(path.parent)
      } catch {
        if error.isAbsence { return false }
        throw error
      }
      guard try parent.entryStatus(path.lastName.path) != nil else { return false }
      try TreeRemoval.remove(trash, from: folder.descriptor)
      try folder.descriptor.makeDirectory(trash, .init(rawValue: 0o700))
      let target = try folder.descriptor.openSubdirectory(trash)
      // A directory that its owner may not write to cannot be moved.
      let entry = try parent.openEntry(path.lastName.path)
      let status = try entry.entryStatus()
      if status.kind == .directory { try entry.setPermissions(status.permissions | 0o700) }
      try parent.move(path.lastName.path, to: target, as: "entry")
      try TreeRemoval.remove(trash, from: folder.descriptor)
      return true
    }
  }
}
