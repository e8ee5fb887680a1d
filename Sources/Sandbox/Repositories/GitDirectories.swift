// SPDX-License-Identifier: Apache-2.0
// The git directories of a project: .git itself or, of a linked work tree or a submodule, the
// directories elsewhere that the file .git leads to.

internal import Linux
internal import SystemPackage
internal import Text

/// The git directories of a work tree.
///
/// A command that could write to the project may have written the file .git. So the directory that
/// the file names counts only if it names this work tree as its own.
struct GitDirectories {
  /// The directory that belongs to the work tree alone, and its path as .git has it.
  let own: (directory: OpenDirectory, path: FilePath)
  /// The directory with settings, hooks and objects; the same, unless the work tree is linked.
  let common: (directory: OpenDirectory, path: FilePath)
  /// The name of the first in `worktrees` of the second, if the work tree is linked.
  let link: FilePath?

  /// Finds those of the work tree `top`, which has the path `path`; nil if it has none.
  static func find(
    in top: borrowing OwnedDescriptor, at path: FilePath
  ) throws(SystemCallError) -> GitDirectories? {
    // Whatever is not there for this user, git does not find either.
    try ifPresent { () throws(SystemCallError) -> GitDirectories? in
      let entry = try top.openEntry(".git")
      if try entry.kindOfFile() == .directory {
        let both = (OpenDirectory(try top.openSubdirectory(".git")), path.appending(".git"))
        return GitDirectories(own: both, common: both, link: nil)
      }
      guard let text = try GitFile.gitDirectory(in: ".git", from: top) else { return nil }
      let place = path.pushing(text)
      return try find(OwnedDescriptor.open(place, .directory), at: place, of: top, entry)
    } ?? nil
  }

  private static func find(
    _ directory: consuming OwnedDescriptor, at path: FilePath, of top: borrowing OwnedDescriptor,
    _ file: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> GitDirectories? {
    if try isSubmodule(directory, of: top) {
      let both = (OpenDirectory(directory), path)
      return GitDirectories(own: both, common: both, link: nil)
    }
    // A linked work tree: `gitdir` leads back to the file, and the common directory holds this one.
    guard let back = try GitFile.path(in: "gitdir", from: directory),
      let common = try GitFile.path(in: "commondir", from: directory),
      try directory.openRelative(back, .linkLocation).fileIdentity() == file.fileIdentity(),
      let name = path.lexicallyNormalized().lastComponent
    else { return nil }
    let other = try directory.openRelative(common, .directory)
    let link = FilePath("worktrees").appending(name)
    guard try other.openDirectlyInRoot(link).fileIdentity() == directory.fileIdentity() else {
      return nil
    }
    return GitDirectories(
      own: (OpenDirectory(directory), path), common: (OpenDirectory(other), path.pushing(common)),
      link: link)
  }

  /// Whether core.worktree of a git directory leads back to the work tree.
  private static func isSubmodule(
    _ directory: borrowing OwnedDescriptor, of top: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> Bool {
    guard
      let bytes = try GitFile.bytes(of: "config", from: directory, limit: GitSettings.limit),
      let setting = GitSettings(bytes).settings.last(where: {
        $0.section == "core" && $0.name == "worktree"
      })
    else { return false }
    return try directory.openRelative(setting.value.path, .directory).fileIdentity()
      == top.fileIdentity()
  }

  /// The names that may not change, by directory.
  var names: [(directory: OpenDirectory, names: [GitName])] {
    let common = (self.common.directory, GitName.ofRepository)
    return link == nil ? [common] : [common, (own.directory, GitName.ofLinkedWorkTree)]
  }
}
