// SPDX-License-Identifier: Apache-2.0
// The module Linux is the typed interface to the kernel: descriptors with one owner, mounts,
// namespaces, processes, signals, files. It has effects and no opinions: every function is a call
// or two of the kernel, and what a sandbox does with them is decided above. `unsafe` and C end
// here.
//
// This file: the error of this layer, and the functions that turn a result of the kernel into it.

internal import Glibc
public import SystemPackage
public import Text

/// A system call that failed.
public struct SystemCallError: Error, Equatable, Sendable {
  /// The name of the call in its manual page.
  public let call: String
  /// The object of the call: a path as the caller gave it, or a name.
  public let subject: ByteString?
  /// Why it failed.
  public let errno: Errno

  /// Names a failed call.
  public init(call: String, subject: ByteString? = nil, errno: Errno) {
    self.call = call
    self.subject = subject
    self.errno = errno
  }

  /// The reason in the words of strerror(3).
  public var reason: String { errno.description }

  /// The same failure, with `subject` if it had no subject.
  public func about(_ subject: @autoclosure () -> ByteString) -> SystemCallError {
    SystemCallError(call: call, subject: self.subject ?? subject(), errno: errno)
  }
}

/// Returns the result of a `CLinux` call, or throws if it is a negative errno.
///
/// It does not repeat interrupted calls: a launch blocks all signals. A stop and a continue can
/// interrupt the monitor's waits, so those use `retrying`.
@discardableResult @inline(__always)
func check(_ result: CInt, _ call: String) throws(SystemCallError) -> CInt {
  if result < 0 { throw failure(result, call) }
  return result
}

/// Throws if a function of the C library, which leaves the reason in `errno`, returned -1.
func checkErrno(_ result: CInt, _ call: String) throws(SystemCallError) {
  if result < 0 { throw failure(-errno, call) }
}

@inline(never)
func failure(_ result: CInt, _ call: String) -> SystemCallError {
  SystemCallError(call: call, errno: Errno(rawValue: -result))
}

/// Repeats `call` as long as a signal interrupts it.
///
/// See signal(7).
@inline(__always)
func retrying<Result: FixedWidthInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != Result(-Errno.interrupted.rawValue) { return result }
  }
}

/// What `body` opens or reads; nil if that is not there for this process.
///
/// Any other failure is thrown: what may need protection must not pass for something that does not
/// exist. The kernel is asked twice for the same reason, as some file systems fail only once.
@inlinable
public func ifPresent<Result: ~Copyable>(
  _ body: () throws(SystemCallError) -> Result
) throws(SystemCallError) -> Result? {
  do throws(SystemCallError) {
    return try body()
  } catch {
    guard error.isAbsence else { throw error }
  }
  do throws(SystemCallError) {
    return try body()
  } catch {
    if error.isAbsence { return nil }
    throw error
  }
}

extension SystemCallError {
  /// Whether the network has no way to an address.
  public var lacksRoute: Bool {
    switch errno {
    case .networkUnreachable, .noRouteToHost, .networkDown, .hostIsDown: true
    default: false
    }
  }

  /// Whether a directory on the way to a file is gone, or something else is in its place.
  public var lacksDirectory: Bool {
    switch errno {
    case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels: true
    default: false
    }
  }

  /// Whether the file is not there for this process, as opposed to a failure of the machine, such as a
  /// lack of descriptors or memory.
  public var isAbsence: Bool {
    switch errno {
    case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels, .permissionDenied,
      .notPermitted, .invalidArgument, .fileNameTooLong, .improperLink, .noSuchAddressOrDevice,
      .socketNotConnected, .staleNFSFileHandle:
      true
    default: false
    }
  }
}
