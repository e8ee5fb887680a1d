// SPDX-License-Identifier: Apache-2.0
// Operations that protect what version control programs obey in a project that is writable.

internal import Linux
internal import SystemPackage
internal import Text

extension NewRoot {
  /// Makes every existing repository in the project at `path` read-only, and what git executes by
  /// settings in it.
  mutating func protectRepositories(in path: FilePath) throws(SystemCallError) {
    forgetRecent()
    try fasten(path)
    let top = try root.openInRoot(path, .directory)
    let repositories = Repositories(in: top)
    if case .failed(let error) = repositories.outcome { throw error.about(ByteString(path)) }
    if let link = repositories.links.first {
      // The command could replace the link, and its target does not belong to the project.
      throw SystemCallError(
        call: "openat2, readlinkat", subject: ByteString(path.pushing(link.path)),
        errno: .tooManySymbolicLinkLevels)
    }
    let programs = try repositories.programs(in: top, at: path, home: resolved.callerHome.path)
    var fastened: Set<FilePath> = []
    for repository in repositories.taken + repositories.found + programs + repositories.closed {
      do throws(SystemCallError) {
        try fasten(repository.directory, in: top, &fastened)
        let directory = try top.openDirectlyInRoot(repository.directory)
        try protect(repository.name, in: directory)
      } catch {
        // Something just removed needs no protection; a name that this launch keeps free does.
        if error.errno == .noSuchFileOrDirectory, !repositories.taken.contains(repository),
          try repository.look(in: top) == nil
        {
          continue
        }
        throw error.about(ByteString(path.pushing(repository.path)))
      }
    }
  }

  /// Makes the repository of the project at `path` writable, but not what git executes in it.
  mutating func permitCommits(in path: FilePath) throws(SystemCallError) {
    let top = try root.openInRoot(path, .directory)
    guard let found = try GitDirectories.find(in: top, at: path) else { return }
    let common = try makeWritable(found.common)
    let isReviewed = plan.sandbox.holdsBack(found.common.path)
    for name in GitName.ofRepository {
      do throws(SystemCallError) {
        try protect(name.name, in: common)
      } catch {
        // The launch keeps these names free, except where their owner sees them before git does.
        guard isReviewed, name.placeholder != nil, error.errno == .noSuchFileOrDirectory else {
          throw error
        }
      }
    }
    do throws(SystemCallError) {
      try protect(GitName.workTrees.name, in: common)
    } catch {
      if error.errno != .noSuchFileOrDirectory { throw error }
    }
    guard let link = found.link else { return }
    let own = try makeWritable((found.own.directory, found.common.path.pushing(link)))
    for name in GitName.ofLinkedWorkTree { try protect(name.name, in: own) }
  }

  /// Shows the git directories of the project at `path` read-only, if the file .git leads elsewhere.
  mutating func showGitDirectories(of path: FilePath) throws(LaunchError) {
    let found = try step(.protectRepositories, ByteString(path)) { root throws(SystemCallError) in
      try GitDirectories.find(in: root.root.openInRoot(path, .directory), at: path)
    }
    guard let found else { return }
    // The directory of a linked work tree lies in the common one.
    try makeLinks(walk(found.own.path).links)
    let walk = try walk(found.common.path)
    // Inside the project it is shown, and read-only: git's name or look gives it away.
    if walk.path.starts(with: path) { return }
    let tree = try step(.findSource, ByteString(walk.path)) { root throws(SystemCallError) in
      guard try walk.file.fileIdentity() == found.common.directory.descriptor.fileIdentity()
      else { throw SystemCallError(call: "open", errno: .staleNFSFileHandle) }
      return try root.tree(of: walk.file)
    }
    try makeLinks(walk.links)
    try bind(tree, from: walk.path, on: walk.path, .readOnly)
  }
}

// MARK: - Mounts on what exists

extension NewRoot {
  /// Makes the entry `name` of a directory read-only, even if it is a link; nobody can rename it or
  /// put something in its place.
  private func protect(
    _ name: FilePath, in directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    let tree = try MountTree.clone(of: name, in: directory)
    try tree.restrict(FilesystemOperation.Access.readOnly.attributes, propagation: .isolated)
    try tree.attach(on: name, in: directory)
  }

  /// Mounts each directory on the way to `path` on itself, unless it is a mount: the command could
  /// rename it, and have what is protected below under another name.
  ///
  /// A link on the way is fastened itself, and the way to its target is another one.
  private mutating func fasten(_ path: FilePath, links: Int = 0) throws(SystemCallError) {
    var place: FilePath = "/"
    var rest = path.components[...]
    while let component = rest.popFirst() {
      let parent = place
      place.append(component)
      let directory: OwnedDescriptor
      do throws(SystemCallError) {
        directory = try root.openDirectlyInRoot(place)
      } catch {
        guard error.errno == .tooManySymbolicLinkLevels, links < NewRoot.maximumLinks else {
          throw error
        }
        let holder = try root.openDirectlyInRoot(parent)
        let name = FilePath(root: nil, [component])
        let target = try holder.symbolicLinkTarget(name).path
        if !isOwn(try holder.status().device) { try protect(name, in: holder) }
        return try fasten(parent.pushing(target).appending(rest), links: links + 1)
      }
      if isOwn(try directory.status().device) { continue }
      if try !directory.isMountPoint() {
        try attach(MountTree.clone(at: directory), on: MountTree(directory))
      }
    }
  }

  /// The same in the project `top`, which is a mount.
  private func fasten(
    _ path: FilePath, in top: borrowing OwnedDescriptor, _ done: inout Set<FilePath>
  ) throws(SystemCallError) {
    var place: FilePath = "."
    for component in path.components where component.kind == .regular {
      place.append(component)
      guard done.insert(place).inserted else { continue }
      let directory = try top.openDirectlyInRoot(place)
      if try !directory.isMountPoint() {
        try MountTree.clone(at: directory).attach(at: directory)
      }
    }
  }

  /// Makes a directory of the host writable where it is shown, and opens it.
  private mutating func makeWritable(
    _ directory: (directory: OpenDirectory, path: FilePath)
  ) throws(SystemCallError) -> OwnedDescriptor {
    let place = try root.openInRoot(directory.path, .directory)
    guard try place.fileIdentity() == directory.directory.descriptor.fileIdentity() else {
      throw SystemCallError(
        call: "openat2", subject: ByteString(directory.path), errno: .staleNFSFileHandle)
    }
    let tree = try MountTree.clone(at: place)
    try tree.permitWriting()
    try attach(tree, on: MountTree(place))
    return try root.openInRoot(directory.path, .directory)
  }
}
