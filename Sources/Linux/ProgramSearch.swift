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
  /// - Throws: `SystemCallError` if the kernel does not say whether a file is such a file.
  public static func find(
    _ name: ByteString, in path: ByteString?
  ) throws(SystemCallError) -> ByteString? {
    guard let path, !name.isEmpty else { return nil }
    for directory in searchPath(path) {
      if let file = try program(name, in: directory) { return file }
    }
    return nil
  }

  /// Every file `name` in the directories of `path` that this process may execute, in order.
  /// - Throws: `SystemCallError` as `find`.
  public static func all(
    _ name: ByteString, in path: ByteString?
  ) throws(SystemCallError) -> [ByteString] {
    guard let path, !name.isEmpty else { return [] }
    var files: [ByteString] = []
    for directory in searchPath(path) {
      if let file = try program(name, in: directory) { files.append(file) }
    }
    return files
  }

  /// The file `name` in `directory`, if that is absolute and this process may execute the file.
  private static func program(
    _ name: ByteString, in directory: ArraySlice<UInt8>
  ) throws(SystemCallError) -> ByteString? {
    guard directory.first == UInt8(ascii: "/") else { return nil }
    let file = ByteString(directory: directory, name: name)
    return try isExecutableFile(file) ? file : nil
  }

  /// Whether `path` leads to a regular file that this process may execute.
  ///
  /// See stat(2), access(2).
  /// - Throws: `SystemCallError` if the kernel does not say: a lack of memory is no proof that a
  ///   program is missing, and another one of the same name must not take its place.
  public static func isExecutableFile(_ path: ByteString) throws(SystemCallError) -> Bool {
    let isThere = try unlessMissing { () throws(SystemCallError) in
      var status = stat()
      try checkErrno(unsafe path.withCString { unsafe stat($0, &status) }, "stat")
      guard status.st_mode & S_IFMT == S_IFREG else { return false }
      try checkErrno(unsafe path.withCString { unsafe access($0, X_OK) }, "access")
      return true
    }
    return isThere ?? false
  }
}

/// The directories of a list such as PATH; an empty one means the working directory.
public func searchPath(_ path: ByteString) -> Fields {
  Fields(path.bytes, separatedBy: UInt8(ascii: ":"))
}
