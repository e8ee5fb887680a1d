// SPDX-License-Identifier: Apache-2.0
// Directories that hold more than one project: other programs' files, secrets and sockets.

internal import Linux
internal import SystemPackage
internal import Text

/// The directories that nobody means to give away who gives away the directory of a project.
struct SharedDirectories {
  private let surroundings: Surroundings

  init(_ surroundings: Surroundings) { self.surroundings = surroundings }

  /// What `directory`, a path without links, is where it is one of them or holds one; else nil.
  func kind(of directory: ByteString) -> String? {
    let path = directory.path
    for (shared, kind) in all {
      // Whatever the variables call it, it is the directory behind the links that counts.
      guard let real = SharedDirectories.resolved(shared) else { continue }
      if real == path { return kind }
      if real.starts(with: path) { return "above \(kind)" }
    }
    return nil
  }

  private var all: [(ByteString, String)] {
    [
      ("/", "the root directory"), (surroundings.home, "your home directory"),
      (surroundings.runtimeDirectory, "the directory of your session's sockets"),
      ("/tmp", "a directory of everybody's"), ("/var/tmp", "a directory of everybody's"),
      ("/dev/shm", "a directory of everybody's"),
      ("/run", "the directory of the machine's sockets"),
    ]
  }

  private static func resolved(_ path: ByteString) -> FilePath? {
    guard let directory = try? OwnedDescriptor.open(path.path, .directory) else { return nil }
    return try? Descriptors.path(of: directory.rawValue)
  }
}
