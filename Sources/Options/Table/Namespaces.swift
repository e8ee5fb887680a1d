// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox

extension Option {
  static let namespaces: [Option] = [
    Option(
      "--unshare-all", in: .namespaces, "Unshare every kind of namespace but time",
      "The same as --unshare-user-try, --unshare-ipc, --unshare-pid, --unshare-net, "
        + "--unshare-uts and --unshare-cgroup-try together."
    ) { (draft, _) throws(UsageError) in
      draft.sandbox.namespaces.others.formUnion([.ipc, .pid, .network, .uts])
      draft.wish(\.user, .createWhereSupported)
      draft.wish(\.cgroup, .createWhereSupported)
    },
    Option(
      "--share-net", in: .namespaces, "Keep the host's network after --unshare-all",
      "It takes back what stands before it."
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.remove(.network) },
    Option(
      "--unshare-user", in: .namespaces, "Make a new user namespace",
      "For a user other than root there is one in any case."
    ) { (draft, _) throws(UsageError) in draft.wish(\.user, .create) },
    Option(
      "--unshare-user-try", in: .namespaces, "The same, where the kernel has user namespaces"
    ) { (draft, _) throws(UsageError) in draft.wish(\.user, .createWhereSupported) },
    Option(
      "--unshare-pid", in: .namespaces, "Make a new pid namespace: no process outside is seen"
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.insert(.pid) },
    Option(
      "--unshare-net", in: .namespaces, "Make a new network namespace with nothing but lo"
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.insert(.network) },
    Option(
      "--unshare-ipc", in: .namespaces, "Make a new namespace for System V IPC and message queues"
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.insert(.ipc) },
    Option(
      "--unshare-uts", in: .namespaces, "Make a new namespace for host name and domain name"
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.insert(.uts) },
    Option("--unshare-cgroup", in: .namespaces, "Make a new cgroup namespace") {
      (draft, _) throws(UsageError) in draft.wish(\.cgroup, .create)
    },
    Option(
      "--unshare-cgroup-try", in: .namespaces, "The same, where the kernel has cgroup namespaces"
    ) { (draft, _) throws(UsageError) in draft.wish(\.cgroup, .createWhereSupported) },
    Option(
      "--unshare-time", in: .namespaces, "Make a new time namespace",
      "Its clocks differ from the host's by what --monotonic and --boottime say. "
        + "See time_namespaces(7)."
    ) { (draft, _) throws(UsageError) in draft.sandbox.namespaces.others.insert(.time) },
    Option(
      "--monotonic", [.seconds], in: .namespaces, "Set CLOCK_MONOTONIC inside ahead by SECONDS",
      "Needs --unshare-time. A negative number sets it back.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.clocks.monotonic = try typed.seconds(0)
    },
    Option(
      "--boottime", [.seconds], in: .namespaces, "Set CLOCK_BOOTTIME inside ahead by SECONDS",
      "Needs --unshare-time. A negative number sets it back.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in draft.sandbox.clocks.boottime = try typed.seconds(0) },
    Option(
      "--uid", [.user], in: .namespaces, "Be user UID inside",
      "Needs a new user namespace, as every user but root gets one.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in draft.sandbox.user = try typed.identifier(0) },
    Option(
      "--gid", [.group], in: .namespaces, "Be group GID inside",
      "Needs a new user namespace, as every user but root gets one.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in draft.sandbox.group = try typed.identifier(0) },
    Option(
      "--hostname", [.name], in: .namespaces, "Set the host name inside",
      "Needs --unshare-uts.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in draft.sandbox.hostname = typed.text(0) },
    Option(
      "--domainname", [.name], in: .namespaces, "Set the NIS domain name inside",
      "Needs --unshare-uts.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in draft.sandbox.domainName = typed.text(0) },
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
