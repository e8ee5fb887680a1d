// SPDX-License-Identifier: Apache-2.0
// Connections to programs that listen on a socket in the file system.

internal import CLinux
public import SystemPackage
internal import Text

extension Descriptors {
  /// Connects to the stream socket at `path`.
  /// - Returns: The connection, which the caller closes, and the number of the process that listens; 0 if this pid namespace
  ///   does not have it.
  ///
  /// See unix(7), SO_PEERCRED.
  public static func connect(
    to path: FilePath
  ) throws(SystemCallError) -> (socket: CInt, process: Int32) {
    var process: CInt = 0
    let result = unsafe path.withPlatformString { unsafe linux_connect_to($0, &process) }
    do throws(SystemCallError) {
      return (try check(result, "connect"), process)
    } catch {
      throw error.about(ByteString(path))
    }
  }
}
