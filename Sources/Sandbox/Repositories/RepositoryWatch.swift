// SPDX-License-Identifier: Apache-2.0
// Notices which repositories, which files that editors and shells execute, and which unfinished work of
// git's a command has made or replaced.

internal import Linux
internal import SystemPackage
internal import Text

/// The repositories in a sandbox's projects, recorded before its command runs.
public struct RepositoryWatch {
  private let projects: [(path: FilePath, before: ProjectLook?)]
  private let home: FilePath

  /// How many lines name something.
  private static let mostFindings = 10

  /// Looks into the projects that `sandbox` lets the command write to; nil where there is none.
  public init?(_ sandbox: ResolvedSandbox) {
    guard sandbox.sandbox.protectsRepositories else { return nil }
    let home = sandbox.callerHome.path
    self.home = home
    projects = sandbox.projects.map { ($0, try? ProjectLook(at: $0, home)) }
  }

  /// A line about each repository that the command has added.
  public var findings: [String] {
    projects.flatMap { path, before in
      do throws(SystemCallError) {
        return RepositoryWatch.findings(in: path, before, try ProjectLook(at: path, home))
      } catch {
        // A project that the command has removed has no repository.
        if error.errno == .noSuchFileOrDirectory { return [] }
        return [
          "\(ByteString(path).quoted) could not be searched (\(error.call): \(error.reason)): the "
            + "command may have left repositories in it"
        ]
      }
    }
  }

  private static func findings(
    in project: FilePath, _ before: ProjectLook?, _ now: ProjectLook
  ) -> [String] {
    var lines = now.states.filter { before?.states[$0.key] != $0.value }.keys
      .map { "\(ByteString($0.path).quoted) is new or has changed: \($0.warning)" }.sorted()
    let new = now.found.filter { before?.found[$0.key] != $0.value }.keys
      .sorted { ByteString($0.path).bytes.lexicographicallyPrecedes(ByteString($1.path).bytes) }
    lines += new.prefix(mostFindings).map { now.line(on: $0, in: project) }
    let quoted = ByteString(project).quoted
    if new.count > mostFindings {
      lines.append(
        "\(new.count - mostFindings) more are new in \(quoted); this lists them all: find \(quoted) "
          + "-iname .git -o -name HEAD -o -name .gitmodules -o -name .hg -o -name .jj "
          + "-o -type d ! -readable")
    }
    if !now.isComplete {
      lines.append(
        "\(quoted) is too large to search: nestbox did not make repositories further down "
          + "read-only, and does not name new ones")
    }
    return lines
  }
}

/// What lies in a project at one moment.
private struct ProjectLook {
  /// Each repository, or file that something executes, with its stamp.
  private(set) var found: [Repository: UInt64] = [:]
  /// What git would execute when it goes on with something unfinished.
  private(set) var states: [UnfinishedWork: [UInt8]] = [:]
  /// Whether everything was searched.
  let isComplete: Bool
  private let closed: Set<Repository>

  init(at project: FilePath, _ home: FilePath) throws(SystemCallError) {
    let top = try OwnedDescriptor.open("/", .directory).openDirectlyInRoot(project)
    let repositories = Repositories(in: top)
    switch repositories.outcome {
    case .complete: isComplete = true
    case .tooLarge: isComplete = false
    case .failed(let error): throw error
    }
    closed = Set(repositories.closed)
    let all =
      repositories.found + repositories.links + repositories.closed
      + (try repositories.programs(in: top, at: project, home: home))
      + ProjectLook.filesOfEditorsAndShells
    for repository in all { found[repository] = try repository.stamp(in: top) }
    guard let directories = try GitDirectories.find(in: top, at: project) else { return }
    for directory in directories.link == nil
      ? [directories.common] : [directories.own, directories.common]
    {
      for kind in UnfinishedWork.Kind.allCases {
        let work = UnfinishedWork(kind: kind, directory: directory.path.lexicallyNormalized())
        states[work] = try kind.instructions(in: directory.directory.descriptor)
      }
    }
  }

  /// Files at the top of a project that programs execute merely because they are there.
  private static let filesOfEditorsAndShells = ExecutedLater.all
    .filter { $0.occasion == .presence || $0.occasion == .editing }
    .map { Repository(directory: ".", name: $0.name.path) }

  func line(on repository: Repository, in project: FilePath) -> String {
    let path = ByteString(project.pushing(repository.path)).quoted
    if closed.contains(repository) {
      return "\(path) is new: it cannot be read, and may hide a repository, which git obeys; "
        + "remove it"
    }
    let program = ExecutedLater.named(ByteString(repository.name))?.program ?? "git"
    return "\(path) is new: \(program) executes what it says outside the sandbox; remove it, "
      + "or read it before you use \(program) there"
  }
}

/// Something that git has begun in a git directory, and goes on with on request.
private struct UnfinishedWork: Hashable {
  let kind: Kind
  let directory: FilePath

  /// The directory that it lies in.
  var path: FilePath { directory.appending(kind.rawValue) }

  /// What may happen, and what to do.
  var warning: String {
    switch kind {
    case .rebase:
      "git rebase --continue executes its lines outside the sandbox; type git rebase --abort, or "
        + "read git-rebase-todo and strategy there first"
    case .sequence:
      "git cherry-pick --continue and git revert --continue execute the strategy that it names "
        + "outside the sandbox; type git cherry-pick --abort, or read opts there first"
    }
  }

  enum Kind: String, CaseIterable {
    case rebase = "rebase-merge"
    case sequence = "sequencer"

    /// The files that say what is executed: lines of a list, or a strategy, whose name becomes a
    /// part of a program's path.
    private var files: [FilePath] {
      switch self {
      case .rebase: ["git-rebase-todo", "strategy", "strategy_opts"]
      case .sequence: ["opts"]
      }
    }

    /// What these files say; nil if there are none.
    func instructions(
      in directory: borrowing OwnedDescriptor
    ) throws(SystemCallError) -> [UInt8]? {
      var all: [UInt8]?
      for file in files {
        let path = FilePath(rawValue).pushing(file)
        guard let bytes = try GitFile.bytes(of: path, from: directory, limit: GitSettings.limit)
        else { continue }
        all = (all ?? []) + Array(ByteString(file).bytes) + [0] + bytes + [0]
      }
      return all
    }
  }
}

extension Sandbox {
  /// Whether repositories are protected in some directory.
  var protectsRepositories: Bool {
    for operation in filesystem { if case .repositories = operation.action { return true } }
    return false
  }

  /// Whether the command may commit to some repository.
  var permitsCommits: Bool {
    filesystem.contains { if case .commits = $0.action { true } else { false } }
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
