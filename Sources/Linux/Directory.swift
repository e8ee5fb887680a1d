// SPDX-License-Identifier: Apache-2.0
// Files reached from a directory's descriptor, so that no symbolic link leads out of it.

internal import CLinux
internal import Glibc
public import SystemPackage
public import Text

/// What kind of thing a path leads to, as far as a mount cares: only a directory can be mounted
/// on a directory, and only something else on something else.
public enum FileKind: Sendable {
  case directory
  case other
}

/// Which file it is, whatever it is called.
///
/// See inode(7).
public struct FileIdentity: Equatable, Sendable {
  /// The device that the file lies on.
  public let device: UInt64
  let inode: UInt64
}

/// How a file is opened.
public struct OpenMode: Sendable {
  let flags: CInt
  let permissions: UInt32

  /// A place in the tree, not the file's content.
  ///
  /// The corresponding C constant is `O_PATH`.
  public static let location = OpenMode(flags: CInt(LINUX_O_PATH), permissions: 0)
  /// A place that must be a directory.
  public static let directory = OpenMode(flags: CInt(LINUX_O_PATH) | O_DIRECTORY, permissions: 0)
  /// For reading, without waiting for a writer where it is a FIFO.
  public static let reading = OpenMode(flags: O_RDONLY | O_NONBLOCK | O_NOCTTY, permissions: 0)
  /// For reading all that a writer will write, where it is a FIFO.
  public static let readingPatiently = OpenMode(flags: O_RDONLY | O_NOCTTY, permissions: 0)

  /// For reading and writing, where it exists.
  public static let readingAndWriting = OpenMode(flags: O_RDWR | O_NOCTTY, permissions: 0)

  /// For reading, waiting for whoever writes where it is a pipe.
  ///
  /// See fifo(7).
  public static let waiting = OpenMode(flags: O_RDONLY | O_NOCTTY, permissions: 0)

  /// For writing from the start, made with `permissions` where it does not exist.
  public static func writing(_ permissions: FilePermissions) -> OpenMode {
    OpenMode(
      flags: O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY,
      permissions: UInt32(permissions.rawValue))
  }
}

extension Descriptors {
  /// The path by which the open file `number` is reached now, as /proc has it.
  ///
  /// See proc(5), fd.
  public static func path(of number: CInt) throws(SystemCallError) -> FilePath {
    let directory = try OwnedDescriptor.open("/proc/self/fd", .directory)
    return try directory.symbolicLinkTarget(FilePath(String(number))).path
  }

  /// Which file `number` is.
  ///
  /// See fstat(2).
  public static func fileIdentity(of number: CInt) throws(SystemCallError) -> FileIdentity {
    let borrowed = OwnedDescriptor(number)
    do throws(SystemCallError) {
      let identity = try borrowed.fileIdentity()
      _ = borrowed.release()
      return identity
    } catch {
      _ = borrowed.release()
      throw error
    }
  }
}

extension OwnedDescriptor {
  /// Opens `path` from the process's own root and working directory.
  public static func open(
    _ path: FilePath, _ mode: OpenMode
  ) throws(SystemCallError) -> OwnedDescriptor {
    let result = unsafe path.withPlatformString {
      unsafe linux_openat(AT_FDCWD, $0, mode.flags | O_CLOEXEC, mode_t(mode.permissions))
    }
    return OwnedDescriptor(try check(result, "open"))
  }

  /// Opens `path` as it will mean inside: this directory is `/`, `..` does not leave it, symbolic
  /// links, absolute or not, stay in it, and the kernel's magic links are refused.
  ///
  /// See openat2(2), RESOLVE_IN_ROOT.
  public borrowing func openInRoot(
    _ path: FilePath, _ mode: OpenMode
  ) throws(SystemCallError) -> OwnedDescriptor {
    try openInRoot(path, mode, UInt64(RESOLVE_NO_MAGICLINKS))
  }

  private borrowing func openInRoot(
    _ path: FilePath, _ mode: OpenMode, _ restrictions: UInt64
  ) throws(SystemCallError) -> OwnedDescriptor {
    let flags = UInt64(mode.flags | O_CLOEXEC)
    let resolve = UInt64(RESOLVE_IN_ROOT) | restrictions
    let result = unsafe path.withPlatformString { text in
      // A rename or a mount at the same time, anywhere, makes the kernel give up with EAGAIN where
      // there is a `..`, rather than let it be exploited.
      var result = CInt(0)
      for _ in 0..<OwnedDescriptor.mostTries {
        result = unsafe linux_openat2(
          rawValue, text, flags, UInt64(mode.permissions), resolve)
        if result != -EAGAIN { break }
      }
      return result
    }
    return OwnedDescriptor(try check(result, "openat2"))
  }

  private static let mostTries = 1000

  /// Opens the directory `path` as `openInRoot` does, but only where no symbolic link is on the way.
  ///
  /// See openat2(2), RESOLVE_NO_SYMLINKS.
  public borrowing func openDirectlyInRoot(
    _ path: FilePath
  ) throws(SystemCallError) -> OwnedDescriptor {
    try openInRoot(path, .directory, UInt64(RESOLVE_NO_SYMLINKS))
  }

  /// Opens the entry `name` of this directory as a place, be it a symbolic link or not.
  public borrowing func openEntry(_ name: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    let result = unsafe name.withPlatformString {
      unsafe linux_openat(rawValue, $0, CInt(LINUX_O_PATH) | O_NOFOLLOW | O_CLOEXEC, 0)
    }
    return OwnedDescriptor(try check(result, "openat"))
  }

  /// Makes the file `name` in this directory and opens it for writing.
  public borrowing func create(
    _ name: FilePath, _ permissions: FilePermissions
  ) throws(SystemCallError) -> OwnedDescriptor {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC
    let result = unsafe name.withPlatformString {
      unsafe linux_openat(rawValue, $0, flags, mode_t(permissions.rawValue))
    }
    return OwnedDescriptor(try check(result, "openat"))
  }

  /// Makes the directory `name` in this one.
  ///
  /// See mkdirat(2).
  public borrowing func makeDirectory(
    _ name: FilePath, _ permissions: FilePermissions
  ) throws(SystemCallError) {
    let result = unsafe name.withPlatformString {
      unsafe mkdirat(rawValue, $0, mode_t(permissions.rawValue)) < 0 ? -errno : 0
    }
    try check(result, "mkdirat")
  }

  /// Makes the empty file `name` in this directory.
  ///
  /// See mknodat(2).
  public borrowing func makeFile(
    _ name: FilePath, _ permissions: FilePermissions
  ) throws(SystemCallError) {
    let result = unsafe name.withPlatformString {
      unsafe mknodat(rawValue, $0, S_IFREG | mode_t(permissions.rawValue), 0) < 0 ? -errno : 0
    }
    try check(result, "mknodat")
  }

  /// Makes the symbolic link `name` in this directory.
  ///
  /// See symlinkat(2).
  public borrowing func makeSymbolicLink(
    _ name: FilePath, target: ByteString
  ) throws(SystemCallError) {
    let result = unsafe name.withPlatformString { name in
      unsafe target.withCString { target in
        unsafe symlinkat(target, rawValue, name) < 0 ? -errno : 0
      }
    }
    try check(result, "symlinkat")
  }

  /// Gives `name` in this directory another name, in the place of what has that.
  ///
  /// See renameat(2).
  public borrowing func rename(_ name: FilePath, to other: FilePath) throws(SystemCallError) {
    let result = unsafe name.withPlatformString { name in
      unsafe other.withPlatformString { other in
        unsafe renameat(rawValue, name, rawValue, other) < 0 ? -errno : 0
      }
    }
    try check(result, "renameat")
  }

  /// What the symbolic link `name` in this directory says.
  ///
  /// See readlinkat(2).
  public borrowing func symbolicLinkTarget(
    _ name: FilePath
  ) throws(SystemCallError) -> ByteString {
    try linkTarget(name, in: rawValue)
  }

  /// Removes `name` from this directory.
  ///
  /// See unlinkat(2).
  public borrowing func remove(_ name: FilePath, _ kind: FileKind) throws(SystemCallError) {
    let flags = kind == .directory ? AT_REMOVEDIR : 0
    let result = unsafe name.withPlatformString {
      unsafe unlinkat(rawValue, $0, flags) < 0 ? -errno : 0
    }
    try check(result, "unlinkat")
  }

  /// Removes `name` where it still is the file with this stamp, and not what somebody has put in its
  /// place since.
  public borrowing func remove(
    _ name: FilePath, _ kind: FileKind, ifStill stamp: UInt64
  ) throws(SystemCallError) {
    guard try openEntry(name).stamp() == stamp else { return }
    try remove(name, kind)
  }

  /// What tells this file from others that have had its number, or will have it: its time of birth
  /// goes in as well.
  ///
  /// See statx(2).
  public borrowing func stamp() throws(SystemCallError) -> UInt64 {
    var stamp: UInt64 = 0
    try check(unsafe linux_file_stamp(rawValue, &stamp), "statx")
    return stamp
  }

  /// Whether this is a directory, and the device it lies on.
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

  /// Which file this is.
  ///
  /// See fstat(2).
  public borrowing func fileIdentity() throws(SystemCallError) -> FileIdentity {
    let status = try fileStatus()
    return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  borrowing func fileStatus() throws(SystemCallError) -> stat {
    var status = stat()
    let result = unsafe fstat(rawValue, &status) < 0 ? -errno : 0
    try check(result, "fstat")
    return status
  }

  /// Whether this process may write to `name` in this directory.
  ///
  /// See faccessat(2), AT_EACCESS.
  public borrowing func isWritable(_ name: FilePath) -> Bool {
    unsafe name.withPlatformString { unsafe faccessat(rawValue, $0, W_OK, AT_EACCESS) == 0 }
  }

  /// Sets the permissions of the file that this descriptor, opened as a location, stands for.
  ///
  /// fchmod(2) refuses such descriptors; the link in /proc leads to just this file.
  public borrowing func setPermissions(_ permissions: UInt32) throws(SystemCallError) {
    let link = FilePath("/proc/self/fd/\(String(rawValue))")
    let result = unsafe link.withPlatformString {
      unsafe chmod($0, mode_t(permissions)) < 0 ? -errno : 0
    }
    try check(result, "chmod")
  }
}

/// What the symbolic link `name` says, from the open directory `directory`.
func linkTarget(_ name: FilePath, in directory: CInt) throws(SystemCallError) -> ByteString {
  var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
  let count = unsafe name.withPlatformString { name in
    unsafe buffer.withUnsafeMutableBytes { buffer -> CInt in
      guard let start = buffer.baseAddress else { return -EINVAL }
      let count = unsafe readlinkat(
        directory, name, start.assumingMemoryBound(to: CChar.self), buffer.count)
      return count < 0 ? -errno : CInt(count)
    }
  }
  return ByteString(buffer[..<Int(try check(count, "readlinkat"))])
}
