// SPDX-License-Identifier: Apache-2.0
// What the new root takes from the host: how a path of the host is followed, and the directories that are
// made there.

internal import Linux
internal import SystemPackage
internal import Text

extension NewRoot {
  func hostTree(
    _ path: FilePath, followsLink: Bool
  ) throws(SystemCallError) -> MountTree {
    if plan.sandbox.isExamined(path) { return try MountTree.clone(at: examinedDirectory(path)) }
    if let (base, way) = wayWithoutLinks(to: path) {
      let file = try directEntry(way, below: base)
      if try file.ownLinkTarget() != nil {
        throw SystemCallError(
          call: "openat2", subject: ByteString(path), errno: .tooManySymbolicLinkLevels)
      }
      return try MountTree.clone(at: file)
    }
    do throws(SystemCallError) {
      return try MountTree.clone(of: path, followsLink: followsLink)
    } catch {
      if error.errno == .invalidArgument, let tree = NewRoot.tree(behind: path) { return tree }
      throw error
    }
  }

  /// Opens a directory that was looked at before; refuses links on the way.
  ///
  /// A process that may write to a directory on the way could put a link there since then. The
  /// working directory, and what lies below it, is found from where this process is.
  private func examinedDirectory(_ path: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    if let directory = resolved.workingDirectory?.path, path.starts(with: directory) {
      let start = try hostWorkingDirectory()
      let rest = path.components.dropFirst(directory.components.count)
      if rest.isEmpty { return start }
      return try start.openDirectlyInRoot(FilePath(root: nil, rest))
    }
    return try hostRoot().openDirectlyInRoot(path)
  }

  private func wayWithoutLinks(to path: FilePath) -> (base: FilePath, way: FilePath)? {
    plan.sandbox.wayWithoutLinks(to: path, from: resolved.workingDirectory?.path)
  }

  private func directory(withoutLinksIn base: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    if plan.sandbox.isExamined(base) { return try examinedDirectory(base) }
    return try OwnedDescriptor.open(base, .directory)
  }

  /// Opens the entry of the host at the end of `way`, which may itself be a link; refuses links on the way from
  /// `base`.
  private func directEntry(
    _ way: FilePath, below base: FilePath
  ) throws(SystemCallError) -> OwnedDescriptor {
    let start = try directory(withoutLinksIn: base)
    guard let name = way.lastComponent else { return start }
    let parent = way.removingLastComponent()
    let directory = try start.openDirectlyInRoot(parent.isEmpty ? "." : parent)
    return try directory.openEntry(FilePath(root: nil, [name]))
  }

  /// Opens a directory of the host that is a layer of an overlay.
  func layer(_ path: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    guard let (base, way) = wayWithoutLinks(to: path) else {
      return try OwnedDescriptor.open(path, .directory)
    }
    return try directory(withoutLinksIn: base).openDirectlyInRoot(way)
  }

  /// The tree behind the magic link `path`, such as /dev/fd/3 or /proc/self/exe; nil if `path` is
  /// not one.
  ///
  /// Such a link leads to a mount of the caller's namespace, which cannot be cloned here. The file
  /// can be cloned by its name, if the name leads to the same file.
  private static func tree(behind path: FilePath) -> MountTree? {
    do throws(SystemCallError) {
      let file = try OwnedDescriptor.open(path, .location)
      let tree = try MountTree.clone(of: Descriptors.path(of: file.rawValue))
      guard try tree.descriptor.fileIdentity() == file.fileIdentity() else { return nil }
      return tree
    } catch {
      return nil
    }
  }

  func hostRoot() throws(SystemCallError) -> OwnedDescriptor {
    try OwnedDescriptor.open("/", .directory)
  }

  func hostWorkingDirectory() throws(SystemCallError) -> OwnedDescriptor {
    try OwnedDescriptor.open(".", .directory)
  }

  func hostEntry(
    _ name: ByteString, in directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> OwnedDescriptor {
    try directory.openEntry(name.path)
  }

  func linkTarget(of file: borrowing OwnedDescriptor) throws(SystemCallError) -> ByteString? {
    try file.ownLinkTarget()
  }

  func isMarkedExecutable(_ file: borrowing OwnedDescriptor) throws(SystemCallError) -> Bool {
    try file.isMarkedExecutable()
  }

  func tree(of file: borrowing OwnedDescriptor) throws(SystemCallError) -> MountTree {
    try MountTree.clone(at: file)
  }

  mutating func makeHostDirectory(_ path: FilePath) throws(SystemCallError) {
    if let (base, way) = wayWithoutLinks(to: path) {
      try makeHostDirectory(base)
      return try makeHostDirectories(way, below: base)
    }
    do throws(SystemCallError) {
      _ = try OwnedDescriptor.open(path, .directory)
    } catch {
      guard error.errno == .noSuchFileOrDirectory, let name = path.lastComponent,
        name.kind == .regular
      else { throw error }
      let parent = path.removingLastComponent()
      if !parent.isEmpty { try makeHostDirectory(parent) }
      let directory = try OwnedDescriptor.open(parent.isEmpty ? "." : parent, .directory)
      try makeHostDirectory(FilePath(root: nil, [name]), in: Holder(directory, parent))
    }
  }

  /// Makes the directories of `way` that are missing, a name at a time; refuses links on the way from `base`.
  ///
  /// The kernel would follow a link that a command has put there, and make the next name behind it.
  private mutating func makeHostDirectories(
    _ way: FilePath, below base: FilePath
  ) throws(SystemCallError) {
    var directory = try self.directory(withoutLinksIn: base)
    var place = base
    for component in way.components {
      let name = FilePath(root: nil, [component])
      let next: OwnedDescriptor
      do throws(SystemCallError) {
        next = try directory.openDirectlyInRoot(name)
      } catch {
        guard error.errno == .noSuchFileOrDirectory else { throw error }
        try makeHostDirectory(
          name, in: Holder(directory.openDirectlyInRoot("."), place))
        next = try directory.openDirectlyInRoot(name)
      }
      directory = next
      place.append(component)
    }
  }

  private mutating func makeHostDirectory(
    _ name: FilePath, in holder: consuming Holder
  ) throws(SystemCallError) {
    do throws(SystemCallError) {
      try make(Entry(holder: holder, name: name), .directory, .privateDirectory)
    } catch {
      // Another launch has just made it.
      if error.errno != .fileExists { throw error }
    }
  }

  func hostPath(of descriptor: CInt) throws(SystemCallError) -> FilePath {
    try Descriptors.path(of: descriptor)
  }

  func require(
    _ tree: borrowing MountTree, toBe descriptor: CInt
  ) throws(SystemCallError) {
    guard try tree.descriptor.fileIdentity() == Descriptors.fileIdentity(of: descriptor) else {
      throw SystemCallError(call: "fstat", errno: .staleNFSFileHandle)
    }
  }

  func isClosedByAnother(_ path: FilePath) -> Bool {
    var directory = path
    while directory.removeLastComponent() {
      guard let file = try? OwnedDescriptor.open(directory, .location) else { continue }
      // Only of another user's FUSE file system the kernel tells nothing.
      guard let (kind, _, owner) = try? file.status() else { return true }
      // Both numbers are those of the new user namespace; where the caller has none there, its files
      // and those of others look the same, and the option fails.
      // An error alone is no proof that the directory is closed, so ask again.
      return kind == .directory && owner != CurrentProcess.identity.user
        && !FileAccess.execute.isGranted(directory)
    }
    return false
  }

  func hostLinkTarget(_ path: FilePath) throws(SystemCallError) -> ByteString? {
    if let (base, way) = wayWithoutLinks(to: path) {
      return try directEntry(way, below: base).ownLinkTarget()
    }
    return try CurrentProcess.symbolicLinkTarget(path)
  }
}
