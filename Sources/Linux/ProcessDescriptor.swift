// SPDX-License-Identifier: Apache-2.0
// A process through its descriptor, whose number cannot come to mean another process.

internal import CLinux
internal import Glibc
internal import SystemPackage
internal import Text

extension OwnedDescriptor {
  /// Waits until the child to which this descriptor refers has ended.
  ///
  /// See waitid(2), P_PIDFD.
  public borrowing func waitForProcess() throws(SystemCallError) -> Termination {
    var information = unsafe siginfo_t()
    let result = retrying {
      unsafe linux_wait_pidfd(rawValue, &information, WEXITED)
    }
    try check(result, "waitid")
    let status = unsafe information._sifields._sigchld.si_status
    return unsafe information.si_code == CInt(CLD_EXITED)
      ? .exited(UInt8(truncatingIfNeeded: status)) : .signaled(Signal(rawValue: status))
  }

  /// Sends `signal` to the process to which this descriptor refers.
  ///
  /// See pidfd_send_signal(2).
  public borrowing func send(_ signal: Signal) throws(SystemCallError) {
    try check(linux_pidfd_send_signal(rawValue, signal.rawValue), "pidfd_send_signal")
  }

  /// Sends `signal` to the process group that the process leads; where it leads none, or the kernel
  /// does not know how, to the process alone.
  ///
  /// See pidfd_send_signal(2), PIDFD_SIGNAL_PROCESS_GROUP.
  public borrowing func sendToGroup(_ signal: Signal) throws(SystemCallError) {
    if linux_pidfd_signal_group(rawValue, signal.rawValue) < 0 { try send(signal) }
  }

  /// The number of the process in this pid namespace.
  ///
  /// See proc(5), fdinfo.
  public borrowing func processNumber() throws(SystemCallError) -> Int32 {
    let path = FilePath("/proc/self/fdinfo/" + String(rawValue))
    let file = try OwnedDescriptor.open(path, .reading)
    let lines = NamedLines(try Descriptors.contents(of: file.rawValue, chunk: 512))
    guard let pid = Int32(exactly: lines.number("Pid")), pid > 0 else {
      throw SystemCallError(call: "read", subject: ByteString(path), errno: .noSuchProcess)
    }
    return pid
  }

  /// Whether the process is stopped at this moment; nil if /proc does not say.
  ///
  /// See proc(5), /proc/PID/stat.
  public borrowing func isStopped() -> Bool? {
    guard let number = try? processNumber(),
      let text = try? TextFile.text(of: FilePath("/proc/\(String(number))/stat")),
      // The name before it may have any characters.
      let state = text.split(separator: ")").last?.drop(while: { $0 == " " }).first
    else { return nil }
    return state == "T" || state == "t"
  }

  /// The signal by which this child was stopped; nil if it was not.
  ///
  /// See waitid(2), WSTOPPED.
  public borrowing func stopSignal() -> Signal? {
    var information = unsafe siginfo_t()
    let result = unsafe linux_wait_pidfd(rawValue, &information, WSTOPPED | WNOHANG)
    guard result == 0, unsafe information.si_code == CInt(CLD_STOPPED) else { return nil }
    return Signal(rawValue: unsafe information._sifields._sigchld.si_status)
  }
}
