// SPDX-License-Identifier: Apache-2.0
// What to do about a failure, in one table keyed by what failed.

internal import Linux
internal import SystemPackage

extension LaunchError {
  /// The cause and the remedy, where one is known.
  public var hint: String? {
    Hint.all.first { hint in
      hint.actions.contains(action) && (hint.errors.isEmpty || hint.errors.contains(cause.errno))
    }?.text
  }
}

/// A cause that is known, and what to do about it.
private struct Hint {
  let actions: [LaunchError.Action]
  /// The errors that point to it; empty for any.
  let errors: [Errno]
  let text: String

  static let all: [Hint] = [
    Hint(
      actions: [.createProcess, .writeIdentityMap, .createNamespaces, .loopback],
      errors: [.permissionDenied, .notPermitted],
      text: "this machine restricts user namespaces of ordinary users: see the sysctls "
        + "kernel.apparmor_restrict_unprivileged_userns (set it to 0, or load an AppArmor profile "
        + "that allows userns for this program) and kernel.unprivileged_userns_clone (set it to "
        + "1); in a container, its seccomp profile may forbid them"),
    Hint(
      actions: [.createProcess, .createNamespaces], errors: [.noSpace],
      text: "the limit of namespaces is exhausted or 0: see the sysctls user.max_user_namespaces "
        + "and user.max_*_namespaces"),
    Hint(
      actions: [.createProcess], errors: [.resourceTemporarilyUnavailable],
      text: "the limit of processes is exhausted: see ulimit -u and the cgroup's pids.max"),
    Hint(
      actions: [.createProcess, .createNamespaces], errors: [.invalidArgument],
      text: "the kernel may be built without a kind of namespace that was asked for"),
    Hint(
      actions: [.prepare], errors: [.diskQuotaExceeded],
      text: "the caller's session keyring is kept from the command by another, and the limit of "
        + "keys is exhausted: see the sysctl kernel.keys.maxkeys and /proc/key-users"),
    Hint(
      actions: [.writeIdentityMap], errors: [.noSuchFileOrDirectory],
      text: "/proc is not mounted here; a user namespace cannot be set up without it"),
    Hint(
      actions: [.buildRoot, .createNamespaces, .findSource, .restrictSource], errors: [.noFunction],
      text: "nestbox needs the mount interface of Linux 5.12 (open_tree, mount_setattr); this "
        + "kernel is older, or a seccomp filter hides it"),
    Hint(
      actions: [.buildRoot], errors: [.invalidArgument],
      text: "the root may be an initramfs, which pivot_root(2) cannot leave"),
    Hint(
      actions: [.mountProc], errors: [.notPermitted],
      text: "parts of /proc are covered here, as in most containers, and the kernel then refuses "
        + "a new one; bind the existing one with --ro-bind /proc /proc, or uncover it (docker: "
        + "--security-opt systempaths=unconfined)"),
    Hint(
      actions: [.mountMqueue], errors: [.notPermitted],
      text: "message queues belong to the ipc namespace; add --unshare-ipc"),
    Hint(
      actions: [.remountReadOnly], errors: [.invalidArgument],
      text: "it is not a mount point; --ro-bind makes one"),
    Hint(
      actions: [.mountOverlay], errors: [.tooManySymbolicLinkLevels],
      text: "the directories of an overlay may not overlap: neither source, upper nor work "
        + "directory may lie in another"),
    Hint(
      actions: [.mountOverlay], errors: [.invalidArgument, .operationNotSupportedByDevice],
      text: "the kernel lacks overlayfs for user namespaces (Linux 5.11), an option is unknown to "
        + "it, or the upper directory's file system cannot hold one"),
    Hint(
      actions: [.joinNamespace], errors: [.notPermitted, .invalidArgument],
      text: "only who owns a namespace, or is privileged in its user namespace, may join it, and "
        + "the descriptor must be of that kind"),
    Hint(
      actions: [.startBusProxy], errors: [.noSuchFileOrDirectory],
      text:
        "D-Bus options need the program xdg-dbus-proxy in PATH; on most distributions it is the "
        + "package xdg-dbus-proxy"),
    Hint(
      actions: [.startBusProxy], errors: [.brokenPipe],
      text: "xdg-dbus-proxy ended before it was ready; release 0.1.0 or later is needed"),
    Hint(
      actions: [.findBus], errors: [],
      text:
        "no address is in DBUS_SESSION_BUS_ADDRESS or DBUS_SYSTEM_BUS_ADDRESS, and no socket at "
        + "the usual place; dbus-run-session(1) runs a program with a session bus of its own"),
    Hint(
      actions: [.filterBus], errors: [],
      text: "the bus listens on an abstract socket, which the command can reach past the filter "
        + "while it shares the host's network; add --unshare-net"),
    Hint(
      actions: [.showBus], errors: [.readOnlyFileSystem, .permissionDenied],
      text: "the file would have to be made on the host; have a file system of the sandbox's own "
        + "there, for instance with --tmpfs /run"),
    Hint(
      actions: [.bind], errors: [.notDirectory, .invalidArgument],
      text: "a directory can be mounted only on a directory, and a file only on a file"),
    Hint(
      actions: [.restrictByLandlock], errors: [],
      text: "scopes of Landlock need Linux 6.12, with landlock among the security modules that are "
        + "turned on (/sys/kernel/security/lsm); without --landlock-scope, and so without the "
        + "profile network, --profile untrusted --share-net shows the network and the abstract "
        + "sockets in it"),
    Hint(
      actions: [.keepCapabilities, .dropPrivileges], errors: [.notPermitted],
      text: "the launcher itself lacks a capability that was asked for"),
    Hint(
      actions: [.execute], errors: [.noSuchFileOrDirectory],
      text: "the command, the interpreter on its first line, or its loader does not exist inside "
        + "the sandbox; a system is bound by --ro-bind /usr /usr --symlink usr/bin /bin --symlink "
        + "usr/lib /lib --symlink usr/lib64 /lib64"),
    Hint(
      actions: [.installFilter, .readFilter], errors: [.invalidArgument],
      text: "not a compiled filter: seccomp_export_bpf(3) writes one, of whole instructions of "
        + "eight bytes"),
  ]
}
