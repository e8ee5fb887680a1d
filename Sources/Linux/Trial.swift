// SPDX-License-Identifier: Apache-2.0
// Trying an action in a short-lived child.

internal import CLinux
internal import Glibc
public import SystemPackage

/// The result of an action that a child tried.
public enum Trial: Equatable, Sendable {
  /// It worked.
  case success
  /// The kernel refused it, for this reason.
  case failure(Errno)
  /// A signal ended the child.
  case killed(Signal)

  /// Tries `body` in a child that begins in new namespaces of the kinds `namespaces`.
  ///
  /// This process must have one thread.
  public static func run(
    in namespaces: Namespaces = [], _ body: () throws(SystemCallError) -> Void = {}
  ) -> Trial {
    do throws(SystemCallError) {
      guard let child = try ChildProcess.clone(namespaces) else {
        do throws(SystemCallError) {
          try body()
        } catch {
          CurrentProcess.exit(UInt8(truncatingIfNeeded: error.errno.rawValue))
        }
        CurrentProcess.exit(0)
      }
      switch try child.wait() {
      case .exited(0): return .success
      case .exited(let status): return .failure(Errno(rawValue: CInt(status)))
      case .signaled(let signal): return .killed(signal)
      }
    } catch {
      return .failure(error.errno)
    }
  }
}

/// The system calls of a launch, by name.
public enum SystemCalls {
  /// Without a number: calls that may do something even with meaningless arguments, and that the
  /// kernel itself never refuses.
  static let numbers: [(name: String, number: Int?, since: (Int, Int))] = [
    ("clone3", Int(SYS_clone3), (5, 3)), ("unshare", Int(SYS_unshare), (2, 6)),
    ("setns", Int(SYS_setns), (3, 0)), ("openat2", Int(SYS_openat2), (5, 6)),
    ("open_tree", Int(SYS_open_tree), (5, 2)), ("move_mount", Int(SYS_move_mount), (5, 2)),
    ("fsopen", Int(SYS_fsopen), (5, 2)), ("fsconfig", Int(SYS_fsconfig), (5, 2)),
    ("fsmount", Int(SYS_fsmount), (5, 2)), ("mount_setattr", Int(SYS_mount_setattr), (5, 12)),
    ("pivot_root", Int(SYS_pivot_root), (2, 6)), ("umount2", Int(SYS_umount2), (2, 6)),
    ("sethostname", Int(SYS_sethostname), (2, 6)),
    ("setdomainname", Int(SYS_setdomainname), (2, 6)), ("pidfd_open", Int(SYS_pidfd_open), (5, 3)),
    ("close_range", Int(SYS_close_range), (5, 9)), ("mkdirat", Int(SYS_mkdirat), (2, 6)),
    ("mknodat", Int(SYS_mknodat), (2, 6)), ("symlinkat", Int(SYS_symlinkat), (2, 6)),
    ("seccomp", Int(SYS_seccomp), (3, 17)), ("prctl", Int(SYS_prctl), (2, 6)),
    ("ioctl", Int(SYS_ioctl), (2, 6)), ("socket", Int(SYS_socket), (2, 6)),
    ("capset", Int(SYS_capset), (2, 6)), ("waitid", Int(SYS_waitid), (2, 6)),
    ("socketpair", Int(SYS_socketpair), (2, 6)), ("chdir", Int(SYS_chdir), (2, 6)),
    ("fchdir", Int(SYS_fchdir), (2, 6)), ("setsid", Int(SYS_setsid), (2, 6)),
    ("execve", Int(SYS_execve), (2, 6)), ("sendmsg", Int(SYS_sendmsg), (2, 6)),
    ("recvmsg", Int(SYS_recvmsg), (2, 6)), ("pipe2", Int(SYS_pipe2), (2, 6)),
    ("readlinkat", Int(SYS_readlinkat), (2, 6)), ("signalfd4", Int(SYS_signalfd4), (2, 6)),
    ("capget", Int(SYS_capget), (2, 6)),
    ("landlock_create_ruleset", Int(LINUX_LANDLOCK_CREATE_RULESET), (5, 13)),
    ("landlock_restrict_self", Int(LINUX_LANDLOCK_RESTRICT_SELF), (5, 13)),
    ("ppoll", nil, (2, 6)), ("vfork", nil, (2, 6)), ("wait4", nil, (2, 6)),
  ]

  /// The calls whose functions have other names, which errors use.
  private static let functions: [(function: String, call: String)] = [
    ("cap_set_proc", "capset"), ("cap_get_proc", "capget"), ("signalfd", "signalfd4"),
    ("poll", "ppoll"),
  ]

  /// The name of a call in the kernel, and so in filters, by the name in an error.
  public static func kernelName(_ name: String) -> String {
    functions.first { $0.function == name }?.call ?? name
  }

  /// The release of Linux that introduced the call `name`; nil if this table lacks it.
  ///
  /// The lookup ignores brackets after a name.
  public static func release(of name: String) -> (Int, Int)? { entry(name)?.since }

  /// Whether only a filter can refuse the call `name` for a lack of rights.
  public static func isRefusedByFiltersAlone(_ name: String) -> Bool {
    entry(name).map { $0.number == nil } ?? false
  }

  /// Makes the call `name` with meaningless arguments, in a child that has all capabilities in its
  /// own namespaces; nil if the call cannot be tried.
  ///
  /// If the call reaches the kernel, the kernel rejects the arguments; if a filter refuses the
  /// call, it gives its usual answer.
  public static func probe(_ name: String) -> Trial? {
    guard let number = entry(name)?.number else { return nil }
    return Trial.run(in: [.user, .mount, .uts, .ipc]) { () throws(SystemCallError) in
      try check(linux_probe(CLong(number)), "syscall")
    }
  }

  private static func entry(
    _ name: String
  ) -> (name: String, number: Int?, since: (Int, Int))? {
    let name = kernelName(name).prefix { $0 != "(" }
    return numbers.first { $0.name == name }
  }
}
