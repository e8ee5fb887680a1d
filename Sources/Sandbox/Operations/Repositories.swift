// SPDX-License-Identifier: Apache-2.0
// Version control directories in a project that the command may write to: git and similar programs
// later execute their settings and hooks, outside.

internal import Linux
internal import SystemPackage
internal import Text

/// A part of a project that a version control program obeys.
struct Repository: Hashable, Sendable {
  /// The directory that it lies in, from the project on.
  let directory: FilePath
  /// Its name there.
  let name: FilePath

  /// Its path from the project on.
  var path: FilePath { directory.pushing(name).lexicallyNormalized() }
}

/// The repositories in a project.
struct Repositories {
  /// Those that were found, links left out.
  private(set) var found: [Repository] = []
  /// Links in their places.
  private(set) var links: [Repository] = []
  /// Whether the whole project was looked through.
  private(set) var isComplete = true

  /// Looks through the project `top`.
  init(in top: borrowing OwnedDescriptor) {
    var found: [Repository] = []
    var links: [Repository] = []
    isComplete = TreeSearch.forEachDirectory(below: top) { path, entries in
      var inside: [DirectoryEntry] = []
      // To git this is a repository without a work tree, under any name.
      let isBare = ["HEAD", "objects", "refs"].allSatisfy { name in
        entries.contains { $0.name == name }
      }
      if isBare, let name = path.lastComponent, name.kind == .regular {
        found.append(
          Repository(
            directory: path.removingLastComponent(), name: FilePath(root: nil, [name])))
        return []
      }
      for entry in entries {
        if ExecutedLater.named(entry.name)?.occasion == .versionControl {
          let repository = Repository(directory: path, name: entry.name.path)
          if entry.kind == .link { links.append(repository) } else { found.append(repository) }
          continue
        }
        if entry.kind == .directory { inside.append(entry) }
      }
      return inside
    }
    (self.found, self.links) = (found, links)
  }

  /// The directories that settings of the repositories name for hooks, in the project.
  func hookDirectories(in top: borrowing OwnedDescriptor) -> [Repository] {
    found.compactMap { repository in
      guard repository.name == ".git",
        let directory = try? top.openDirectlyInRoot(repository.path),
        let value = Repositories.hooksPath(in: directory)
      else { return nil }
      let path = FilePath(".").pushing(repository.directory).pushing(value).lexicallyNormalized()
      guard let name = path.lastComponent, name.kind == .regular, path.isRelative,
        path.components.first?.kind == .regular
      else { return nil }
      return Repository(
        directory: FilePath(".").pushing(path.removingLastComponent()),
        name: FilePath(root: nil, [name]))
    }
  }

  /// The value of core.hooksPath (git-config(1)); the file is the user's, but may be large.
  private static func hooksPath(in directory: borrowing OwnedDescriptor) -> FilePath? {
    guard let file = try? directory.openInRoot("config", .reading),
      (try? file.isRegularFile()) == true,
      let bytes = try? Descriptors.bytes(of: file.rawValue, at: 0, count: 1 << 16)
    else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let key = parts[0].filter { !$0.isWhitespace }.lowercased()
      if key == "hookspath" || key.hasSuffix("]hookspath") {
        let value = parts[1].filter { $0 != "\"" && $0 != "\t" && $0 != "\r" }
        return FilePath(String(value.drop { $0 == " " }))
      }
    }
    return nil
  }
}

extension NewRoot {
  /// Makes every existing repository in the project at `path` read-only.
  mutating func protectRepositories(in path: FilePath) throws(SystemCallError) {
    let top = try root.openInRoot(path, .directory)
    let repositories = Repositories(in: top)
    if let link = repositories.links.first {
      // The command could replace the link, and its target does not belong to the project.
      throw SystemCallError(
        call: "open", subject: ByteString(path.pushing(link.path)),
        errno: .tooManySymbolicLinkLevels)
    }
    var done: Set<Repository> = []
    for repository in repositories.found + repositories.hookDirectories(in: top)
    where done.insert(repository).inserted {
      do throws(SystemCallError) {
        let directory = try top.openDirectlyInRoot(repository.directory)
        let tree = try MountTree.clone(of: repository.name, in: directory)
        try tree.restrict(
          FilesystemOperation.Access.readOnly.attributes, propagation: .isolated)
        try tree.attach(on: repository.name, in: directory)
      } catch {
        // A hook directory may not exist, and something just removed needs no protection.
        if error.errno == .noSuchFileOrDirectory { continue }
        throw error.about(ByteString(path.pushing(repository.path)))
      }
    }
  }
}

// MARK: - Afterwards

/// The repositories in a sandbox's projects, recorded before its command runs.
public struct RepositoryWatch {
  private let before: [(project: FilePath, found: Set<Repository>)]

  /// Looks into the projects that `sandbox` lets the command write to; nil where there is none.
  public init?(_ sandbox: Sandbox) {
    var before: [(project: FilePath, found: Set<Repository>)] = []
    for operation in sandbox.filesystem {
      guard case .repositories(let project) = operation.action else { continue }
      before.append((project, Set(RepositoryWatch.look(project)?.all ?? [])))
    }
    if before.isEmpty { return nil }
    self.before = before
  }

  /// A line about each repository that the command has added.
  public var findings: [String] {
    before.flatMap { project, found in
      guard let now = RepositoryWatch.look(project) else { return [String]() }
      let new = now.all.filter { !found.contains($0) }.prefix(10).map { repository in
        let path = ByteString(project.pushing(repository.path)).quoted
        let program = ExecutedLater.named(ByteString(repository.name))?.program ?? "git"
        return
          "\(path) is new: \(program) executes what it says, outside of the sandbox; remove it, or read "
          + "it before you use \(program) there"
      }
      let rest =
        now.isComplete
        ? []
        : [
          "\(ByteString(project).quoted) is too large to be looked through: repositories further down "
            + "were not made read-only"
        ]
      return new + rest
    }
  }

  private static func look(
    _ project: FilePath
  ) -> (all: [Repository], isComplete: Bool)? {
    guard let root = try? OwnedDescriptor.open("/", .directory),
      let top = try? root.openDirectlyInRoot(project)
    else { return nil }
    let repositories = Repositories(in: top)
    return (repositories.found + repositories.links, repositories.isComplete)
  }
}
