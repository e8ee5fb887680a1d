// SPDX-License-Identifier: Apache-2.0
// Paths of changes as they are typed and as messages name them. As with git, they begin at the working directory
// where this lies in the directory under review, and otherwise at that directory.

internal import Linux
public import SystemPackage
public import Text

extension Review {
  /// Where in which directory under review the working directory lies.
  var workingPlace: (tree: Int, path: FilePath)? {
    guard let path = CurrentProcess.workingDirectory?.path else { return nil }
    return location(path)
  }

  /// Where in which directory under review an absolute path leads.
  private func location(_ path: FilePath) -> (tree: Int, path: FilePath)? {
    guard let tree = record.trees.lastIndex(where: { path.starts(with: $0.path) }) else {
      return nil
    }
    let components = path.components.dropFirst(record.trees[tree].path.components.count)
    return (tree, FilePath(root: nil, components))
  }

  /// How messages name the path of a change: as it is typed after `--apply NAME`.
  public func place(of change: Change) -> FilePath { place(change.path, tree: change.tree) }

  /// How messages name a path in the directory under review of this number.
  public func place(_ path: FilePath, tree: Int) -> FilePath {
    if let here, here.tree == tree { return Review.path(to: path, from: here.path) }
    if record.trees.count == 1 { return path }
    return path == Change.top ? record.trees[tree].path : record.trees[tree].path.pushing(path)
  }

  /// The relative path from one directory under a directory to a path there.
  private static func path(to path: FilePath, from directory: FilePath) -> FilePath {
    if directory.isEmpty { return path }
    let slash = UInt8(ascii: "/")
    let names = path == Change.top ? [] : ByteString(path).bytes.split(separator: slash)
    let others = ByteString(directory).bytes.split(separator: slash)
    let shared = zip(names, others).prefix(while: { $0 == $1 }).count
    let parts =
      [ArraySlice<UInt8>](repeating: Array("..".utf8)[...], count: others.count - shared)
      + names.dropFirst(shared)
    return parts.isEmpty ? Change.top : ByteString(Array(parts.joined(separator: [slash]))).path
  }

  /// The directory under review, and the path there, that `word` means; nil where it leads to none.
  public func place(named word: ByteString) -> (tree: Int, path: FilePath)? {
    var typed = word.path
    if !typed.isAbsolute, let here {
      typed = record.trees[here.tree].path.appending(here.path.components)
        .appending(typed.components)
    }
    typed = typed.lexicallyNormalized()
    var found: (tree: Int, path: FilePath)?
    if typed.isAbsolute {
      found = location(typed)
    } else if record.trees.count == 1 {
      found = (0, typed)
    }
    guard let found, !found.path.components.contains(where: { $0.kind == .parentDirectory }) else {
      return nil
    }
    return found.path.isEmpty ? (found.tree, Change.top) : found
  }
}
