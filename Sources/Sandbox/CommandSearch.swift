// SPDX-License-Identifier: Apache-2.0
// Where a command is looked for: the launch, the plan and diagnoses all ask here.

internal import Linux
internal import SystemPackage
internal import Text

/// The paths at which execvp(3) looks for the command `word`, in order.
///
/// A word with a slash is itself a path. From an empty directory of PATH follows a path relative to
/// the working directory.
struct CommandSearch: Sequence, IteratorProtocol {
  private let word: ByteString
  private var directories: Fields?
  private var isPath: Bool

  init(_ word: ByteString, in environment: Environment) {
    self.word = word
    isPath = word.bytes.contains(UInt8(ascii: "/"))
    if !isPath, !word.isEmpty { directories = searchPath(environment.searchPath) }
  }

  mutating func next() -> ByteString? {
    if isPath {
      isPath = false
      return word
    }
    return directories?.next().map { ByteString(directory: $0, name: word) }
  }
}

extension Environment {
  /// The directories in which execvp(3) looks for a command.
  var searchPath: ByteString { value(of: "PATH") ?? "/bin:/usr/bin" }
}

extension RootBuilder where Self: ~Copyable {
  /// The first regular file that the search for the command `name` finds inside.
  ///
  /// The search skips relative directories, as the command's working directory is still unknown.
  mutating func search(for name: ByteString) -> ByteString? {
    for path in CommandSearch(name, in: resolved.environment)
    where path.bytes.first == UInt8(ascii: "/") && isRegularFile(at: path.path) {
      return path
    }
    return nil
  }

  /// Whether `path` leads to a regular file inside.
  mutating func isRegularFile(at path: FilePath) -> Bool {
    guard let file = try? existing(at: path) else { return false }
    return (try? isRegularFile(file)) == true
  }
}
