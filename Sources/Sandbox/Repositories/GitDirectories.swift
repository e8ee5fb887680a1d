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

  /// Finds those of the work tree `top`, which has the path `path`.
  static func find(in top: borrowing OwnedDescriptor, at path: FilePath) -> GitDirectories? {
    guard let entry = try? top.openEntry(".git") else { return nil }
    if (try? entry.kindOfFile()) == .directory {
      guard let directory = try? top.openSubdirectory(".git") else { return nil }
      let both = (OpenDirectory(directory), path.appending(".git"))
      return GitDirectories(own: both, common: both, link: nil)
    }
    guard let text = GitFile.gitDirectory(in: ".git", from: top),
      let directory = try? OwnedDescriptor.open(path.pushing(text), .directory)
    else { return nil }
    return find(directory, at: path.pushing(text), of: top, entry)
  }

  private static func find(
    _ directory: borrowing OwnedDescriptor, at path: FilePath, of top: borrowing OwnedDescriptor,
    _ file: borrowing OwnedDescriptor
  ) -> GitDirectories? {
    guard let own = try? directory.openRelative(".", .directory) else { return nil }
    if isSubmodule(directory, of: top) {
      let both = (OpenDirectory(own), path)
      return GitDirectories(own: both, common: both, link: nil)
    }
    // A linked work tree: `gitdir` leads back to the file, and the common directory holds this one.
    guard let back = GitFile.path(in: "gitdir", from: directory),
      let common = GitFile.path(in: "commondir", from: directory),
      same(try? directory.openRelative(back, .linkLocation), file),
      let name = path.lexicallyNormalized().lastComponent,
      let other = try? directory.openRelative(common, .directory)
    else { return nil }
    let link = FilePath("worktrees").appending(name)
    guard same(try? other.openDirectlyInRoot(link), directory) else { return nil }
    return GitDirectories(
      own: (OpenDirectory(own), path), common: (OpenDirectory(other), path.pushing(common)),
      link: link)
  }

  /// Whether core.worktree of a git directory leads back to the work tree.
  private static func isSubmodule(
    _ directory: borrowing OwnedDescriptor, of top: borrowing OwnedDescriptor
  ) -> Bool {
    guard let bytes = GitFile.bytes(of: "config", from: directory, limit: GitSettings.limit),
      let setting = GitSettings(bytes).settings.last(where: {
        $0.section == "core" && $0.name == "worktree"
      })
    else { return false }
    return same(try? directory.openRelative(setting.value.path, .directory), top)
  }

  private static func same(
    _ first: consuming OwnedDescriptor?, _ second: borrowing OwnedDescriptor
  ) -> Bool {
    guard let first, let one = try? first.fileIdentity(), let other = try? second.fileIdentity()
    else { return false }
    return one == other
  }

  /// The names that may not change, by directory.
  var names: [(directory: OpenDirectory, names: [GitName])] {
    let common = (self.common.directory, GitName.ofRepository)
    return link == nil ? [common] : [common, (own.directory, GitName.ofLinkedWorkTree)]
  }
}
