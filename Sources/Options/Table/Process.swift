// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let process: [Option] = [
    Option(
      "--chdir", [.directory], in: .process, "Start the command in DIR",
      """
      DIR is a path inside; if the command cannot enter it, it is not started. Without this option
      the command starts in the caller's directory if that exists inside, else in $HOME as set
      inside, else in the root. nestbox sets PWD to the result.
      """, traits: [.lastWins, .isForEntering]
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.workingDirectory = typed.setting(typed.text(0))
    },
    Option(
      "--setenv", [.variable, .value], in: .process, "Set an environment variable",
      """
      Options that change the environment apply in order. nestbox searches for the command inside, in
      the resulting PATH. Other users can read VALUE on the launcher's command line; to hide it, pass
      it with --args.

          nestbox --ro-bind / / --clearenv --setenv PATH /usr/bin env
      """, traits: .isForEntering
    ) {
      (draft, typed) throws(UsageError) in
      draft.sandbox.environment.append(.set(try typed.variable(0), to: typed.text(1)))
    },
    Option(
      "--unsetenv", [.variable], in: .process, "Remove an environment variable",
      """
      It is not an error if the variable is not set.
      """, traits: .isForEntering
    ) {
      (draft, typed) throws(UsageError) in
      draft.sandbox.environment.append(.unset(try typed.variable(0)))
    },
    Option(
      "--clearenv", in: .process, "Remove all environment variables",
      """
      Removes variables from an earlier --setenv as well. The command then gets only PWD, and nestbox
      searches for it in /bin and /usr/bin. The command cannot read the caller's environment or
      command line in /proc.
      """, traits: .isForEntering
    ) {
      (draft, _) throws(UsageError) in draft.sandbox.environment.append(.clear)
    },
    Option(
      "--keep-env", [.variables], in: .process, "Keep only these of the caller's variables",
      """
      Separate NAMES with commas; a name that ends in * means all names that begin with it. The
      option may be repeated to keep more. It overrides --setenv, --unsetenv and --clearenv before
      it.

          nestbox --keep-env 'TERM,LANG,LC_*' --ro-bind / / env
      """, traits: .isForEntering
    ) { (draft, typed) throws(UsageError) in
      let names = try typed.variables(0)
      draft.sandbox.keptVariables = (draft.sandbox.keptVariables ?? []) + names
      // Without a change before it, there is nothing to take back.
      if !draft.sandbox.environment.isEmpty { draft.sandbox.environment.append(.keep(names)) }
    },
    Option(
      "--argv0", [.value], in: .process, "Pass VALUE to the command as its name",
      """
      It changes argv[0], not the file that is executed. It may be given only once.

          nestbox --ro-bind / / --dev /dev --argv0 -bash bash -c 'shopt login_shell'
      """, traits: .isForEntering
    ) { (draft, typed) throws(UsageError) in
      guard draft.sandbox.commandName == nil else {
        throw UsageError("may be given only once", bubblewrap: "--argv0 used multiple times")
      }
      draft.sandbox.commandName = typed.text(0)
    },
    Option(
      "--close-fds", in: .process, "Pass on only the descriptors 0, 1 and 2",
      """
      Without it the command inherits every descriptor that the caller has open, as from a shell:
      also files, pipes and sockets that some program forgot to close.

          nestbox --ro-bind / / --close-fds ls /proc/self/fd 9</etc/passwd
      """, traits: .isForEntering
    ) { (draft, typed) throws(UsageError) in draft.sandbox.closeDescriptors = typed.option },
    Option(
      "--new-session", in: .process, "Start the command in a new session",
      """
      The command then has no controlling terminal. It cannot push characters into the terminal's
      input, which the caller's shell would execute (CVE-2017-5226); kernels before 6.2 allow that,
      and later ones do if dev.tty.legacy_tiocsti is 1. The price: job control does not work inside,
      and keys such as Ctrl-C reach only the launcher, which passes the signal on.
      """, traits: .isForEntering
    ) { (draft, typed) throws(UsageError) in draft.sandbox.newSession = typed.option },
    Option(
      "--pty", in: .process, "Give the command a terminal of its own",
      """
      If standard input, output or error is a terminal, the command gets another terminal in its
      place, and nestbox passes keys and output on. The caller's terminal is out of the command's
      reach: the command can neither read from it, nor push characters into its input, nor change
      its settings. Descriptors that are not terminals stay as they are, and those above 2 are closed
      as by --close-fds. Ctrl-C, Ctrl-Z, fg and the size of the window work as usual, also
      with --new-session. If none of the three is a terminal, the option has no effect.

      The terminal belongs to the devpts of --dev; without --dev, to the host's. --dev-bind of the
      host's /dev shows the user's other terminals, which the command can then open. Leave the option
      out in a pipeline with another program that reads keys, such as a pager. If SIGKILL
      ends nestbox, a process beside it gives the terminal its settings back; if it ends both, type
      stty sane.

          nestbox --pty --ro-bind / / --dev /dev --unshare-pid --proc /proc bash
      """, traits: .isForEntering
    ) { (draft, typed) throws(UsageError) in draft.sandbox.terminal = typed.option },
    Option(
      "--as-pid-1", in: .process, "Make the command process 1 itself",
      """
      Needs --unshare-pid and cannot be combined with --lock-file. The command must then reap orphans
      itself. When it ends, the kernel kills everything inside; while it runs, the kernel ignores
      signals that it does not handle.
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.commandAsInit = typed.option },
  ]

  static let security: [Option] = [
    Option(
      "--cap-add", [.capability], in: .security, "Let the command keep the capability CAP",
      """
      CAP is a name from capabilities(7), in upper or lower case, with or without cap_, or ALL.
      --cap-add and --cap-drop apply in order. In a new user namespace a capability counts only for
      what that namespace owns.

          nestbox --unshare-net --ro-bind / / --cap-add net_admin ip link add dummy0 type dummy
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.capabilities.append(.add(try typed.capabilities(0)))
    },
    Option(
      "--cap-drop", [.capability], in: .security, "Take the capability CAP from the command",
      """
      Without these options the command of an ordinary user has no capability, and the command of
      root without a new user namespace keeps all that root has.
      """, traits: .isForEntering
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.capabilities.append(.drop(try typed.capabilities(0)))
    },
    Option(
      "--landlock-scope", [.scopes], in: .security, "Forbid what SCOPES name with Landlock",
      """
      SCOPES is abstract-unix, signal, or both separated by a comma. With abstract-unix the command
      cannot connect to abstract Unix sockets made outside, such as those of X11 and D-Bus on a
      shared network; with signal it cannot signal processes outside. Anything created inside is
      unaffected. It needs Linux 6.12. On a kernel without these scopes, the command gets no Unix
      sockets at all in place of abstract-unix, and with signal it is not started. See landlock(7).

          nestbox --ro-bind / / --landlock-scope abstract-unix,signal sh
      """, traits: .isForEntering
    ) { (draft, typed) throws(UsageError) in
      let scopes = try typed.landlockScopes(0)
      draft.sandbox.landlock = typed.setting(scopes.union(draft.sandbox.landlock?.value ?? []))
    },
    Option(
      "--landlock-scope-try", [.scopes], in: .security, "The same, but ignored on older kernels",
      """
      As --landlock-scope, but if the kernel lacks these scopes, if Landlock is turned off, or if a
      filter around nestbox refuses its calls, the command starts without them.
      """, traits: .isForEntering
    ) { (draft, typed) throws(UsageError) in
      let scopes = try typed.landlockScopes(0)
      draft.sandbox.landlockToTry = typed.setting(
        scopes.union(draft.sandbox.landlockToTry?.value ?? []))
    },
  ]

  static let lifetime: [Option] = [
    Option(
      "--die-with-parent", in: .lifetime, "Kill everything inside when the caller ends",
      """
      The kernel sends SIGKILL however the caller ends. The caller is the thread that started the
      launcher. Without --unshare-pid the signal reaches the command, but not the processes that the
      command has started.
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.dieWithParent = typed.option },
    Option(
      "--kill-on-exit", in: .lifetime, "Kill everything inside when the command ends",
      """
      Needs --unshare-pid. Without this option, background processes outlive the command and the
      launcher.

          nestbox --unshare-pid --kill-on-exit --ro-bind / / --dev /dev \\
            sh -c 'sleep 1000 & echo started'
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.killOnExit = typed.option },
    Option(
      "--exec", in: .lifetime, "Become the command: no process of nestbox stays",
      """
      As env(1) and nice(1) do. The launcher's process number is then the command's, signals to it
      and its exit status are the command's, and the launch costs less. Options that need a process
      beside the command are an error: --unshare-pid (also as part of --unshare-all), --pidns,
      --lock-file, --sync-fd, --json-status-fd, --report, --usage, --name, --ro-repositories and
      those for D-Bus. So is a mount point that the launch would have to make on the host, because
      no process could remove it if the launch failed. The command gets files as output and error as
      they are, and can read and shorten them where there is a /proc; it gets the terminal as well
      if it starts in the background. If a profile says what is shown, nestbox refuses such an output
      and such a terminal instead. Nothing restores the terminal's settings. nestbox explains fewer
      failures than without --exec.

          nestbox --exec --unshare-net --ro-bind / / --dev /dev sh -c 'echo $PPID'
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.becomeCommand = typed.option },
  ]
}
