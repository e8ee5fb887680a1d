// SPDX-License-Identifier: Apache-2.0
// What the kernel says of an open file: its kind, its owner and its identity.

internal import CLinux
internal import Glibc
internal import SystemPackage

/// Identifies a file under any of its names.
///
/// See inode(7).
public struct FileIdentity: Hashable, Sendable {
  /// The device that the file lies on.
  public let device: UInt64
  /// Its number on the device.
  public let inode: UInt64

  /// Names a file.
  public init(device: UInt64, inode: UInt64) {
    (self.device, self.inode) = (device, inode)
  }
}

extension Descriptors {
  /// Identifies the open file `number`.
  ///
  /// See fstat(2).
  public static func fileIdentity(of number: CInt) throws(SystemCallError) -> FileIdentity {
    try OwnedDescriptor.borrowing(number) { file throws(SystemCallError) in
      try file.fileIdentity()
    }
  }

  /// How many bytes the open file `number` has; 0 if the kernel does not say.
  ///
  /// See fstat(2).
  public static func size(of number: CInt) -> Int {
    OwnedDescriptor.borrowing(number) { file in
      (try? file.fileStatus()).map { Int($0.st_size) } ?? 0
    }
  }
}

extension OwnedDescriptor {
  /// A number that differs from that of other files with the same inode number, earlier or later:
  /// it includes the time of birth.
  ///
  /// See statx(2).
  public borrowing func stamp() throws(SystemCallError) -> UInt64 {
    var stamp: UInt64 = 0
    try check(unsafe linux_file_stamp(rawValue, &stamp), "statx")
    return stamp
  }

  /// The file's kind, the device it lies on, and its owner.
  ///
  /// See fstat(2).
  public borrowing func status() throws(SystemCallError) -> (
    kind: FileKind, device: UInt64, owner: UInt32
  ) {
    let status = try fileStatus()
    return (
      status.st_mode & S_IFMT == S_IFDIR ? .directory : .other, UInt64(status.st_dev), status.st_uid
    )
  }

  /// Whether this is a regular file.
  ///
  /// See fstat(2).
  public borrowing func isRegularFile() throws(SystemCallError) -> Bool {
    try fileStatus().st_mode & S_IFMT == S_IFREG
  }

  /// Whether the file is a FIFO or a pipe.
  ///
  /// See inode(7).
  public borrowing func isPipe() throws(SystemCallError) -> Bool {
    try fileStatus().st_mode & S_IFMT == S_IFIFO
  }

  /// Whether the file's permissions let anybody execute it.
  ///
  /// See inode(7).
  public borrowing func isMarkedExecutable() throws(SystemCallError) -> Bool {
    try fileStatus().st_mode & 0o111 != 0
  }

  /// Identifies this file.
  ///
  /// See fstat(2).
  public borrowing func fileIdentity() throws(SystemCallError) -> FileIdentity {
    let status = try fileStatus()
    return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  /// What `status()` returns; nil if the file lies on another user's FUSE file system, of whose files
  /// the kernel tells this user nothing.
  ///
  /// See fuse(4), allow_other.
  public borrowing func statusIfTold() throws(SystemCallError) -> (
    kind: FileKind, device: UInt64, owner: UInt32
  )? {
    do throws(SystemCallError) {
      return try status()
    } catch {
      guard error.errno == .permissionDenied, isOnFUSE else { throw error }
      return nil
    }
  }

  /// What `fileIdentity()` returns; nil in the case of `statusIfTold()`.
  public borrowing func fileIdentityIfTold() throws(SystemCallError) -> FileIdentity? {
    do throws(SystemCallError) {
      return try fileIdentity()
    } catch {
      guard error.errno == .permissionDenied, isOnFUSE else { throw error }
      return nil
    }
  }

  private var isOnFUSE: Bool { linux_is_on_fuse(rawValue) == 1 }

  borrowing func fileStatus() throws(SystemCallError) -> stat {
    var status = stat()
    let result = unsafe fstat(rawValue, &status) < 0 ? -errno : 0
    try check(result, "fstat")
    return status
  }
}
