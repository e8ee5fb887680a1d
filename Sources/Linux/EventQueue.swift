// SPDX-License-Identifier: Apache-2.0
// Waiting for many descriptors, each added once.

internal import CLinux
internal import Glibc

/// A queue of what happens to many descriptors.
///
/// See epoll(7).
public struct EventQueue: ~Copyable {
  private let queue: OwnedDescriptor
  private var numbers = [Int32](repeating: 0, count: 64)
  private var events = [UInt32](repeating: 0, count: 64)

  /// What may happen to a descriptor.
  public enum Interest: Sendable {
    /// Something can be read, as long as that is so.
    case input
    /// Something has changed: it can be read or written, or it has ended.
    case changes
    /// It can be written, once.
    case output
  }

  /// Makes a queue.
  public init() throws(SystemCallError) {
    queue = OwnedDescriptor(try check(linux_epoll_create(), "epoll_create1"))
  }

  /// The queue's descriptor: it can be read as long as something has happened to one of the others.
  public var number: CInt { queue.rawValue }

  /// Adds a descriptor, until that is closed.
  public borrowing func add(_ number: CInt, _ interest: Interest) throws(SystemCallError) {
    let bits: UInt32 =
      switch interest {
      case .input: EPOLLIN.rawValue
      case .changes: EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
      case .output: EPOLLOUT.rawValue | EPOLLET.rawValue
      }
    try check(linux_epoll_add(queue.rawValue, number, bits), "epoll_ctl")
  }

  /// Removes a descriptor that stays open.
  public borrowing func remove(_ number: CInt) { _ = linux_epoll_remove(queue.rawValue, number) }

  /// Waits for at most `milliseconds`, or without end if that is negative.
  /// - Returns: The descriptors to which something has happened.
  public mutating func wait(milliseconds: CInt) throws(SystemCallError) -> ArraySlice<Int32> {
    let number = queue.rawValue
    let result = unsafe numbers.withUnsafeMutableBufferPointer { numbers in
      unsafe events.withUnsafeMutableBufferPointer { events -> CInt in
        guard let first = numbers.baseAddress, let second = events.baseAddress else { return 0 }
        return unsafe linux_epoll_wait(number, first, second, 64, milliseconds)
      }
    }
    if result == -EINTR { return [] }
    return numbers[..<Int(try check(result, "epoll_wait"))]
  }
}
