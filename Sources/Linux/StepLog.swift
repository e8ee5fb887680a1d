// SPDX-License-Identifier: Apache-2.0
// A line on standard error for each step of a launch, with its time. Every process of a launch gets
// a copy of the log's state.

internal import CLinux
internal import Glibc

/// The log of steps for --verbose.
public enum StepLog {
  private struct State {
    let prefix: String
    /// When the log and its last line started, in nanoseconds.
    var start: UInt64
    var last: UInt64
  }

  // Every process of this program has one thread.
  nonisolated(unsafe) private static var state: State?

  /// Starts the log; each line begins with `prefix`.
  public static func begin(_ prefix: String) {
    let now = now
    unsafe state = State(prefix: prefix, start: now, last: now)
  }

  /// Writes a line for a step that is done, with the time since the start and since the last line.
  @inline(__always)
  public static func note(_ text: @autoclosure () -> String) {
    if unsafe state != nil { write(text()) }
  }

  /// Adjusts the log to a clock that was set ahead by `seconds`, as in a new time namespace.
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
    // If standard error is closed, nobody can be told.
    try? Descriptors.write(line, to: 2)
  }

  /// The time in milliseconds, with three decimals.
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
