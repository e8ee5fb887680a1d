// SPDX-License-Identifier: Apache-2.0
// Why namespaces cannot be made or joined, and what restricts the whole launch.

internal import Linux
internal import SystemPackage
internal import Text

extension Cause {
  static let namespaces: [Cause] = [
    Cause([.createProcess], [.notPermitted]) { failure in
      guard failure.namespaces.contains(.user),
        failure.machine.sysctl("kernel.unprivileged_userns_clone") == 0
      else { return nil }
      return Diagnosis(
        "the sysctl kernel.unprivileged_userns_clone is 0, so ordinary users cannot make user "
          + "namespaces", remedy: .asRoot("sysctl -w kernel.unprivileged_userns_clone=1"))
    },
    Cause([.createProcess], [.notPermitted]) { failure in
      guard failure.namespaces.contains(.user), failure.machine.isInChroot else { return nil }
      return Diagnosis(
        "the root directory is not the root of a mount namespace (after chroot(2), for instance), so "
          + "the kernel refuses a user namespace",
        "enter the directory with nestbox --dev-bind DIRECTORY / instead of chroot DIRECTORY")
    },
    Cause([.createProcess], [.notPermitted]) { failure in
      guard failure.namespaces.contains(.user), !failure.machine.isMapped else { return nil }
      let (user, group) = CurrentProcess.identity
      return Diagnosis(
        "user \(String(user)) or group \(String(group)) is not mapped in this user namespace, so the "
          + "kernel refuses another one",
        "start nestbox as a user and group that /proc/self/uid_map and gid_map list")
    },
    Cause([.createProcess, .createNamespaces], [.notPermitted]) { failure in
      guard !failure.namespaces.contains(.user), failure.sandbox.joined.user == nil,
        let needed = Capabilities(named: "sys_admin"),
        let permitted = try? Capabilities.permitted(), (permitted & needed).isEmpty
      else { return nil }
      let cause = "root lacks CAP_SYS_ADMIN here, as in most containers"
      // Without this capability the next step would be refused there too.
      guard permitted.contains("setfcap") else {
        return Diagnosis(
          cause,
          "add --unshare-user and, in the surrounding container or sandbox, --cap-add CAP_SETFCAP; or "
            + "become another user there: --uid 1000")
      }
      return Diagnosis(cause, remedy: failure.adding(["--unshare-user"]))
    },
    Cause([.createProcess, .createNamespaces, .disableUserNamespaces], [.noSpace]) { failure in
      let limit = failure.machine.exhausted(failure.namespaces)
      return limit.map { Diagnosis($0.cause, remedy: $0.remedy) }
    },
    Cause([.createProcess], [.noSpace]) { _ in
      Diagnosis(
        "user namespaces are nested as deep as the kernel allows (32 levels)",
        "start nestbox outside some of them")
    },
    Cause([.createProcess], [.resourceTemporarilyUnavailable]) { failure in
      let limit = failure.machine.exhaustedProcesses()
      return limit.map { Diagnosis($0.cause, remedy: $0.remedy) }
    },
    Cause([.createProcess, .createNamespaces], [.invalidArgument]) { failure in
      let missing = Namespaces.names.filter {
        failure.namespaces.contains($0.namespace) && !$0.namespace.isSupported
      }
      guard failure.machine.hasProc, !missing.isEmpty else { return nil }
      let names = missing.map(\.name).joined(separator: ", ")
      return Diagnosis(
        "the kernel is built without namespaces of the kind \(names)",
        "leave out their options; --unshare-user-try and --unshare-cgroup-try do that themselves")
    },
    Cause([.writeIdentityMap, .disableUserNamespaces, .prepare], [.noSuchFileOrDirectory]) {
      failure in
      guard !failure.machine.hasProc else { return nil }
      return Diagnosis(
        "/proc is not mounted here, and setting up a user namespace needs it",
        "mount it with mount -t proc proc /proc, or in a sandbox with --proc /proc")
    },
    Cause([.writeIdentityMap, .disableUserNamespaces, .setClocks], [.readOnlyFileSystem]) {
      failure in
      guard failure.machine.hasReadOnlyProc || !failure.machine.coveredProc.isEmpty else {
        return nil
      }
      return Diagnosis(
        "/proc is read-only here, so the settings of a namespace cannot be written",
        "make it writable with mount -o remount,rw /proc, or in a sandbox with --proc /proc in place "
          + "of --ro-bind /proc /proc")
    },
    Cause([.writeIdentityMap], [.notPermitted]) { _ in
      guard CurrentProcess.identity.user == 0, let needed = Capabilities(named: "setfcap"),
        let permitted = try? Capabilities.permitted(), (permitted & needed).isEmpty
      else { return nil }
      return Diagnosis(
        "user 0 needs CAP_SETFCAP to be mapped in a new user namespace, and lacks it here",
        "in the surrounding container or sandbox: --cap-add CAP_SETFCAP; or become another user there, "
          + "with --uid 1000")
    },
    Cause([.writeIdentityMap], [.permissionDenied]) { failure in
      guard let path = CurrentProcess.executable, !FileAccess.read.isGranted(path) else {
        return nil
      }
      return Diagnosis(
        "this user may execute but not read \(ByteString(path).quoted), and the kernel lets only root "
          + "change the settings of such a process",
        remedy: failure.allowing("a+r", path)
          ?? .asRoot("chmod a+r \(ByteString(path).quotedForShell)"))
    },
    Cause([.loopback], [.addressFamilyNotSupported]) { failure in
      Diagnosis("the kernel is built without IPv4", remedy: failure.adding(["--share-net"]))
    },
    Cause([.assertNoUserNamespaces], []) { failure in
      Diagnosis(
        "the limit of user namespaces is not 0 inside",
        remedy: failure.adding(["--disable-userns", "--unshare-user"]))
    },
    Cause([.joinNamespace], [.invalidArgument, .badFileDescriptor]) { failure in
      guard case .descriptor(let name)? = failure.error.finding,
        let joined = failure.sandbox.joined.named(by: failure.error.option),
        let kind = Namespaces.names.first(where: { $0.namespace == joined.kind })?.name
      else { return nil }
      if name.text.hasPrefix(kind + ":[") {
        return Diagnosis(
          "the process is already in the \(kind) namespace of \(failure.option)",
          remedy: failure.replacing(
            [ByteString(failure.option), ByteString(String(joined.descriptor))], with: [])
            ?? .advice("leave out \(failure.option)"))
      }
      return Diagnosis(
        "the descriptor of \(failure.option) is \(name.quoted), which is not a \(kind) namespace",
        "open /proc/PID/ns/\(kind) instead")
    },
    Cause([.joinNamespace], [.notPermitted]) { failure in
      guard case .descriptor(let name)? = failure.error.finding else { return nil }
      return Diagnosis(
        "\(name.quoted) belongs to a user namespace in which this process has no rights",
        "join its user namespace as well, with --userns FD, or start nestbox as its owner")
    },
  ]

  /// What restricts calls of all kinds.
  static let general: [Cause] = [
    Cause([], [.noFunction]) { failure in
      let call = SystemCalls.kernelName(failure.error.cause.call)
      guard let release = SystemCalls.release(of: call) else { return nil }
      let words = "\(String(release.0)).\(String(release.1))"
      if !failure.machine.isAtLeast(release) {
        return Diagnosis(
          "Linux \(failure.machine.release ?? "") has no call \(call), which came with Linux \(words)",
          "use Linux 5.12 or later")
      }
      return Diagnosis(
        "a filter of system calls around this process hides \(call)",
        failure.machine.filterRemedy(call))
    },
    Cause([], [.notPermitted, .permissionDenied]) { failure in
      guard failure.machine.restrictsByAppArmor, CurrentProcess.identity.user != 0,
        Cause.restricted.contains(failure.error.action)
      else { return nil }
      return Diagnosis(
        "AppArmor gives programs without an AppArmor profile no rights in user namespaces here "
          + "(the sysctl kernel.apparmor_restrict_unprivileged_userns is not 0)",
        "as root, install nestbox with its AppArmor profile: make install; or lift the restriction: "
          + "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
    },
    Cause([], []) { failure in
      let error = failure.error.cause
      guard failure.machine.isFiltered, failure.error.action != .execute else { return nil }
      // No filter refuses the whole call.
      let call =
        error.call == "clone" ? "clone with namespaces" : SystemCalls.kernelName(error.call)
      // The call that made the child tells by itself whether namespaces are to blame.
      if SystemCalls.isRefusedByFiltersAlone(error.call) {
        guard error.errno == .notPermitted else { return nil }
      } else if failure.error.action == .createProcess {
        guard
          Trial.run(in: failure.namespaces.intersection([.user, .pid])) == .failure(error.errno)
        else { return nil }
      } else {
        guard SystemCalls.probe(error.call) == .failure(error.errno) else { return nil }
      }
      return Diagnosis(
        "a filter of system calls around this process refuses \(call)",
        failure.machine.filterRemedy(call))
    },
    Cause([.createProcess, .createNamespaces, .writeIdentityMap, .loopback], [.notPermitted]) {
      failure in
      // If the root of a chroot is a mount, it looks like the root of a namespace.
      let chroot =
        failure.namespaces.contains(.user) && failure.error.action == .createProcess
        ? ", or a chroot(2) into a mount point, in which the kernel allows none" : ""
      return Diagnosis(
        "the kernel refuses \(failure.error.cause.call), and nestbox found no reason: probably a "
          + "security module of the kernel forbids it\(chroot)",
        "look for the reason in the kernel's log (journalctl -k); nestbox --doctor shows what works "
          + "here")
    },
  ]

  /// The steps that AppArmor's restriction stops, depending on its release.
  private static let restricted: [LaunchError.Action] = [
    .createProcess, .createNamespaces, .writeIdentityMap, .loopback, .buildRoot, .enterRoot,
    .setHostname, .setDomainName, .findSource, .restrictSource, .bind, .mountProc, .mountTmpfs,
    .mountDevices, .dropPrivileges,
  ]
}

extension Machine {
  /// How to make a filter around this process allow `call`.
  fileprivate func filterRemedy(_ call: String) -> String {
    switch container {
    case "docker"?, "podman"?:
      "start the container with --security-opt seccomp=unconfined, or with a filter that allows "
        + "\(call)"
    case let name?: "let the seccomp filter of the container (\(name)) allow \(call)"
    case nil: "start nestbox outside the filter, or let the filter allow \(call)"
    }
  }
}
