// SPDX-License-Identifier: Apache-2.0
// The manual page nestbox-policy(5).

internal import Seccomp

/// The manual page on policies of system calls.
public enum PolicyManual {
  /// The whole page.
  public static var page: String {
    var page = Roff(
      "nestbox-policy", section: 5, summary: "policies of system calls for nestbox")
    for chapter in chapters { page.append(chapter) }
    return page.text
  }

  private static let chapters = [
    Chapter(
      title: "DESCRIPTION",
      text: """
        A policy says what happens to each system call that a command makes. The option
        --seccomp-policy of nestbox(1) puts a command under a built-in policy, by its name, or under
        one of a file, by its path; --seccomp-allow and --seccomp-deny change it for one run. A
        file is compiled when it is used, by libseccomp, and a mistake in it is reported with line
        and column before anything is started.

        * `default` -- For ordinary programs: a list of what is allowed. No namespaces, mounts,
        keys, tracing, BPF, io_uring or rare sockets.
        * `desktop` -- For browsers, Electron, games and Wine: `default`, and nested namespaces,
        tracing and 32-bit programs.
        * `strict` -- For programs that compute: files, memory, threads and pipes.
        * `compat` -- For what nothing is known about: a list of what is refused; the weakest.
        """),
    Chapter(
      title: "LANGUAGE",
      text: """
        One directive a line. `#` begins a comment, blanks separate words, and double quotes hold a
        word together. Later lines override earlier ones: of the lines that name a call, the last
        whose conditions hold decides. So an included policy is refined by what stands below it.

        * `default` ACTION -- What happens to calls that no line is about, those of younger kernels
        among them. A policy has to say it.
        * `foreign` ACTION -- What happens to calls of other architectures; `kill` unless it is said.
        * `arch` NAME... -- Calls of programs of these architectures have the same rules, by their own
        numbers: `x86` and `x32` on x86_64, `arm` on aarch64.
        * `include` NAME -- The lines of a built-in policy, or of a file, which is looked for beside
        the one that includes it.
        * `group` @NAME CALL... -- A name for several calls. A second line of the same group adds to
        it.
        * ACTION CALL... -- What happens to these calls and groups.
        * ACTION CALL... `if` CONDITION -- The same, for calls with such arguments.

        A name that libseccomp does not know is a mistake, and so is a call that the architecture
        does not have. With a `?` behind the first word, as in `allow?`, the line passes over what
        is missing.
        """),
    Chapter(
      title: "ACTIONS",
      text: """
        * `allow` -- The kernel carries the call out.
        * `log` -- It does, and notes it in its log.
        * `errno` NAME -- The call fails with that error, as in `errno EPERM`.
        * `trap` -- The thread gets SIGSYS, which it may handle.
        * `kill` -- The process ends by SIGSYS.
        """),
    Chapter(
      title: "GROUPS",
      text: """
        The groups are named as systemd's are: `@basic-io`, `@file-system`, `@process`,
        `@network-io`, `@mount`, `@debug`, `@privileged`, `@system-service` and more. `@known` is
        every call that libseccomp knows. `nestbox --generate system-calls` lists them.
        """),
    Chapter(
      title: "CONDITIONS",
      text: """
        Conditions compare arguments, `arg0` to `arg5`, with `==`, `!=`, `<`, `<=`, `>` or `>=`, as
        numbers without a sign. A mask, as in `arg0 & CLONE_NEWUSER != 0`, may stand before `==` and
        `!=`. Several comparisons are joined by `and`; for "or" there are more lines. Numbers are
        written as in C, constants of the kernel by their names, joined by `|`.

        An argument is its lower 32 bits, which is all that the kernel looks at where it is an int,
        a flag or a command: a filter that looked at the upper half as well would be passed by
        setting a bit there. `arg0:64` is the whole register, for lengths, offsets and addresses.
        What pointers point to cannot be compared: the command could change it after the look.
        """),
    Chapter(
      title: "EXAMPLES",
      text: """
        A compiler that must not talk to anybody:

            include default
            errno EPERM @network-io
            allow socketpair if arg0 == AF_UNIX
            allow sendto recvfrom sendmsg recvmsg
            # Whoever tries this is up to no good.
            kill ptrace

        Conditions:

            errno EPERM ioctl if arg1 == TIOCSTI
            errno EPERM clone if arg0 & CLONE_NEWUSER|CLONE_NEWNET != 0
            allow socket if arg0 == AF_NETLINK and arg2 == NETLINK_ROUTE
            errno EFBIG ftruncate if arg1:64 > 0x40000000

        What a policy comes to, and its use by other programs:

            nestbox --seccomp-explain ./mine.policy
            nestbox --seccomp-compile ./mine.policy >filter
        """),
    Chapter(
      title: "SEE ALSO",
      text: "nestbox(1), nestbox-profile(5), seccomp(2), syscalls(2), systemd.exec(5)"),
  ]
}
