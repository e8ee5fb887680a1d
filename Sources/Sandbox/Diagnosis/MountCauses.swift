// SPDX-License-Identifier: Apache-2.0
// Why the kernel refuses a file system, and other failures on the way to the command.

internal import Linux
internal import SystemPackage
internal import Text

extension Cause {
  static let mounts: [Cause] = [
    Cause([.mountProc], [.notPermitted]) { failure in
      let covered = failure.machine.coveredProc
      guard !covered.isEmpty else { return nil }
      let names = covered.prefix(3).map { failure.quoted($0) }.joined(separator: ", ")
      return Diagnosis(
        "parts of /proc are covered here (\(names)), so the kernel refuses a new procfs",
        remedy: failure.bindProc)
    },
    Cause([.mountProc], [.notPermitted]) { failure in
      guard !failure.machine.mounts.entries.contains(where: { $0.type == "proc" && $0.root == "/" })
      else { return nil }
      return Diagnosis(
        "no complete procfs is mounted here, so the kernel refuses a new one",
        remedy: failure.leavingOut ?? .advice("mount procfs outside first"))
    },
    Cause([.mountMqueue], [.notPermitted]) { failure in
      guard !failure.namespaces.contains(.ipc) else { return nil }
      return Diagnosis(
        "message queues need a new ipc namespace",
        remedy: failure.adding(["--unshare-ipc"]))
    },
    Cause([.mountDevices], [.noSuchFileOrDirectory]) { failure in
      let path = failure.subject
      guard let device = HarmlessDevices.devices.first(where: { $0.host == path }),
        (try? FileFacts(at: path)) == nil
      else { return nil }
      return Diagnosis(
        "the host has no device \(failure.quoted(path)), which --dev shows",
        remedy: .asRoot("mknod -m 666 \(path.string) c \(device.numbers)"))
    },
    Cause([.mountOverlay], [.invalidArgument]) { failure in
      guard let overlay = failure.operation?.operation.action.overlay,
        failure.namespaces.contains(.user)
      else { return nil }
      let host = RunningHost()
      for layer in overlay.layers.map(failure.resolved.expandingHome) {
        guard let file = try? host.follow(layer), let mount = host.mounts(below: file).first else {
          continue
        }
        return Diagnosis(
          "\(failure.quoted(mount.point)) is mounted below \(failure.quoted(layer)), and the kernel lets "
            + "no ordinary user make an overlay of a directory with mounts below it",
          overlay.sources == ["~"]
            ? "show what the command needs of your home directory by --read"
            : "name a directory without mounts below it; findmnt lists them")
      }
      return nil
    },
    Cause([.mountOverlay], [.tooManySymbolicLinkLevels]) { _ in
      Diagnosis(
        "the directories of the overlay overlap: one of them lies in another",
        "choose source, upper and work directories that do not contain each other")
    },
    Cause([.mountOverlay], [.operationNotSupportedByDevice]) { _ in
      let known = (try? TextFile.text(of: "/proc/filesystems")) ?? "overlay"
      guard !known.includes("overlay") else { return nil }
      return Diagnosis("the kernel has no overlayfs", remedy: .asRoot("modprobe overlay"))
    },
    Cause([.mountOverlay], [.invalidArgument]) { failure in
      guard let overlay = failure.operation?.operation.action.overlay,
        case .kept(let upper, let work) = overlay.writes,
        let one = try? FoundFile(following: upper), let other = try? FoundFile(following: work),
        one.path.starts(with: other.path) || other.path.starts(with: one.path)
      else { return nil }
      return Diagnosis(
        "one of \(failure.quoted(upper)) and \(failure.quoted(work)) contains the other",
        "make WORKDIR a separate empty directory beside RWSRC")
    },
    Cause([.mountOverlay], [.invalidArgument, .improperLink]) { failure in
      guard let overlay = failure.operation?.operation.action.overlay,
        case .kept(let upper, let work) = overlay.writes,
        let one = try? FoundFile(following: upper), let other = try? FoundFile(following: work),
        one.mount != other.mount
      else { return nil }
      return Diagnosis(
        "\(failure.quoted(upper)) and \(failure.quoted(work)) lie on different mounts",
        "make WORKDIR a directory beside RWSRC, on the same file system")
    },
    Cause([.mountOverlay], [.invalidArgument]) { failure in
      guard let overlay = failure.operation?.operation.action.overlay,
        case .kept(let upper, _) = overlay.writes, let found = try? FoundFile(following: upper),
        let type = RunningHost().mount(of: found)?.type,
        ["overlay", "nfs", "nfs4", "fuse", "vfat", "9p"].contains(type)
      else { return nil }
      return Diagnosis(
        "\(failure.quoted(upper)) lies on a file system of the type \(type), which cannot hold "
          + "the upper layer of an overlay",
        overlay.identities.isEmpty
          ? "put RWSRC and WORKDIR on ext4, xfs, btrfs or tmpfs"
          : "name a directory on ext4, xfs or btrfs by --review-store")
    },
    Cause([.mountOverlay], [.invalidArgument]) { failure in
      guard let overlay = failure.operation?.operation.action.overlay,
        !overlay.options.isEmpty
      else { return nil }
      let options = overlay.options.map(\.quoted).joined(separator: ", ")
      return Diagnosis(
        "the kernel refuses an option of the overlay (\(options))", "leave out --overlay-opt")
    },
    Cause([.enterRoot], [.invalidArgument]) { failure in
      guard failure.machine.mounts.entries.first(where: { $0.point == "/" })?.type == "rootfs"
      else { return nil }
      return Diagnosis(
        "the root is an initramfs, which pivot_root(2) cannot leave",
        "make a file system the root first: mount -t tmpfs, copy, switch_root(8)")
    },
  ]

  static let others: [Cause] = [
    // Only a message with descriptors has this error (unix(7)).
    Cause(
      [], [.tooManyReferences],
      cause: "other programs of this user have sent more descriptors that nobody has received yet "
        + "than the hard limit of descriptors allows",
      hint: "end the program that this line finds, or raise that limit (ulimit -Hn): "
        + "grep -s '^scm_fds: [1-9]' /proc/[0-9]*/fdinfo/*"),
    Cause(
      [.watch], [.resourceBusy],
      cause:
        "another program already watches the calls of this process: a container engine, WSL, or "
        + "an outer --explain",
      hint: "leave out --explain (--learn, --verify), or run nestbox outside of that program"),
    Cause(
      [.watch], [.notSupported],
      cause: "a filter of --seccomp or --add-seccomp-fd hands calls to a tracer or a listener, and "
        + "--explain would let them pass",
      hint: "leave out --explain (--learn, --verify), or use a filter that answers for itself"),
    Cause(
      [.watch], [.argListTooLong],
      cause: "the policy leaves no room for the watch in a program of 4096 instructions",
      hint: "leave out --explain (--learn, --verify), or use a shorter policy"),
    Cause(
      [.watch], [.notPermitted, .noFunction, .invalidArgument],
      cause: "this kernel, or a filter around nestbox, has no listeners for system calls",
      hint:
        "leave out --explain (--learn, --verify), or use Linux 5.12 or later without such a filter"),
    Cause([.setHostname, .setDomainName], [.invalidArgument]) { failure in
      Diagnosis(
        "the kernel allows names of at most 64 bytes, and this one has "
          + String((failure.error.subject ?? "").count), "choose a shorter name")
    },
    Cause([.setClocks], [.outOfRange]) { _ in
      Diagnosis(
        "a clock would be negative, or too far ahead",
        "choose offsets that keep both clocks positive")
    },
    Cause([.keepCapabilities, .dropPrivileges], [.notPermitted]) { failure in
      guard let needed = Capabilities(named: "setpcap"),
        !failure.namespaces.contains(.user),
        let permitted = try? Capabilities.permitted(), (permitted & needed).isEmpty
      else { return nil }
      return Diagnosis(
        "root lacks CAP_SETPCAP here, which it needs to drop capabilities permanently",
        remedy: failure.adding(["--unshare-user"]))
    },
    Cause([.passDescriptor], [.isDirectory, .badFileDescriptor]) { failure in
      guard let number = failure.error.subject.flatMap({ CInt($0.text) }) else { return nil }
      let names = ["standard input", "standard output", "standard error"]
      let name = (0...2).contains(number) ? names[Int(number)] : "descriptor \(String(number))"
      let reason =
        failure.error.cause.errno == .isDirectory
        ? "is a directory of the host, from which the command could reach all your files"
        : "only names a file of the host (O_PATH), which the command could open for writing"
      return Diagnosis(
        "\(name) \(reason)", remedy: failure.redirecting(number, number == 0 ? "<" : ">"))
    },
    Cause([.passDescriptor], [.notSupported]) { failure in
      let isInput = failure.error.subject == "0"
      return Diagnosis(
        isInput
          ? "the line is in the background, where under a profile a command cannot read the terminal, "
            + "and under --exec no process of nestbox stays to withhold it"
          : "under a profile a command can only write to its output, and under --exec no process of "
            + "nestbox stays to copy what it writes",
        isInput ? "leave out --exec, or add </dev/null" : "leave out --exec, or add | cat >>FILE")
    },
    Cause([.prepare], [.diskQuotaExceeded]) { failure in
      guard let limit = failure.machine.sysctl("kernel.keys.maxkeys") else { return nil }
      return Diagnosis(
        "this user has as many keys as the sysctl kernel.keys.maxkeys allows (\(String(limit))), and "
          + "nestbox needs one more, for a session keyring that hides the caller's",
        remedy: .asRoot("sysctl -w kernel.keys.maxkeys=\(String(10 * limit))"))
    },
    Cause([.restrictByLandlock]) { failure in
      guard !failure.machine.isAtLeast((6, 12)) else { return nil }
      let release = failure.machine.release ?? "older"
      return Diagnosis(
        "scopes of Landlock need Linux 6.12, and this is \(release)",
        remedy: failure.withoutLandlock)
    },
    Cause([.restrictByLandlock], [.noFunction]) { failure in
      guard Landlock.version == nil else { return nil }
      let modules = try? TextFile.text(of: "/sys/kernel/security/lsm")
      let hasModule = modules?.includes("landlock") ?? false
      return Diagnosis(
        failure.machine.isFiltered && hasModule
          ? "a filter of system calls around this process hides Landlock"
          : "the kernel has no Landlock",
        remedy: failure.withoutLandlock)
    },
    Cause([.restrictByLandlock], [.notSupported]) { failure in
      Diagnosis(
        "Landlock is turned off (lsm= on the kernel's command line)",
        remedy: failure.withoutLandlock)
    },
    Cause(
      [.startBusProxy], [.noSuchFileOrDirectory],
      cause: "D-Bus options need the program xdg-dbus-proxy, and it is not in PATH",
      hint: "install it; most distributions call the package xdg-dbus-proxy"),
    Cause(
      [.startBusProxy], [.brokenPipe],
      cause: "xdg-dbus-proxy ended before it was ready",
      hint: "install its release 0.1.0 or later"),
    Cause(
      [.findBus], [],
      cause:
        "DBUS_SESSION_BUS_ADDRESS or DBUS_SYSTEM_BUS_ADDRESS names no bus, and there is no socket "
        + "at the usual path",
      hint: "start nestbox with dbus-run-session(1), which provides a session bus"),
    Cause([.filterBus]) { failure in
      Diagnosis(
        "the bus listens on an abstract socket, and a command that shares the host's network can "
          + "reach that socket without the filter", remedy: failure.adding(["--unshare-net"]))
    },
    Cause([.showBus], [.readOnlyFileSystem]) { failure in
      Diagnosis(
        "/run does not exist inside, and making it would change the host",
        remedy: failure.adding(["--tmpfs", "/run"]))
    },
    Cause(
      [.installFilter, .readFilter], [.invalidArgument],
      cause:
        "this is not a compiled filter, which consists of instructions of eight bytes",
      hint: "write one with seccomp_export_bpf(3) or --seccomp-compile"),
  ]
}

extension Failure {
  /// The line that starts without Landlock where there is none.
  fileprivate var withoutLandlock: Remedy {
    renaming("--landlock-scope", to: "--landlock-scope-try")
      ?? .advice("use --landlock-scope-try in place of \(option)")
  }

  /// How the host's /proc is shown in place of a new one.
  fileprivate var bindProc: Remedy {
    let place = ByteString(subject)
    return replacing([ByteString(option), place], with: ["--ro-bind", "/proc", place])
      ?? .advice("show the existing one, with --ro-bind /proc instead of \(option)")
  }
}
