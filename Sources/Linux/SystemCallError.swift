// SPDX-License-Identifier: Apache-2.0
// The error of this layer, and the helpers through which every kernel call goes.

public import SystemPackage
public import Text

/// A system call that failed: which, on what, and why.
public struct SystemCallError: Error, Equatable, Sendable {
  /// The name of the call, as its man page has it.
  public let call: String
  /// What the call was about: a path as it was given, or a name.
  public let subject: ByteString?
  /// Why it failed.
  public let errno: Errno

  /// Names a failed call.
  public init(call: String, subject: ByteString? = nil, errno: Errno) {
    self.call = call
    self.subject = subject
    self.errno = errno
  }

  /// The reason in words, as strerror(3) has them.
  public var reason: String { errno.description }

  /// The same failure, said of `subject`.
  public func about(_ subject: @autoclosure () -> ByteString) -> SystemCallError {
    SystemCallError(call: call, subject: self.subject ?? subject(), errno: errno)
  }
}

/// Passes on what a call of `CLinux` answered, or throws where it is a negative errno.
///
/// Calls that a signal interrupted are not made again here: a launch runs with signals blocked.
/// The monitor's waits, which a stop and a continue can interrupt, go through `retrying`.
@discardableResult @inline(__always)
func check(_ result: CInt, _ call: StaticString) throws(SystemCallError) -> CInt {
  if result < 0 { throw failure(result, call) }
  return result
}

@inline(never)
func failure(_ result: CInt, _ call: StaticString) -> SystemCallError {
  SystemCallError(call: call.description, errno: Errno(rawValue: -result))
}

/// Makes `call` again for as long as a signal interrupts it.
///
/// See signal(7).
@inline(__always)
func retrying<Result: FixedWidthInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != Result(-Errno.interrupted.rawValue) { return result }
  }
}
