// SPDX-License-Identifier: Apache-2.0
// Signals: the mask, the descriptor to read them from, and this process's dispositions.

internal import CLinux
internal import Glibc
internal import SystemPackage

/// A signal that was read from a descriptor.
public struct ReceivedSignal: Sendable {
  /// The signal's number.
  public let number: CInt
  /// Whether the kernel sent it, as for a key typed at a terminal or for its hang-up: it then sent
  /// it to every process of the foreground group.
  public let isFromKernel: Bool
}

/// The mask of blocked signals of this process.
public struct SignalMask: Sendable {
  private var signals = sigset_t()

  /// Blocks every signal that a process can block, and returns the mask from before.
  ///
  /// See sigprocmask(2).
  public static func blockAll() throws(SystemCallError) -> SignalMask {
    var all = sigset_t()
    var old = SignalMask()
    _ = unsafe sigfillset(&all)
    let result = unsafe sigprocmask(SIG_BLOCK, &all, &old.signals) < 0 ? -errno : 0
    try check(result, "sigprocmask")
    return old
  }

  /// Blocks exactly these signals.
  public func restore() throws(SystemCallError) {
    var signals = self.signals
    try check(unsafe sigprocmask(SIG_SETMASK, &signals, nil) < 0 ? -errno : 0, "sigprocmask")
  }
}

/// A descriptor from which this process reads signals.
///
/// See signalfd(2).
public struct SignalDescriptor: ~Copyable {
  private let descriptor: OwnedDescriptor
  private var set = sigset_t()

  /// Makes a descriptor for `signals`, all of which must be blocked.
  public init(_ signals: [CInt]) throws(SystemCallError) {
    _ = unsafe sigemptyset(&set)
    for signal in signals { _ = unsafe sigaddset(&set, signal) }
    descriptor = OwnedDescriptor(try check(unsafe linux_signalfd(&set), "signalfd"))
  }

  /// The descriptor's number.
  public var rawValue: CInt { descriptor.rawValue }

  /// Unblocks all other signals in this process.
  public borrowing func letOthersThrough() throws(SystemCallError) {
    var set = self.set
    try check(unsafe sigprocmask(SIG_SETMASK, &set, nil) < 0 ? -errno : 0, "sigprocmask")
  }

  /// The next signal, or nil if none is pending.
  public borrowing func next() -> ReceivedSignal? {
    var information = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    guard unsafe read(descriptor.rawValue, &information, size) == size else { return nil }
    return ReceivedSignal(
      number: CInt(information.ssi_signo), isFromKernel: information.ssi_code > 0)
  }
}

/// How this process reacts to signals.
public enum SignalDisposition {
  /// Undoes a caller's choice to ignore SIGCHLD: the kernel would discard the status of children
  /// before this process could read it.
  ///
  /// See sigaction(2), SA_NOCLDWAIT.
  public static func restoreChildReports() {
    signal(SIGCHLD, SIG_DFL)
  }

  /// Makes a write to a pipe without a reader fail with an error, not with a signal.
  ///
  /// See pipe(7).
  public static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  /// Ends this process with the signal `number`, so that the caller sees that signal.
  public static func die(by number: CInt) -> Never {
    signal(number, SIG_DFL)
    var set = sigset_t()
    _ = unsafe sigemptyset(&set)
    _ = unsafe sigaddset(&set, number)
    raise(number)
    _ = unsafe sigprocmask(SIG_UNBLOCK, &set, nil)
    _exit(128 + number)
  }
}

/// Waits until one of `numbers` is readable or at its end, and returns for each whether it is.
///
/// Negative numbers are never ready. For the last one, only the end counts.
///
/// If `isLong` is true, the process keeps as little memory as it can while it waits.
///
/// See poll(2).
public func waitUntilReadable(
  _ numbers: InlineArray<4, CInt>, isLong: Bool
) throws(SystemCallError) -> InlineArray<4, Bool> {
  var polled = InlineArray<4, pollfd> {
    pollfd(fd: numbers[$0], events: $0 == 3 ? 0 : Int16(POLLIN), revents: 0)
  }
  var span = polled.mutableSpan
  let result = retrying {
    unsafe span.withUnsafeMutableBufferPointer { buffer -> CLong in
      guard let start = buffer.baseAddress else { return 0 }
      let count = nfds_t(buffer.count)
      if isLong { return unsafe linux_poll_released(start, count) }
      return unsafe CLong(poll(start, count, -1) < 0 ? -errno : 0)
    }
  }
  try check(CInt(truncatingIfNeeded: result), "poll")
  return InlineArray { polled[$0].revents != 0 }
}
