// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Network
internal import Sandbox
internal import Text

extension Option {
  static let namespaces: [Option] = [
    Option(
      "--unshare-all", in: .namespaces, "Unshare every kind of namespace but time",
      """
      The same as --unshare-user-try, --unshare-ipc, --unshare-pid, --unshare-net, --unshare-uts and
      --unshare-cgroup-try together. Put --share-net after it to keep the network. Rules of
      --net-allow before it stay.

          nestbox --unshare-all --ro-bind / / --proc /proc ps ax
      """
    ) { (draft, _) throws(UsageError) in
      draft.sandbox.namespaces.others.formUnion([.ipc, .pid, .uts])
      draft.makeNetwork()
      draft.wish(\.user, .createWhereSupported)
      draft.wish(\.cgroup, .createWhereSupported)
    },
    Option(
      "--share-net", in: .namespaces, "Keep the host's network after --unshare-all",
      """
      It cancels an earlier option, and the rules of --net-allow in profiles before it; before
      --unshare-all it does nothing. With the host's network the command can also talk to every
      service on localhost and to abstract Unix sockets, such as that of X11.

          nestbox --unshare-all --share-net --ro-bind / / --proc /proc ip address
      """, traits: .takesRulesBack
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.namespaces.others.remove(.network)
      draft.sandbox.network.share = typed.option
      draft.sandbox.network.afterShare = []
    },
    Option(
      "--unshare-user", in: .namespaces, "Make a new user namespace",
      """
      A user other than root always gets one, unless --userns names another. It maps only the
      caller's user and group id, as themselves or as --uid and --gid say; files of other users
      appear to belong to nobody. See user_namespaces(7).
      """
    ) { (draft, _) throws(UsageError) in draft.wish(\.user, .create) },
    Option(
      "--unshare-user-try", in: .namespaces, "The same, if the kernel has user namespaces",
      """
      Ignored only if the kernel is built without user namespaces. If they are forbidden, it is an
      error.
      """
    ) { (draft, _) throws(UsageError) in draft.wish(\.user, .createWhereSupported) },
    Option(
      "--unshare-pid", in: .namespaces, "Make a new pid namespace, which hides outside processes",
      """
      The command cannot see or signal processes outside. Process 1 inside is an init that
      reaps orphans, or, with --as-pid-1, the command. Programs that look at processes need --proc
      as well. See pid_namespaces(7).
      """
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.insert(.pid) },
    Option(
      "--unshare-net", in: .namespaces, "Make a new network namespace with only lo",
      """
      The command reaches no network, not even the host's localhost or its abstract Unix sockets. It
      can still connect to a Unix socket that is a visible file. The option cancels the rules of
      --net-allow in profiles before it. See network_namespaces(7).
      """, traits: .takesRulesBack
    ) { (draft, _) throws(UsageError) in draft.makeNetwork() },
    Option(
      "--unshare-ipc", in: .namespaces, "Make a new ipc namespace: System V IPC, message queues",
      """
      The sandbox gets its own shared memory segments, semaphores and queues. See
      ipc_namespaces(7).
      """
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.insert(.ipc) },
    Option(
      "--unshare-uts", in: .namespaces, "Make a new uts namespace: host name and domain name",
      """
      Both names start as the host's; --hostname and --domainname set them. See uts_namespaces(7).
      """
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.insert(.uts) },
    Option(
      "--unshare-cgroup", in: .namespaces, "Make a new cgroup namespace",
      """
      The command then sees its own cgroup as the root of the tree. This limits nothing. See
      cgroup_namespaces(7).
      """
    ) { (draft, _) throws(UsageError) in draft.wish(\.cgroup, .create) },
    Option(
      "--unshare-cgroup-try", in: .namespaces, "The same, if the kernel has cgroup namespaces",
      """
      Ignored only if the kernel is built without cgroup namespaces.
      """
    ) { (draft, _) throws(UsageError) in draft.wish(\.cgroup, .createWhereSupported) },
    Option(
      "--unshare-time", in: .namespaces, "Make a new time namespace",
      """
      --monotonic and --boottime set its clocks apart from the host's. --unshare-all does not include
      it. See time_namespaces(7).
      """
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.insert(.time) },
    Option(
      "--uid", [.user], in: .identity, "Be user UID inside",
      """
      UID is from 0 to 4294967294. On the host the command still runs as the caller, and files that
      it makes belong to the caller. Needs a user namespace, new or joined by --userns; every user
      except root gets a new one.

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
      Needs --unshare-uts. At most 64 bytes.

          nestbox --ro-bind / / --unshare-uts --hostname box uname -n
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in draft.sandbox.hostname = typed.setting(typed.text(0))
    },
    Option(
      "--domainname", [.name], in: .identity, "Set the NIS domain name inside",
      """
      Needs --unshare-uts. At most 64 bytes. This is not the DNS domain.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in draft.sandbox.domainName = typed.setting(typed.text(0))
    },
    Option(
      "--monotonic", [.seconds], in: .identity, "Set CLOCK_MONOTONIC inside SECONDS ahead",
      """
      Needs --unshare-time. A negative number sets it back, but not before the boot of the machine.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.clocks.monotonic = typed.setting(try typed.seconds(0))
    },
    Option(
      "--boottime", [.seconds], in: .identity, "Set CLOCK_BOOTTIME inside SECONDS ahead",
      """
      Needs --unshare-time. A negative number sets it back, but not before the boot of the machine.
      uptime(1) reads this clock.

          nestbox --ro-bind / / --unshare-time --boottime 86400 cat /proc/uptime
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.clocks.boottime = typed.setting(try typed.seconds(0))
    },
  ]
}

extension Draft {
  /// Adds a rule about what the command may reach, which takes the place of an earlier --share-net.
  mutating func allow(_ rule: Setting<NetworkRule>) {
    if let share = sandbox.network.share, sandbox.network.afterShare != nil,
      share.origin.isBeside(rule.option.origin)
    {
      warnings.append(
        "\(rule.option.name) takes the place of \(share.name) before it: the command reaches what rules "
          + "name, and nothing else; leave out one of them")
    }
    sandbox.network.allowed.append(rule)
    makeNetwork()
  }

  /// Asks for a network namespace.
  /// - Parameter option: One that does not take the place of an earlier --share-net, but is a mistake after it.
  mutating func makeNetwork(for option: WrittenOption? = nil) {
    sandbox.namespaces.others.insert(.network)
    if let option {
      sandbox.network.afterShare?.append(option)
    } else {
      sandbox.network.afterShare = nil
    }
  }

  /// Asks for a namespace; a later optional wish does not weaken a firm one.
  fileprivate mutating func wish(
    _ kind: WritableKeyPath<NamespaceRequest, NamespaceRequest.Wish>, _ wish: NamespaceRequest.Wish
  ) {
    guard sandbox.namespaces[keyPath: kind] != .create else { return }
    sandbox.namespaces[keyPath: kind] = wish
  }
}
