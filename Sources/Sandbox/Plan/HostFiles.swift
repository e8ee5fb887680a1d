// SPDX-License-Identifier: Apache-2.0
// The host as a plan or a diagnosis sees it: paths and kinds of files, never content.

internal import Linux
internal import SystemPackage
internal import Text

/// Queries about the host's files.
protocol HostFiles {
  /// The file at `path`, without following a final link; nil if there is none.
  func look(at path: FilePath) -> FileFacts?
  /// The target of the symbolic link at `path`.
  func target(of path: FilePath) -> FilePath?
  /// Where `path` leads, links followed.
  func follow(_ path: FilePath) throws(SystemCallError) -> FoundFile
  /// At most the first `most` names in the directory `path`.
  func names(in path: FilePath, most: Int) -> [FilePath.Component]
  /// Whether the caller may do this with `path`.
  func may(_ access: FileAccess, _ path: FilePath) -> Bool
  /// The table of mounts.
  var mounts: MountTable { get }
}

/// The machine that this process runs on.
struct RunningHost: HostFiles {
  let mounts: MountTable

  /// Reads the table of mounts, which is empty without /proc.
  init() {
    mounts = (try? MountTable.current()) ?? MountTable([])
  }

  func look(at path: FilePath) -> FileFacts? {
    do throws(SystemCallError) {
      return try FileFacts(at: path)
    } catch {
      // FUSE tells other users nothing about the root of a file system, which is a directory.
      guard error.errno == .permissionDenied, mounts.entries.contains(where: { $0.point == path })
      else { return nil }
      return FileFacts(kind: .directory, permissions: 0, owner: .max)
    }
  }

  func target(of path: FilePath) -> FilePath? { RunningHost.target(of: path) }

  /// The target of the symbolic link at `path`.
  static func target(of path: FilePath) -> FilePath? {
    guard let parent = try? OwnedDescriptor.open("/", .directory) else { return nil }
    return (try? parent.symbolicLinkTarget(path))?.path
  }

  func follow(_ path: FilePath) throws(SystemCallError) -> FoundFile {
    try FoundFile(following: path)
  }

  func names(in path: FilePath, most: Int) -> [FilePath.Component] {
    ((try? Directory.names(of: path, most: most)) ?? []).compactMap { $0.path.lastComponent }
  }

  func may(_ access: FileAccess, _ path: FilePath) -> Bool { access.isGranted(path) }
}

extension HostFiles {
  /// The names in the directory `path`.
  func names(in path: FilePath) -> [FilePath.Component] { names(in: path, most: .max) }

  /// The mount on which `file` lies.
  func mount(of file: FoundFile) -> MountTable.Entry? {
    if let number = file.mount { return mounts[number] }
    return mounts.mount(of: file.path)
  }

  /// The mounts that a recursive bind of `file` brings along, from the top down.
  func mounts(below file: FoundFile) -> [MountTable.Entry] {
    guard file.kind == .directory, let top = mount(of: file) else { return [] }
    var found: [MountTable.Entry] = []
    // Mounts outside the tree are not bound, nor are mounts on those.
    func add(on parent: Int) {
      for entry in mounts.entries
      where entry.parent == parent && entry.number != parent && !entry.isUnbindable
        && entry.point.starts(with: file.path)
      {
        found.append(entry)
        add(on: entry.number)
      }
    }
    add(on: top.number)
    return found
  }
}
