// SPDX-License-Identifier: Apache-2.0
// Where a program lies that was called by its name alone.

internal import CLinux
internal import Glibc

/// The search for a program along PATH.
public enum ProgramSearch {
  /// The first file called `name` in the directories of `path` that this process may execute; nil
  /// where there is none.
  ///
  /// Directories that do not begin at the root are passed over. See execvp(3).
  public static func find(_ name: ByteString, in path: ByteString?) -> ByteString? {
    all(name, in: path).first
  }

  /// Every file called `name` in the directories of `path` that this process may execute, in order.
  public static func all(_ name: ByteString, in path: ByteString?) -> [ByteString] {
    guard let path, !name.isEmpty else { return [] }
    return path.bytes.split(separator: UInt8(ascii: ":"))
      .filter { $0.first == UInt8(ascii: "/") }
      .map { ByteString($0 + [UInt8(ascii: "/")] + name.bytes) }
      .filter(isExecutableFile)
  }

  /// Whether `path` leads to a regular file that this process may execute.
  ///
  /// See stat(2), access(2).
  public static func isExecutableFile(_ path: ByteString) -> Bool {
    var status = stat()
    return unsafe path.withCString {
      unsafe stat($0, &status) == 0 && access($0, X_OK) == 0
    } && status.st_mode & S_IFMT == S_IFREG
  }
}
