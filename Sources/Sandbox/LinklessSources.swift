// SPDX-License-Identifier: Apache-2.0
// Which sources have to be reached without symbolic links.

internal import SystemPackage
internal import Text

extension Sandbox {
  /// Whether a variable of a profile looked at the directory `path`.
  func isExamined(_ path: FilePath) -> Bool {
    !examinedDirectories.isEmpty && examinedDirectories.contains(ByteString(path))
  }

  /// The directory from which the source `path` has to be reached without links, and the way from there.
  ///
  /// A path that is not absolute starts at `directory`. Of nested directories the outer one counts: a link may also be on the way to the inner one.
  func wayWithoutLinks(
    to path: FilePath, from directory: FilePath?
  ) -> (base: FilePath, way: FilePath)? {
    // An empty path is that of a variable that is not set: it names nothing.
    if directoriesWithoutLinks.isEmpty || path.isEmpty { return nil }
    let whole = (path.isAbsolute ? path : (directory ?? "/").pushing(path)).lexicallyNormalized()
    let base = directoriesWithoutLinks.map(\.path)
      .filter { whole.starts(with: $0) && whole != $0 }
      .min { $0.components.count < $1.components.count }
    return base.map { base in
      (base, FilePath(root: nil, whole.components.dropFirst(base.components.count)))
    }
  }
}
