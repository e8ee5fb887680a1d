// SPDX-License-Identifier: Apache-2.0
// Files reached through a directory's descriptor, so that no symbolic link leads out of it.

internal import CLinux
internal import Glibc
public import SystemPackage
public import Text

/// The kind of a file, as far as a mount cares: the kernel mounts a directory on a directory only,
/// and any other file on another file only.
public enum FileKind: Sendable {
  case directory
  case other
}

/// How to open a file.
public struct OpenMode: Sendable {
  let flags: CInt
  let permissions: UInt32

  /// A location in the tree, without access to the file's content.
  ///
  /// The corresponding C constant is `O_PATH`.
  public static let location = OpenMode(flags: CInt(LINUX_O_PATH), permissions: 0)
  /// The same, of a symbolic link itself where the path ends in one.
  ///
  /// The corresponding C constants are `O_PATH` and `O_NOFOLLOW`.
  public static let linkLocation = OpenMode(
    flags: CInt(LINUX_O_PATH) | O_NOFOLLOW, permissions: 0)
  /// The location of a directory.
  public static let directory = OpenMode(flags: CInt(LINUX_O_PATH) | O_DIRECTORY, permissions: 0)
  /// For reading; if the file is a FIFO, does not wait for a writer.
  public static let reading = OpenMode(flags: O_RDONLY | O_NONBLOCK | O_NOCTTY, permissions: 0)

  /// For reading and writing a file that exists.
  public static let readingAndWriting = OpenMode(flags: O_RDWR | O_NOCTTY, permissions: 0)

  /// For writing at the end of a file, which open(2) creates if it is missing, for this user alone; not
  /// of a link.
  public static let appending = OpenMode(
    flags: O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, permissions: 0o600)

  /// For writing an empty file, which open(2) creates with `permissions` if it is missing.
  public static func writing(_ permissions: FilePermissions) -> OpenMode {
    OpenMode(
      flags: O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY,
      permissions: UInt32(permissions.rawValue))
  }
}

extension Descriptors {
  /// The path that leads to the open file `number` now, as /proc shows it.
  ///
  /// See proc(5), fd.
  public static func path(of number: CInt) throws(SystemCallError) -> FilePath {
    try linkTarget(FilePath("/proc/self/fd/" + String(number)), in: AT_FDCWD).path
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

  /// Opens `path` as the sandbox will resolve it: this directory is `/`, neither `..` nor a
  /// symbolic link leaves it, and the kernel refuses its own magic links.
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
      // If the path has a `..` and some process renames or mounts anything at the same time, the
      // kernel gives up with EAGAIN, because an attacker could exploit that race.
      var result = CInt(0)
      for _ in 0..<OwnedDescriptor.mostTries {
        result = unsafe linux_openat2(
          rawValue, text, flags, UInt64(mode.permissions), resolve)
        if result != -EAGAIN { break }
      }
      return result
    }
    // A filter around this process may refuse the call, because its flags are out of a filter's sight.
    if result == -ENOSYS || result == -EPERM {
      let allowsLinks = restrictions & UInt64(RESOLVE_NO_SYMLINKS) == 0
      var walk = RootWalk(from: rawValue, path, allowsLinks: allowsLinks)
      return OwnedDescriptor(try check(walk.open(mode.flags, mode_t(mode.permissions)), "openat"))
    }
    return OwnedDescriptor(try check(result, "openat2"))
  }

  private static let mostTries = 1000

  /// Opens the directory `path` as `openInRoot` does, but refuses symbolic links on the way, and mounts if
  /// `crossesMounts` is false and no filter hides openat2(2).
  ///
  /// See openat2(2), RESOLVE_NO_SYMLINKS and RESOLVE_NO_XDEV.
  public borrowing func openDirectlyInRoot(
    _ path: FilePath, crossesMounts: Bool = true
  ) throws(SystemCallError) -> OwnedDescriptor {
    let mounts = crossesMounts ? 0 : UInt64(RESOLVE_NO_XDEV)
    return try openInRoot(path, .directory, UInt64(RESOLVE_NO_SYMLINKS) | mounts)
  }

  /// Opens the location of the entry `name` of this directory, even if it is a symbolic link.
  public borrowing func openEntry(_ name: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    let result = unsafe name.withPlatformString {
      unsafe linux_openat(rawValue, $0, CInt(LINUX_O_PATH) | O_NOFOLLOW | O_CLOEXEC, 0)
    }
    return OwnedDescriptor(try check(result, "openat"))
  }

  /// Creates the file `name` in this directory and opens it for writing.
  public borrowing func create(
    _ name: FilePath, _ permissions: FilePermissions
  ) throws(SystemCallError) -> OwnedDescriptor {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC
    let result = unsafe name.withPlatformString {
      unsafe linux_openat(rawValue, $0, flags, mode_t(permissions.rawValue))
    }
    return OwnedDescriptor(try check(result, "openat"))
  }

  /// Creates the directory `name` in this one.
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

  /// Creates the empty file `name` in this directory.
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

  /// Creates the symbolic link `name` in this directory.
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

  /// Renames `name` in this directory to `other`, and replaces a file of that name.
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

  /// The target of the symbolic link `name` in this directory.
  ///
  /// See readlinkat(2).
  public borrowing func symbolicLinkTarget(
    _ name: FilePath
  ) throws(SystemCallError) -> ByteString {
    try linkTarget(name, in: rawValue)
  }

  /// The target of the symbolic link that is open as this location; nil if this is not a link.
  ///
  /// See readlinkat(2).
  public borrowing func ownLinkTarget() throws(SystemCallError) -> ByteString? {
    do throws(SystemCallError) {
      return try linkTarget("", in: rawValue)
    } catch {
      // The kernel's answer for any other file.
      if error.errno == .noSuchFileOrDirectory || error.errno == .invalidArgument { return nil }
      throw error
    }
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

  /// Removes `name` if it still is the file with this stamp, and not a file that somebody put in
  /// its place.
  public borrowing func remove(
    _ name: FilePath, _ kind: FileKind, ifStill stamp: UInt64
  ) throws(SystemCallError) {
    guard try openEntry(name).stamp() == stamp else { return }
    try remove(name, kind)
  }

  /// Whether this process may write to `name` in this directory.
  ///
  /// See faccessat(2), AT_EACCESS.
  public borrowing func isWritable(_ name: FilePath) -> Bool {
    unsafe name.withPlatformString { unsafe faccessat(rawValue, $0, W_OK, AT_EACCESS) == 0 }
  }

  /// Sets the permissions of this file, which is open as a location.
  ///
  /// fchmod(2) refuses such a descriptor, but its link in /proc leads to the same file.
  public borrowing func setPermissions(_ permissions: UInt32) throws(SystemCallError) {
    let link = FilePath("/proc/self/fd/\(String(rawValue))")
    let result = unsafe link.withPlatformString {
      unsafe chmod($0, mode_t(permissions)) < 0 ? -errno : 0
    }
    try check(result, "chmod")
  }
}

/// The target of the symbolic link `name` in the open directory `directory`.
func linkTarget(_ name: FilePath, in directory: CInt) throws(SystemCallError) -> ByteString {
  var buffer = [UInt8](zeros: Int(PATH_MAX))
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
