// SPDX-License-Identifier: Apache-2.0
// What setrlimit limits, for each process on its own or for a user's processes together.

internal import CLinux
internal import Glibc

/// A resource that the kernel limits for each process.
///
/// See setrlimit(2).
public struct Resource: Equatable, Sendable {
  /// The kernel's number.
  public let number: CInt
  /// The name, as prlimit(1) has it.
  public let name: String
  /// The unit of its values.
  public let unit: Unit

  /// A unit of a limit.
  public enum Unit: Sendable {
    case bytes, seconds, microseconds
    /// A number of things.
    case count
  }

  /// The resource `name`; nil if the kernel has no such resource.
  public init?(named name: String) {
    guard let known = Resource.all.first(where: { $0.name == name }) else { return nil }
    self = known
  }

  private init(_ number: CInt, _ name: String, _ unit: Unit) {
    self.number = number
    self.name = name
    self.unit = unit
  }

  /// All of them; the numbers are those of x86_64 and aarch64.
  public static let all = [
    Resource(0, "cpu", .seconds), Resource(1, "fsize", .bytes), Resource(2, "data", .bytes),
    Resource(3, "stack", .bytes), Resource(4, "core", .bytes), Resource(5, "rss", .bytes),
    processes, Resource(7, "nofile", .count), Resource(8, "memlock", .bytes),
    Resource(9, "as", .bytes), Resource(10, "locks", .count), Resource(11, "sigpending", .count),
    Resource(12, "msgqueue", .bytes), Resource(13, "nice", .count), Resource(14, "rtprio", .count),
    Resource(15, "rttime", .microseconds),
  ]

  /// Processes and threads; counted in each user namespace and in those around it since Linux 5.14.
  public static var processes: Resource { Resource(6, "nproc", .count) }

  /// The value that stands for no limit.
  public static var unlimited: UInt64 { .max }

  /// The limits of this process, or of another of this user: the one in force, and the one up to
  /// which it can be raised.
  ///
  /// See prlimit(2).
  public func limits(
    of process: Int32 = 0
  ) throws(SystemCallError) -> (soft: UInt64, hard: UInt64) {
    var values: (UInt64, UInt64) = (0, 0)
    try check(unsafe linux_get_limit(process, number, &values.0, &values.1), "prlimit64")
    return values
  }

  /// Limits this process and its future children.
  ///
  /// See prlimit(2).
  public func limit(soft: UInt64, hard: UInt64) throws(SystemCallError) {
    try check(linux_set_limit(number, soft, hard), "prlimit64")
  }
}

/// What a process and the children that it has waited for have used.
///
/// See getrusage(2).
public struct ResourceUse: Equatable, Sendable {
  /// Processor time in microseconds.
  public var user: Int64 = 0, system: Int64 = 0
  /// The memory of the largest process in bytes.
  public var largestProcess: Int64 = 0
  /// What was read from and written to storage, in bytes.
  public var read: Int64 = 0, written: Int64 = 0
  /// How often a page was missing: without and with reading from storage.
  public var minorFaults: Int64 = 0, majorFaults: Int64 = 0
  /// How often a process gave the processor up, and how often it was taken away.
  public var voluntarySwitches: Int64 = 0, forcedSwitches: Int64 = 0

  /// What the children of this process have used for which it has waited, and their children.
  public static func ofChildren() throws(SystemCallError) -> ResourceUse {
    var usage = rusage()
    try check(unsafe linux_use_of_children(&usage), "getrusage")
    return ResourceUse(usage)
  }

  /// Nothing.
  public init() {}

  init(_ usage: rusage) {
    user = ResourceUse.microseconds(usage.ru_utime)
    system = ResourceUse.microseconds(usage.ru_stime)
    // In kilobytes, and in blocks of 512 bytes whatever the file system.
    largestProcess = Int64(usage.ru_maxrss) &* 1024
    read = Int64(usage.ru_inblock) &* 512
    written = Int64(usage.ru_oublock) &* 512
    minorFaults = Int64(usage.ru_minflt)
    majorFaults = Int64(usage.ru_majflt)
    voluntarySwitches = Int64(usage.ru_nvcsw)
    forcedSwitches = Int64(usage.ru_nivcsw)
  }

  private static func microseconds(_ time: timeval) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_usec)
  }
}

extension OwnedDescriptor {
  /// Waits until the child to which this descriptor refers has ended, and says what it used.
  ///
  /// See waitid(2), P_PIDFD; the kernel's call also reports the use.
  public borrowing func waitForProcessAndUse() throws(SystemCallError) -> (Termination, ResourceUse)
  {
    var information = unsafe siginfo_t()
    var usage = rusage()
    let result = retrying {
      unsafe linux_wait_pidfd_use(rawValue, &information, &usage)
    }
    try check(result, "waitid")
    let status = unsafe information._sifields._sigchld.si_status
    let termination =
      unsafe information.si_code == CInt(CLD_EXITED)
      ? Termination.exited(UInt8(truncatingIfNeeded: status))
      : .signaled(Signal(rawValue: status))
    return (termination, ResourceUse(usage))
  }
}
