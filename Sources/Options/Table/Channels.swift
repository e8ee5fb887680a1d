// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let joins: [Option] = [
    Option(
      "--userns", [.descriptor], in: .joins, "Use the user namespace FD instead of a new one",
      """
      Not to be combined with --unshare-user. With --uid and --gid the command changes to these ids
      in it, which have to be mapped there.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.joined.user = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--userns2", [.descriptor], in: .joins, "Change to the user namespace FD after set-up",
      """
      It must lie below the one in which everything is set up. Mounts and other namespaces then
      belong to a namespace in which the command has no say.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.joined.secondUser = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--pidns", [.descriptor], in: .joins, "Use the pid namespace FD",
      """
      With --unshare-pid, as the parent of the new one. It has to be owned by the user namespace
      of the sandbox or one below it, so it usually goes with --userns.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.joined.pid = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--netns", [.descriptor], in: .joins, "Use the network namespace FD",
      """
      Not to be combined with --unshare-net. After --unshare-all, --share-net has to come first.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.joined.network = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--disable-userns", in: .namespaces, "Let no user namespace be made inside",
      """
      A good part of the kernel can be reached only from a user namespace of one's own, and many
      of its security bugs were there. The limit user.max_user_namespaces of the sandbox's own is
      set to 0; the command sees ENOSPC. Programs that sandbox themselves, as browsers do, then
      fail or do without. Needs a new user namespace, and is not to be combined with
      --userns-block-fd.
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.disableUserNamespaces = typed.option },
    Option(
      "--assert-userns-disabled", in: .namespaces, "Fail if one can be made nevertheless",
      """
      Tried in the sandbox right before the command is executed; for --userns and --userns2, where
      --disable-userns is not possible but may have been done before.
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.assertNoUserNamespaces = typed.option },
  ]

  static let channels: [Option] = [
    Option(
      "--block-fd", [.descriptor], in: .monitoring, "Execute the command once FD can be read",
      """
      A byte or the end of file counts. The sandbox is set up by then, so the caller can look at
      it, or do something to it, before the command runs.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.block = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--userns-block-fd", [.descriptor], in: .monitoring,
      "Wait on FD until the caller has written the id maps",
      """
      The maps of the process that --info-fd names, with newuidmap(1) and newgidmap(1) for
      instance, which give it a range of ids; nestbox writes none. A byte or the end of file says
      that it is done. Needs --info-fd and a new user namespace, and is not to be combined with
      --disable-userns.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.mapsWritten = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--info-fd", [.descriptor], in: .monitoring, "Describe the sandbox on FD in JSON",
      """
      One object over several lines; then the descriptor is closed. child-pid is the sandbox's
      first process as the caller sees it, and cgroup-namespace, ipc-namespace, mnt-namespace,
      net-namespace, pid-namespace and uts-namespace are the inode numbers of those that are new.
      It is written before the command runs.

          nestbox --ro-bind / / --unshare-pid --info-fd 3 true 3>info
      """,
      traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.information = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--json-status-fd", [.descriptor], in: .monitoring, "Tell start and end on FD in JSON",
      """
      A line with what --info-fd says before the command is started, and a line with its exit-code
      when it has ended. The second is missing if the command could not be executed, so a failure
      of the sandbox can be told from one of the command.

          nestbox --ro-bind / / --json-status-fd 3 false 3>status
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.status = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--sync-fd", [.descriptor], in: .monitoring, "Keep FD open while the sandbox lives",
      """
      Who reads from the other end of a pipe learns from its end of file when everything inside
      has ended, background processes included. The command does not get the descriptor.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.sync = typed.setting(try typed.descriptor(0))
    },
    Option(
      "--lock-file", [.path], in: .monitoring, "Keep the file PATH locked while it lives",
      """
      A lock for reading, as of fcntl(2), held while any process of the sandbox lives. PATH is
      looked up inside. It may be repeated; it is not to be combined with --as-pid-1.
      """
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.lockFiles.append(typed.setting(typed.text(0)))
    },
  ]

  static let labels: [Option] = [
    Option(
      "--exec-label", [.label], in: .security, "Execute the command in the SELinux context LABEL",
      """
      An error where SELinux is not active.
      """,
      traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.executionLabel = typed.setting(typed.text(0))
    },
    Option(
      "--file-label", [.label], in: .security, "Give what is mounted the SELinux context LABEL",
      """
      For tmpfs, devpts and message queues that the sandbox makes. An error where SELinux is not
      active.
      """,
      traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.fileLabel = typed.setting(typed.text(0))
    },
    Option(
      "--not-a-security-boundary", in: .security, "Only warn where a mount cannot be restricted",
      """
      For sandboxes that are there to keep programs apart and not to hold them: where the kernel
      refuses to restrict a mount that a bind brings along, it is shown with the flags that it has,
      and a warning.
      """
    ) { (draft, _) throws(UsageError) in draft.sandbox.isNoSecurityBoundary = true },
  ]
}
