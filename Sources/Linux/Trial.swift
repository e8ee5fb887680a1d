// SPDX-License-Identifier: Apache-2.0
// Trying something out in a child that ends right after.

internal import CLinux
internal import Glibc
public import SystemPackage

/// What came of something that was tried in a child.
public enum Trial: Equatable, Sendable {
  /// It worked.
  case success
  /// The kernel's reason against it.
  case failure(Errno)
  /// A signal ended the child.
  case killed(CInt)

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

/// System calls by name, as far as a launch makes them.
public enum SystemCalls {
  private static let numbers: [(name: String, number: Int, since: (Int, Int))] = [
    ("clone3", Int(SYS_clone3), (5, 3)), ("unshare", Int(SYS_unshare), (2, 6)),
    ("setns", Int(SYS_setns), (3, 0)), ("openat2", Int(SYS_openat2), (5, 6)),
    ("open_tree", Int(SYS_open_tree), (5, 2)), ("move_mount", Int(SYS_move_mount), (5, 2)),
    ("fsopen", Int(SYS_fsopen), (5, 2)), ("fsconfig", Int(SYS_fsconfig), (5, 2)),
    ("fsmount", Int(SYS_fsmount), (5, 2)), ("mount_setattr", Int(SYS_mount_setattr), (5, 12)),
    ("pivot_root", Int(SYS_pivot_root), (2, 6)), ("umount2", Int(SYS_umount2), (2, 6)),
    ("chroot", Int(SYS_chroot), (2, 6)), ("sethostname", Int(SYS_sethostname), (2, 6)),
    ("setdomainname", Int(SYS_setdomainname), (2, 6)), ("pidfd_open", Int(SYS_pidfd_open), (5, 3)),
    ("close_range", Int(SYS_close_range), (5, 9)), ("mkdirat", Int(SYS_mkdirat), (2, 6)),
    ("mknodat", Int(SYS_mknodat), (2, 6)), ("symlinkat", Int(SYS_symlinkat), (2, 6)),
    ("seccomp", Int(SYS_seccomp), (3, 17)), ("prctl", Int(SYS_prctl), (2, 6)),
    ("ioctl", Int(SYS_ioctl), (2, 6)), ("socket", Int(SYS_socket), (2, 6)),
    ("capset", Int(SYS_capset), (2, 6)), ("waitid", Int(SYS_waitid), (2, 6)),
    ("socketpair", Int(SYS_socketpair), (2, 6)), ("chdir", Int(SYS_chdir), (2, 6)),
    ("fchdir", Int(SYS_fchdir), (2, 6)), ("setsid", Int(SYS_setsid), (2, 6)),
    ("execve", Int(SYS_execve), (2, 6)),
  ]

  /// The release of Linux that brought the call `name`; nil where the name is not known here.
  ///
  /// What stands in brackets behind a name is passed over.
  public static func release(of name: String) -> (Int, Int)? { entry(name)?.since }

  /// Makes the call `name` with arguments that mean nothing to it, in a child with every right over
  /// itself; nil where the name is not known here.
  ///
  /// A kernel that gets to see the call finds fault with the arguments; a filter of system calls
  /// that refuses it answers as it always does.
  public static func probe(_ name: String) -> Trial? {
    guard let number = entry(name)?.number else { return nil }
    return Trial.run(in: [.user, .mount, .uts, .ipc]) { () throws(SystemCallError) in
      try check(linux_probe(CLong(number)), "syscall")
    }
  }

  private static func entry(
    _ name: String
  ) -> (name: String, number: Int, since: (Int, Int))? {
    let name = name.prefix { $0 != "(" }
    return numbers.first { $0.name == name }
  }
}
