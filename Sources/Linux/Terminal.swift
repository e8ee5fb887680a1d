// SPDX-License-Identifier: Apache-2.0
// Terminals: their device files, and which process group they listen to.

internal import CLinux
internal import Glibc
public import SystemPackage
internal import Text

/// Terminals.
///
/// See tty(4).
public enum Terminal {
  /// The device file of the terminal `number`, or nil if it is not a terminal.
  ///
  /// See ttyname(3).
  public static func path(of number: CInt) -> FilePath? {
    guard isatty(number) == 1 else { return nil }
    var buffer = [UInt8](zeros: Int(PATH_MAX))
    let result = unsafe buffer.withUnsafeMutableBytes { buffer -> CInt in
      guard let start = buffer.baseAddress else { return EINVAL }
      return unsafe ttyname_r(number, start.assumingMemoryBound(to: CChar.self), buffer.count)
    }
    return result == 0 ? ByteString(buffer).path : nil
  }

  /// The device file of the first standard descriptor that is a terminal; nil if none is.
  ///
  /// Standard output comes first. In `nestbox tty | cat` it is a pipe, and standard input still is
  /// the terminal.
  public static var standard: FilePath? { path(of: 1) ?? path(of: 0) ?? path(of: 2) }

  /// How many columns the terminal `number` has; nil if it is not a terminal, or has no size.
  ///
  /// See ioctl_tty(2), TIOCGWINSZ.
  public static func columns(of number: CInt) -> Int? {
    let columns = linux_terminal_columns(number)
    return columns > 0 ? Int(columns) : nil
  }

  /// The foreground group of the terminal `number`; nil if it is not this session's terminal.
  ///
  /// See tcgetpgrp(3).
  public static func foreground(_ number: CInt) -> Int32? {
    let group = tcgetpgrp(number)
    return group > 0 ? group : nil
  }

  /// Whether this process has a terminal.
  ///
  /// See tty(4).
  public static var exists: Bool { (try? OwnedDescriptor.open("/dev/tty", .reading)) != nil }

  /// Whether this process has a terminal, and another process group is in the foreground of it.
  ///
  /// See tty(4).
  public static var isInBackground: Bool {
    guard let terminal = try? OwnedDescriptor.open("/dev/tty", .reading) else { return false }
    return foreground(terminal.rawValue).map { $0 != getpgrp() } ?? false
  }

  /// Makes `group` the foreground group of the terminal `number`.
  ///
  /// See tcsetpgrp(3).
  public static func setForeground(_ number: CInt, to group: Int32) {
    ignoreStops()
    tcsetpgrp(number, group)
  }

  /// The same in a process that blocks all signals, and passes their dispositions on to the command.
  public static func setForegroundWhileBlocked(_ number: CInt, to group: Int32) {
    tcsetpgrp(number, group)
  }

  /// Makes this process's group the foreground group of its terminal, if the process has a terminal
  /// and no process of the present foreground group is left.
  ///
  /// See tcsetpgrp(3).
  public static func takeBackIfAbandoned() {
    guard let terminal = try? OwnedDescriptor.open("/dev/tty", .readingAndWriting)
    else { return }
    let foreground = tcgetpgrp(terminal.rawValue)
    guard foreground > 0, foreground != getpgrp(), kill(-foreground, 0) < 0, errno == ESRCH else {
      return
    }
    ignoreStops()
    tcsetpgrp(terminal.rawValue, getpgrp())
  }

  /// Lets this process change its terminal in the background: the kernel would stop it.
  fileprivate static func ignoreStops() { signal(SIGTTOU, SIG_IGN) }
}

/// The settings of a terminal: what its keys do, and what it makes of input and output.
///
/// See termios(3) and ioctl_tty(2), TCGETS2.
public struct TerminalSettings: Sendable {
  // flags: input, output, control, local; characters: 0 VINTR, 1 VQUIT, 5 VTIME, 6 VMIN, 10 VSUSP.
  private var kernel = linux_terminal_settings()

  /// The settings of `number`; nil if that is not a terminal.
  public init?(of number: CInt) {
    guard unsafe linux_get_terminal_settings(number, &kernel) == 0 else { return nil }
  }

  /// Whether both are the same.
  public func isSame(as other: TerminalSettings) -> Bool {
    var (own, others) = (kernel, other.kernel)
    return unsafe linux_are_equal_settings(&own, &others) != 0
  }

  /// Gives these settings to the terminal `number`, if it has others.
  public func restore(on number: CInt) {
    guard let present = TerminalSettings(of: number), !isSame(as: present) else { return }
    Terminal.ignoreStops()
    var settings = kernel
    _ = unsafe linux_set_terminal_settings(number, &settings)
  }

  /// Gives these settings to the terminal `number`, which is not this process's terminal.
  public func set(on number: CInt) {
    var settings = kernel
    _ = unsafe linux_set_terminal_settings(number, &settings)
  }

  /// Changes to these settings; false if that is refused.
  ///
  /// If this process is in the background of its terminal, the kernel stops its group first.
  public func apply(to number: CInt) -> Bool {
    var settings = kernel
    signal(SIGTTOU, SIG_DFL)
    return retrying { unsafe linux_set_terminal_settings(number, &settings) } == 0
  }

  /// The settings with which every key reaches the reader as it is, and at once.
  ///
  /// With `keepsOutput` the output is still processed, for other programs that write there; with
  /// `keepsSignals` keys such as Ctrl-C make signals. See termios(3), cfmakeraw.
  public func raw(keepsOutput: Bool, keepsSignals: Bool = false) -> TerminalSettings {
    var raw = self
    let input = IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON
    raw.kernel.flags.0 &= ~UInt32(input)
    if !keepsOutput { raw.kernel.flags.1 &= ~UInt32(OPOST) }
    raw.kernel.flags.2 = raw.kernel.flags.2 & ~UInt32(CSIZE | PARENB) | UInt32(CS8)
    raw.kernel.flags.3 &= ~UInt32(ECHO | ECHONL | ICANON | IEXTEN)
    if !keepsSignals { raw.kernel.flags.3 &= ~UInt32(ISIG) }
    raw.kernel.characters.5 = 0
    raw.kernel.characters.6 = 1
    return raw
  }

  /// Whether a terminal with these settings makes a signal of `key`, and discards its input then.
  public func isSignal(_ key: UInt8) -> Bool {
    let local = kernel.flags.3
    guard local & UInt32(ISIG) != 0, local & UInt32(NOFLSH) == 0, key != 0 else { return false }
    return key == kernel.characters.0 || key == kernel.characters.1 || key == kernel.characters.10
  }
}
