// SPDX-License-Identifier: Apache-2.0
// The names in a git directory that git executes or that lead it to other settings.

internal import Linux
internal import SystemPackage
internal import Text

/// A name that git obeys, and what takes its place if it is missing.
struct GitName: Equatable {
  /// The name.
  let name: FilePath
  /// What git reads as if it were missing; nil if it exists in each repository.
  let placeholder: Placeholder?

  /// What git reads as if it were missing.
  enum Placeholder: Equatable {
    /// A link that leads nowhere.
    case link
    /// An empty directory.
    case directory
    /// A file with this content.
    case file(ByteString)
  }

  /// What a work tree has for git.
  static let workTree = GitName(name: ".git", placeholder: .link)
  /// What a directory outside of git's work trees may not become.
  ///
  /// Settings of hg and jj name programs too, and a shell's prompt may start both. They look for a
  /// directory of this name.
  static let ofDirectory =
    [workTree] + [".hg", ".jj"].map { GitName(name: $0, placeholder: .link) }
  /// Settings.
  static let settings = GitName(name: "config", placeholder: nil)
  /// Settings of one work tree, from the moment when extensions.worktreeConfig is set.
  static let workTreeSettings = GitName(name: "config.worktree", placeholder: .file(""))
  /// Programs.
  static let hooks = GitName(name: "hooks", placeholder: .directory)
  /// The repositories of submodules, which have their own settings and hooks.
  static let modules = GitName(name: "modules", placeholder: .directory)
  /// Where settings and hooks are.
  ///
  /// A directory that names itself is its own.
  static let common = GitName(name: "commondir", placeholder: .file(".\n"))
  /// The work tree of a git directory.
  static let back = GitName(name: "gitdir", placeholder: nil)
  /// The git directories of linked work trees.
  static let workTrees = GitName(name: "worktrees", placeholder: nil)

  /// What may not change in the git directory that holds a repository.
  static let ofRepository = [settings, workTreeSettings, hooks, modules, common]
  /// What may not change in the git directory of a linked work tree.
  static let ofLinkedWorkTree = [workTreeSettings, common, back]
}

extension GitName {
  private func isMissing(
    in directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> Bool {
    try ifPresent { () throws(SystemCallError) in try directory.openEntry(name) } == nil
  }

  /// Whether nothing but a placeholder of this user has the name.
  func isMissingOrTaken(
    in directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> Bool {
    if try isMissing(in: directory) { return true }
    return try isPlaceholder(in: directory)
  }

  /// Whether a placeholder that is made or found belongs to the launches: unlike the others, the link
  /// is nothing that a user makes.
  func isNew(in directory: borrowing OwnedDescriptor) throws(SystemCallError) -> Bool {
    if placeholder == .link { return true }
    return try isMissing(in: directory)
  }

  func make(in directory: borrowing OwnedDescriptor) throws(SystemCallError) {
    switch placeholder {
    case .link: try directory.makeSymbolicLink(name, target: TakenNames.target)
    case .directory: try directory.makeDirectory(name, .standardDirectory)
    case .file(let text):
      let file = try directory.create(name, FilePermissions(rawValue: 0o644))
      try Descriptors.write(text.bytes, to: file.rawValue)
    case nil: break
    }
  }

  /// Removes the placeholder, unless somebody has made something of it.
  func removePlaceholder(from directory: borrowing OwnedDescriptor) {
    guard (try? isPlaceholder(in: directory)) == true else { return }
    // A directory that is not empty stays.
    try? directory.remove(name, placeholder == .directory ? .directory : .other)
  }

  private func isPlaceholder(
    in directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> Bool {
    let entry = try directory.openEntry(name)
    guard try entry.status().owner == CurrentProcess.identity.user else { return false }
    switch placeholder {
    case .link:
      do throws(SystemCallError) {
        return try directory.symbolicLinkTarget(name) == TakenNames.target
      } catch {
        guard error.isAbsence else { throw error }
        return false
      }
    case .directory: return try entry.kindOfFile() == .directory
    case .file(let text):
      guard try entry.isRegularFile() else { return false }
      return try GitFile.bytes(of: name, from: directory, limit: text.count + 1)
        == Array(text.bytes)
    case nil: return false
    }
  }
}
