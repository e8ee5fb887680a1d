// SPDX-License-Identifier: Apache-2.0
// Directories that hold more than a project: other programs' files, secrets and sockets.

internal import Linux
internal import SystemPackage
internal import Text

/// The directories that nobody means to share when sharing the directory of a project.
struct SharedDirectories {
  private let surroundings: Surroundings

  init(_ surroundings: Surroundings) { self.surroundings = surroundings }

  /// Says what `directory`, a path without links, is if it is one of them or contains one; else nil.
  func kind(of directory: ByteString) -> String? {
    let path = directory.path
    for (shared, kind) in all {
      // The variables may name it through links: the directory itself counts.
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
      ("/tmp", "shared by all users"), ("/var/tmp", "shared by all users"),
      ("/dev/shm", "shared by all users"),
      ("/run", "the directory of the machine's sockets"),
    ]
  }

  private static func resolved(_ path: ByteString) -> FilePath? {
    guard let directory = try? OwnedDescriptor.open(path.path, .directory) else { return nil }
    return try? Descriptors.path(of: directory.rawValue)
  }
}
