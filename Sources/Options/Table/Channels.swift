// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let joins: [Option] = [
    Option(
      "--userns", [.descriptor], in: .joins, "Use the user namespace FD instead of a new one",
      """
      Cannot be combined with --unshare-user. With --uid and --gid the command changes to these ids,
      which must be mapped in that namespace.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.joined.user = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--userns2", [.descriptor], in: .joins, "Change to the user namespace FD after set-up",
      """
      FD must be a descendant of the user namespace that sets up the sandbox. Mounts and the other
      namespaces then belong to a namespace where the command has no rights.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.joined.secondUser = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--pidns", [.descriptor], in: .joins, "Use the pid namespace FD",
      """
      With --unshare-pid, FD becomes the parent of the new namespace. The user namespace of the
      sandbox or one below it must own FD, so this option usually goes with --userns.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.joined.pid = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--netns", [.descriptor], in: .joins, "Use the network namespace FD",
      """
      Cannot be combined with --unshare-net. After --unshare-all, put --share-net before it.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.joined.network = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--disable-userns", in: .namespaces, "Forbid new user namespaces inside",
      """
      A program that makes its own user namespace reaches parts of the kernel that are otherwise
      closed to it and have had many security bugs. This option sets the sandbox's limit
      user.max_user_namespaces to 0; the command sees ENOSPC. Programs that sandbox themselves, such
      as browsers, then fail or run without their own sandbox. The option needs a new user namespace
      and cannot be combined with --userns-block-fd.
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.disableUserNamespaces = typed.option },
    Option(
      "--assert-userns-disabled", in: .namespaces, "Fail if a user namespace can still be made",
      """
      nestbox checks it in the sandbox right before it executes the command. The option is for
      --userns and --userns2, which cannot be combined with --disable-userns but may join a
      namespace where that is in force.
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.assertNoUserNamespaces = typed.option },
  ]

  static let channels: [Option] = [
    Option(
      "--block-fd", [.descriptor], in: .monitoring, "Execute the command once FD is readable",
      """
      nestbox waits for a byte or the end of file. The sandbox is then complete, so the caller can
      inspect or change it before the command runs.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.block = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--userns-block-fd", [.descriptor], in: .monitoring,
      "Wait on FD until the caller has written the id maps",
      """
      nestbox writes no id maps. The caller writes those of the process that --info-fd names, for
      instance with newuidmap(1) and newgidmap(1), which can map a range of ids, and then writes a
      byte to FD or closes it. Needs --info-fd and a new user namespace; cannot be combined with
      --disable-userns.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.mapsWritten = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--info-fd", [.descriptor], in: .monitoring, "Describe the sandbox on FD in JSON",
      """
      Writes one object over several lines before the command runs, then closes FD. child-pid is
      the sandbox's first process as the caller sees it; cgroup-namespace, ipc-namespace,
      mnt-namespace, net-namespace, pid-namespace and uts-namespace are the inode numbers of the new
      namespaces.

          nestbox --ro-bind / / --unshare-pid --info-fd 3 true 3>info
      """,
      traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.information = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--json-status-fd", [.descriptor], in: .monitoring, "Report start and end on FD in JSON",
      """
      Writes one line with the content of --info-fd before the command starts, and one with its
      exit-code when it has ended. If the second line is missing, the command was not executed: this
      tells a failure of the sandbox from a failure of the command.

          nestbox --ro-bind / / --json-status-fd 3 false 3>status
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.status = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--sync-fd", [.descriptor], in: .monitoring, "Keep FD open while the sandbox lives",
      """
      If FD is one end of a pipe, its other end reads end of file when everything inside has ended,
      background processes included. The command does not get the descriptor. Repeatable.
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.sync.append(typed.setting(try typed.descriptor(0)))
    },
    Option(
      "--lock-file", [.path], in: .monitoring, "Keep PATH locked while the sandbox lives",
      """
      Takes a read lock (fcntl(2)) and holds it while any process of the sandbox lives. PATH is
      looked up inside. Repeat the option to lock several files; it cannot be combined with
      --as-pid-1.
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.lockFiles.append(typed.setting(typed.text(0)))
    },
  ]

  static let labels: [Option] = [
    Option(
      "--exec-label", [.label], in: .security, "Execute the command in the SELinux context LABEL",
      """
      If SELinux is not active, it is an error.
      """,
      traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.executionLabel = typed.setting(typed.text(0))
    },
    Option(
      "--file-label", [.label], in: .security, "Mount file systems with the SELinux context LABEL",
      """
      Applies to the tmpfs, devpts and message queues that the sandbox mounts. It is an error if
      SELinux is not active.
      """,
      traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.fileLabel = typed.setting(typed.text(0))
    },
    Option(
      "--not-a-security-boundary", in: .security, "Only warn if a mount cannot be restricted",
      """
      For sandboxes that separate programs but need not contain them: if the kernel refuses to
      restrict a mount below a bound directory, the mount keeps its flags, and a warning says so.
      """
    ) { (draft, _) throws(UsageError) in draft.sandbox.isNoSecurityBoundary = true },
  ]
}
