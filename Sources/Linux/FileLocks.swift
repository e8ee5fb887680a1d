// SPDX-License-Identifier: Apache-2.0
// Who holds locks of files.

internal import Glibc
internal import SystemPackage

/// The locks of the machine's files.
public enum FileLocks {
  /// Who holds a lock.
  public enum Holder: Sendable {
    /// A process of this user's.
    case own
    /// Processes of other users alone.
    case foreign
    /// A process that has ended, and has left the lock to another one; or it cannot be told.
    case unknown
  }

  /// Who holds a lock of `file`, by flock(2).
  ///
  /// Whoever can open a file for reading can lock it, other users among them. See proc_locks(5).
  public static func holder(of file: FileIdentity) -> Holder {
    guard let lines = try? TextFile.lines(of: "/proc/locks") else { return .unknown }
    var holder = Holder.foreign
    for line in lines {
      // 1: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE START END
      let words = line.split(separator: " ").filter { $0 != "->" }
      guard words.count > 5, words[1] == "FLOCK", let number = Int(words[4]),
        words[5].split(separator: ":").last.flatMap({ UInt64($0) }) == file.inode
      else { continue }
      guard let user = user(of: number) else {
        holder = .unknown
        continue
      }
      if user == geteuid() { return .own }
    }
    return holder
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
