// SPDX-License-Identifier: Apache-2.0
// Who holds locks of files.

internal import Glibc
internal import SystemPackage

/// The locks of the machine's files.
public enum FileLocks {
  /// Whether a process of this user may hold a lock of `file`, by flock(2); true where that cannot
  /// be told.
  ///
  /// Whoever can open a file for reading can lock it, other users among them. See proc_locks(5).
  public static func areOwn(_ file: FileIdentity) -> Bool {
    guard let lines = try? TextFile.lines(of: "/proc/locks") else { return true }
    return lines.contains { line in
      // 1: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE START END
      let words = line.split(separator: " ").filter { $0 != "->" }
      guard words.count > 5, words[1] == "FLOCK", let number = Int(words[4]),
        words[5].split(separator: ":").last.flatMap({ UInt64($0) }) == file.inode
      else { return false }
      return user(of: number) == geteuid()
    }
  }

  /// The user of a process; nil where it has ended, or is out of sight.
  ///
  /// As its status has it: its directory belongs to root while it hides. See proc_pid_status(5).
  private static func user(of process: Int) -> UInt32? {
    let lines = try? TextFile.lines(of: FilePath("/proc/" + String(process) + "/status"))
    let line = lines?.first { $0.hasPrefix("Uid:") }
    return line?.split(separator: "\t").dropFirst().first.flatMap { UInt32($0) }
  }
}
