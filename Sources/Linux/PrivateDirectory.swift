// SPDX-License-Identifier: Apache-2.0
// Directories that belong to this user alone.

internal import CLinux
internal import Glibc
public import SystemPackage
internal import Text

extension OwnedDescriptor {
  /// Opens the directory `path`, which is made if it is missing, and which nobody but this user may
  /// enter or own; throws if it is a link, another user's, or open to others.
  ///
  /// See mkdir(2), openat(2), O_NOFOLLOW.
  public static func privateDirectory(
    _ path: FilePath
  ) throws(SystemCallError) -> OwnedDescriptor {
    let made = unsafe path.withPlatformString { unsafe mkdir($0, 0o700) < 0 ? -errno : 0 }
    if made != -EEXIST { try check(made, "mkdir") }
    let result = unsafe path.withPlatformString {
      unsafe linux_openat(AT_FDCWD, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
    }
    let directory = OwnedDescriptor(try check(result, "open"))
    // Check the open directory, which nobody can replace meanwhile.
    let status = try directory.fileStatus()
    guard status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
      throw SystemCallError(call: "open", errno: .permissionDenied)
    }
    return directory
  }

  /// Opens the directory `name` in this one, but not through a link.
  public borrowing func openSubdirectory(
    _ name: FilePath
  ) throws(SystemCallError) -> OwnedDescriptor {
    let result = unsafe name.withPlatformString {
      unsafe linux_openat(rawValue, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
    }
    return OwnedDescriptor(try check(result, "openat"))
  }

  /// The names in this directory.
  public borrowing func names() throws(SystemCallError) -> [FilePath] {
    try Directory.names(of: FilePath("/proc/self/fd/" + String(rawValue))).map(\.path)
  }
}

/// A process by its number and the time at which it started, which tells it from others that have
/// had the number, or will have it.
public struct ProcessHandle: ~Copyable {
  private let descriptor: OwnedDescriptor

  /// Opens the process `number`.
  ///
  /// See pidfd_open(2).
  public init(_ number: Int32) throws(SystemCallError) {
    descriptor = OwnedDescriptor(try check(linux_pidfd_open(number), "pidfd_open"))
  }

  /// Sends `signal` to the process.
  ///
  /// See pidfd_send_signal(2).
  public borrowing func send(_ signal: Signal) throws(SystemCallError) {
    try descriptor.send(signal)
  }
}
