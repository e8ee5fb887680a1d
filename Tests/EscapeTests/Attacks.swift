// SPDX-License-Identifier: Apache-2.0
// The attacks, their sources, and the sandboxes in which they must fail.

import Testing

/// Something that a hostile command tries.
struct Attack: Sendable, CustomTestStringConvertible {
  /// The name by which the hostile program knows it.
  let name: String
  /// Where it was described, or worked against another program.
  let reference: String
  /// The part of the hostile program that runs outside, around the sandbox.
  var scene = ""
  /// Where it succeeds, so that it is known to bite.
  let weakness: Weakness
  /// The sandboxes where it must fail.
  let boxes: [Box]

  var testDescription: String { "\(name) (\(reference))" }

  /// What makes an attack succeed.
  enum Weakness: Sendable {
    /// No sandbox, as an ordinary user.
    case bare
    /// No sandbox, as root, or a script that root runs.
    case root(String = #"exec "$tools/hostile" "$attack""#)
    /// A sandbox with these options.
    case options(String)
  }

  init(
    _ name: String, _ reference: String, scene: String = "", succeeds weakness: Weakness,
    fails boxes: [Box] = Box.allCases
  ) {
    self.name = name
    self.reference = reference
    self.scene = scene.isEmpty ? "" : "\"$tools/hostile\" \(scene) "
    self.weakness = weakness
    self.boxes = boxes
  }
}

extension Attack {
  private static func all(but some: Box...) -> [Box] { Box.allCases.filter { !some.contains($0) } }

  private static let uncovered = Weakness.options(
    #"--unshare-all --cap-add CAP_SYS_ADMIN "${system[@]}" "${work[@]}""#)

  static let all: [Attack] = [
    // MARK: The old root
    Attack("parents", "CVE-2024-21626", succeeds: .options("--dev-bind / /")),
    Attack("process-links", "proc(5), /proc/PID/root", succeeds: .bare),
    Attack(
      "descriptors", "CVE-2016-9962",
      succeeds: .options(#"--unshare-all "${bare[@]}" "${work[@]}" 5< /"#)),
    Attack("mounts", "CVE-2014-5207", succeeds: uncovered),
    Attack(
      "chroot", "chroot(2)",
      succeeds: .root(
        #"""
        mkdir -p jail/tmp; cp "$tools/hostile" jail; exec chroot jail /hostile "$attack"
        """#)),
    Attack("handles", "shocker, CVE-2014-3519", succeeds: .root()),
    Attack("devices", "mount(2), MS_NODEV", succeeds: .root()),

    // MARK: Privileges
    Attack("identity", "capabilities(7)", succeeds: .root(), fails: all(but: .tracer, .capable)),
    Attack(
      "set-user-id", "prctl(2), PR_SET_NO_NEW_PRIVS", succeeds: .bare,
      fails: all(but: .tracer, .capable)),
    Attack(
      "file-capabilities", "capabilities(7), file capabilities", succeeds: .bare,
      fails: all(but: .tracer, .capable)),
    Attack("machine-controls", "core(5), core_pattern", succeeds: .root()),
    Attack("machine-calls", "capabilities(7)", succeeds: .root()),
    Attack("groups", "CVE-2014-8989", succeeds: .root()),
    Attack("release-agent", "CVE-2022-0492", succeeds: .root()),
    Attack(
      "namespaces", "setns(2)",
      succeeds: .root(#"exec unshare --mount "$tools/hostile" "$attack""#)),
    Attack(
      "user-namespace", "CVE-2022-0185", succeeds: .options(#"--unshare-all "${system[@]}""#),
      fails: [.noUserNamespaces, .untrusted]),

    // MARK: Processes
    // Who keeps CAP_SYS_PTRACE may look at an init whose number was told outside. (Two have none.)
    Attack(
      "init", "CVE-2016-8659",
      succeeds: .options(
        #"--unshare-all --cap-add ALL --info-fd 9 "${bare[@]}" 9> /dev/null"#),
      fails: all(but: .processOne, .shared)),
    Attack("processes", "ptrace(2)", succeeds: .bare),
    Attack(
      "launcher-file", "CVE-2019-5736",
      succeeds: .options(
        #"--unshare-all --cap-add ALL --info-fd 9 "${bare[@]}" 9> /dev/null"#)),
    // Without a new session, its process group is the caller's. (The test machine's kernel is new
    // enough for the profile.)
    Attack(
      "signals", "kill(2), process groups", scene: "listener",
      succeeds: .options(#"--unshare-all "${system[@]}""#), fails: [.session, .untrusted]),
    Attack(
      "sockets", "CVE-2020-15257", scene: "service",
      succeeds: .options(#"--unshare-all --share-net "${system[@]}""#),
      fails: all(but: .desktop, .shared)),
    Attack(
      "environment", "bubblewrap issue 725", succeeds: .bare, fails: all(but: .shared)),

    // MARK: Files
    Attack(
      "read-only", "CVE-2014-5206",
      succeeds: .options(#"--unshare-all "${system[@]}" --bind "$H/data" "$H/data""#),
      fails: all(but: .capable)),
    Attack(
      "masked", "mount_namespaces(7), locked mounts", succeeds: uncovered, fails: all(but: .capable)
    ),

    // MARK: Terminals
    Attack(
      "injection", "CVE-2017-5226, CVE-2023-1523", scene: "terminal",
      succeeds: .options(#"--unshare-all "${system[@]}""#), fails: [.session, .untrusted]),

    // A job in the background, beside a shell into which a person types.
    Attack("background", "tty_ioctl(4), TIOCSPGRP", scene: "typist", succeeds: .bare),

    // MARK: Standard descriptors
    Attack("standard-files", "proc(5), /proc/PID/fd", scene: "files", succeeds: .bare),
    // As a long here-document has none.
    Attack("standard-files", "files without names", scene: "nameless", succeeds: .bare),

    // MARK: The kernel
    // A policy that is walked around by other numbers or other means of the same call is none.
    Attack(
      "other-numbers", "CVE-2009-0835", succeeds: .options(#"--unshare-all "${system[@]}""#),
      fails: [.untrusted]),
    Attack(
      "dangerous-calls", "CVE-2022-0185, CVE-2023-2598",
      succeeds: .options(#"--unshare-all "${system[@]}""#), fails: [.untrusted]),

    // MARK: What outlasts the sandbox
    Attack(
      "left-behind", "systemd.exec(5), RestrictSUIDSGID=", succeeds: writable,
      fails: underPolicies),
    Attack(
      "rare-sockets", "CVE-2021-26708", succeeds: writable, fails: underPolicies),
    Attack(
      "stalling", "fcntl(2), F_SETLEASE", succeeds: writable, fails: underPolicies),
    // Without a size of its own, every file system in memory is the same.
    Attack(
      "memory", "tmpfs(5), size",
      succeeds: .options(
        #"--unshare-all "${system[@]}" "${work[@]}" --size 99999999999999 --tmpfs /mnt"#)),
    // Process 1 has the command's user.
    Attack(
      "priorities", "prlimit(2), sched(7)", succeeds: writable, fails: underPolicies),
  ]

  private static let writable = Weakness.options(#"--unshare-all "${system[@]}" "${work[@]}""#)
  private static let underPolicies = [Box.untrusted, .desktopPolicy, .compatPolicy]
}
