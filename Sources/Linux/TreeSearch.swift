// SPDX-License-Identifier: Apache-2.0
// A walk through a tree that may be hostile: no link is followed, and it ends.

internal import CLinux
internal import Glibc
public import SystemPackage
public import Text

/// Walks through a tree by descriptors.
public enum TreeSearch {
  /// How many directories are looked into, and how deep.
  private static let limit = (directories: 50_000, depth: 64)

  /// Calls `body` with each directory below `top`, `top` included, as a path from there and with
  /// its entries; it answers which of those to look into.
  ///
  /// A directory that cannot be opened, or that someone has put a link in the place of, is passed
  /// over. See openat2(2), RESOLVE_NO_SYMLINKS.
  /// - Returns: Whether the whole tree was looked through.
  public static func forEachDirectory<Failure: Error>(
    below top: borrowing OwnedDescriptor,
    _ body: (FilePath, [DirectoryEntry]) throws(Failure) -> [DirectoryEntry]
  ) throws(Failure) -> Bool {
    var pending: [FilePath] = ["."]
    var count = 0
    var isComplete = true
    while let path = pending.popLast() {
      count += 1
      guard count <= limit.directories else { return false }
      guard let directory = try? top.openDirectlyInRoot(path),
        let entries = try? Directory.entries(of: directory)
      else { continue }
      let inside = try body(path, entries)
      if path.components.count >= limit.depth {
        if !inside.isEmpty { isComplete = false }
        continue
      }
      for entry in inside.reversed() { pending.append(path.appending(entry.name.path.components)) }
    }
    return isComplete
  }
}

/// A name in a directory.
public struct DirectoryEntry: Sendable {
  /// The name.
  public let name: ByteString
  /// What kind of file it is of.
  public let kind: FileFacts.Kind
}

extension Directory {
  /// The entries of an open directory, without `.` and `..`.
  ///
  /// See readdir(3).
  public static func entries(
    of directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> [DirectoryEntry] {
    let number = unsafe linux_openat(
      directory.rawValue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    try check(number, "open")
    guard let stream = unsafe fdopendir(number) else {
      let error = failure(-errno, "fdopendir")
      close(number)
      throw error
    }
    var entries: [DirectoryEntry] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe ByteString(nulTerminated: $0)
        }
      }
      if name == "." || name == ".." { continue }
      let type = unsafe entry.pointee.d_type
      // Some file systems do not say: then the entry itself is asked.
      let kind =
        type == 0
        ? (try? directory.openEntry(name.path).kindOfFile()) ?? .regular
        : FileFacts.Kind(type: type)
      entries.append(DirectoryEntry(name: name, kind: kind))
    }
    unsafe closedir(stream)
    return entries
  }
}

extension FileFacts.Kind {
  /// A type as readdir(3) has it.
  fileprivate init(type: UInt8) {
    switch type {
    case 1: self = .fifo
    case 4: self = .directory
    case 8: self = .regular
    case 10: self = .link
    case 12: self = .socket
    default: self = .device
    }
  }
}

extension OwnedDescriptor {
  /// What kind of file this is.
  ///
  /// See fstat(2).
  public borrowing func kindOfFile() throws(SystemCallError) -> FileFacts.Kind {
    FileFacts.Kind(try fileStatus().st_mode)
  }
}
