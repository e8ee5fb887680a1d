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
    for path in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] as [FilePath] {
      if let directory = try? OwnedDescriptor.open(path, .readableDirectory),
        linux_is_in_cgroup2(directory.rawValue) != 0
      {
        return path
      }
    }
    throw SystemCallError(
      call: "statfs", subject: "/sys/fs/cgroup", errno: .noSuchFileOrDirectory)
  }
}

extension OpenMode {
  /// A directory whose entries can be read.
  public static let readableDirectory = OpenMode(flags: O_RDONLY | O_DIRECTORY, permissions: 0)
  /// For writing a file that exists.
  public static let writingOnly = OpenMode(flags: O_WRONLY | O_NOCTTY, permissions: 0)
}

extension Descriptors {
  /// The first `limit` bytes of the file `name` in the directory `number`.
  public static func contents(
    of name: FilePath, in number: CInt, limit: Int
  ) throws(SystemCallError) -> [UInt8] {
    let file = try openFile(name, in: number, O_RDONLY)
    return try beginning(of: file.rawValue, limit)
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

  /// Opens the file `name` in the directory `number` for writing.
  public static func openForWriting(
    _ name: FilePath, in number: CInt
  ) throws(SystemCallError) -> OwnedDescriptor {
    try openFile(name, in: number, O_WRONLY)
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
