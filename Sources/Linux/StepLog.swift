// SPDX-License-Identifier: Apache-2.0
// A line on standard error for each step of a launch, with its time. What it knows is copied into
// every process that a launch makes.

internal import CLinux
internal import Glibc

/// The steps that were done, as they are told to whoever asked for it.
public enum StepLog {
  private struct State {
    let prefix: String
    /// The beginning, and the last line, in nanoseconds.
    var start: UInt64
    var last: UInt64
  }

  // One thread alone ever runs in a process of this program.
  nonisolated(unsafe) private static var state: State?

  /// Begins to tell, each line with `prefix` before it.
  public static func begin(_ prefix: String) {
    let now = now
    unsafe state = State(prefix: prefix, start: now, last: now)
  }

  /// Tells that something has been done: how long after the beginning, and how long after the line
  /// before.
  @inline(__always)
  public static func note(_ text: @autoclosure () -> String) {
    if unsafe state != nil { write(text()) }
  }

  /// Allows for a clock that was set ahead by so many seconds, as in a new time namespace.
  public static func clockWasSet(ahead seconds: Int64) {
    guard var log = unsafe state else { return }
    let shift = UInt64(bitPattern: seconds &* 1_000_000_000)
    log.start &+= shift
    log.last &+= shift
    unsafe state = log
  }

  @inline(never)
  private static func write(_ text: String) {
    guard var log = unsafe state else { return }
    let now = now
    let total = milliseconds(now &- log.start)
    let line = "\(log.prefix)\(total) ms (+\(milliseconds(now &- log.last)) ms): \(text)\n"
    log.last = now
    unsafe state = log
    // Where nobody listens there is nobody to tell.
    try? Descriptors.write(line, to: 2)
  }

  /// A time with three digits after the point.
  private static func milliseconds(_ nanoseconds: UInt64) -> String {
    let micros = nanoseconds / 1000
    let fraction = String(micros % 1000)
    return String(micros / 1000) + "." + String(repeating: "0", count: 3 - fraction.count)
      + fraction
  }

  /// See clock_gettime(2), CLOCK_MONOTONIC.
  private static var now: UInt64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}
