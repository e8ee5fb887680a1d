// SPDX-License-Identifier: Apache-2.0
// Pseudo-terminals: a terminal for programs inside, and its master, at which another process types
// and reads what is written.

internal import CLinux
internal import Glibc
public import SystemPackage
internal import Text

/// Pseudo-terminals.
///
/// See pty(7).
public enum PseudoTerminal {
  /// Makes a terminal in the devpts that is open as `directory`, and returns its master.
  public static func open(
    in directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> OwnedDescriptor { try open("ptmx", in: directory.rawValue) }

  /// Makes a terminal in the devpts of this mount namespace, and returns its master.
  public static func open() throws(SystemCallError) -> OwnedDescriptor {
    try open("/dev/ptmx", in: AT_FDCWD)
  }

  private static func open(
    _ path: FilePath, in directory: CInt
  ) throws(SystemCallError) -> OwnedDescriptor {
    let result = unsafe path.withPlatformString {
      unsafe linux_openat(directory, $0, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0)
    }
    if result < 0 { throw failure(result, "openat").about(ByteString(path)) }
    let master = OwnedDescriptor(result)
    try check(linux_unlock_terminal(master.rawValue), "ioctl(TIOCSPTLCK)")
    return master
  }

  /// Opens the terminal of a master, not as the controlling terminal.
  ///
  /// No path is looked up. See ioctl_tty(2), TIOCGPTPEER.
  public static func terminal(
    of master: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> OwnedDescriptor {
    let flags = O_RDWR | O_NOCTTY | O_CLOEXEC
    return OwnedDescriptor(
      try check(linux_terminal_peer(master.rawValue, flags), "ioctl(TIOCGPTPEER)"))
  }

  /// The terminal's name in its devpts.
  public static func name(
    of master: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> FilePath {
    let number = try check(linux_terminal_number(master.rawValue), "ioctl(TIOCGPTN)")
    return FilePath(String(number))
  }

  /// Discards what was typed at `master` and not read at its `terminal`.
  public static func discardInput(of master: CInt, _ terminal: CInt) {
    _ = linux_flush_terminal(master, 1)
    _ = linux_flush_terminal(terminal, 0)
  }
}

extension Terminal {
  /// Whether `number` is a terminal; true if that is not known of a device.
  public static func isOne(_ number: CInt) -> Bool {
    var settings = linux_terminal_settings()
    switch unsafe linux_get_terminal_settings(number, &settings) {
    case 0: return true
    case -ENOTTY, -EBADF: return false
    default: break
    }
    guard let file = try? OpenFile(number) else { return true }
    return file.kind == .characterDevice
  }

  /// Makes `number` the controlling terminal of this session, which must have none.
  public static func take(_ number: CInt) throws(SystemCallError) {
    try check(linux_take_terminal(number), "ioctl(TIOCSCTTY)")
  }

  /// Gives the terminal `other` the size of `number`; a change sends SIGWINCH there.
  public static func copySize(of number: CInt, to other: CInt) {
    _ = linux_copy_terminal_size(number, other)
  }

  /// Opens the terminal `number` once more, so that calls on it do not wait; nil if that fails.
  ///
  /// Waiting or not is a property of an open file, which the caller shares as well.
  public static func openedAgain(_ number: CInt, forWriting: Bool) -> OwnedDescriptor? {
    let path = FilePath("/proc/self/fd/" + String(number))
    let flags = (forWriting ? O_WRONLY : O_RDONLY) | O_NOCTTY | O_NONBLOCK | O_CLOEXEC
    let result = unsafe path.withPlatformString { unsafe linux_openat(AT_FDCWD, $0, flags, 0) }
    return result < 0 ? nil : OwnedDescriptor(result)
  }
}

extension Descriptors {
  /// What a call that does not wait has moved.
  public enum Progress {
    /// So many bytes, at least one.
    case bytes(Int)
    /// Nothing at this moment.
    case nothing
    /// Nothing any more: the other end has gone.
    case ended
  }

  private static func progress(_ count: Int) -> Progress {
    if count > 0 { return .bytes(count) }
    return count == Int(-EAGAIN) || count == Int(-EINTR) ? .nothing : .ended
  }

  /// Appends what can be read from `number` to `bytes`: one call, at most `most` bytes.
  public static func readOnce(
    _ number: CInt, to bytes: inout [UInt8], most: Int = 4096
  ) -> Progress {
    let count = unsafe withUnsafeTemporaryAllocation(byteCount: most, alignment: 8) { buffer in
      let count = unsafe read(number, buffer.baseAddress, most)
      if count > 0 { unsafe bytes.append(contentsOf: buffer[..<count]) }
      return count < 0 ? Int(-errno) : count
    }
    return progress(count)
  }

  /// Writes a part of `bytes` to `number`: one call.
  public static func writeOnce(_ bytes: ArraySlice<UInt8>, to number: CInt) -> Progress {
    progress(
      unsafe bytes.withUnsafeBytes { buffer in
        let count = unsafe Glibc.write(number, buffer.baseAddress, buffer.count)
        return count < 0 ? Int(-errno) : count
      })
  }
}
