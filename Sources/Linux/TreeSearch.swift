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
  /// A directory that this user may not open, or that someone has put a link in the place of, is
  /// passed over. See openat2(2), RESOLVE_NO_SYMLINKS.
  /// - Parameters:
  ///   - top: Where the walk begins.
  ///   - closed: Called with each directory that belongs to this user but cannot be read: with its
  ///     names unknown, files in it can still be reached by them.
  ///   - body: Called with each other directory.
  /// - Returns: How it ended.
  /// - Throws: What `body` throws.
  public static func forEachDirectory<Failure: Error>(
    below top: borrowing OwnedDescriptor, closed: (FilePath) -> Void = { _ in },
    _ body: (FilePath, [DirectoryEntry]) throws(Failure) -> [DirectoryEntry]
  ) throws(Failure) -> Outcome {
    var pending: [FilePath] = ["."]
    var count = 0
    var isComplete = true
    while let path = pending.popLast() {
      count += 1
      guard count <= limit.directories else { return .tooLarge }
      let entries: [DirectoryEntry]
      do throws(SystemCallError) {
        // The top is there: if it cannot be read, nothing is known of the tree.
        guard
          let found = path == "."
            ? try Directory.entries(of: top)
            : try Directory.entries(of: path, in: top, closed: closed)
        else { continue }
        entries = found
      } catch {
        return .failed(error)
      }
      let inside = try body(path, entries)
      if path.components.count >= limit.depth {
        if !inside.isEmpty { isComplete = false }
        continue
      }
      for entry in inside.reversed() { pending.append(path.appending(entry.name.path.components)) }
    }
    return isComplete ? .complete : .tooLarge
  }

  /// How a walk ended.
  public enum Outcome: Sendable {
    /// The whole tree was looked through.
    case complete
    /// There are more directories than the limits allow.
    case tooLarge
    /// The machine failed, so that a directory may have been missed.
    case failed(SystemCallError)
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
  /// The entries of the directory `path` below `top`; nil if it is not there for this process.
  fileprivate static func entries(
    of path: FilePath, in top: borrowing OwnedDescriptor, closed: (FilePath) -> Void
  ) throws(SystemCallError) -> [DirectoryEntry]? {
    guard
      let directory = try ifPresent({ () throws(SystemCallError) in
        try top.openDirectlyInRoot(path)
      })
    else { return nil }
    guard let number = try ifPresent({ () throws(SystemCallError) in try open(directory) }) else {
      if try directory.statusIfTold()?.owner == geteuid() { closed(path) }
      return nil
    }
    return try entries(of: directory, openAs: number)
  }

  /// The entries of an open directory, without `.` and `..`; of more than `limit`, some.
  ///
  /// See readdir(3).
  public static func entries(
    of directory: borrowing OwnedDescriptor, limit: Int = .max
  ) throws(SystemCallError) -> [DirectoryEntry] {
    try entries(of: directory, openAs: open(directory), limit: limit)
  }

  private static func open(
    _ directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> CInt {
    let number = unsafe linux_openat(
      directory.rawValue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    return try check(number, "open")
  }

  /// Reads the entries, and closes `number`.
  private static func entries(
    of directory: borrowing OwnedDescriptor, openAs number: CInt, limit: Int = .max
  ) throws(SystemCallError) -> [DirectoryEntry] {
    guard let stream = unsafe fdopendir(number) else {
      let error = failure(-errno, "fdopendir (fstat, fcntl)")
      close(number)
      throw error
    }
    var entries: [DirectoryEntry] = []
    while entries.count < limit {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        guard errno != 0 else { break }
        let error = failure(-errno, "getdents64")
        unsafe closedir(stream)
        throw error
      }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe ByteString(nulTerminated: $0)
        }
      }
      if name == "." || name == ".." { continue }
      let type = unsafe entry.pointee.d_type
      // Some file systems do not say: then the entry itself is asked.
      var kind = FileFacts.Kind(type: type)
      if type == 0 {
        do throws(SystemCallError) {
          // One that has just been removed does not matter.
          guard
            let found = try ifPresent({ () throws(SystemCallError) in
              try directory.openEntry(name.path).kindOfFile()
            })
          else { continue }
          kind = found
        } catch {
          unsafe closedir(stream)
          throw error
        }
      }
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
