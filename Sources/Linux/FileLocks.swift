// SPDX-License-Identifier: Apache-2.0
// Locks of files, and the processes that hold them.

internal import CLinux
internal import Glibc
internal import SystemPackage

extension OwnedDescriptor {
  /// Which other processes may lock a directory at the same time.
  public enum LockKind: Sendable {
    /// Those that ask for a shared lock as well.
    case shared
    /// None.
    case exclusive
  }

  /// Opens this directory for reading and locks it until that descriptor and all its copies are
  /// closed; nil if another process has locked it.
  ///
  /// See openat(2), flock(2).
  public borrowing func locked(_ kind: LockKind) throws(SystemCallError) -> OwnedDescriptor? {
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    let directory = OwnedDescriptor(
      try check(unsafe linux_openat(rawValue, ".", flags, 0), "openat"))
    guard try directory.lock(kind) else { return nil }
    return directory
  }

  /// Locks this open file until all its descriptors are closed; returns whether no other process has
  /// locked it.
  ///
  /// See flock(2).
  public borrowing func lock(_ kind: LockKind) throws(SystemCallError) -> Bool {
    let result = linux_flock(rawValue, (kind == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB)
    if result == -EWOULDBLOCK { return false }
    try check(result, "flock")
    return true
  }

  /// Locks this open file exclusively, or makes its shared lock exclusive.
  /// - Returns: Whether nobody else holds one; if not, this lock is given up.
  ///
  /// See flock(2).
  public borrowing func becomesOnlyHolder() throws(SystemCallError) -> Bool {
    try lock(.exclusive)
  }

  /// Gives up the lock of this open file.
  ///
  /// See flock(2).
  public borrowing func unlock() { _ = linux_flock(rawValue, LOCK_UN) }
}

/// The file locks of the machine.
public enum FileLocks {
  /// The holder of a lock.
  public enum Holder: Sendable {
    /// A process of this user that runs one of the given programs.
    case own
    /// Only other processes.
    case foreign
    /// Unknown: for instance, the holder ended and another process now holds the lock.
    case unknown
  }

  /// The holder of a flock(2) lock of `file`.
  ///
  /// A process is `own` if it runs one of `programs` or the same program as this process.
  ///
  /// Any process that can open a file for reading can lock it, even one of another user. See
  /// proc_locks(5).
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
    // If the table has no line, either the holder has released the lock, or it has no number in
    // this pid namespace, or it has ended.
    return holder ?? .unknown
  }

  private static func kind(of process: Substring, _ programs: [Substring]) -> Holder {
    guard let user = user(of: process) else { return .unknown }
    guard user == geteuid() else { return .foreign }
    // It may have ended meanwhile.
    guard let name = name(of: process) else { return .unknown }
    return programs.contains(name) || name == self.name(of: "self") ? .own : .foreign
  }

  /// The name of the program that a process runs; nil if the process has ended.
  ///
  /// See proc_pid_comm(5).
  private static func name(of process: Substring) -> Substring? {
    try? TextFile.lines(of: FilePath("/proc/" + process + "/comm")).first
  }

  /// The user of a process; nil if it has ended or is not visible here.
  ///
  /// The process's status shows it. The owner of its directory does not: while a process hides,
  /// that is root. See proc_pid_status(5).
  private static func user(of process: Substring) -> UInt32? {
    let lines = try? TextFile.lines(of: FilePath("/proc/" + process + "/status"))
    let line = lines?.first { $0.hasPrefix("Uid:") }
    return line?.split(separator: "\t").dropFirst().first.flatMap { UInt32($0) }
  }
}
