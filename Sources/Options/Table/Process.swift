// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let process: [Option] = [
    Option(
      "--chdir", [.directory], in: .process, "Start the command in DIR",
      """
      Inside; if it cannot be entered the command is not started. Without this option the command
      starts in the caller's directory if it exists inside, else in $HOME as set inside, else in
      the root. PWD is set to the result.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.workingDirectory = typed.setting(typed.text(0))
    },
    Option(
      "--setenv", [.variable, .value], in: .process, "Set an environment variable",
      """
      Changes of the environment are made in order. PATH set here is where the command is searched
      for, inside. Other users can read VALUE on the launcher's command line; --args keeps it from
      them.

          nestbox --ro-bind / / --clearenv --setenv PATH /usr/bin env
      """
    ) {
      (draft, typed) throws(UsageError) in
      draft.sandbox.environment.append(.set(try typed.variable(0), to: typed.text(1)))
    },
    Option(
      "--unsetenv", [.variable], in: .process, "Remove an environment variable",
      """
      One that is not set is no error.
      """
    ) {
      (draft, typed) throws(UsageError) in
      draft.sandbox.environment.append(.unset(try typed.variable(0)))
    },
    Option(
      "--clearenv", in: .process, "Remove all environment variables",
      """
      Those that --setenv set before it are removed as well. The command then finds PWD alone, and
      is searched for in /bin and /usr/bin. Neither the caller's environment nor its command line
      can be read in /proc inside.
      """
    ) {
      (draft, _) throws(UsageError) in draft.sandbox.environment.append(.clear)
    },
    Option(
      "--keep-env", [.variables], in: .process, "Keep these of the caller's variables alone",
      """
      NAMES stand with commas between them; one that ends in * stands for all that begin so. Given
      several times, the names add up. It makes no difference to --setenv, wherever that stands.

          nestbox --keep-env 'TERM,LANG,LC_*' --ro-bind / / env
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.keptVariables = (draft.sandbox.keptVariables ?? []) + (try typed.variables(0))
    },
    Option(
      "--argv0", [.value], in: .process, "Pass VALUE to the command as its name",
      """
      It changes argv[0] and not what is executed. It may be given only once.

          nestbox --ro-bind / / --dev /dev --argv0 -bash bash -c 'shopt login_shell'
      """
    ) { (draft, typed) throws(UsageError) in
      guard draft.sandbox.commandName == nil else { throw UsageError("may be given only once") }
      draft.sandbox.commandName = typed.text(0)
    },
    Option(
      "--close-fds", in: .process, "Pass on no descriptor but 0, 1 and 2",
      """
      Without it the command inherits what the caller has open, as from a shell: files, pipes and
      sockets that somebody forgot to close, and whatever can be reached through them.

          nestbox --ro-bind / / --close-fds ls /proc/self/fd 9</etc/passwd
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.closeDescriptors = typed.option },
    Option(
      "--new-session", in: .process, "Start the command in a session of its own",
      """
      It has no controlling terminal then, and cannot push characters into the caller's input for
      the caller's shell to execute, as kernels before 6.2, and later ones where
      dev.tty.legacy_tiocsti is 1, let it (CVE-2017-5226). The price is job control, and that keys
      such as Ctrl-C reach the launcher alone, which passes the signal on.
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.newSession = typed.option },
    Option(
      "--as-pid-1", in: .process, "Make the command process 1 itself",
      """
      Needs --unshare-pid, and is not to be combined with --lock-file. The command then has to
      collect orphans itself, everything inside is killed when it ends, and signals that it does
      not handle are ignored.
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.commandAsInit = typed.option },
  ]

  static let security: [Option] = [
    Option(
      "--cap-add", [.capability], in: .security, "Let the command keep the capability CAP",
      """
      A name as in capabilities(7), in any case, with or without cap_, or ALL. --cap-add and
      --cap-drop are worked off in order. In a user namespace of its own a capability counts only
      towards what that namespace owns.

          nestbox --unshare-net --ro-bind / / --cap-add net_admin ip link add dummy0 type dummy
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.capabilities.append(.add(try typed.capabilities(0)))
    },
    Option(
      "--cap-drop", [.capability], in: .security, "Take the capability CAP from the command",
      """
      Without these options an ordinary user's command has none, and root's keeps all that it has
      where there is no new user namespace.
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.capabilities.append(.drop(try typed.capabilities(0)))
    },
    Option(
      "--landlock-scope", [.scopes], in: .security, "Keep the command from what SCOPES name",
      """
      SCOPES are abstract-unix, signal, or both with a comma between them. With abstract-unix the
      command cannot connect to abstract Unix sockets that were made outside, such as those of X11
      and D-Bus in a network namespace that it shares; with signal it cannot send signals to
      processes outside. What is made inside is not concerned. It needs Linux 6.12; where the
      kernel has no such scopes the command is not started. See landlock(7).

          nestbox --ro-bind / / --landlock-scope abstract-unix,signal sh
      """
    ) { (draft, typed) throws(UsageError) in
      let scopes = try typed.landlockScopes(0)
      draft.sandbox.landlock = typed.setting(scopes.union(draft.sandbox.landlock?.value ?? []))
    },
    Option(
      "--landlock-scope-try", [.scopes], in: .security, "The same, but nothing on older kernels",
      """
      As --landlock-scope. Only where the kernel has no such scopes, or Landlock is turned off, the
      command is started without them.
      """
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
      By SIGKILL, and however the caller ends. The caller is the thread that started the launcher.
      Without --unshare-pid it reaches the command and not the processes that the command has
      started.
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.dieWithParent = typed.option },
    Option(
      "--kill-on-exit", in: .lifetime, "Kill everything inside when the command ends",
      """
      Needs --unshare-pid. Without this option, processes in the background live on after the
      command and the launcher.

          nestbox --unshare-pid --kill-on-exit --ro-bind / / --dev /dev \\
            sh -c 'sleep 1000 & echo started'
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.killOnExit = typed.option },
  ]
}
