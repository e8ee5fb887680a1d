// SPDX-License-Identifier: Apache-2.0
// Files of text that a user names: profiles and policies.

internal import CLinux
internal import Glibc
public import SystemPackage
internal import Text

/// A file of text that a user names.
public enum UserText {
  /// What to type instead of the name of a FIFO.
  public static let pipeRemedy =
    "name a regular file, or a pipe by its descriptor, as bash does for <(…)"

  /// Opens `path` for reading to its end.
  ///
  /// A pipe that is named by a descriptor, as in `/dev/fd/3`, has a writer, for which reads wait.
  /// - Throws: `SystemCallError`; ESPIPE for a FIFO with a name of its own, to which perhaps nobody writes.
  ///   See fifo(7).
  public static func open(_ path: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    let file = try OwnedDescriptor.open(path, .reading)
    if try file.isRegularFile() { return file }
    let bytes = ByteString(path).bytes
    let isDescriptor = ["/dev/fd/", "/dev/std", "/proc/"].contains { bytes.starts(with: $0.utf8) }
    if !isDescriptor, try file.isPipe() {
      throw SystemCallError(call: "open", errno: .illegalSeek)
    }
    // Not opened again: the name could lead to another file by then.
    try check(linux_fcntl(file.rawValue, F_SETFL, 0), "fcntl")
    return file
  }
}
