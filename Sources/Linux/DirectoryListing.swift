// SPDX-License-Identifier: Apache-2.0
// The names in a directory.

internal import CLinux
internal import Glibc

/// What lies in directories.
public enum DirectoryListing {
  /// The names in the directory `path`, in no order.
  ///
  /// See readdir(3).
  public static func names(in path: ByteString) throws(SystemCallError) -> [ByteString] {
    var names: [ByteString] = []
    let result = unsafe path.withCString { path -> CInt in
      guard let directory = unsafe opendir(path) else { return -errno }
      while let entry = unsafe readdir(directory) {
        unsafe names.append(ByteString(nulTerminated: linux_entry_name(entry)))
      }
      unsafe closedir(directory)
      return 0
    }
    try check(result, "opendir")
    return names.filter { $0 != "." && $0 != ".." }
  }
}
