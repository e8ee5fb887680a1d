// SPDX-License-Identifier: Apache-2.0
// Measures elapsed time, independent of changes to the calendar clock.

internal import CLinux
internal import Glibc

/// The clock that only goes forward.
///
/// See clock_gettime(2), CLOCK_MONOTONIC.
public enum MonotonicClock {
  /// Milliseconds since some moment in the past.
  public static var milliseconds: Int {
    var time = timespec()
    _ = unsafe linux_monotonic_time(&time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }

  /// Microseconds since some moment in the past.
  public static var microseconds: Int64 {
    var time = timespec()
    _ = unsafe linux_monotonic_time(&time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}

/// The clock of the calendar, which can be set.
///
/// See clock_gettime(2), CLOCK_REALTIME.
public enum WallClock {
  /// Milliseconds since 1970.
  public static var milliseconds: Int64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}
