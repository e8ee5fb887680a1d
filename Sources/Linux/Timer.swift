// SPDX-License-Identifier: Apache-2.0
// A timer as a descriptor, for a process that waits for other descriptors too.

internal import CLinux

/// A timer that makes a descriptor readable.
///
/// It runs on the monotonic clock, which stands still while the machine sleeps. See
/// timerfd_create(2).
public enum Timer {
  /// Makes a timer that does not run yet.
  public static func make() throws(SystemCallError) -> OwnedDescriptor {
    OwnedDescriptor(try check(linux_timer(), "timerfd_create"))
  }

  /// Makes the timer `number` run out once, after `milliseconds`, at least one.
  public static func start(_ number: CInt, milliseconds: Int64) throws(SystemCallError) {
    try check(linux_timer_start(number, max(milliseconds, 1)), "timerfd_settime")
  }

  /// Stops the timer `number`, whose descriptor is no longer readable then.
  public static func stop(_ number: CInt) { _ = linux_timer_start(number, 0) }
}
