// SPDX-License-Identifier: Apache-2.0
// What nestbox(1) says beside the options.

extension Manual {
  /// What comes before the options.
  static let opening = [
    Chapter(
      title: "SYNOPSIS",
      text: """
        `nestbox` [OPTION...] [`--`] COMMAND [ARG...]
        """),
    Chapter(
      title: "DESCRIPTION",
      text: """
        Runs COMMAND in a sandbox, as an ordinary user, with no set-user-ID helper and no daemon.

        A command line that makes nothing of the new root takes the profile `untrusted`: the system
        read-only, an empty home, no network, no other processes, no secrets.

            nestbox ./program

        Otherwise a sandbox begins with an empty root and shows what options and profiles name, in
        their order. The command has no privileges, can gain none, and reaches only those files
        of the host that were named. It keeps the host's network, processes and other resources
        unless options give it its own: --unshare-all does so with all of them.

        COMMAND is searched for in the PATH that it will have, inside the sandbox. The launcher
        waits for it, passes signals on, and exits with its status.
        """),
  ]

  /// What comes before the first section of options.
  static let options = """
    Options are read up to the first word that does not begin with a dash, or to `--`; what
    follows is the command. A value is a word of its own; there is no form with an equals sign.
    The options are those of bwrap(1), and more.
    """

  /// What comes after the options.
  public static let chapters = [
    Chapter(
      title: "EXIT STATUS",
      text: """
        The status is the command's own if it was executed and exited. Otherwise it is as of
        env(1), timeout(1) and chroot(1):

        * `128+N` -- Signal N ended the command.
        * `125` -- The sandbox could not be set up, or the options were wrong.
        * `126` -- The command was found but could not be executed.
        * `127` -- The command was not found.

        Under the name bwrap the last three are 1.
        """),
    Chapter(
      title: "SIGNALS",
      text: """
        SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 and SIGCONT sent to the launcher reach
        the command. Those that the terminal sends to both are not passed on a second time. Before
        the command runs, a signal ends the launch.

        Processes that the command leaves in the background live on, unless --kill-on-exit or, at
        the caller's end, --die-with-parent says otherwise.
        """),
    Chapter(
      title: "ENVIRONMENT",
      text: """
        The command inherits the caller's environment, changed by --setenv, --unsetenv and
        --clearenv. The launcher itself looks at two variables of the result:

        * `PATH` -- Where COMMAND is searched for, inside. Without it, in /bin and /usr/bin.
        * `HOME` -- Where the command starts if the caller's directory does not exist inside and
        there is no --chdir.

        It sets one:

        * `PWD` -- The directory in which the command starts.

        Of the caller's variables it looks at `XDG_CONFIG_HOME` and `HOME` for profiles, at
        `DBUS_SESSION_BUS_ADDRESS` and `DBUS_SYSTEM_BUS_ADDRESS` where a bus is shown, at those that
        a profile names, and where --wrap makes an entry of a menu, at `XDG_DATA_HOME` and
        `XDG_DATA_DIRS`.
        """),
    Chapter(
      title: "FILES",
      text: """
        * `$XDG_CONFIG_HOME/nestbox/profiles` and `/etc/nestbox/profiles` -- Profiles of the user and
        of the machine; see nestbox-profile(5).

        What it needs of the kernel is told in these:

        * `/proc/sys/user/max_user_namespaces` -- How many user namespaces there may be. At 0 no
        ordinary user can make a sandbox.
        * `/proc/sys/kernel/apparmor_restrict_unprivileged_userns` -- On Ubuntu from 23.10 on: at 1,
        programs need a profile of AppArmor that allows them user namespaces, such as the next.
        * `/etc/apparmor.d/nestbox` -- It allows them to nestbox, and restricts nothing. Installed
        where AppArmor is in use.
        * `/proc/sys/kernel/unprivileged_userns_clone` -- On some Debian kernels: at 0 no ordinary
        user can make a user namespace.
        """),
    examples,
    Chapter(
      title: "SECURITY",
      text: """
        The adversary is the command: code that wants to read, change or reach what it was not
        given. The caller, who chooses the options, is trusted; the directories that the options
        name may hold anything.

        Whatever the options, when an ordinary user starts it: the command reaches only files that
        the options name; a destination is resolved inside the new root, and no link in it leads
        to the host; what is bound read-only is read-only on every mount below; no capability is
        left that was not asked for, and none can be gained by executing a program; and what was
        asked for happens, or the command does not start.

        Some things are not promised:

        * Bugs of the kernel: all system calls can be reached unless a filter says otherwise.
        * Sockets that are shown: a read-only bind keeps nobody from connecting. With D-Bus, a
        container engine's socket or an SSH agent inside, the command can act as the caller does;
        an X11 client can read and type into the others.
        * The network, where it is shared: every service on localhost, and abstract Unix sockets.
        * The terminal: without --new-session a command may push characters into its input on some
        kernels, for the caller's shell to execute.
        * Writable binds: what is left there may be executed later, by the caller.
        * What the command inherits: environment variables and open descriptors.
        * Exhaustion of memory, processes, disk or processor time, and side channels.
        * Root's sandboxes: without --unshare-user root's capabilities stay, unless they are dropped.
        """),
    Chapter(
      title: "DIFFERENCES FROM BUBBLEWRAP",
      text: """
        The options mean what they mean to bwrap(1). Started under the name bwrap, the program also
        prints its version, begins its messages and fails as bubblewrap does. Otherwise it differs
        in these points, among others:

        * Exit statuses tell failures of the launcher from the command's.
        * A destination that ends in a symbolic link is resolved inside the new root, not refused.
        * Read-only trees do not receive mounts that appear on the host later.
        * Signals sent to the launcher reach the command.
        * /proc/1 inside shows neither the caller's environment nor its command line.
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
      A program that nobody trusts, and a build of code that nobody trusts:

          nestbox ./program
          nestbox --profile build make

      On a merged /usr, a shell that sees no file of the caller's, no other process and no network:

          nestbox --unshare-all --ro-bind /usr /usr --symlink usr/bin /bin \
            --symlink usr/lib /lib --symlink usr/lib64 /lib64 \
            --proc /proc --dev /dev --tmpfs /tmp bash

      The whole system read-only, without the caller's files and the sockets of the session, and
      the current directory writable:

          nestbox --unshare-all --ro-bind / / --dev /dev --proc /proc \
            --tmpfs /tmp --tmpfs /run --tmpfs /home --bind "$PWD" "$PWD" make

      No network, and nothing else changed:

          nestbox --unshare-net --dev-bind / / bash

      A clean environment:

          nestbox --unshare-all --ro-bind / / --clearenv --setenv PATH /usr/bin env

      Options from a program, each ended by a NUL byte, on descriptor 3:

          printf '%s\0' --unshare-all --ro-bind / / >options
          nestbox --args 3 true 3<options
      """#)
}
