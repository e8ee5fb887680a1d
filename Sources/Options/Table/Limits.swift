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
      "--processes-try", [.number], in: .limits, "The same, but ignored if it cannot be enforced",
      """
      As --processes, but if the caller is root or makes no user namespace, the command runs without
      a limit.
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.limit(typed.setting(.processes(try typed.processes(0), orNone: true)))
    },
    Option(
      "--output-limit", [.size], in: .limits, "Kill the command after SIZE bytes of output",
      """
      The limit is for standard output and error together, if they are pipes, sockets or files. SIZE
      bytes arrive; if the command writes more, nestbox kills everything inside and exits with 153.
      The command writes to pipes, from which nestbox copies. When the command ends, nestbox kills
      everything inside, as with --kill-on-exit. The option needs --unshare-pid.

          nestbox --output-limit 1M ./program >output
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.limit(typed.setting(.output(try typed.size(0, atLeast: 0))))
    },
    Option(
      "--memory", [.size], in: .limits, "Allow all processes together SIZE of memory",
      """
      The limit includes their files in tmpfs and the files that the kernel caches for them. If they
      need more, and the kernel can free nothing, it kills all of them and the exit status is 137. They
      get no swap without --swap. The option needs a control group: see LIMITS OF A WHOLE SANDBOX.

          nestbox --memory 256M --report 3 ./program 3>report
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.limit(typed.setting(.memory(try typed.size(0, atLeast: 1), orNone: false)))
    },
    Option(
      "--memory-try", [.size], in: .limits, "The same, but ignored if it cannot be enforced",
      "As --memory, but if nestbox cannot make a control group with this limit, the command runs without it."
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.limit(typed.setting(.memory(try typed.size(0, atLeast: 1), orNone: true)))
    },
    Option(
      "--swap", [.size], in: .limits, "Allow all processes together SIZE of swap",
      """
      Memory that the kernel writes to swap. Without this option, a command with --memory gets none.
      Needs a control group.
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.limit(typed.setting(.swap(try typed.size(0, atLeast: 0), orNone: false)))
    },
    Option(
      "--swap-try", [.size], in: .limits, "The same, but ignored if it cannot be enforced",
      "As --swap, but if nestbox cannot make a control group with this limit, the command runs without it."
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.limit(typed.setting(.swap(try typed.size(0, atLeast: 0), orNone: true)))
    },
    Option(
      "--cpus", [.processors], in: .limits, "Allow all processes together the time of N processors",
      """
      In each tenth of a second they run for as long as N processors could, and then wait. N may have
      a fraction: 0.5 is half the time of one processor. Needs a control group.

          nestbox --cpus 1.5 make -j8
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.limit(typed.setting(.processors(try typed.processors(0), orNone: false)))
    },
    Option(
      "--cpus-try", [.processors], in: .limits, "The same, but ignored if it cannot be enforced",
      "As --cpus, but if nestbox cannot make a control group with this limit, the command runs without it."
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.limit(typed.setting(.processors(try typed.processors(0), orNone: true)))
    },
    Option(
      "--cpu-time", [.time], in: .limits, "Kill the command after TIME on processors",
      """
      The limit is for the user and kernel time of all processes together. When they have used it,
      nestbox kills everything inside and exits with 124. When the command ends, nestbox kills
      everything inside, as with --kill-on-exit. The option needs a control group and --unshare-pid.
      """
    ) { (draft, typed) throws(UsageError) in
      let (time, _) = try typed.time(0).multipliedReportingOverflow(by: 1000)
      draft.sandbox.limit(typed.setting(.processorTime(time, orNone: false)))
    },
    Option(
      "--cpu-time-try", [.time], in: .limits, "The same, but ignored if it cannot be enforced",
      "As --cpu-time, but if nestbox cannot make a control group, the command runs without the limit."
    ) { (draft, typed) throws(UsageError) in
      let (time, _) = try typed.time(0).multipliedReportingOverflow(by: 1000)
      draft.sandbox.limit(typed.setting(.processorTime(time, orNone: true)))
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
      Writes one line when everything has ended, or when the launch has failed or options behind this
      one have a mistake: `outcome` is exited, signaled, timeout, memory, cpu-time, output or
      not-started, with `exit-code`, `signal` or `error`. Times are in seconds, sizes in bytes; a figure
      that is not known is left out. `complete` is false where processes may not have been counted, and
      `incomplete-because` says why. `counted-by` is control-group or parents: without a control group,
      the kernel counts a process when its parent waits for it, and a command can hide processes, by
      ignoring SIGCHLD or in a pid namespace of its own. --cpu-time and --memory make a group. The
      command does not get the descriptor; one that has the same file or pipe as output can write there
      too. If the report cannot be written, nestbox says so and exits with 125.

          nestbox --report 3 sh -c 'exit 137' 3>report
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.report = typed.setting(try typed.output(0))
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
