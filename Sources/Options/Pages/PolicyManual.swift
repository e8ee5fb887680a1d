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
        --seccomp-policy of nestbox(1) applies a built-in policy, by its name, or one from a file, by
        its path; --seccomp-allow and --seccomp-deny change it for one run. nestbox compiles a file
        when it uses it, and reports a mistake with line and column before anything starts.

        * `default` -- For ordinary programs: a list of allowed calls. No namespaces, mounts, keys,
        tracing, BPF, io_uring or rare sockets.
        * `desktop` -- For browsers, Electron, games and Wine: `default`, and nested namespaces,
        tracing and 32-bit programs.
        * `strict` -- For programs that only compute: files, memory, threads and pipes.
        * `compat` -- For unknown programs: a list of refused calls; the weakest.

        Under all of them the command cannot set set-user-ID and set-group-ID bits. A policy can also
        include two parts by name: `host`, with these and other lines about the host, and `sockets`,
        with the usual families and protocols.
        """),
    Chapter(
      title: "LANGUAGE",
      text: """
        Each line holds one directive. `#` begins a comment, blanks separate words, and double quotes
        keep blanks in a word. Later lines override earlier ones: of the lines that name a call, the
        last whose conditions hold decides. So lines after an `include` refine the included policy.

        * `default` ACTION -- What happens to calls that no line names, including those of newer
        kernels. Every policy needs this line.
        * `foreign` ACTION -- What happens to calls of other architectures; `kill` without this line.
        * `arch` NAME... -- Applies the rules to programs of these architectures too, by their own
        numbers: `x86` and `x32` on x86_64, `arm` on aarch64.
        * `include` NAME -- Inserts the lines of a built-in policy, or of a file, whose path is relative
        to the file that includes it.
        * `exec once` -- Lets the command be executed, and no program after it. Other launchers cannot
        tell the two apart, so the filter that --seccomp-compile writes allows execve(2).
        * `group` @NAME CALL... -- Names a group of calls. A second line for the same group adds to it.
        * ACTION CALL... -- What happens to these calls and groups.
        * ACTION CALL... `if` CONDITION -- The same, for calls with such arguments.

        It is a mistake to name a call that is unknown or that the architecture does not have. With a `?` after the first word, as in `allow?`, the line ignores such names.
        """),
    Chapter(
      title: "ACTIONS",
      text: """
        * `allow` -- The kernel carries out the call.
        * `log` -- The kernel carries out the call and logs it.
        * `errno` NAME -- The call fails with that error, as in `errno EPERM`.
        * `trap` -- The thread gets SIGSYS, which it may handle.
        * `kill` -- The process ends by SIGSYS.
        """),
    Chapter(
      title: "GROUPS",
      text: """
        The groups have the names of systemd's: `@basic-io`, `@file-system`, `@process`,
        `@network-io`, `@mount`, `@debug`, `@privileged`, `@system-service` and more. `@known` is
        every known call. `nestbox --generate system-calls` lists them.
        """),
    Chapter(
      title: "CONDITIONS",
      text: """
        Conditions compare arguments, `arg0` to `arg5`, with `==`, `!=`, `<`, `<=`, `>` or `>=`, as
        unsigned numbers. `==` and `!=` allow a mask, as in `arg0 & CLONE_NEWUSER != 0`. `and` joins
        comparisons; write a second line for "or". Numbers are written as in C, constants of the
        kernel by their names, joined by `|`.

        An argument is its lower 32 bits, which is all that the kernel reads of an int, a flag or a
        command: a command could evade a filter on the upper half by setting a bit there. `arg0:64`
        is the whole register, for lengths, offsets and addresses. Conditions cannot look at memory that an argument points to, as the command could
        change it after the check.
        """),
    Chapter(
      title: "EXAMPLES",
      text: """
        A compiler without any network:

            include default
            errno EPERM @network-io
            allow socketpair if arg0 == AF_UNIX
            allow sendto recvfrom sendmsg recvmsg
            # A compiler never traces.
            kill ptrace

        Conditions:

            errno EPERM ioctl if arg1 == TIOCSTI
            errno EPERM clone if arg0 & CLONE_NEWUSER|CLONE_NEWNET != 0
            allow socket if arg0 == AF_NETLINK and arg2 == NETLINK_ROUTE
            errno EFBIG ftruncate if arg1:64 > 0x40000000

        Print what a policy does, and compile it for other programs:

            nestbox --seccomp-explain ./mine.policy
            nestbox --seccomp-compile ./mine.policy >filter
        """),
    Chapter(
      title: "FILES OF CONTAINER ENGINES",
      text: """
        A policy may also be a file that Docker and Podman accept for --security-opt seccomp=FILE: the
        JSON of the OCI's runtime-spec, with the members that the engines' default files add to it.
        nestbox reads it as runc does:

        A rule without args beats rules with args, and the first of several counts. Two comparisons
        of one argument are alternatives. nestbox skips calls that this machine does not know, and
        rules for other architectures and for a later kernel. It assumes a command without
        capabilities: it skips rules that need some, and keeps rules that some would exclude.

        If args of rules with different actions overlap, the strictest action counts. If the file
        kills a thread, nestbox kills the process. SCMP_ACT_TRACE, SCMP_ACT_NOTIFY, unknown members
        and numbers above 9223372036854775807 are mistakes.

            nestbox --seccomp-policy /usr/share/containers/seccomp.json ls
            nestbox --seccomp-export oci default >default.json

        A policy may include such a file, and change it in later lines.
        """),
    Chapter(
      title: "SEE ALSO",
      text: "nestbox(1), nestbox-profile(5), seccomp(2), syscalls(2), systemd.exec(5)"),
  ]
}
