// SPDX-License-Identifier: Apache-2.0
// The search for a program by name.

internal import CLinux
internal import Glibc
public import Text

/// The search for a program along PATH.
public enum ProgramSearch {
  /// The first file `name` in the directories of `path` that this process may execute; nil if there
  /// is none.
  ///
  /// The search skips relative directories. See execvp(3).
  public static func find(_ name: ByteString, in path: ByteString?) -> ByteString? {
    guard let path, !name.isEmpty else { return nil }
    for directory in searchPath(path) {
      if let file = program(name, in: directory) { return file }
    }
    return nil
  }

  /// Every file `name` in the directories of `path` that this process may execute, in order.
  public static func all(_ name: ByteString, in path: ByteString?) -> [ByteString] {
    guard let path, !name.isEmpty else { return [] }
    return searchPath(path).compactMap { program(name, in: $0) }
  }

  /// The file `name` in `directory`, if that is absolute and this process may execute the file.
  private static func program(
    _ name: ByteString, in directory: ArraySlice<UInt8>
  ) -> ByteString? {
    guard directory.first == UInt8(ascii: "/") else { return nil }
    let file = ByteString(directory: directory, name: name)
    return isExecutableFile(file) ? file : nil
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

/// The directories of a list such as PATH; an empty one means the working directory.
public func searchPath(_ path: ByteString) -> Fields {
  Fields(path.bytes, separatedBy: UInt8(ascii: ":"))
}
