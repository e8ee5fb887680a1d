// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Running
internal import Sandbox
internal import Text

extension Option {
  static let running: [Option] = [
    Option(
      "--name", [.name], in: .running, "Register the sandbox as NAME while it runs",
      """
      NAME begins with a letter or a digit, and has up to 63 more letters, digits, dots, dashes and
      underscores. --list shows it, and --inspect, --signal and --stop take it. If a running sandbox
      has the name, the command is not started. When the launcher has ended, even by a signal, the
      name is free again; processes left in the background then run without a name.

          nestbox --name box --ro-bind / / sleep 1000
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      guard SandboxName.isValid(typed.text(0)) else {
        throw UsageError(
          "\(typed.text(0).quoted) cannot be the name of a sandbox: \(SandboxName.rule)")
      }
      draft.sandbox.name = typed.setting(typed.text(0))
    },
    Option(
      "--single", in: .running,
      "Run the command in the running sandbox of that name, if there is one",
      """
      If a sandbox that was started with the same options runs under the name of --name, the command
      runs in it, as by --enter; otherwise nestbox starts a new sandbox. So the second click on a
      program opens a second window beside the first, even while the first is being started. If the
      name belongs to a sandbox that was started with other options, which may protect less, nothing
      is started. Needs --name; with --wrap the name is the program's unless --name gives another.
      Cannot be combined with --detach, --args, or options that read descriptors: what these lead to
      cannot be compared. Nor does nestbox compare what profiles said then with what they say now.

          nestbox --wrap firefox --profile browser --single --output ~/.local/bin/ --desktop-file
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.single = typed.option },
    Option(
      "--keep", in: .running, "Keep the sandbox when its command has ended",
      """
      The sandbox keeps its namespaces and its root without a command until --stop ends it, or, once
      the command has ended, SIGTERM, SIGINT, SIGQUIT or SIGHUP to the launcher. It also ends if the
      launcher is killed and no process is left inside. --enter runs commands in it. The exit status
      is the command's. COMMAND may be left out. The option needs --name and --unshare-pid.

          nestbox --name box --keep --detach
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.keep = typed.option },
    Option(
      "--detach", in: .running, "Return once the command is executed",
      """
      If the launch fails, the exit status is as without the option; otherwise it is 0, and the
      launcher goes on in the background, in a session of its own. Standard input, output and error
      are /dev/null for the command if they are terminals, pipes or sockets; files stay. It gets no
      other descriptors. Later warnings of the launcher go to standard error if that is a file; of a
      sandbox with a name, --inspect shows them otherwise. --die-with-parent in a profile has no effect.

          nestbox --detach --name server sh -c 'exec server' >log 2>&1
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.detach = typed.option
      // Somebody may wait for the end of a pipe.
      if draft.sandbox.closeDescriptors == nil { draft.sandbox.closeDescriptors = typed.option }
    },
    Option(
      "--list", in: .running, "List the sandboxes of this user that are running",
      """
      Prints one line for each sandbox: its name, or -, the number of its first process, the time
      since that started, the number of its processes, its network, the program that made it, and
      its command. It lists sandboxes of bubblewrap, flatpak, podman and others as well: all
      processes in namespaces other than the caller's. NETWORK is host for the caller's network
      namespace, allowed for one that leads to what --net-allow names, none for one with only the
      loopback interface (also with --publish), shared for one of several sandboxes, and own for any
      other; of a member of a --network it is that name. On a terminal, lines are cut at its width.
      Add --json for a report for programs.
      """
    ) { (draft, _) throws(UsageError) in draft.task = .list },
    Option(
      "--inspect", [.sandbox], in: .running, "Describe a running sandbox in full",
      """
      SANDBOX is a name, or the number of one of its processes or of its monitor. The report shows
      each namespace as /proc/PID/ns names it and who else is in it, how ids are mapped, processes,
      privileges, mounts and how full those in memory are, addresses, limits and control groups.
      Add --json for a report for programs.

          nestbox --inspect 4711
      """
    ) { (draft, typed) throws(UsageError) in draft.task = .inspect(typed.text(0)) },
    Option(
      "--enter", [.sandbox], in: .running, "Run a command in a running sandbox",
      """
      SANDBOX is as for --inspect, and was started with --name or by another tool. The command gets the
      namespaces, the root and the protection of the sandbox's own command: capabilities, no_new_privs, filters and
      policy, Landlock, resource limits, and its rules for the environment and the working directory,
      which apply to this caller's. It gets the descriptors 0, 1 and 2 and no others. Without a
      command, the sandbox's --default-command or /bin/sh is run. Options can set the environment,
      the directory and the session, and take privileges away. The exit status is the command's.
      Processes that enter keep the sandbox alive when its own command has ended; --stop ends them
      too. What would give the command less protection is refused. A sandbox of bubblewrap, flatpak or
      another tool is entered without capabilities, in a session of its own, and under the policy of
      --seccomp-policy, which it needs if it has filters.

          nestbox --enter box --setenv LANG C ps ax
      """, traits: .isForEntering
    ) { (draft, typed) throws(UsageError) in draft.task = .enter(typed.text(0)) },
    Option(
      "--signal", [.signal, .sandbox], in: .running, "Send a signal to a sandbox's command",
      """
      SIGNAL is a name, with or without SIG, or a number. SANDBOX is as for --inspect.

          nestbox --signal HUP box
      """
    ) { (draft, typed) throws(UsageError) in
      draft.task = .signal(try typed.signal(0), typed.text(1))
    },
    Option(
      "--stop", [.sandbox], in: .running, "End a running sandbox",
      """
      The command and those that entered get SIGTERM and SIGCONT. After 10 seconds, or whole seconds
      of --timeout, everything in the sandbox that is still there gets SIGKILL. The launcher returns
      when nothing is left. SANDBOX is as for --inspect.

          nestbox --timeout 2 --stop box
      """
    ) { (draft, typed) throws(UsageError) in draft.task = .stop(typed.text(0)) },
  ]
}
