// SPDX-License-Identifier: Apache-2.0
// The new root under construction, path by path: finding and making what a path leads to.

internal import Linux
internal import SystemPackage
internal import Text

extension NewRoot {
  mutating func directory(
    at path: FilePath, _ permissions: FilePermissions
  ) throws(SystemCallError) -> MountTree {
    MountTree(try directory(path, permissions: permissions))
  }

  func existing(at path: FilePath) throws(SystemCallError) -> MountTree {
    do throws(SystemCallError) {
      return MountTree(try root.openInRoot(path, .location))
    } catch {
      throw error.about(ByteString(path))
    }
  }

  func entry(at path: FilePath) -> RootEntry? {
    guard let name = path.lastComponent else { return path.components.isEmpty ? .other : nil }
    guard let parent = try? root.openInRoot(path.removingLastComponent(), .directory),
      let entry = try? parent.openEntry(FilePath(root: nil, [name]))
    else { return nil }
    return (try? entry.ownLinkTarget()).flatMap { $0 }.map { .link($0) } ?? .other
  }

  /// Whether the sandbox itself says what `path` leads to.
  ///
  /// A link in a shown tree of the host counts too, even if it leads nowhere inside: an earlier
  /// command may have put it in a script's place to gain a file that nobody named.
  func isDecided(_ path: FilePath) -> Bool {
    if (try? root.openInRoot(path, .location)) != nil { return true }
    var ancestor = path
    while ancestor.removeLastComponent(), !ancestor.components.isEmpty {
      do throws(SystemCallError) {
        _ = try root.openDirectlyInRoot(ancestor)
        break
      } catch {
        if error.errno != .noSuchFileOrDirectory { return true }
      }
    }
    let next = path.components.dropFirst(ancestor.components.count).first
    guard let next, let directory = try? root.openDirectlyInRoot(ancestor) else { return true }
    do throws(SystemCallError) {
      _ = try directory.openEntry(FilePath(root: nil, [next]))
      return true
    } catch {
      return error.errno != .noSuchFileOrDirectory
    }
  }

  mutating func link(_ path: FilePath, to target: ByteString) throws(SystemCallError) {
    let entry = try entry(for: path)
    do throws(SystemCallError) {
      try create(entry, .other) { () throws(SystemCallError) in
        try entry.holder.directory.makeSymbolicLink(entry.name, target: target)
      }
      keep(entry)
    } catch {
      // An existing link with the same target counts as made, so that one line serves merged and
      // unmerged file systems.
      guard error.errno == .fileExists || plan.isInPlace,
        let existing = try? entry.holder.directory.symbolicLinkTarget(entry.name),
        existing == target
      else { throw error }
    }
  }

  mutating func write(
    _ path: FilePath, _ permissions: FilePermissions,
    _ fill: (borrowing OwnedDescriptor) throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    _ = try place(path, .other, permissions)
    let file: OwnedDescriptor
    do throws(SystemCallError) {
      file = try root.openInRoot(path, .writing(permissions))
    } catch {
      throw error.about(ByteString(path))
    }
    try fill(file)
  }
}

// MARK: - Names in a directory

extension NewRoot {
  func names(in directory: borrowing MountTree) throws(SystemCallError) -> [FilePath] {
    let number = String(directory.descriptor.rawValue)
    return try Directory.names(of: FilePath("/proc/self/fd/" + number)).map(\.path)
  }

  func linkTarget(_ name: FilePath, in directory: borrowing MountTree) -> ByteString? {
    try? directory.descriptor.symbolicLinkTarget(name)
  }

  func isWritable(_ name: FilePath, in directory: borrowing MountTree) -> Bool {
    directory.descriptor.isWritable(name)
  }

  func clone(
    _ name: FilePath, in directory: borrowing MountTree
  ) throws(SystemCallError) -> MountTree {
    try MountTree.clone(of: name, in: directory.descriptor)
  }

  mutating func attach(
    _ tree: borrowing MountTree, on name: FilePath, in directory: borrowing MountTree
  ) throws(SystemCallError) {
    forgetRecent()
    try tree.attach(on: name, in: directory.descriptor)
  }

  func make(
    _ kind: FileKind, _ name: FilePath, in directory: borrowing MountTree
  ) throws(SystemCallError) {
    switch kind {
    case .directory: try directory.descriptor.makeDirectory(name, .standardDirectory)
    case .other: try directory.descriptor.makeFile(name, .mountPoint)
    }
  }

  func makeLink(
    _ name: FilePath, to target: ByteString, in directory: borrowing MountTree
  ) throws(SystemCallError) {
    try directory.descriptor.makeSymbolicLink(name, target: target)
  }
}
