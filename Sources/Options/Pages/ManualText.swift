// SPDX-License-Identifier: Apache-2.0
// The chapters of nestbox(1) besides the options.

extension Manual {
  /// The chapters before the options.
  static let opening = [
    Chapter(
      title: "SYNOPSIS",
      text: """
        `nestbox` [OPTION...] [`--`] COMMAND [ARG...]
        """),
    Chapter(
      title: "DESCRIPTION",
      text: """
        Runs COMMAND in a sandbox, as an ordinary user, without a set-user-ID helper or a daemon.

        A command line that says nothing about files gets the profile `untrusted`: the system is
        read-only, the home directory is empty, and there is no network, no other process and no
        secret inside.

            nestbox ./program

        With options or profiles about files, a sandbox begins with an empty root and shows what they
        name, in order. The command has no privileges, can gain none, and reaches only the files of
        the host that the options name. It shares the host's network, processes and other resources
        unless options give it new namespaces; --unshare-all does that for all of them.

        nestbox searches for COMMAND inside the sandbox, in the PATH that the command will have. The
        launcher waits for it, passes signals on, and exits with its status.
        """),
  ]

  /// The text before the first section of options.
  static let options = """
    Options end at `--`, or at the first word that does not begin with a dash; the command follows.
    A value is a separate word, never joined to its option with an equals sign. The options are those
    of bwrap(1), and more.
    """

  /// The chapters after the options.
  public static let chapters = [
    Chapter(
      title: "EXIT STATUS",
      text: """
        If the command was executed and exited, nestbox exits with the command's status. Otherwise
        the status is that of env(1), timeout(1) and chroot(1):

        * `128+N` -- Signal N ended the command. The launcher then dies of the same signal, which
        shells show as this number.
        * `124` -- A limit of time was reached.
        * `137` -- The limit of memory was reached.
        * `153` -- The limit of output was reached.
        * `125` -- The sandbox could not be set up, or the options were wrong.
        * `126` -- The command was found but could not be executed.
        * `127` -- The command was not found.

        Under the name bwrap the last three are 1, and the launcher exits with `128+N`.
        """),
    Chapter(
      title: "LIMITS OF A WHOLE SANDBOX",
      text: """
        --memory, --swap, --cpus and --cpu-time hold for all processes of a sandbox together, which
        needs a control group of the unified hierarchy (cgroup v2) that the caller may divide.
        nestbox looks for one in this order:

        * The group around the launcher's own, if the caller owns it and it has the controllers.
        * The launcher's own group, if the caller owns it and the launcher is alone in it.
        * A scope of its own, which nestbox asks the user's systemd for.

        If there is none, the command does not run. Where systemd does not answer, this may work:

            systemd-run --user --scope -p Delegate=yes nestbox --memory 256M ./program

        The sandbox gets a new group with the limits, and its processes are in a group below that one:
        inside there is no file that could lift a limit, and what is shown of the hierarchy is
        read-only. Both groups are removed with the sandbox. If the launcher is killed, or processes
        live on after the command, a later launch removes them.
        """),
    Chapter(
      title: "SIGNALS",
      text: """
        SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 and SIGCONT sent to the launcher reach
        the command. If the terminal sends a signal to both, the launcher does not pass it on again.
        Before the command runs, a signal ends the launch.

        Background processes of the command live on after it. With --unshare-pid, --kill-on-exit and
        --die-with-parent end them before the launcher returns. Their time and the command's count as
        time of the caller's children, as in `time nestbox ...`.
        """),
    Chapter(
      title: "ENVIRONMENT",
      text: """
        The command inherits the caller's environment, changed by --setenv, --unsetenv and
        --clearenv. The launcher reads two variables of the result:

        * `PATH` -- Where to search for COMMAND, inside. If it is not set: in /bin and /usr/bin.
        * `HOME` -- Where the command starts if the caller's directory does not exist inside and
        there is no --chdir.

        It sets one:

        * `PWD` -- The directory in which the command starts.

        Of the caller's variables it reads `XDG_CONFIG_HOME` and `HOME` to find profiles,
        `DBUS_SESSION_BUS_ADDRESS` and `DBUS_SYSTEM_BUS_ADDRESS` if it shows a bus, the variables that
        a profile names, and `XDG_DATA_HOME` and `XDG_DATA_DIRS` if --wrap makes a menu entry.
        """),
    Chapter(
      title: "FILES",
      text: """
        * `$XDG_CONFIG_HOME/nestbox/profiles` and `/etc/nestbox/profiles` -- Profiles of the user and
        of the machine; see nestbox-profile(5).

        These say whether the kernel allows sandboxes; --doctor examines them:

        * `/proc/sys/user/max_user_namespaces` -- The largest number of user namespaces. If it is 0,
        no ordinary user can make a sandbox.
        * `/proc/sys/kernel/apparmor_restrict_unprivileged_userns` -- On Ubuntu since 23.10: if it is
        1, a program needs an AppArmor profile that allows user namespaces, such as the next file.
        * `/etc/apparmor.d/nestbox` -- Allows user namespaces to nestbox and restricts nothing. It is
        installed if AppArmor is in use.
        * `/proc/sys/kernel/unprivileged_userns_clone` -- On some Debian kernels: if it is 0, no
        ordinary user can make a user namespace.
        """),
    Chapter(
      title: "REFUSED CALLS",
      text: """
        nestbox needs Linux 5.12. A filter around it, of a container or a service for instance, may
        refuse calls that the kernel has, with ENOSYS or EPERM. This list names for each call the
        release that introduced it and what happens without it.

        * `clone3`, Linux 5.3 -- clone(2) makes the processes.
        * `openat2`, Linux 5.6 -- nestbox walks through a path itself, one component after the other,
        and resolves links inside the new root.
        * `seccomp`, Linux 3.17 -- prctl(2) installs the same filters.
        * `landlock_create_ruleset`, Linux 5.13, and its scopes, Linux 6.12 -- --landlock-scope-try has
        no effect. In place of --landlock-scope abstract-unix, as in the profile host-network, a filter
        leaves the command no Unix socket that it could connect, and a message says so. With
        --landlock-scope signal the command is not started.
        * `setns`, Linux 3.0 -- Only options that join namespaces need it.
        * `keyctl` -- The caller's keyring is not replaced; the command may not make this call either.
        * `open_tree`, Linux 5.2; `move_mount`, Linux 5.2; `fsopen`, Linux 5.2; `fsconfig`, Linux 5.2;
        `fsmount`, Linux 5.2; `pidfd_open`, Linux 5.3; `close_range`, Linux 5.9; `mount_setattr`,
        Linux 5.12; `landlock_restrict_self`, Linux 5.13; any older call -- The command is not
        started. The message names the call and says whether the kernel lacks it or a filter refuses
        it.
        """),
    examples,
    Chapter(
      title: "SECURITY",
      text: """
        The attacker is the command: code that tries to read, change or reach what you did not give
        it. nestbox trusts the caller, who chooses the options. The directories that the options name
        may contain anything.

        When an ordinary user starts nestbox, with any options: the command reaches only files that
        the options name. nestbox resolves destinations inside the new root, and no link in them
        leads to the host. A read-only bind is read-only on every mount below. The command has only
        the capabilities that options name, and gains none by executing a program. If nestbox cannot
        do what an option asks, the command does not start.

        nestbox does not protect against:

        * Bugs of the kernel: the command can make every system call that no filter forbids.
        * Sockets that you show: a read-only bind does not prevent connections. With D-Bus, a
        container engine's socket or an SSH agent inside, the command can act as the caller; an X11
        client can read from and type into the others.
        * A shared network: every service on localhost, and abstract Unix sockets.
        * A shared terminal: on some kernels, without --new-session, the command can push characters
        into the terminal's input, which the caller's shell executes.
        * Writable binds: the caller may later execute what the command leaves there.
        * What the command inherits: environment variables and open descriptors.
        * Exhaustion of memory, processes, disk or processor time, and side channels.
        * Sandboxes of root: without --unshare-user, the command keeps root's capabilities, unless
        --cap-drop drops them.
        """),
    Chapter(
      title: "DIFFERENCES FROM BUBBLEWRAP",
      text: """
        The options mean what they mean to bwrap(1). Under the name bwrap, the program prints its
        version and help, words its messages and fails as bubblewrap does. Otherwise it differs in
        these points, among others:

        * Exit statuses distinguish failures of the launcher from those of the command.
        * A destination that ends in a symbolic link is resolved inside the new root, not refused.
        * Read-only trees do not receive mounts that appear on the host later.
        * Signals sent to the launcher reach the command.
        * /proc/1 inside does not show the caller's environment or command line.
        * Descriptors of joined namespaces are closed in the command.
        * The number of arguments is not limited, and ids go up to 4294967294.
        * --perms and --size must be followed by an option that they apply to.
        """),
    Chapter(
      title: "SEE ALSO",
      text: """
        nestbox-profile(5), nestbox-policy(5), bwrap(1), unshare(1), nsenter(1), namespaces(7), user_namespaces(7), mount_namespaces(7),
        capabilities(7), seccomp(2)
        """),
  ]

  private static let examples = Chapter(
    title: "EXAMPLES",
    text: #"""
      An untrusted program, and a build of untrusted code:

          nestbox ./program
          nestbox --profile build make

      On a merged /usr: a shell that sees no file of the caller, no other process and no network:

          nestbox --unshare-all --ro-bind /usr /usr --symlink usr/bin /bin \
            --symlink usr/lib /lib --symlink usr/lib64 /lib64 \
            --proc /proc --dev /dev --tmpfs /tmp bash

      The whole system read-only, without the caller's files and the session's sockets, and the
      current directory writable:

          nestbox --unshare-all --ro-bind / / --dev /dev --proc /proc \
            --tmpfs /tmp --tmpfs /run --tmpfs /home --bind "$PWD" "$PWD" make

      The host read-only, without a network:

          nestbox --unshare-net --ro-bind / / --dev /dev bash

      A clean environment:

          nestbox --unshare-all --ro-bind / / --clearenv --setenv PATH /usr/bin env

      Options from a program, separated by NUL bytes, on descriptor 3:

          printf '%s\0' --unshare-all --ro-bind / / >options
          nestbox --args 3 true 3<options
      """#)
}
