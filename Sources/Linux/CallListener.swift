// SPDX-License-Identifier: Apache-2.0
// Watching system calls of other processes: a filter hands them to a listener, and each waits until
// the listener has answered. See seccomp_unotify(2).

internal import CLinux
internal import Glibc
public import SystemPackage
public import Text

/// The registers of a system call, as a filter sees them: struct seccomp_data.
///
/// See seccomp(2).
public struct CallData: Sendable {
  /// The number of the call.
  public var number: UInt32
  /// The kernel's name for the architecture (AUDIT_ARCH_… of linux/audit.h).
  public var architecture: UInt32
  /// The six arguments.
  public var arguments: InlineArray<6, UInt64>

  /// States a call.
  public init(number: UInt32, architecture: UInt32, arguments: InlineArray<6, UInt64>) {
    self.number = number
    self.architecture = architecture
    self.arguments = arguments
  }
}

/// A call that waits for an answer.
public struct WaitingCall: Sendable {
  /// Its number among those of the listener.
  let id: UInt64
  /// The thread that made it.
  public let thread: Int32
  /// Its registers, which the kernel has copied: the thread cannot change them any more.
  public let data: CallData
}

/// A listener for the calls of the processes under one filter.
public struct CallListener: ~Copyable {
  private let descriptor: OwnedDescriptor

  /// Takes over the descriptor of a listener.
  public init(_ descriptor: consuming OwnedDescriptor) {
    self.descriptor = descriptor
    // The two processes alternate: woken on another processor, each would wait for that as well.
    linux_wake_synchronously(self.descriptor.rawValue)
  }

  /// The descriptor, to wait for.
  public var rawValue: CInt { descriptor.rawValue }

  /// Receives the next call; nil if it was interrupted meanwhile.
  public borrowing func receive() throws(SystemCallError) -> WaitingCall? {
    var call = linux_waiting_call()
    let result = unsafe linux_receive_call(rawValue, &call)
    if result == -ENOENT || result == -EINTR { return nil }
    try check(result, "ioctl(SECCOMP_IOCTL_NOTIF_RECV)")
    let (data, arguments) = (call.notification.data, call.notification.data.args)
    return WaitingCall(
      id: call.notification.id, thread: Int32(truncatingIfNeeded: call.notification.pid),
      data: CallData(
        number: UInt32(bitPattern: data.nr), architecture: data.arch,
        arguments: [
          arguments.0, arguments.1, arguments.2, arguments.3, arguments.4, arguments.5,
        ]))
  }

  /// Has the kernel carry out `call`.
  /// - Returns: Whether it still waited: if so, what was read of its thread is its own, and not of a
  ///   later thread with the same number.
  public borrowing func permit(_ call: WaitingCall) throws(SystemCallError) -> Bool {
    try sent(linux_continue_call(rawValue, call.id))
  }

  /// Has `call` fail with `error`, without any effect.
  /// - Returns: Whether it still waited.
  public borrowing func refuse(
    _ call: WaitingCall, _ error: Errno
  ) throws(SystemCallError) -> Bool {
    try sent(linux_refuse_call(rawValue, call.id, error.rawValue))
  }

  private borrowing func sent(_ result: CInt) throws(SystemCallError) -> Bool {
    // Its thread has ended, or a signal has interrupted it.
    if result == -ENOENT { return false }
    try check(result, "ioctl(SECCOMP_IOCTL_NOTIF_SEND)")
    return true
  }
}

extension CurrentProcess {
  /// Puts this process under a filter with a listener.
  ///
  /// See `installFilter`, and seccomp(2), SECCOMP_FILTER_FLAG_NEW_LISTENER.
  public static func installWatchedFilter(
    _ program: [UInt64]
  ) throws(SystemCallError) -> OwnedDescriptor {
    guard let count = CUnsignedShort(exactly: program.count) else {
      throw SystemCallError(call: "seccomp", errno: .invalidArgument)
    }
    let result = unsafe program.withUnsafeBytes { buffer -> CInt in
      guard let start = buffer.baseAddress else { return -EINVAL }
      return unsafe linux_install_watched_filter(start, count)
    }
    return OwnedDescriptor(try check(result, "seccomp(SECCOMP_FILTER_FLAG_NEW_LISTENER)"))
  }

  /// Takes the hard limit of descriptors where the kernel had too many of this user's on their way.
  ///
  /// For a process that will send one behind a filter, where it can change no limit.
  /// - Returns: The soft limit, for `WaitingThread.limitDescriptors`; the largest number if it stays.
  public static func takeHardLimit() -> UInt64 { linux_take_hard_limit() }

  /// Sends `passed` with `word` in a register that sendmsg(2) does not use, so that a filter can
  /// tell this call from any other; this process makes no other call meanwhile.
  public static func send(
    _ message: UInt8, _ value: UInt64, passing passed: CInt, to number: CInt, word: UInt64
  ) throws(SystemCallError) {
    try check(linux_send_listener(number, message, value, passed, word), "sendmsg")
  }

  /// The number of sendmsg(2).
  public static var sendNumber: UInt32 { UInt32(LINUX_SENDMSG) }
}

/// Facts about a thread while it waits.
///
/// See proc(5).
public enum WaitingThread {
  /// Its working directory, or where its descriptor leads, as a path from its root; nil if no path
  /// does.
  public static func directory(of thread: Int32, descriptor: CInt?) -> ByteString? {
    var buffer = [UInt8](zeros: ProcessMemory.longestPath)
    let count = unsafe buffer.withUnsafeMutableBytes { bytes -> CLong in
      guard let start = bytes.baseAddress else { return -1 }
      return unsafe linux_process_link(
        thread, descriptor ?? -1, start.assumingMemoryBound(to: CChar.self), bytes.count - 1)
    }
    guard count > 0, buffer[0] == UInt8(ascii: "/") else { return nil }
    return ByteString(buffer[..<count])
  }

  /// Whether its descriptor is a socket for UDP.
  ///
  /// The kernel tells the protocol in an attribute of the socket, `system.sockprotoname`.
  public static func hasDatagramSocket(_ thread: Int32, descriptor: CInt) -> Bool {
    linux_process_has_udp(thread, descriptor)
  }

  /// The number of its process.
  public static func process(of thread: Int32) -> Int32 { linux_thread_process(thread) }

  /// Gives its process a soft limit of descriptors.
  ///
  /// See prlimit(2).
  public static func limitDescriptors(
    of thread: Int32, to soft: UInt64
  ) throws(SystemCallError) {
    let result = linux_set_soft_limit(thread, soft)
    // Somebody has killed it meanwhile.
    if result == -ESRCH { return }
    try check(result, "prlimit64")
  }

  /// Its name, that of its program unless it has changed it.
  public static func name(of thread: Int32) -> ByteString {
    var buffer = [UInt8](zeros: 64)
    let count = unsafe buffer.withUnsafeMutableBytes { bytes -> CLong in
      guard let start = bytes.baseAddress else { return -1 }
      return unsafe linux_process_name(
        thread, start.assumingMemoryBound(to: CChar.self), bytes.count - 1)
    }
    guard count > 0 else { return "?" }
    return ByteString(buffer[..<count].prefix { $0 != UInt8(ascii: "\n") })
  }
}

extension OwnedDescriptor {
  /// Why this process may not have this access to the open file; nil if it may.
  ///
  /// See faccessat2(2).
  public borrowing func refusal(of access: FileAccess) -> Errno? {
    let result = linux_access(rawValue, access.rawValue)
    return result < 0 ? Errno(rawValue: -result) : nil
  }
}

/// The memory of another process.
public enum ProcessMemory {
  /// The longest path, with its NUL (PATH_MAX).
  public static let longestPath = 4096
  private static let pageSize: UInt64 = 4096

  /// At most `count` bytes at `address`; nil if they cannot be read.
  ///
  /// See process_vm_readv(2).
  public static func bytes(of thread: Int32, at address: UInt64, count: Int) -> [UInt8]? {
    var buffer = [UInt8](zeros: count)
    return read(thread, address, into: &buffer) == count ? buffer : nil
  }

  /// The string at `address`; nil if it cannot be read or is longer than a path.
  public static func string(of thread: Int32, at address: UInt64) -> ByteString? {
    // Most paths are short, and what is copied beyond the NUL is wasted.
    string(of: thread, at: address, in: 256) ?? string(of: thread, at: address, in: longestPath)
  }

  /// The string at `address` that has less than `capacity` bytes.
  ///
  /// It is read up to the end of a page each time: the next page may be missing, and only the string
  /// is the thread's to show.
  private static func string(
    of thread: Int32, at address: UInt64, in capacity: Int
  ) -> ByteString? {
    unsafe withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 1) { bytes in
      guard let start = bytes.baseAddress else { return nil }
      var length = 0
      while length < capacity {
        let (place, isBeyond) = address.addingReportingOverflow(UInt64(length))
        if isBeyond { return nil }
        let part = unsafe start + length
        let count = min(Int(pageSize - place % pageSize), capacity - length)
        guard unsafe linux_read_memory(thread, place, part, count) == count else { return nil }
        if unsafe memchr(part, 0, count) != nil {
          return unsafe ByteString(nulTerminated: start.assumingMemoryBound(to: CChar.self))
        }
        length += count
      }
      return nil
    }
  }

  /// Whether this process may not read the memory of `thread` at all.
  public static func isClosed(_ thread: Int32, at address: UInt64) -> Bool {
    var buffer = [UInt8](zeros: 1)
    return read(thread, address, into: &buffer) == Int(-EPERM)
  }

  private static func read(_ thread: Int32, _ address: UInt64, into buffer: inout [UInt8]) -> Int {
    unsafe buffer.withUnsafeMutableBytes { bytes -> Int in
      guard let start = bytes.baseAddress else { return -1 }
      return unsafe linux_read_memory(thread, address, start, bytes.count)
    }
  }
}
