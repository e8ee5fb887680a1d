// SPDX-License-Identifier: Apache-2.0
// Messages between the processes of a launch, and the descriptors that go with them.

internal import CLinux
internal import Glibc
internal import Text

extension OwnedDescriptor {
  /// Sends a message, with a descriptor if `number` is one.
  ///
  /// See sendmsg(2).
  public borrowing func send(_ message: [UInt8], passing number: CInt = -1) throws(SystemCallError)
  {
    try Descriptors.send(message, passing: number, to: rawValue)
  }

  /// Whether every process has closed the other end.
  ///
  /// See poll(2), POLLHUP.
  public borrowing func isHungUp() -> Bool { Descriptors.isHungUp(rawValue) }

  /// Whether something can be read, or every process has closed the other end.
  ///
  /// See poll(2), POLLIN.
  public borrowing func hasInput() -> Bool {
    (try? Descriptors.waitForInput(rawValue, milliseconds: 0)) == true
  }
}

extension Descriptors {
  /// Sends a message to the socket `number`, with a descriptor if `passed` is one.
  ///
  /// See sendmsg(2).
  public static func send(
    _ message: [UInt8], passing passed: CInt = -1, to number: CInt
  ) throws(SystemCallError) {
    let result = retrying {
      unsafe message.withUnsafeBytes { buffer -> CLong in
        guard let start = buffer.baseAddress else { return CLong(-EINVAL) }
        return unsafe linux_send(number, start, buffer.count, passed)
      }
    }
    try check(CInt(truncatingIfNeeded: result), "sendmsg")
  }

  /// Whether every process has closed the other end of the socket `number`.
  ///
  /// See poll(2), POLLHUP.
  public static func isHungUp(_ number: CInt) -> Bool {
    var polled = pollfd(fd: number, events: 0, revents: 0)
    return unsafe poll(&polled, 1, 0) > 0
  }

  /// Receives a message of at most `capacity` bytes and the descriptor that came with it, or -1;
  /// the message is empty at the end.
  ///
  /// See recvmsg(2).
  public static func receive(
    from number: CInt, capacity: Int
  ) throws(SystemCallError) -> (message: [UInt8], descriptor: CInt) {
    var buffer = [UInt8](zeros: capacity)
    var passed: CInt = -1
    let result = retrying {
      unsafe buffer.withUnsafeMutableBytes { buffer -> CLong in
        guard let start = buffer.baseAddress else { return CLong(-EINVAL) }
        return unsafe linux_receive(number, start, buffer.count, &passed)
      }
    }
    let count = Int(try check(CInt(truncatingIfNeeded: result), "recvmsg"))
    return (Array(buffer[..<count]), passed)
  }

  /// The most descriptors that a message can have.
  public static var mostPassed: Int { Int(linux_most_passed) }

  /// Sends a message with several descriptors, at least one.
  ///
  /// See sendmsg(2), and unix(7), SCM_RIGHTS.
  public static func send(
    _ message: [UInt8], passing passed: [CInt], to number: CInt
  ) throws(SystemCallError) {
    let result = retrying {
      unsafe message.withUnsafeBytes { bytes -> CLong in
        unsafe passed.withUnsafeBufferPointer { passed -> CLong in
          guard let start = bytes.baseAddress, let first = passed.baseAddress else {
            return CLong(-EINVAL)
          }
          return unsafe linux_send_many(number, start, bytes.count, first, passed.count)
        }
      }
    }
    try check(CInt(truncatingIfNeeded: result), "sendmsg")
  }

  /// Receives a message of at most `capacity` bytes and all descriptors that came with it; the message is
  /// empty at the end.
  ///
  /// See recvmsg(2), and unix(7), SCM_RIGHTS.
  public static func receiveAll(
    from number: CInt, capacity: Int
  ) throws(SystemCallError) -> (message: [UInt8], descriptors: [CInt]) {
    var buffer = [UInt8](zeros: capacity)
    var passed = [CInt](repeating: -1, count: mostPassed)
    var count = 0
    let result = retrying {
      unsafe buffer.withUnsafeMutableBytes { bytes -> CLong in
        unsafe passed.withUnsafeMutableBufferPointer { passed -> CLong in
          guard let start = bytes.baseAddress, let first = passed.baseAddress else {
            return CLong(-EINVAL)
          }
          return unsafe linux_receive_many(number, start, bytes.count, first, &count)
        }
      }
    }
    let length = Int(try check(CInt(truncatingIfNeeded: result), "recvmsg"))
    return (Array(buffer[..<length]), Array(passed[..<count]))
  }
}
