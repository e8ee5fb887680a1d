// SPDX-License-Identifier: Apache-2.0
// Entries of an open directory, for programs that compare and copy trees that may be hostile: no
// call here follows a link.

internal import CLinux
internal import Glibc
public import SystemPackage
internal import Text

/// A point in time, as the kernel stores it with a file.
public struct FileTime: Equatable, Comparable, Sendable {
  /// Seconds since 1970.
  public let seconds: Int64
  /// Nanoseconds of the second.
  public let nanoseconds: Int64

  /// States a time.
  public init(seconds: Int64, nanoseconds: Int64) {
    (self.seconds, self.nanoseconds) = (seconds, nanoseconds)
  }

  /// The present time.
  ///
  /// See clock_gettime(2), CLOCK_REALTIME.
  public static var now: FileTime {
    var time = Glibc.timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return FileTime(time)
  }

  /// The time in UTC, to the second, as `20260102-030405`.
  public var compactText: String {
    // Not by gmtime(3), which reads the time zone. Days count from 1 March of the year 0, so that a
    // leap day is the last of its year, in cycles of 400 years.
    let (day, second) = (seconds / 86_400, seconds % 86_400)
    let days = day + 719_468
    let cycle = days % 146_097
    let year = (cycle - cycle / 1460 + cycle / 36_524 - cycle / 146_096) / 365
    let rest = cycle - (365 * year + year / 4 - year / 100)
    let month = (5 * rest + 2) / 153
    let isNextYear = month >= 10
    var text = String(days / 146_097 * 400 + year + (isNextYear ? 1 : 0))
    func add(_ number: Int64) { text += (number < 10 ? "0" : "") + String(number) }
    add(isNextYear ? month - 9 : month + 3)
    add(rest - (153 * month + 2) / 5 + 1)
    text += "-"
    add(second / 3600)
    add(second / 60 % 60)
    add(second % 60)
    return text
  }

  init(_ time: timespec) {
    (seconds, nanoseconds) = (Int64(time.tv_sec), Int64(time.tv_nsec))
  }

  /// Whether `one` is earlier.
  public static func < (one: FileTime, other: FileTime) -> Bool {
    (one.seconds, one.nanoseconds) < (other.seconds, other.nanoseconds)
  }

  var timespec: timespec {
    Glibc.timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds))
  }
}

/// What fstatat(2) tells about an entry of a directory.
public struct EntryStatus: Equatable, Sendable {
  /// Its kind.
  public let kind: FileFacts.Kind
  /// The permissions and the set-id bits.
  public let permissions: UInt32
  /// The owner.
  public let owner: UInt32
  /// The size in bytes.
  public let size: Int64
  /// The number of its names.
  public let links: UInt64
  /// Which file it is.
  public let identity: FileIdentity
  /// When the content changed last.
  public let modified: FileTime
  /// When the file, its permissions or its names changed last; nobody can set this back.
  public let changed: FileTime
  /// Whether it is a whiteout, by which an upper layer of overlayfs removes an entry below.
  public let isWhiteout: Bool

  init(_ status: stat) {
    kind = FileFacts.Kind(status.st_mode)
    permissions = status.st_mode & 0o7777
    owner = status.st_uid
    size = Int64(status.st_size)
    links = UInt64(status.st_nlink)
    identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    modified = FileTime(status.st_mtim)
    changed = FileTime(status.st_ctim)
    isWhiteout = status.st_mode & S_IFMT == S_IFCHR && status.st_rdev == 0
  }
}

extension OwnedDescriptor {
  /// What is known about the entry `name`; nil where there is none.
  ///
  /// See fstatat(2).
  public borrowing func entryStatus(
    _ name: FilePath
  ) throws(SystemCallError) -> EntryStatus? {
    var status = stat()
    let result = unsafe name.withPlatformString {
      unsafe fstatat(rawValue, $0, &status, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0
    }
    if result == -ENOENT || result == -ENOTDIR { return nil }
    try check(result, "fstatat")
    return EntryStatus(status)
  }

  /// What is known about this file.
  ///
  /// See fstat(2).
  public borrowing func entryStatus() throws(SystemCallError) -> EntryStatus {
    EntryStatus(try fileStatus())
  }

  /// Whether this directory, which is open for reading and was not read yet, has no entries.
  ///
  /// See getdents(2).
  public borrowing func isEmptyDirectory() -> Bool { linux_is_empty_directory(rawValue) == 1 }

  /// Opens the regular file `name` for reading; fails with EINVAL where it is anything else.
  ///
  /// A FIFO is not waited for. See openat(2), O_NOFOLLOW.
  public borrowing func openRegularEntry(
    _ name: FilePath
  ) throws(SystemCallError) -> OwnedDescriptor {
    let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
    let result = unsafe name.withPlatformString { unsafe linux_openat(rawValue, $0, flags, 0) }
    let file = OwnedDescriptor(try check(result, "openat"))
    guard try file.isRegularFile() else {
      throw SystemCallError(call: "openat", errno: .invalidArgument)
    }
    return file
  }

  /// Opens the file `name` of this user, or makes it unless `isMade` is false, and locks it until that
  /// descriptor and all its copies are closed; nil if another process has locked it.
  ///
  /// See flock(2).
  public borrowing func lockedEntry(
    _ name: FilePath, isMade: Bool = true
  ) throws(SystemCallError) -> OwnedDescriptor? {
    let flags = O_RDONLY | (isMade ? O_CREAT : 0) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
    let number = unsafe name.withPlatformString {
      unsafe linux_openat(rawValue, $0, flags, 0o600)
    }
    let file = OwnedDescriptor(try check(number, "openat"))
    let result = linux_flock(file.rawValue, LOCK_EX | LOCK_NB)
    if result == -EWOULDBLOCK { return nil }
    try check(result, "flock")
    return file
  }

  /// Renames `name` to `other`, and fails with EEXIST where that exists.
  ///
  /// See renameat2(2), RENAME_NOREPLACE.
  public borrowing func rename(
    _ name: FilePath, toFreeName other: FilePath
  ) throws(SystemCallError) {
    let result = unsafe name.withPlatformString { name in
      unsafe other.withPlatformString { other in
        unsafe linux_rename_to_free_name(rawValue, name, other)
      }
    }
    try check(result, "renameat2")
  }

  /// Moves the entry `name` to the directory `target` as `other`.
  ///
  /// See renameat(2).
  public borrowing func move(
    _ name: FilePath, to target: borrowing OwnedDescriptor, as other: FilePath
  ) throws(SystemCallError) {
    let result = unsafe name.withPlatformString { name in
      unsafe other.withPlatformString { other in
        unsafe renameat(rawValue, name, target.rawValue, other) < 0 ? -errno : 0
      }
    }
    try check(result, "renameat")
  }

  /// Makes the FIFO `name`.
  ///
  /// See mkfifoat(3).
  public borrowing func makeFIFO(
    _ name: FilePath, _ permissions: UInt32
  ) throws(SystemCallError) {
    let result = unsafe name.withPlatformString {
      unsafe mkfifoat(rawValue, $0, mode_t(permissions)) < 0 ? -errno : 0
    }
    try check(result, "mkfifoat")
  }

  /// Sets the permissions of this file, which is open for reading or writing.
  ///
  /// See fchmod(2).
  public borrowing func changePermissions(_ permissions: UInt32) throws(SystemCallError) {
    try check(fchmod(rawValue, mode_t(permissions)) < 0 ? -errno : 0, "fchmod")
  }

  /// Sets when the content of the entry `name` changed last.
  ///
  /// See utimensat(2).
  public borrowing func setModified(
    _ name: FilePath, to time: FileTime
  ) throws(SystemCallError) {
    // UTIME_OMIT: the time of the last access stays.
    let times: InlineArray<2, timespec> = [
      timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2), time.timespec,
    ]
    let result = unsafe name.withPlatformString { name in
      unsafe times.span.withUnsafeBufferPointer { times in
        unsafe utimensat(rawValue, name, times.baseAddress, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0
      }
    }
    try check(result, "utimensat")
  }

  /// The first `count` bytes of the extended attribute `name` of this file, which is open for
  /// reading; nil where it has none.
  ///
  /// See fgetxattr(2).
  public borrowing func attribute(_ name: StaticString, _ count: Int = 16) -> [UInt8]? {
    var value = [UInt8](zeros: count)
    let length = unsafe value.withUnsafeMutableBytes { buffer -> Int in
      guard let start = buffer.baseAddress else { return -1 }
      return unsafe Int(
        linux_attribute(
          rawValue, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self), start,
          buffer.count))
    }
    return length < 0 ? nil : Array(value[..<min(length, count)])
  }

  /// Gives this file the extended attribute `name`.
  ///
  /// See fsetxattr(2).
  public borrowing func setAttribute(
    _ name: StaticString, to value: [UInt8]
  ) throws(SystemCallError) {
    let result = unsafe value.withUnsafeBytes { buffer -> CInt in
      guard let start = buffer.baseAddress else { return -EINVAL }
      return unsafe linux_set_attribute(
        rawValue, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self), start,
        buffer.count)
    }
    try check(result, "fsetxattr")
  }

  /// Fails unless the file system keeps the extended attribute `name` of this directory, which is
  /// open for reading, and whiteouts in it: what overlayfs needs of an upper layer.
  ///
  /// See fsetxattr(2), mknodat(2).
  public borrowing func requireLayer(_ name: StaticString) throws(SystemCallError) {
    let result = unsafe linux_try_attribute(
      rawValue, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self))
    try check(result, "fsetxattr")
    let probe: FilePath = "probe"
    let made = unsafe probe.withPlatformString {
      unsafe mknodat(rawValue, $0, S_IFCHR, 0) < 0 ? -errno : 0
    }
    try check(made, "mknodat")
    try remove(probe, .other)
  }

  /// Writes what the file system of this file has in memory to its device.
  ///
  /// See syncfs(2).
  public borrowing func writeBack() { _ = linux_syncfs(rawValue) }
}

// MARK: - Contents

extension Descriptors {
  /// Whether the first `size` bytes of two regular files are the same, as far as reading tells; where
  /// both have a hole, nothing is read.
  public static func haveSameContent(
    _ one: borrowing OwnedDescriptor, _ other: borrowing OwnedDescriptor, size: Int64,
    isToStop: () -> Bool = { false }
  ) throws(SystemCallError) -> Bool {
    var offset: Int64 = 0
    while offset < size {
      if isToStop() { throw SystemCallError(call: "read", errno: .interrupted) }
      offset = min(
        nextData(one.rawValue, offset, size), nextData(other.rawValue, offset, size))
      let count = Int(min(65_536, size - offset))
      if count == 0 { break }
      let bytes = try Descriptors.bytes(of: one.rawValue, at: UInt64(offset), count: count)
      let others = try Descriptors.bytes(of: other.rawValue, at: UInt64(offset), count: count)
      guard bytes == others else { return false }
      // Both became shorter meanwhile.
      if bytes.isEmpty { break }
      offset += Int64(bytes.count)
    }
    return true
  }

  /// Where a file has data next, at `offset` or after it; `size` where the rest is a hole.
  ///
  /// See lseek(2), SEEK_DATA.
  private static func nextData(_ number: CInt, _ offset: Int64, _ size: Int64) -> Int64 {
    let data = lseek(number, off_t(offset), 3)
    // A file system that tells nothing of holes is read.
    if data < 0 { return errno == ENXIO ? size : offset }
    return min(size, Int64(data))
  }

  /// Copies the first `size` bytes of a regular file to `target`, which is empty, and leaves its
  /// holes out.
  ///
  /// See lseek(2), SEEK_DATA, and ftruncate(2).
  public static func copyRegular(
    _ source: borrowing OwnedDescriptor, size: Int64, to target: borrowing OwnedDescriptor,
    isToStop: () -> Bool = { false }
  ) throws(SystemCallError) {
    // The size first: a file that cannot be that large fails before anything is written.
    try check(ftruncate(target.rawValue, off_t(size)) < 0 ? -errno : 0, "ftruncate")
    var offset: Int64 = 0
    while offset < size {
      let data = lseek(source.rawValue, off_t(offset), 3)
      if data < 0 {
        // The rest is a hole.
        if errno == ENXIO { return }
        try check(-errno, "lseek")
      }
      var hole = lseek(source.rawValue, off_t(data), 4)
      if hole < 0 { hole = off_t(size) }
      let end = min(size, max(Int64(hole), Int64(data) + 1))
      lseek(source.rawValue, off_t(data), SEEK_SET)
      lseek(target.rawValue, off_t(data), SEEK_SET)
      offset = Int64(data)
      while offset < end {
        if isToStop() { throw SystemCallError(call: "copy_file_range", errno: .interrupted) }
        let most = Int(min(Int64(largestMove), end - offset))
        let count = try move(from: source.rawValue, to: target.rawValue, most: most)
        // It became shorter meanwhile.
        if count == 0 { return }
        offset += Int64(count)
      }
    }
  }
}
