// SPDX-License-Identifier: Apache-2.0
// Why the kernel makes no file system, and what else goes wrong on the way to the command.

internal import Linux
internal import SystemPackage
internal import Text

extension Cause {
  static let mounts: [Cause] = [
    Cause([.mountProc], [.notPermitted]) { failure in
      let covered = failure.machine.coveredProc
      guard !covered.isEmpty else { return nil }
      let names = covered.prefix(3).map { failure.quoted($0) }.joined(separator: ", ")
      let remedy = failure.bindProc
      return Diagnosis(
        "parts of /proc are covered here (\(names)), and the kernel then refuses a new one",
        failure.machine.container == nil
          ? remedy : remedy + "; or uncover it (docker: --security-opt systempaths=unconfined)")
    },
    Cause([.mountProc], [.notPermitted]) { failure in
      guard !failure.machine.mounts.entries.contains(where: { $0.type == "proc" && $0.root == "/" })
      else { return nil }
      return Diagnosis(
        "no whole /proc is mounted here, and the kernel then refuses a new one",
        "mount one outside, in a sandbox with --proc /proc, or leave out \(failure.option)")
    },
    Cause([.mountMqueue], [.notPermitted]) { failure in
      guard !failure.namespaces.contains(.ipc) else { return nil }
      return Diagnosis("message queues belong to the ipc namespace", "add --unshare-ipc")
    },
    Cause([.mountOverlay], [.tooManySymbolicLinkLevels]) { _ in
      Diagnosis(
        "the directories of the overlay overlap: one of them lies in another",
        "choose source, upper and work directories of which none lies in another")
    },
    Cause([.mountOverlay], [.operationNotSupportedByDevice]) { _ in
      let known = (try? TextFile.text(of: "/proc/filesystems")) ?? "overlay"
      guard !known.includes("overlay") else { return nil }
      return Diagnosis("the kernel has no overlayfs", "as root: modprobe overlay")
    },
    Cause([.mountOverlay], [.invalidArgument]) { failure in
      guard case .overlay(let overlay, _)? = failure.operation?.operation.action,
        case .kept(let upper, let work) = overlay.writes,
        let one = try? FoundFile(following: upper), let other = try? FoundFile(following: work),
        one.path.starts(with: other.path) || other.path.starts(with: one.path)
      else { return nil }
      return Diagnosis(
        "\(failure.quoted(upper)) and \(failure.quoted(work)) lie in one another",
        "have WORKDIR beside RWSRC, an empty directory of its own")
    },
    Cause([.mountOverlay], [.invalidArgument, .improperLink]) { failure in
      guard case .overlay(let overlay, _)? = failure.operation?.operation.action,
        case .kept(let upper, let work) = overlay.writes,
        let one = try? FoundFile(following: upper), let other = try? FoundFile(following: work),
        one.mount != other.mount
      else { return nil }
      return Diagnosis(
        "\(failure.quoted(upper)) and \(failure.quoted(work)) lie on different mounts",
        "have WORKDIR beside RWSRC, on the same file system")
    },
    Cause([.mountOverlay], [.invalidArgument]) { failure in
      guard case .overlay(let overlay, _)? = failure.operation?.operation.action,
        case .kept(let upper, _) = overlay.writes, let found = try? FoundFile(following: upper),
        let type = RunningHost().mount(of: found)?.type,
        ["overlay", "nfs", "nfs4", "fuse", "vfat", "9p"].contains(type)
      else { return nil }
      return Diagnosis(
        "\(failure.quoted(upper)) lies on a file system of the type \(type), which cannot hold "
          + "the upper layer of an overlay", "have RWSRC and WORKDIR on ext4, xfs, btrfs or tmpfs")
    },
    Cause([.mountOverlay], [.invalidArgument]) { failure in
      guard case .overlay(let overlay, _)? = failure.operation?.operation.action,
        !overlay.options.isEmpty
      else { return nil }
      let options = overlay.options.map(\.quoted).joined(separator: ", ")
      return Diagnosis(
        "the kernel does not take an option of the overlay (\(options))", "leave out --overlay-opt")
    },
    Cause([.buildRoot], [.invalidArgument]) { failure in
      guard failure.machine.mounts.entries.first(where: { $0.point == "/" })?.type == "rootfs"
      else { return nil }
      return Diagnosis(
        "the root is an initramfs, which pivot_root(2) cannot leave",
        "make a file system the root first: mount -t tmpfs, copy, switch_root(8)")
    },
  ]

  static let others: [Cause] = [
    Cause([.setHostname, .setDomainName], [.invalidArgument]) { failure in
      Diagnosis(
        "the kernel takes names of at most 64 bytes, and this one has "
          + String((failure.error.subject ?? "").count), "choose a shorter name")
    },
    Cause([.setClocks], [.outOfRange]) { _ in
      Diagnosis(
        "a clock would stand before the start of time, or too far ahead",
        "choose offsets that leave it positive")
    },
    Cause([.keepCapabilities, .dropPrivileges], [.notPermitted]) { failure in
      guard let needed = Capabilities(named: "setpcap"),
        !failure.namespaces.contains(.user),
        let permitted = try? Capabilities.permitted(), (permitted & needed).isEmpty
      else { return nil }
      return Diagnosis(
        "root lacks CAP_SETPCAP here, without which it cannot drop capabilities for good",
        "add --unshare-user")
    },
    Cause([.prepare], [.diskQuotaExceeded]) { failure in
      guard let limit = failure.machine.sysctl("kernel.keys.maxkeys") else { return nil }
      return Diagnosis(
        "this user has as many keys as the sysctl kernel.keys.maxkeys allows (\(String(limit))), and "
          + "the caller's session keyring is kept from the command by another one",
        "as root: sysctl -w kernel.keys.maxkeys=\(String(10 * limit))")
    },
    Cause([.restrictByLandlock]) { failure in
      guard !failure.machine.isAtLeast((6, 12)) else { return nil }
      let release = failure.machine.release ?? "older"
      return Diagnosis(
        "scopes of Landlock need Linux 6.12, and this is \(release)", Failure.withoutLandlock)
    },
    Cause([.restrictByLandlock], [.noFunction]) { failure in
      let modules = try? TextFile.text(of: "/sys/kernel/security/lsm")
      let hasModule = modules?.includes("landlock") ?? false
      return Diagnosis(
        failure.machine.isFiltered && hasModule
          ? "a filter of system calls around this process hides Landlock"
          : "Landlock is not to be had here: the call for it does not exist",
        Failure.withoutLandlock)
    },
    Cause(
      [.restrictByLandlock], [.notSupported],
      cause: "Landlock is turned off (lsm= on the kernel's command line)",
      remedy: Failure.withoutLandlock),
    Cause(
      [.startBusProxy], [.noSuchFileOrDirectory],
      cause: "D-Bus options need the program xdg-dbus-proxy, and it is not in PATH",
      remedy: "install it; on most distributions it is the package xdg-dbus-proxy"),
    Cause(
      [.startBusProxy], [.brokenPipe],
      cause: "xdg-dbus-proxy ended before it was ready",
      remedy: "install release 0.1.0 or later of it"),
    Cause(
      [.findBus], [],
      cause: "no address is in DBUS_SESSION_BUS_ADDRESS or DBUS_SYSTEM_BUS_ADDRESS, and no socket "
        + "at the usual place",
      remedy: "dbus-run-session(1) runs a program with a session bus of its own"),
    Cause(
      [.filterBus], [],
      cause: "the bus listens on an abstract socket, which the command can reach past the filter "
        + "while it shares the host's network",
      remedy: "add --unshare-net or --landlock-scope abstract-unix"),
    Cause(
      [.showBus], [.readOnlyFileSystem],
      cause: "there is no directory /run, and it would have to be made on the host",
      remedy: "add --tmpfs /run"),
    Cause(
      [.installFilter, .readFilter], [.invalidArgument],
      cause: "not a compiled filter, of whole instructions of eight bytes that the kernel accepts",
      remedy: "seccomp_export_bpf(3) writes one"),
  ]
}

extension Failure {
  /// What there is without Landlock.
  fileprivate static let withoutLandlock =
    "leave out --landlock-scope, and with it the profile network: --profile untrusted "
    + "--share-net shows the network and the abstract sockets in it"

  /// How the host's /proc is shown in place of a new one.
  fileprivate var bindProc: String {
    "show the existing one: --ro-bind /proc \(ByteString(subject).quotedForShell) in place of "
      + "\(option) \(ByteString(subject).quotedForShell)"
  }
}
