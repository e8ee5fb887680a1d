// SPDX-License-Identifier: Apache-2.0
// Facts about files that need no access to their content: kind, owner, permissions, place.

internal import CLinux
internal import Glibc
public import SystemPackage
public import Text

/// Facts about a file that stat(2) gives without opening it.
///
/// See inode(7).
public struct FileFacts: Equatable, Sendable {
  /// The kinds of files.
  public enum Kind: String, Equatable, Sendable {
    case directory, regular, link, socket, fifo, device
  }

  /// The kind of the file.
  public let kind: Kind
  /// The permissions, as chmod(1) takes them.
  public let permissions: UInt32
  /// The user who owns it.
  public let owner: UInt32

  /// States the facts.
  public init(kind: Kind, permissions: UInt32, owner: UInt32) {
    self.kind = kind
    self.permissions = permissions
    self.owner = owner
  }

  /// Looks at `path`; if it ends in a symbolic link, at the link itself unless `followsLinks` is
  /// true.
  ///
  /// See fstatat(2).
  public init(at path: FilePath, followsLinks: Bool = false) throws(SystemCallError) {
    var status = stat()
    let flags = followsLinks ? 0 : AT_SYMLINK_NOFOLLOW
    let result = unsafe path.withPlatformString {
      unsafe fstatat(AT_FDCWD, $0, &status, flags) < 0 ? -errno : 0
    }
    try check(result, "stat")
    self.init(
      kind: Kind(status.st_mode), permissions: status.st_mode & 0o7777, owner: status.st_uid)
  }
}

extension FileFacts.Kind {
  init(_ mode: UInt32) {
    switch mode & S_IFMT {
    case S_IFDIR: self = .directory
    case S_IFREG: self = .regular
    case S_IFLNK: self = .link
    case S_IFSOCK: self = .socket
    case S_IFIFO: self = .fifo
    default: self = .device
    }
  }
}

/// An access to a file that the kernel may grant to this process.
///
/// See access(2).
public enum FileAccess: CInt, Sendable {
  case execute = 1
  case write = 2
  case read = 4

  /// Whether this process has this access to `path`.
  public func isGranted(_ path: FilePath) -> Bool {
    unsafe path.withPlatformString {
      unsafe faccessat(AT_FDCWD, $0, rawValue, AT_EACCESS) == 0
    }
  }
}

/// The file to which a path leads.
public struct FoundFile: Equatable, Sendable {
  /// Its path without links and detours; the name of a file without a path, such as a namespace.
  public let path: FilePath
  /// Its kind.
  public let kind: FileFacts.Kind
  /// The number of its mount, as in a mount table; nil if the kernel does not say.
  public let mount: Int?

  /// States a file.
  public init(path: FilePath, kind: FileFacts.Kind, mount: Int?) {
    self.path = path
    self.kind = kind
    self.mount = mount
  }

  /// Follows `path` to its end without opening the file for reading; looks for its mount if
  /// `findsMount`.
  ///
  /// See open(2), O_PATH, and proc(5), fdinfo.
  public init(following path: FilePath, findsMount: Bool = true) throws(SystemCallError) {
    let file = try OwnedDescriptor.open(path, .location)
    let kind: FileFacts.Kind
    do throws(SystemCallError) {
      kind = FileFacts.Kind(try file.fileStatus().st_mode)
    } catch {
      // FUSE tells other users nothing about the root of a file system, which is a directory.
      guard error.errno == .permissionDenied else { throw error }
      kind = .directory
    }
    let path = try Descriptors.path(of: file.rawValue)
    self.init(path: path, kind: kind, mount: findsMount ? FoundFile.mount(of: file) : nil)
  }

  private static func mount(of file: borrowing OwnedDescriptor) -> Int? {
    let name = FilePath("/proc/self/fdinfo/" + String(file.rawValue))
    let lines = (try? TextFile.lines(of: name)) ?? []
    let number = lines.first { $0.hasPrefix("mnt_id:") }
    return number.flatMap { Int($0.dropFirst(7).filter(\.isNumber)) }
  }
}

/// Small text files, such as those of /proc and /sys.
public enum TextFile {
  /// The text of `path`, with a replacement character for bytes that are not UTF-8.
  public static func text(of path: FilePath) throws(SystemCallError) -> String {
    String(decoding: try bytes(of: path), as: UTF8.self)
  }

  /// The content of `path` as bytes.
  public static func bytes(of path: FilePath) throws(SystemCallError) -> [UInt8] {
    let file = try OwnedDescriptor.open(path, .reading)
    return try Descriptors.contents(of: file.rawValue)
  }

  /// The lines of `path`.
  public static func lines(of path: FilePath) throws(SystemCallError) -> [Substring] {
    try text(of: path).split(separator: "\n")
  }

  /// The number in `path`, if the file holds nothing else, as the files of sysctls do.
  public static func number(in path: FilePath) -> Int64? {
    (try? text(of: path)).flatMap { Int64($0.filter { !$0.isWhitespace }) }
  }

  /// At most the first `count` bytes of the regular file `path`.
  public static func beginning(
    of path: FilePath, _ count: Int
  ) throws(SystemCallError) -> [UInt8] {
    let file = try OwnedDescriptor.openRegularFile(path)
    return try Descriptors.bytes(of: file.rawValue, at: 0, count: count)
  }
}

extension OwnedDescriptor {
  /// Opens `path` for reading where it is a regular file.
  ///
  /// A device or FIFO is not opened at all. If someone puts one in the file's place meanwhile, or
  /// holds a lease on the file, this does not wait. See open(2), O_NONBLOCK.
  public static func openRegularFile(
    _ path: FilePath
  ) throws(SystemCallError) -> OwnedDescriptor {
    let facts = try FileFacts(at: path, followsLinks: true)
    if facts.kind == .regular {
      let file = try OwnedDescriptor.open(path, .reading)
      if try file.isRegularFile() { return file }
    }
    throw SystemCallError(call: "open", errno: .invalidArgument)
  }
}

extension Descriptors {
  /// At most `count` bytes of `number` from `offset` on.
  ///
  /// See pread(2).
  public static func bytes(
    of number: CInt, at offset: UInt64, count: Int
  ) throws(SystemCallError) -> [UInt8] {
    var buffer = [UInt8](zeros: count)
    let result = retrying {
      unsafe buffer.withUnsafeMutableBytes { buffer -> Int in
        let count = unsafe pread(
          number, buffer.baseAddress, buffer.count, off_t(truncatingIfNeeded: offset))
        return count < 0 ? Int(-errno) : count
      }
    }
    if result < 0 { throw failure(CInt(result), "pread") }
    return Array(buffer[..<result])
  }

  /// The numbers of this process's open descriptors.
  ///
  /// See proc(5), fd.
  public static func allOpen() throws(SystemCallError) -> [CInt] {
    try Directory.names(of: "/proc/self/fd").compactMap { CInt($0.text) }
      .filter { isOpen($0) }.sorted()
  }
}

/// Listings of directories.
public enum Directory {
  /// The names in `path`, without `.` and `..`; of more than `most`, the first.
  ///
  /// See readdir(3).
  public static func names(
    of path: FilePath, most: Int = .max
  ) throws(SystemCallError) -> [ByteString] {
    var names: [ByteString] = []
    let number = unsafe path.withPlatformString {
      unsafe linux_openat(AT_FDCWD, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    }
    try check(number, "open")
    guard let stream = unsafe fdopendir(number) else {
      let error = failure(-errno, "fdopendir")
      close(number)
      throw error
    }
    defer { unsafe closedir(stream) }
    // At the end readdir(3) leaves errno as it is.
    errno = 0
    while names.count < most, let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe ByteString(nulTerminated: $0)
        }
      }
      if name != "." && name != ".." { names.append(name) }
      errno = 0
    }
    if errno != 0 { throw failure(-errno, "readdir") }
    return names
  }
}

/// Restrictions of the mount that a file lies on.
///
/// See statvfs(3).
public enum FilesystemFlags {
  /// Whether the mount of `path` forbids execution.
  public static func forbidExecution(at path: FilePath) -> Bool {
    var status = statvfs()
    let result = unsafe path.withPlatformString { unsafe statvfs($0, &status) }
    // ST_NOEXEC: the C library declares it for _GNU_SOURCE only.
    return result == 0 && status.f_flag & 8 != 0
  }
}
