// SPDX-License-Identifier: Apache-2.0
// Waiting for several descriptors at once, and for a time.

internal import CLinux
internal import Glibc
internal import SystemPackage

/// Descriptors that a process waits for.
///
/// The caller fills it before each wait, so that the events always follow from the caller's state.
/// See poll(2).
public struct PollSet: ~Copyable {
  /// The event to wait for, besides the descriptor's end, which always counts.
  public struct Interest: OptionSet, Sendable {
    /// The bits of poll(2).
    public let rawValue: Int16

    /// The interest with these bits.
    public init(rawValue: Int16) { self.rawValue = rawValue }

    /// Something can be read.
    public static var input: Interest { Interest(rawValue: Int16(POLLIN)) }
    /// Something can be written.
    public static var output: Interest { Interest(rawValue: Int16(POLLOUT)) }
    /// Nothing else: only the end.
    public static var end: Interest { [] }
  }

  // In place rather than an array: a launch waits once or twice, and an array's type alone costs
  // more than these bytes.
  private var polled = InlineArray<16, pollfd>(repeating: pollfd(fd: -1, events: 0, revents: 0))
  private var count = 0

  /// How many descriptors it holds at most.
  public static var capacity: Int { 16 }

  /// An empty set.
  public init() {}

  /// Forgets all descriptors.
  public mutating func removeAll() { count = 0 }

  /// Adds `number`; a negative one is never ready.
  /// - Returns: Its place, or nil where the set is full.
  @discardableResult
  public mutating func add(_ number: CInt, _ interest: Interest) -> Int? {
    guard count < PollSet.capacity else { return nil }
    polled[count] = pollfd(fd: number, events: interest.rawValue, revents: 0)
    count += 1
    return count - 1
  }

  /// Waits until one of the descriptors is ready.
  ///
  /// Where the wait may be long, the process holds as little memory as it can meanwhile.
  public mutating func wait(isLong: Bool) throws(SystemCallError) {
    let count = nfds_t(self.count)
    var span = polled.mutableSpan
    let result = retrying {
      unsafe span.withUnsafeMutableBufferPointer { buffer -> CLong in
        guard let start = buffer.baseAddress else { return 0 }
        if isLong { return unsafe linux_poll_released(start, count) }
        return unsafe CLong(poll(start, count, -1) < 0 ? -errno : 0)
      }
    }
    try check(CInt(truncatingIfNeeded: result), "poll")
  }

  /// Whether the descriptor at `place` was ready when the wait ended.
  public borrowing func isReady(_ place: Int) -> Bool {
    place < count && polled[place].revents != 0
  }
}

extension Descriptors {
  /// Whether only the end of `number` is ready, and nothing before it.
  ///
  /// See poll(2), POLLHUP.
  public static func isAtEnd(_ number: CInt) throws(SystemCallError) -> Bool {
    var polled = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    let result = retrying {
      let count = unsafe poll(&polled, 1, 0)
      return count < 0 ? -errno : count
    }
    return try check(result, "poll") > 0 && polled.revents & Int16(POLLIN) == 0
  }

  /// Whether a write of a few kilobytes to `number` does not wait, at once or after at most
  /// `milliseconds`.
  ///
  /// See poll(2), POLLOUT.
  public static func canWrite(_ number: CInt, milliseconds: CInt = 0) -> Bool {
    var polled = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
    return unsafe poll(&polled, 1, milliseconds) > 0
  }

  /// Waits until something can be read from `number`, or its end, for at most `milliseconds`.
  /// - Returns: Whether it is so.
  ///
  /// See poll(2).
  public static func waitForInput(
    _ number: CInt, milliseconds: CInt
  ) throws(SystemCallError) -> Bool {
    var polled = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    // A signal can lengthen the wait, and only a caller of this process can send many.
    let result = retrying {
      let count = unsafe poll(&polled, 1, milliseconds)
      return count < 0 ? -errno : count
    }
    return try check(result, "poll") > 0
  }
}
