// SPDX-License-Identifier: Apache-2.0
// What is asked about a terminal.

internal import CLinux
internal import Glibc
public import SystemPackage
internal import Text

/// Terminals.
///
/// See tty(4).
public enum Terminal {
  /// The device file of the terminal that `number` is, or nil where it is none.
  ///
  /// See ttyname(3).
  public static func path(of number: CInt) -> FilePath? {
    guard isatty(number) == 1 else { return nil }
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let result = unsafe buffer.withUnsafeMutableBytes { buffer -> CInt in
      guard let start = buffer.baseAddress else { return EINVAL }
      return unsafe ttyname_r(number, start.assumingMemoryBound(to: CChar.self), buffer.count)
    }
    return result == 0 ? ByteString(buffer).path : nil
  }

  /// Makes this process's group the foreground one of its terminal, if it has one and no process is
  /// left of the group that is.
  ///
  /// See tcsetpgrp(3).
  public static func takeBackIfAbandoned() {
    guard let terminal = try? OwnedDescriptor.open("/dev/tty", .readingAndWriting)
    else { return }
    let foreground = tcgetpgrp(terminal.rawValue)
    guard foreground > 0, foreground != getpgrp(), kill(-foreground, 0) < 0, errno == ESRCH else {
      return
    }
    // Without this the kernel would stop the process, as it does with all in the background.
    signal(SIGTTOU, SIG_IGN)
    tcsetpgrp(terminal.rawValue, getpgrp())
  }
}
