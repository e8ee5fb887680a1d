// SPDX-License-Identifier: Apache-2.0
// Children: clone, wait, signal.

internal import CLinux
internal import Glibc
internal import SystemPackage
public import Text

/// How a process ended.
public enum Termination: Equatable, Sendable {
  /// It exited with this status, 0 to 255.
  case exited(UInt8)
  /// This signal ended it.
  case signaled(Signal)

  /// Decodes the status of wait(2).
  init(status: CInt) {
    if linux_wait_exited(status) != 0 {
      self = .exited(UInt8(truncatingIfNeeded: linux_wait_exit_status(status)))
    } else {
      self = .signaled(Signal(rawValue: linux_wait_signal(status)))
    }
  }

  /// The status that a shell reports: the command's own, or 128 plus the signal.
  public var shellStatus: UInt8 {
    switch self {
    case .exited(let status): status
    case .signaled(let signal): UInt8(truncatingIfNeeded: 128 &+ signal.rawValue)
    }
  }
}

/// What a process that waits for its children sees.
public enum ChildChange: Sendable {
  /// A child has ended.
  case ended(Int32, Termination)
  /// A signal has stopped a child.
  case stopped(Int32, Signal)
  /// A child goes on.
  case continued(Int32)
  /// The terminal has sent this signal for a key.
  case key(Signal)
  /// The wait has lasted as long as it may.
  case deadline
}

/// A process, and a descriptor that refers to it even after the kernel has reused its number.
public struct ChildProcess: ~Copyable {
  /// The process id, as seen from this process.
  public let pid: Int32
  /// The descriptor.
  ///
  /// See pidfd_open(2).
  public let descriptor: OwnedDescriptor

  /// Makes a child, as fork(2) does, in new namespaces of the kinds `namespaces`; returns nil in
  /// the child.
  ///
  /// This process must have one thread: the child gets a copy of the calling thread only.
  /// See clone(2), clone3.
  public static func clone(
    _ namespaces: Namespaces = []
  ) throws(SystemCallError) -> ChildProcess? {
    var descriptor: CInt = -1
    let flags = namespaces.rawValue | UInt64(CLONE_PIDFD)
    var pid = unsafe linux_clone3(flags, &descriptor)
    // A filter cannot see the flags of clone3, so filters that check flags, such as systemd's
    // RestrictNamespaces=, answer ENOSYS for it; older ones answer EPERM, as for all they do not know.
    if pid == -ENOSYS {
      pid = try check(unsafe linux_clone(flags, &descriptor), "clone")
    } else if pid == -EPERM {
      // If clone fails as well, the first refusal tells more.
      let second = unsafe linux_clone(flags, &descriptor)
      if second >= 0 { pid = second }
    }
    try check(pid, "clone3")
    return pid == 0 ? nil : ChildProcess(pid: pid, descriptor: OwnedDescriptor(descriptor))
  }

  /// Makes a child as `clone` does, which begins in the control group of the open directory `group`.
  /// - Returns: nil in the child, and whether it has yet to enter the group: where clone3 is refused,
  ///   no call makes a child inside.
  ///
  /// See clone(2), CLONE_INTO_CGROUP.
  public static func clone(
    _ namespaces: Namespaces, into group: CInt, mustEnter: inout Bool
  ) throws(SystemCallError) -> ChildProcess? {
    var descriptor: CInt = -1
    let flags = namespaces.rawValue | UInt64(CLONE_PIDFD)
    let pid = unsafe linux_clone3_into(flags, &descriptor, group)
    if pid == -ENOSYS || pid == -EPERM {
      mustEnter = true
      return try clone(namespaces)
    }
    try check(pid, "clone3")
    return pid == 0 ? nil : ChildProcess(pid: pid, descriptor: OwnedDescriptor(descriptor))
  }

  /// Makes a process with the same parent as this one, in new namespaces of the kinds `namespaces`;
  /// returns nil in the new process.
  ///
  /// Process 1 of a pid namespace cannot do this. See clone(2), CLONE_PARENT.
  public static func cloneSibling(
    _ namespaces: Namespaces
  ) throws(SystemCallError) -> ChildProcess? {
    try clone(Namespaces(rawValue: namespaces.rawValue | UInt64(CLONE_PARENT)))
  }

  /// Continues in a grandchild, and ends this process with status 0.
  ///
  /// The grandchild's parent exits at once, so that the kernel hands the grandchild to process 1 of
  /// the pid namespace in which this process's children begin. That parent shares this process's
  /// memory, which saves a copy. See clone(2), vfork(2).
  public static func continueAsOrphan() throws(SystemCallError) {
    let middle = try check(linux_clone_orphan(), "clone")
    if middle != 0 { CurrentProcess.exit(0) }
  }

  /// A descriptor of the calling process.
  ///
  /// See pidfd_open(2).
  public static func openCurrent() throws(SystemCallError) -> OwnedDescriptor {
    OwnedDescriptor(try check(linux_pidfd_open(getpid()), "pidfd_open"))
  }

  /// Runs `body` in a child that shares this process's memory, and waits until the child executes a
  /// program.
  ///
  /// The kernel copies nothing for the child, which saves a tenth of a launch; in return, this
  /// process sees every change that `body` makes in memory. See vfork(2).
  ///
  /// Returns the child's number. The child already runs another program then; only the child itself
  /// can open a descriptor of it before that.
  public static func startSharingMemory(
    _ body: @escaping () -> Never
  ) throws(SystemCallError) -> Int32 {
    // Escaping, because the child's reference counts stay behind in this memory.
    var context = ChildBody(run: body)
    let result = unsafe withUnsafeMutablePointer(to: &context) {
      unsafe linux_vfork({ unsafe $0.load(as: ChildBody.self).run() }, $0)
    }
    return try check(result, "vfork")
  }

  /// Runs `body`, which must end its process, in a child that shares this process's memory, and waits
  /// until the child has ended or executes a program.
  ///
  /// What the kernel keeps with the memory, whether other processes may look into it, is as before
  /// afterwards. See `startSharingMemory`.
  public static func startBriefly(
    _ body: @escaping () -> Never
  ) throws(SystemCallError) -> ChildProcess {
    let isHidden = CurrentProcess.isHidden
    let number = try startSharingMemory(body)
    if !isHidden { try CurrentProcess.setHidden(false) }
    // Nobody has waited for it, so no other process has its number.
    let descriptor = OwnedDescriptor(try check(linux_pidfd_open(number), "pidfd_open"))
    return ChildProcess(pid: number, descriptor: descriptor)
  }

  /// Starts `file` with other standard descriptors, each given as the number that it gets and the one
  /// that this process has; signals that wait here do not wait there.
  /// - Returns: A descriptor of the child, to wait for its end.
  ///
  /// See pidfd_open(2).
  public static func start(
    _ file: ByteString, _ arguments: [ByteString], _ environment: [ByteString],
    replacing standard: [(CInt, CInt)], unblocking signals: EndSignals? = nil
  ) throws(SystemCallError) -> OwnedDescriptor {
    let number = try startSharingMemory {
      signals?.end()
      for (number, source) in standard { dup2(source, number) }
      _ = CurrentProcess.execute(file, arguments: arguments, environment: environment)
      CurrentProcess.exit(127)
    }
    return OwnedDescriptor(try check(linux_pidfd_open(number), "pidfd_open"))
  }

  /// Kills the child `pid`, for which nobody has waited yet.
  ///
  /// See kill(2).
  public static func kill(_ pid: Int32) { _ = Glibc.kill(pid, SIGKILL) }

  init(pid: Int32, descriptor: consuming OwnedDescriptor) {
    self.pid = pid
    self.descriptor = descriptor
  }

  /// Takes over a process that another one made, and looks up its number in this pid namespace.
  ///
  /// See proc(5), fdinfo.
  public init(descriptor: consuming OwnedDescriptor) throws(SystemCallError) {
    let pid = try descriptor.processNumber()
    self.init(pid: pid, descriptor: descriptor)
  }

  /// Gives up the descriptor.
  public consuming func release() -> CInt { descriptor.release() }

  /// Waits until this child has ended.
  ///
  /// See waitid(2), P_PIDFD.
  public borrowing func wait() throws(SystemCallError) -> Termination {
    try descriptor.waitForProcess()
  }

  /// Forgets the children that have ended already; returns whether another one is left.
  ///
  /// See wait(2), WNOHANG.
  public static func reapEnded() -> Bool {
    while true {
      let pid = waitpid(-1, nil, WNOHANG)
      if pid <= 0 { return pid == 0 }
    }
  }

  /// Kills every other process of the pid namespace; returns whether that was possible.
  ///
  /// Only for process 1: in any other, these are all processes of the user. See kill(2).
  public static func killAllOthers() -> Bool { Glibc.kill(-1, SIGKILL) == 0 }

  /// Waits until any child has changed, or one of `keys` was typed at the terminal; nil if no child is
  /// left.
  ///
  /// With `stay`, a process without children waits for those that the kernel hands to it, and that
  /// signal ends the wait, as a key does.
  ///
  /// The wait ends at `deadline`, in milliseconds of the monotonic clock; 0 stands for none.
  ///
  /// All signals must be blocked. During a long wait the process keeps as little memory as it can. See
  /// wait(2), and sigwaitinfo(2).
  public static func waitForAny(
    orKeys keys: SignalSet, stay: Signal? = nil, until deadline: Int64 = 0
  ) throws(SystemCallError) -> ChildChange? {
    var (status, key): (CInt, CInt) = (0, 0)
    let result = retrying {
      unsafe linux_wait_released(&status, keys.rawValue, stay?.rawValue ?? 0, deadline, &key)
    }
    if result == CLong(-ECHILD) { return nil }
    let pid = try check(CInt(truncatingIfNeeded: result), "wait4")
    if key == SIGALRM { return .deadline }
    if key != 0 { return .key(Signal(rawValue: key)) }
    if linux_wait_stopped(status) != 0 {
      return .stopped(pid, Signal(rawValue: linux_wait_stop_signal(status)))
    }
    return linux_wait_continued(status) != 0
      ? .continued(pid) : .ended(pid, Termination(status: status))
  }
}

/// The child's task, in a form that C can pass through.
private struct ChildBody {
  let run: () -> Never
}
