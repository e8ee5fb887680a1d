// SPDX-License-Identifier: Apache-2.0
// Open files of the caller: what their descriptors allow, and the same files with less.

internal import CLinux
internal import Glibc
internal import SystemPackage

/// Facts about an open file that decide what a process can make of its descriptor.
///
/// See fstat(2), and fcntl(2), F_GETFL.
public struct OpenFile {
  /// The kinds of files that differ in that.
  public enum Kind: Equatable, Sendable {
    case directory, regular, blockDevice, characterDevice, other
  }

  /// What a descriptor is open for.
  public enum Access: Equatable, Sendable {
    case reading, writing, both
    /// Only naming the file, with O_PATH.
    case location
  }

  /// The kind of the file.
  public let kind: Kind
  /// What the descriptor is open for.
  public let access: Access
  /// The flags of the descriptor, which all its copies share.
  public let flags: CInt
  /// Whether each write goes to the end of the file.
  public var isAppending: Bool { flags & O_APPEND != 0 }
  /// Whether the file has no content.
  public let isEmpty: Bool
  /// Which file it is.
  public let identity: FileIdentity

  /// Looks at the open file `number`.
  public init(_ number: CInt) throws(SystemCallError) {
    var status = stat()
    try check(unsafe fstat(number, &status) < 0 ? -errno : 0, "fstat")
    flags = try check(linux_fcntl(number, F_GETFL, 0), "fcntl")
    switch status.st_mode & S_IFMT {
    case S_IFDIR: kind = .directory
    case S_IFREG: kind = .regular
    case S_IFBLK: kind = .blockDevice
    case S_IFCHR: kind = .characterDevice
    default: kind = .other
    }
    if flags & CInt(LINUX_O_PATH) != 0 {
      access = .location
    } else {
      switch flags & O_ACCMODE {
      case O_RDONLY: access = .reading
      case O_WRONLY: access = .writing
      default: access = .both
      }
    }
    isEmpty = status.st_size == 0
    identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }
}

extension Descriptors {
  /// Gives `number` the flags `flags` if it has others, such as O_NONBLOCK or O_ASYNC.
  ///
  /// See fcntl(2), F_SETFL.
  public static func restoreFlags(of number: CInt, to flags: CInt) {
    let present = linux_fcntl(number, F_GETFL, 0)
    if present >= 0, present != flags { _ = linux_fcntl(number, F_SETFL, Int(flags)) }
  }

  /// Whether `number` is open for writing.
  ///
  /// See fcntl(2), F_GETFL.
  public static func isWritable(_ number: CInt) throws(SystemCallError) -> Bool {
    let flags = try check(linux_fcntl(number, F_GETFL, 0), "fcntl")
    return flags & CInt(LINUX_O_PATH) == 0 && flags & O_ACCMODE != O_RDONLY
  }

  /// Whether the mount through which `number` is open is read-only.
  ///
  /// See fstatvfs(3).
  public static func isOnReadOnlyMount(_ number: CInt) -> Bool {
    var status = statvfs()
    return unsafe fstatvfs(number, &status) == 0 && status.f_flag & UInt(ST_RDONLY) != 0
  }

  /// Where the next read of `number` begins; nil if the file has no positions.
  ///
  /// See lseek(2).
  public static func position(of number: CInt) -> Int64? {
    let position = lseek(number, 0, SEEK_CUR)
    return position < 0 ? nil : Int64(position)
  }

  /// Sets where the next read of `number` begins.
  ///
  /// See lseek(2).
  public static func setPosition(of number: CInt, to position: Int64) {
    _ = lseek(number, off_t(position), SEEK_SET)
  }

  /// How many bytes can be read from the pipe `number` now.
  ///
  /// See ioctl_pipe(2), FIONREAD.
  public static func waitingBytes(in number: CInt) -> Int {
    max(0, Int(linux_waiting_bytes(number)))
  }

  /// How much a copy moves at once.
  public static var largestMove: Int { 65_536 }

  /// Reads once from `source`, at most `most` bytes, and writes all of that to `target`.
  /// - Returns: How many bytes; 0 at the end of the source.
  ///
  /// See read(2) and write(2).
  public static func move(
    from source: CInt, to target: CInt, most: Int = largestMove
  ) throws(SystemCallError) -> Int {
    let capacity = max(1, min(most, largestMove))
    let result = unsafe withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 8) {
      buffer -> (count: Int, call: String) in
      let count = retrying {
        let count = unsafe read(source, buffer.baseAddress, capacity)
        return count < 0 ? Int(-errno) : count
      }
      if count <= 0 { return (count, "read") }
      var written = 0
      while written < count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written..<count])
        let more = retrying {
          let more = unsafe Glibc.write(target, rest.baseAddress, rest.count)
          return more < 0 ? Int(-errno) : more
        }
        if more < 0 { return (more, "write") }
        written += more
      }
      return (count, "read")
    }
    try check(CInt(truncatingIfNeeded: min(result.count, 0)), result.call)
    return result.count
  }
}

extension OwnedDescriptor {
  /// Opens the file at this location for reading, through the same mount.
  ///
  /// See open(2), O_PATH, and proc(5), fd.
  public borrowing func openedForReading() throws(SystemCallError) -> OwnedDescriptor {
    let link = FilePath("/proc/self/fd/" + String(rawValue))
    // It must not wait for a process that holds a lease on the file.
    let file = try OwnedDescriptor.open(link, .reading)
    try check(linux_fcntl(file.rawValue, F_SETFL, 0), "fcntl")
    return file
  }

  /// A copy in memory of all that the file `number` contains, open for reading, which nobody can
  /// change.
  ///
  /// See memfd_create(2), and fcntl(2), F_ADD_SEALS.
  public static func sealedCopy(of number: CInt) throws(SystemCallError) -> OwnedDescriptor {
    let copy = OwnedDescriptor(try check(unsafe linux_memory_file("nestbox"), "memfd_create"))
    var status = stat()
    try check(unsafe fstat(number, &status) < 0 ? -errno : 0, "fstat")
    // Files of /proc have no size, and not all of them have an end.
    let limit = max(UInt64(clamping: status.st_size), 1 << 26)
    var offset: UInt64 = 0
    while offset < limit {
      let bytes = try Descriptors.bytes(of: number, at: offset, count: 65_536)
      if bytes.isEmpty { break }
      try Descriptors.write(bytes[...], to: copy.rawValue)
      offset += UInt64(bytes.count)
    }
    try check(linux_seal(copy.rawValue), "fcntl(F_ADD_SEALS)")
    do throws(SystemCallError) {
      return try copy.openedForReading()
    } catch {
      // Without /proc, a descriptor for writing, which the seals make useless.
      Descriptors.setPosition(of: copy.rawValue, to: 0)
      return copy
    }
  }
}
