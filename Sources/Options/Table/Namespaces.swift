// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let namespaces: [Option] = [
    Option(
      "--unshare-all", in: .namespaces, "Unshare every kind of namespace but time",
      """
      The same as --unshare-user-try, --unshare-ipc, --unshare-pid, --unshare-net, --unshare-uts and
      --unshare-cgroup-try together. --share-net after it keeps the network.

          nestbox --unshare-all --ro-bind / / --proc /proc ps ax
      """
    ) { (draft, _) throws(UsageError) in
      draft.sandbox.namespaces.others.formUnion([.ipc, .pid, .network, .uts])
      draft.wish(\.user, .createWhereSupported)
      draft.wish(\.cgroup, .createWhereSupported)
    },
    Option(
      "--share-net", in: .namespaces, "Keep the host's network after --unshare-all",
      """
      It takes back what stands before it; before --unshare-all it does nothing. With the host's
      network the command can also talk to every service on localhost, and to abstract Unix
      sockets such as X11's.

          nestbox --unshare-all --share-net --ro-bind / / --proc /proc ip address
      """
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.remove(.network) },
    Option(
      "--unshare-user", in: .namespaces, "Make a new user namespace",
      """
      For a user other than root there is one in any case, unless --userns names another. The
      caller's user and group id are the only ones in it, or those of --uid and --gid; files of
      others appear to belong to nobody. See user_namespaces(7).
      """
    ) { (draft, _) throws(UsageError) in draft.wish(\.user, .create) },
    Option(
      "--unshare-user-try", in: .namespaces, "The same, where the kernel has user namespaces",
      """
      Passed over only where the kernel has been built without them. Where they are forbidden it is
      an error nevertheless.
      """
    ) { (draft, _) throws(UsageError) in draft.wish(\.user, .createWhereSupported) },
    Option(
      "--unshare-pid", in: .namespaces, "Make a new pid namespace: no process outside is seen",
      """
      Nor can one be signalled. Process 1 in it is an init that collects orphans, or the command
      itself with --as-pid-1. Programs that look at processes need --proc as well. See
      pid_namespaces(7).
      """
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.insert(.pid) },
    Option(
      "--unshare-net", in: .namespaces, "Make a new network namespace with nothing but lo",
      """
      No network can be reached, the host's localhost and its abstract Unix sockets included.
      Sockets that are files can be reached wherever they are visible. See
      network_namespaces(7).
      """
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.insert(.network) },
    Option(
      "--unshare-ipc", in: .namespaces, "Make a new namespace for System V IPC and message queues",
      """
      The sandbox has its own shared memory segments, semaphores and queues. See
      ipc_namespaces(7).
      """
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.insert(.ipc) },
    Option(
      "--unshare-uts", in: .namespaces, "Make a new namespace for host name and domain name",
      """
      Both are the host's at first, and can be set with --hostname and --domainname. See
      uts_namespaces(7).
      """
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.insert(.uts) },
    Option(
      "--unshare-cgroup", in: .namespaces, "Make a new cgroup namespace",
      """
      The command then sees its own cgroup as the root of the tree. It limits nothing. See
      cgroup_namespaces(7).
      """
    ) { (draft, _) throws(UsageError) in draft.wish(\.cgroup, .create) },
    Option(
      "--unshare-cgroup-try", in: .namespaces, "The same, where the kernel has cgroup namespaces",
      """
      Passed over only where the kernel has been built without them.
      """
    ) { (draft, _) throws(UsageError) in draft.wish(\.cgroup, .createWhereSupported) },
    Option(
      "--unshare-time", in: .namespaces, "Make a new time namespace",
      """
      Its clocks differ from the host's by what --monotonic and --boottime say. --unshare-all
      does not ask for it. See time_namespaces(7).
      """
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.insert(.time) },
    Option(
      "--uid", [.user], in: .identity, "Be user UID inside",
      """
      From 0 to 4294967294. On the host the command is the caller still, and files that it makes
      belong to the caller. Needs a user namespace, new or joined by --userns; every user but root
      gets a new one.

          nestbox --ro-bind / / --uid 0 --gid 0 id
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.user = typed.setting(try typed.identifier(0))
    },
    Option(
      "--gid", [.group], in: .identity, "Be group GID inside",
      """
      As --uid, for the group.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.group = typed.setting(try typed.identifier(0))
    },
    Option(
      "--hostname", [.name], in: .identity, "Set the host name inside",
      """
      Needs --unshare-uts. Of 64 bytes at most.

          nestbox --ro-bind / / --unshare-uts --hostname box uname -n
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in draft.sandbox.hostname = typed.setting(typed.text(0))
    },
    Option(
      "--domainname", [.name], in: .identity, "Set the NIS domain name inside",
      """
      Needs --unshare-uts. Of 64 bytes at most. It has nothing to do with the domain of DNS.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in draft.sandbox.domainName = typed.setting(typed.text(0))
    },
    Option(
      "--monotonic", [.seconds], in: .identity, "Set CLOCK_MONOTONIC inside ahead by SECONDS",
      """
      Needs --unshare-time. A negative number sets it back, but not before the boot.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.clocks.monotonic = typed.setting(try typed.seconds(0))
    },
    Option(
      "--boottime", [.seconds], in: .identity, "Set CLOCK_BOOTTIME inside ahead by SECONDS",
      """
      Needs --unshare-time. A negative number sets it back, but not before the boot. uptime(1)
      reads this clock.

          nestbox --ro-bind / / --unshare-time --boottime 86400 cat /proc/uptime
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.clocks.boottime = typed.setting(try typed.seconds(0))
    },
  ]
}

extension Draft {
  /// Wishes for a namespace; a wish that must be granted is not weakened by a later one.
  fileprivate mutating func wish(
    _ kind: WritableKeyPath<NamespaceRequest, NamespaceRequest.Wish>, _ wish: NamespaceRequest.Wish
  ) {
    guard sandbox.namespaces[keyPath: kind] != .create else { return }
    sandbox.namespaces[keyPath: kind] = wish
  }
}
