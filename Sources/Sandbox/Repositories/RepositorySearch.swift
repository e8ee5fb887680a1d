// SPDX-License-Identifier: Apache-2.0
// Finds what version control programs obey in a project that the command may write to: git and its
// like later execute their settings and hooks, outside.

internal import Linux
internal import SystemPackage
internal import Text

/// A part of a project that a version control program obeys.
struct Repository: Hashable, Sendable {
  /// The directory that it lies in, from the project on.
  let directory: FilePath
  /// Its name there.
  let name: FilePath

  init(directory: FilePath, name: FilePath) {
    self.directory = directory
    self.name = name
  }

  /// The part at `path`, from the project on; nil if that is the project, or lies outside of it.
  init?(at path: FilePath) {
    let path = FilePath(".").pushing(path).lexicallyNormalized()
    guard let name = path.lastComponent, name.kind == .regular, path.isRelative,
      path.components.first?.kind == .regular
    else { return nil }
    self.init(
      directory: FilePath(".").pushing(path.removingLastComponent()),
      name: FilePath(root: nil, [name]))
  }

  /// Its path from the project on.
  var path: FilePath { directory.pushing(name).lexicallyNormalized() }
  /// Whether it is what a work tree has for git.
  var isOfGit: Bool { ByteString(name).hasGitName }
}

extension ByteString {
  /// Whether it is `.git`; a directory may ignore the case of names.
  fileprivate var hasGitName: Bool { inSmallLetters == ".git" }

  fileprivate var inSmallLetters: ByteString {
    ByteString(
      bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 })
  }
}

/// The repositories in a project.
struct Repositories {
  /// Those that were found, links left out.
  private(set) var found: [Repository] = []
  /// Links in their places.
  private(set) var links: [Repository] = []
  /// Names that a launch keeps free (`TakenNames`).
  private(set) var taken: [Repository] = []
  /// Directories of this user that cannot be read, but perhaps searched: they may hide a repository.
  private(set) var closed: [Repository] = []
  /// How the search ended.
  let outcome: TreeSearch.Outcome

  /// Looks through the project `top`.
  init(in top: borrowing OwnedDescriptor) {
    var found: [Repository] = []
    var links: [Repository] = []
    var taken: [Repository] = []
    var closed: [Repository] = []
    outcome = TreeSearch.forEachDirectory(
      below: top, closed: { path in if let found = Repository(at: path) { closed.append(found) } }
    ) { path, entries in
      var inside: [DirectoryEntry] = []
      if Repositories.isBare(entries), let bare = Repository(at: path) {
        found.append(bare)
        return []
      }
      for entry in entries {
        guard ExecutedLater.named(entry.name.inSmallLetters)?.occasion == .versionControl else {
          if entry.kind == .directory { inside.append(entry) }
          continue
        }
        let repository = Repository(directory: path, name: entry.name.path)
        if entry.kind != .link {
          found.append(repository)
        } else if TakenNames.isTaken(repository, in: top) {
          taken.append(repository)
        } else {
          links.append(repository)
        }
      }
      return inside
    }
    (self.found, self.links, self.taken, self.closed) = (found, links, taken, closed)
  }

  /// Whether git takes a directory for a repository without a work tree, whatever its name.
  ///
  /// The file commondir leads to objects, references and settings elsewhere.
  private static func isBare(_ entries: [DirectoryEntry]) -> Bool {
    func has(_ name: ByteString) -> Bool { entries.contains { $0.name == name } }
    return has("HEAD") && (has("commondir") || has("objects") && has("refs"))
  }

  /// The files in the project that git executes by its settings, or by links in a repository, and
  /// the links on the way to them.
  /// - Parameters:
  ///   - top: The project.
  ///   - place: Its path.
  ///   - home: The caller's home directory, which has settings too.
  /// - Returns: Those that exist.
  /// - Throws: `SystemCallError` if one may exist that could not be looked at.
  func programs(
    in top: borrowing OwnedDescriptor, at place: FilePath, home: FilePath
  ) throws(SystemCallError) -> [Repository] {
    var search = ProgramPaths(place)
    let files = GitSettingsFiles(paths: search, home: home)
    for repository in found where repository.isOfGit {
      for name in ["config", "config.worktree"] {
        try search.addTarget(ofLink: repository.path.appending(name), in: top)
      }
      try search.addLinks(in: repository.path.appending("hooks"), in: top)
      try files.forEachSetting(of: repository, in: top) { setting, file throws(SystemCallError) in
        for path in files.paths(of: setting, in: file, of: repository.directory) {
          // Builds have directories with the names of words of commands.
          try search.add(
            path, in: top, mayBeDirectory: setting.use != .command || path.components.count > 1)
          if setting.use == .path { try search.addLinks(in: path, in: top) }
        }
      }
    }
    return search.found
  }
}

extension Repository {
  /// A number that tells it from another one that is put in its place later; nil if it is not there.
  func stamp(in top: borrowing OwnedDescriptor) throws(SystemCallError) -> UInt64? {
    try ifPresent { () throws(SystemCallError) in
      try top.openDirectlyInRoot(directory).openEntry(name).stamp()
    }
  }

  /// What kind of file it is, and the target if it is a link; nil if it is not there.
  func look(
    in top: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> (kind: FileFacts.Kind, target: FilePath?)? {
    try ifPresent { () throws(SystemCallError) in
      let entry = try top.openDirectlyInRoot(directory).openEntry(name)
      let kind = try entry.kindOfFile()
      return (kind, kind == .link ? try entry.ownLinkTarget()?.path : nil)
    }
  }
}
