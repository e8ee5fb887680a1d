// SPDX-License-Identifier: Apache-2.0
// Keeps names free that git would obey: while the sandbox lives, a placeholder without a meaning has
// the name, and the new root has a read-only mount on it.
//
// A command that may write to a directory can make any name in it that does not exist. The kernel
// refuses that only for a name that exists and is a mount point. So the launcher makes the name on
// the host before the launch: in place of a work tree's .git, a link that leads nowhere, which git and
// tests for the existence of .git pass over, inside and outside; in a git directory, what git
// reads as if it were missing. Where there is no .git, the names of the other programs whose settings
// are executed are taken too; where there is one, git would show and commit such a link. When the sandbox has ended, the launcher removes the placeholder,
// if no other launch needs it: each launch holds a lock, in a directory that no command can reach.

internal import Linux
internal import SystemPackage
internal import Text

/// The names that a launch keeps free.
final class TakenNames {
  /// Where the link in the place of a .git leads.
  static let target: ByteString = "/nonexistent/nestbox"

  /// The lock of one project, and its placeholders.
  private struct Project {
    let lock: Lock?
    let places: [Place]

    /// What the monitor alone may hold open.
    var descriptors: [CInt] {
      ((lock.map { [$0.base, $0.directory] } ?? []) + places.map(\.directory)).map(\.number)
    }
  }

  /// A locked directory, and the one that it lies in.
  private struct Lock {
    let base: OpenDirectory
    let path: FilePath
    let name: FilePath
    let directory: OpenDirectory
  }

  /// A placeholder.
  private struct Place {
    let directory: OpenDirectory
    let name: GitName

    /// Its name in the lock's directory, while the placeholder exists.
    var mark: FilePath? {
      guard let stamp = try? directory.descriptor.stamp() else { return nil }
      return FilePath(String(stamp, radix: 16) + "-" + name.name.string)
    }
  }

  private let projects: [Project]

  private init(_ projects: [Project]) {
    self.projects = projects
  }

  /// The descriptors that it needs.
  var descriptors: [CInt] { projects.flatMap(\.descriptors) }

  /// Takes the names for a sandbox, if everything inside ends with the command: the names stay free
  /// no longer.
  /// - Parameters:
  ///   - sandbox: The sandbox.
  ///   - locks: The directory for locks, which is made if it is missing.
  /// - Returns: The names; nil if there are none to take.
  /// - Throws: `LaunchError` if one cannot be taken.
  static func take(
    for sandbox: ResolvedSandbox, locks: FilePath
  ) throws(LaunchError) -> TakenNames? {
    guard sandbox.sandbox.killsOnExit, sandbox.namespaces.contains(.pid) else { return nil }
    var projects: [Project] = []
    for operation in sandbox.sandbox.filesystem {
      guard case .repositories(let path) = operation.action else { continue }
      let place = sandbox.hostPath(of: path)
      do throws(SystemCallError) {
        guard let project = try project(at: place, sandbox, locks) else { continue }
        projects.append(project)
      } catch {
        TakenNames(projects).end()
        throw LaunchError(
          .protectRepositories, option: operation.option, subject: ByteString(place), cause: error)
      }
    }
    return projects.isEmpty ? nil : TakenNames(projects)
  }

  /// Gives the names up.
  func end() {
    for project in projects { TakenNames.release(project) }
  }

  /// Whether a link is a placeholder.
  static func isTaken(_ repository: Repository, in top: borrowing OwnedDescriptor) -> Bool {
    guard let directory = try? top.openDirectlyInRoot(repository.directory) else { return false }
    return (try? directory.symbolicLinkTarget(repository.name)) == target
  }
}

// MARK: - Taking

extension TakenNames {
  private static func project(
    at path: FilePath, _ sandbox: ResolvedSandbox, _ locks: FilePath
  ) throws(SystemCallError) -> Project? {
    let top: OwnedDescriptor
    do throws(SystemCallError) {
      top = try OwnedDescriptor.open("/", .directory).openDirectlyInRoot(path)
    } catch {
      // The project may lie in the sandbox alone, or where this user may not look. Then the command
      // cannot make names there that git on the host would obey.
      if error.errno == .tooManySymbolicLinkLevels { return nil }
      let facts = try ifPresent { () throws(SystemCallError) in try FileFacts(at: path) }
      if facts == nil { return nil }
      throw error
    }
    // Names that the command makes there come to the layer of the review, not to the host.
    if sandbox.sandbox.holdsBack(path),
      try GitDirectories.find(in: top, at: path).map({ sandbox.sandbox.holdsBack($0.common.path) })
        ?? true
    {
      return nil
    }
    var wanted: [(directory: OpenDirectory, names: [GitName])] = []
    if try GitName.workTree.isMissingOrTaken(in: top) {
      wanted = [(OpenDirectory(try top.openRelative(".", .directory)), GitName.ofDirectory)]
    } else if sandbox.permitsCommits(in: path) {
      wanted = try GitDirectories.find(in: top, at: path)?.names ?? []
    }
    if wanted.isEmpty { return nil }
    let places = wanted.flatMap { directory, names in
      names.filter { $0.placeholder != nil }.map { Place(directory: directory, name: $0) }
    }
    let project = Project(lock: try lock(top, in: locks), places: places)
    do throws(SystemCallError) {
      for place in places { try make(place, project.lock) }
    } catch {
      release(project)
      throw error
    }
    return project
  }

  private static func make(_ place: Place, _ lock: Lock?) throws(SystemCallError) {
    let directory = place.directory
    guard try place.name.isMissingOrTaken(in: directory.descriptor) else { return }
    do throws(SystemCallError) {
      // What is there without a mark is not removed.
      if let lock, let mark = place.mark,
        try place.name.isNew(in: directory.descriptor)
      {
        try? lock.directory.descriptor.makeFile(mark, FilePermissions(rawValue: 0o600))
      }
      try place.name.make(in: directory.descriptor)
    } catch {
      switch error.errno {
      // Another launch was first.
      case .fileExists: return
      // What the user may not make, the command may not make either.
      case .permissionDenied, .readOnlyFileSystem, .notPermitted:
        if directory.descriptor.isWritable(".") { throw error }
      default: throw error
      }
    }
  }

  /// Locks the directory for the project `top` in `locks`; nil if this user can have no such directory.
  ///
  /// A launch that merely failed to lock would remove placeholders that others need.
  private static func lock(
    _ top: borrowing OwnedDescriptor, in locks: FilePath
  ) throws(SystemCallError) -> Lock? {
    let name = FilePath("project-" + String(try top.stamp(), radix: 16))
    // A launch that ends may remove both directories, so this may have to start again.
    for _ in 0..<1000 {
      do throws(SystemCallError) {
        let base = try OwnedDescriptor.privateDirectory(locks)
        do throws(SystemCallError) {
          try base.makeDirectory(name, .privateDirectory)
        } catch {
          if error.errno != .fileExists { throw error }
        }
        if let lock = try base.openSubdirectory(name).locked(.shared),
          try base.openSubdirectory(name).stamp() == lock.stamp()
        {
          return Lock(
            base: OpenDirectory(base), path: locks, name: name, directory: OpenDirectory(lock))
        }
      } catch {
        switch error.errno {
        case .noSuchFileOrDirectory: break
        case .readOnlyFileSystem: return nil
        case _ where error.isAbsence: return nil
        default: throw error
        }
      }
      CurrentProcess.sleep(milliseconds: 1)
    }
    throw SystemCallError(call: "flock", errno: .wouldBlock)
  }
}

// MARK: - Giving up

extension TakenNames {
  private static func release(_ project: Project) {
    guard let lock = project.lock else {
      for place in project.places { place.name.removePlaceholder(from: place.directory.descriptor) }
      return
    }
    let marks = lock.directory
    // If another launch still needs the placeholders, that one removes them.
    guard (try? marks.descriptor.becomesOnlyHolder()) == true else { return }
    for place in project.places {
      guard let mark = place.mark, (try? marks.descriptor.openEntry(mark)) != nil else { continue }
      place.name.removePlaceholder(from: place.directory.descriptor)
      try? marks.descriptor.remove(mark, .other)
    }
    try? lock.base.descriptor.remove(lock.name, .directory)
    // Empty, unless there are other projects.
    if let name = lock.path.lastComponent,
      let parent = try? OwnedDescriptor.open(lock.path.removingLastComponent(), .directory)
    {
      try? parent.remove(FilePath(root: nil, [name]), .directory)
    }
  }
}

/// An open directory with several users; it closes when the last one is gone.
final class OpenDirectory {
  let descriptor: OwnedDescriptor

  var number: CInt { descriptor.rawValue }

  init(_ descriptor: consuming OwnedDescriptor) {
    self.descriptor = descriptor
  }
}
