// SPDX-License-Identifier: Apache-2.0
// A process by its directory in /proc. The open directory stands for this one process: when the
// process has ended, its files answer ESRCH, and another process with the same number is not read
// by mistake.

internal import CLinux
internal import Glibc
public import SystemPackage
public import Text

/// A process by its open directory in /proc.
///
/// See proc_pid(5).
public struct ProcessDirectory: ~Copyable {
  /// The process id.
  public let number: Int32
  private let directory: OwnedDescriptor

  /// Opens the directory of the process `number`.
  public init(_ number: Int32) throws(SystemCallError) {
    self.number = number
    directory = try OwnedDescriptor.open(FilePath("/proc/" + String(number)), .directory)
  }

  /// Opens the file `name` of the directory.
  public borrowing func open(
    _ name: FilePath, _ mode: OpenMode = .reading
  ) throws(SystemCallError) -> OwnedDescriptor {
    try directory.openRelative(name, mode)
  }

  /// At most the first `limit` bytes of the file `name`.
  public borrowing func contents(
    of name: FilePath, limit: Int
  ) throws(SystemCallError) -> [UInt8] {
    let file = try open(name)
    return try Descriptors.beginning(of: file.rawValue, limit)
  }

  /// The target of the link `name`, which may be one of the kernel's own.
  public borrowing func link(_ name: FilePath) throws(SystemCallError) -> ByteString {
    try directory.symbolicLinkTarget(name)
  }

  /// The process's namespace of this one kind.
  public borrowing func namespace(_ kind: Namespaces) throws(SystemCallError) -> OpenNamespace {
    guard let name = Namespaces.names.first(where: { $0.namespace == kind })?.name else {
      throw SystemCallError(call: "open", errno: .invalidArgument)
    }
    return try OpenNamespace(open(FilePath("ns/" + name)))
  }
}

extension OwnedDescriptor {
  /// Opens `path` from this directory.
  ///
  /// See openat(2).
  public borrowing func openRelative(
    _ path: FilePath, _ mode: OpenMode
  ) throws(SystemCallError) -> OwnedDescriptor {
    let result = unsafe path.withPlatformString {
      unsafe linux_openat(rawValue, $0, mode.flags | O_CLOEXEC, mode_t(mode.permissions))
    }
    return OwnedDescriptor(try check(result, "openat"))
  }

  /// Opens `path` as a location in this directory, which is taken for the root, without waiting for
  /// anybody: only what the kernel has in memory is found, and no link is followed.
  ///
  /// A file system that a process serves (FUSE) could answer late or never. Mount points are always
  /// in memory. See openat2(2), RESOLVE_CACHED.
  public borrowing func openCachedInRoot(
    _ path: FilePath
  ) throws(SystemCallError) -> OwnedDescriptor {
    let resolve = UInt64(RESOLVE_IN_ROOT) | UInt64(RESOLVE_NO_SYMLINKS) | 0x20  // RESOLVE_CACHED
    let result = unsafe path.withPlatformString {
      unsafe linux_openat2(rawValue, $0, UInt64(CInt(LINUX_O_PATH) | O_CLOEXEC), 0, resolve)
    }
    return OwnedDescriptor(try check(result, "openat2"))
  }
}

extension Descriptors {
  /// What can be read from `number` in one call, at most `limit` bytes; nothing at its end.
  ///
  /// See read(2).
  public static func some(of number: CInt, _ limit: Int) throws(SystemCallError) -> [UInt8] {
    var chunk = [UInt8](repeating: 0, count: min(65_536, limit))
    let count = retrying {
      unsafe chunk.withUnsafeMutableBytes { buffer -> Int in
        let count = unsafe read(number, buffer.baseAddress, buffer.count)
        return count < 0 ? Int(-errno) : count
      }
    }
    if count < 0 { throw failure(CInt(count), "read") }
    return Array(chunk[..<count])
  }

  /// At most the first `limit` bytes that can be read from `number`.
  ///
  /// See read(2).
  public static func beginning(
    of number: CInt, _ limit: Int
  ) throws(SystemCallError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < limit {
      // Most files are short, and each page of a larger buffer takes time.
      let chunk = try some(of: number, min(limit - bytes.count, max(1024, bytes.count)))
      if chunk.isEmpty { break }
      bytes += chunk
    }
    return bytes
  }
}

/// How much of a file system is in use.
///
/// See statvfs(3).
public struct FilesystemUse: Equatable, Sendable {
  /// Bytes in all and in use; nil where the file system has no bound.
  public var size: UInt64?, used: UInt64?
  /// Files in all and in use; nil where the file system has no bound.
  public var files: UInt64?, usedFiles: UInt64?

  /// States the use.
  public init(
    size: UInt64? = nil, used: UInt64? = nil, files: UInt64? = nil, usedFiles: UInt64? = nil
  ) {
    (self.size, self.used, self.files, self.usedFiles) = (size, used, files, usedFiles)
  }
}

extension OwnedDescriptor {
  /// How much of the file system of this file is in use.
  public borrowing func filesystemUse() throws(SystemCallError) -> FilesystemUse {
    var status = statvfs()
    try check(unsafe fstatvfs(rawValue, &status) < 0 ? -errno : 0, "fstatfs")
    let block = UInt64(status.f_frsize)
    var use = FilesystemUse()
    if status.f_blocks > 0 {
      let all = UInt64(status.f_blocks)
      let free = min(UInt64(status.f_bfree), all)
      use.size = all.multipliedReportingOverflow(by: block).partialValue
      use.used = (all - free).multipliedReportingOverflow(by: block).partialValue
    }
    if status.f_files > 0 {
      use.files = UInt64(status.f_files)
      use.usedFiles = UInt64(status.f_files) - min(UInt64(status.f_ffree), UInt64(status.f_files))
    }
    return use
  }

  /// The number of the mount that this file was reached through.
  ///
  /// See proc_pid_fdinfo(5).
  public borrowing func mountNumber() throws(SystemCallError) -> Int? {
    let path = FilePath("/proc/self/fdinfo/" + String(rawValue))
    let line = try TextFile.lines(of: path).first { $0.hasPrefix("mnt_id:") }
    return line.flatMap { Int($0.dropFirst(7).filter(\.isNumber)) }
  }
}

/// The time since the machine was started.
///
/// See clock_gettime(2), CLOCK_BOOTTIME.
public enum BootClock {
  /// The unit of start times in /proc/PID/stat: a hundredth of a second on every architecture.
  public static let ticksPerSecond: UInt64 = 100

  /// Seconds since then.
  public static var seconds: UInt64 {
    var time = timespec()
    guard unsafe clock_gettime(CLOCK_BOOTTIME, &time) == 0 else { return 0 }
    return UInt64(max(0, time.tv_sec))
  }
}
