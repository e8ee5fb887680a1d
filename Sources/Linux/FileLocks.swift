// SPDX-License-Identifier: Apache-2.0
// Who holds locks of files.

internal import Glibc
internal import SystemPackage

/// The locks of the machine's files.
public enum FileLocks {
  /// Who holds a lock.
  public enum Holder: Sendable {
    /// A process of this user's, and of a program by one of the names that were asked for.
    case own
    /// Other processes alone.
    case foreign
    /// A process that has ended, and has left the lock to another one; or it cannot be told.
    case unknown
  }

  /// Who holds a lock of `file`, by flock(2); `programs` and the one that this process runs count.
  ///
  /// Whoever can open a file for reading can lock it, other users among them. See proc_locks(5).
  public static func holder(of file: FileIdentity, programs: [Substring]) -> Holder {
    guard let lines = try? TextFile.lines(of: "/proc/locks") else { return .unknown }
    var holder: Holder?
    for line in lines {
      // 1: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE START END
      let words = line.split(separator: " ").filter { $0 != "->" }
      guard words.count > 5, words[1] == "FLOCK",
        words[5].split(separator: ":").last.flatMap({ UInt64($0) }) == file.inode
      else { continue }
      switch kind(of: words[4], programs) {
      case .own: return .own
      case .foreign where holder != nil: break
      case let kind: holder = kind
      }
    }
    // A lock that is not there has been given back by now, or was taken by a process that had no
    // number in this pid namespace, or has ended there.
    return holder ?? .unknown
  }

  private static func kind(of process: Substring, _ programs: [Substring]) -> Holder {
    guard let user = user(of: process) else { return .unknown }
    guard user == geteuid() else { return .foreign }
    // It may have ended since.
    guard let name = name(of: process) else { return .unknown }
    return programs.contains(name) || name == self.name(of: "self") ? .own : .foreign
  }

  /// The name of the program that a process runs; nil where that has ended.
  ///
  /// See proc_pid_comm(5).
  private static func name(of process: Substring) -> Substring? {
    try? TextFile.lines(of: FilePath("/proc/" + process + "/comm")).first
  }

  /// The user of a process; nil where it has ended, or is out of sight.
  ///
  /// As its status has it: its directory belongs to root while it hides. See proc_pid_status(5).
  private static func user(of process: Substring) -> UInt32? {
    let lines = try? TextFile.lines(of: FilePath("/proc/" + process + "/status"))
    let line = lines?.first { $0.hasPrefix("Uid:") }
    return line?.split(separator: "\t").dropFirst().first.flatMap { UInt32($0) }
  }
}
