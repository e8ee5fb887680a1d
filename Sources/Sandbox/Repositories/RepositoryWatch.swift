// SPDX-License-Identifier: Apache-2.0
// Notices which repositories, and which files that editors and shells execute, a command has made or
// replaced.

internal import Linux
internal import SystemPackage
internal import Text

/// The repositories in a sandbox's projects, recorded before its command runs.
public struct RepositoryWatch {
  private let before: [(project: FilePath, found: [Repository: UInt64])]
  private let home: FilePath

  /// Looks into the projects that `sandbox` lets the command write to; nil where there is none.
  public init?(_ sandbox: ResolvedSandbox) {
    guard sandbox.sandbox.protectsRepositories else { return nil }
    let projects = sandbox.projects
    let home = sandbox.callerHome.path
    self.home = home
    before = projects.map { ($0, RepositoryWatch.look($0, home)?.found ?? [:]) }
  }

  /// A line about each repository that the command has added.
  public var findings: [String] {
    before.flatMap { project, found in
      guard let now = RepositoryWatch.look(project, home) else { return [String]() }
      let new = now.found.filter { found[$0.key] != $0.value }.keys
        .sorted { ByteString($0.path).bytes.lexicographicallyPrecedes(ByteString($1.path).bytes) }
      let rest =
        now.isComplete
        ? []
        : [
          "\(ByteString(project).quoted) is too large to search: nestbox did not make repositories "
            + "further down read-only, and does not name new ones"
        ]
      return new.prefix(10).map { finding($0, in: project) } + rest
    }
  }

  private func finding(_ repository: Repository, in project: FilePath) -> String {
    let path = ByteString(project.pushing(repository.path)).quoted
    if repository.name == RepositoryWatch.rebase {
      return "\(path) is new: git rebase --continue executes its lines outside the sandbox; "
        + "type git rebase --abort, or read git-rebase-todo there first"
    }
    let program = ExecutedLater.named(ByteString(repository.name))?.program ?? "git"
    return "\(path) is new: \(program) executes what it says outside the sandbox; remove it, "
      + "or read it before you use \(program) there"
  }

  /// An unfinished rebase: it may contain commands.
  private static let rebase: FilePath = "rebase-merge"

  /// Files at the top of a project that programs execute merely because they are there.
  private static let filesOfEditorsAndShells = ExecutedLater.all
    .filter { $0.occasion == .presence || $0.occasion == .editing }
    .map { Repository(directory: ".", name: $0.name.path) }

  private static func look(
    _ project: FilePath, _ home: FilePath
  ) -> (found: [Repository: UInt64], isComplete: Bool)? {
    guard let root = try? OwnedDescriptor.open("/", .directory),
      let top = try? root.openDirectlyInRoot(project)
    else { return nil }
    let repositories = Repositories(in: top)
    var found: [Repository: UInt64] = [:]
    let all =
      repositories.found + repositories.links
      + repositories.programs(in: top, at: project, home: home)
      + [Repository(directory: ".git", name: rebase)] + filesOfEditorsAndShells
    for repository in all { found[repository] = repository.stamp(in: top) }
    guard case .complete = repositories.outcome else { return (found, false) }
    return (found, true)
  }
}

extension Sandbox {
  /// Whether repositories are protected in some directory.
  var protectsRepositories: Bool {
    for operation in filesystem { if case .repositories = operation.action { return true } }
    return false
  }
}

extension ResolvedSandbox {
  /// The directories of the host in which repositories are protected.
  var projects: [FilePath] {
    sandbox.filesystem.compactMap {
      if case .repositories(let project) = $0.action { hostPath(of: project) } else { nil }
    }
  }

  /// Whether the command may commit in the repository of the project `path` of the host.
  func permitsCommits(in path: FilePath) -> Bool {
    sandbox.filesystem.contains {
      if case .commits(let project) = $0.action { hostPath(of: project) == path } else { false }
    }
  }

  /// The path of the host that `path` inside shows, as far as the options say; links may lead
  /// elsewhere.
  func hostPath(of path: FilePath) -> FilePath {
    for operation in sandbox.filesystem.reversed() {
      let (source, destination, _) = operation.action.ends
      // An empty source is that of a profile's variable without a value: nothing is shown.
      guard case .host(let source) = source, !source.isEmpty, path.starts(with: destination)
      else { continue }
      let rest = path.components.dropFirst(destination.components.count)
      let place = source.fromWorkingDirectory(workingDirectory?.path) ?? source
      return place.appending(rest).lexicallyNormalized()
    }
    return path
  }
}
