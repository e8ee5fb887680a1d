// SPDX-License-Identifier: Apache-2.0
// The unified hierarchy of control groups, as files.

internal import CLinux
internal import Glibc
public import SystemPackage
internal import Text

/// The unified hierarchy of control groups.
///
/// See cgroups(7).
public enum UnifiedHierarchy {
  /// Where it is mounted; on machines that also have the older hierarchies, that is another directory.
  public static func place() throws(SystemCallError) -> FilePath {
    for path in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] as [FilePath]
    where unsafe path.withPlatformString({ unsafe linux_is_in_cgroup2($0) }) != 0 {
      return path
    }
    throw SystemCallError(
      call: "statfs", subject: "/sys/fs/cgroup", errno: .noSuchFileOrDirectory)
  }
}

extension OpenMode {
  /// A directory whose entries can be read.
  public static let readableDirectory = OpenMode(flags: O_RDONLY | O_DIRECTORY, permissions: 0)
}

extension Descriptors {
  /// The first `limit` bytes of the file `name` in the directory `number`.
  public static func contents(
    of name: FilePath, in number: CInt, limit: Int
  ) throws(SystemCallError) -> [UInt8] {
    let file = try openFile(name, in: number, O_RDONLY)
    return try piece(of: file.rawValue, limit: limit)
  }

  /// At most the first `limit` bytes of `number`, a file whose text the kernel makes in one piece.
  ///
  /// A read that has room left has read all of it.
  public static func piece(of number: CInt, limit: Int) throws(SystemCallError) -> [UInt8] {
    var text: [UInt8] = []
    while true {
      let room = min(limit - text.count, max(1024, text.count))
      let part = try bytes(of: number, at: UInt64(text.count), count: room)
      text += part
      if part.count < room || text.count == limit { return text }
    }
  }

  /// Writes `text` to the file `name` in the directory `number`, which exists.
  public static func write(
    _ text: String, to name: FilePath, in number: CInt
  ) throws(SystemCallError) {
    let file = try openFile(name, in: number, O_WRONLY)
    do throws(SystemCallError) {
      try write(text, to: file.rawValue)
    } catch {
      throw error.about(ByteString(name))
    }
  }

  /// Writes `text` to the file `name` in the directory `number`, and returns what is in the file then.
  public static func writeAndRead(
    _ text: String, to name: FilePath, in number: CInt, limit: Int
  ) throws(SystemCallError) -> [UInt8] {
    let file = try openFile(name, in: number, O_RDWR)
    do throws(SystemCallError) {
      try write(text, to: file.rawValue)
      return try piece(of: file.rawValue, limit: limit)
    } catch {
      throw error.about(ByteString(name))
    }
  }

  private static func openFile(
    _ name: FilePath, in number: CInt, _ access: CInt
  ) throws(SystemCallError) -> OwnedDescriptor {
    let result = unsafe name.withPlatformString {
      unsafe linux_openat(number, $0, access | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0)
    }
    do throws(SystemCallError) {
      return OwnedDescriptor(try check(result, "open"))
    } catch {
      throw error.about(ByteString(name))
    }
  }
}

extension OwnedDescriptor {
  /// Whether the extended attribute `name` of this file, which is open for reading, is `1`.
  ///
  /// See xattr(7).
  public borrowing func isMarked(_ name: String) -> Bool {
    unsafe linux_is_marked(rawValue, name) != 0
  }
}

/// The processors.
public enum Processors {
  /// How many this process can use, at least one.
  ///
  /// See sysconf(3).
  public static var count: Int64 { max(Int64(sysconf(CInt(_SC_NPROCESSORS_ONLN))), 1) }
}
