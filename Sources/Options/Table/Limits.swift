// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let limits: [Option] = [
    Option(
      "--rlimit", [.resource], in: .limits, "Limit a resource of each process",
      """
      RESOURCE is NAME=VALUE or NAME=SOFT:HARD, with a name of prlimit(1): as, core, cpu, data, fsize,
      locks, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, rttime, sigpending, stack. A value
      is a number or unlimited; sizes may end in K, M, G or T (times 1024), times in s, m or h. The
      limit applies to each process alone, not to the sandbox as a whole. See setrlimit(2).

          nestbox --rlimit nofile=64 --rlimit fsize=10M sh -c 'ulimit -n'
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.limit(typed.setting(try typed.resource(0)))
    },
    Option(
      "--processes", [.number], in: .limits, "Allow at most N processes and threads inside",
      """
      The command counts; nestbox's init and the user's processes outside do not. A process that
      exceeds the limit gets EAGAIN from fork(2). The option needs a new user namespace, and an
      ordinary user: the kernel does not limit root's processes. On kernels before 5.14 all of the
      user's processes count.

          nestbox --processes 50 sh -c 'ulimit -u'
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.limit(typed.setting(.processes(try typed.processes(0), orNone: false)))
    },
    Option(
      "--processes-try", [.number], in: .limits, "The same, but ignored where it cannot be held",
      """
      As --processes, but if the caller is root or makes no user namespace, the command runs without
      a limit.
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.limit(typed.setting(.processes(try typed.processes(0), orNone: true)))
    },
    Option(
      "--timeout", [.time], in: .limits, "End the command after TIME",
      """
      After TIME by the clock, the command gets SIGTERM, and SIGCONT in case it is stopped; after the
      grace time as well, it gets SIGKILL. When the command ends, everything inside is killed, as
      with --kill-on-exit. After a timeout the exit status is 124, as with timeout(1). TIME is a
      number of seconds, or ends in ms, s, m or h; the clock stands still while the machine sleeps.
      It needs --unshare-pid.

          nestbox --timeout 5s sh -c 'sleep 60; echo too late'
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.limit(typed.setting(.time(try typed.time(0))))
    },
    Option(
      "--timeout-grace", [.time], in: .limits, "Wait for TIME between SIGTERM and SIGKILL",
      """
      The time that --timeout gives the command to clean up. Without this option it is 2 seconds.

          nestbox --timeout 1 --timeout-grace 200ms sh -c 'trap "" TERM; sleep 60'
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.limit(typed.setting(.grace(try typed.time(0))))
    },
    Option(
      "--report", [.descriptor], in: .limits, "Report the end and what was used on FD in JSON",
      """
      Writes one line when everything has ended, or when the launch has failed: `outcome` is exited,
      signaled, timeout or not-started, with `exit-code`, `signal` or `error`. Times are in seconds,
      sizes in bytes; a figure that is not known is left out. `complete` is false where processes may
      not have been counted, and `incomplete-because` says why. Processes whose parent ignores SIGCHLD
      are not counted by the kernel. The command does not get the descriptor.

          nestbox --report 3 sh -c 'exit 137' 3>report
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.report = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--usage", in: .limits, "Print what the command used when it has ended",
      """
      One line on standard error: the time by the clock, the processor time, the memory of the largest
      process, and how much was read from and written to storage. --report has the same for programs.

          nestbox --usage --timeout 1m make
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.tellsUse = typed.option },
  ]
}
