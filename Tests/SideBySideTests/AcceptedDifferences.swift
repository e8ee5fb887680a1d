// SPDX-License-Identifier: Apache-2.0
// The one list of what nestbox does differently from bubblewrap on purpose, and why.

/// A difference that is accepted: the reason, and what nestbox does instead.
struct AcceptedDifference: Sendable {
  /// What nestbox does.
  let name: String
  /// Why that is right.
  let reason: String
  /// The first version of bubblewrap that does the same as nestbox; nil where none does.
  var until: String?
  /// The first version that differs; nil where all earlier ones do.
  var since: String?
  /// A line that shows it.
  let example: Line
  /// The line that makes bubblewrap do the same.
  var translate: @Sendable (String) -> String = { $0 }
  /// Turns what bubblewrap did into the expected behaviour of nestbox, given what nestbox did and
  /// the line.
  var apply: @Sendable (inout Facts, Facts, Line) -> Void = { _, _, _ in }
}

extension AcceptedDifference {
  /// All of them.
  static let all = privileges + mounts + files + mistakes

  /// Those from this bubblewrap.
  static func all(from reference: Reference) -> [AcceptedDifference] {
    all.filter { $0.isAbout(reference) }
  }

  /// Whether this bubblewrap differs so.
  func isAbout(_ reference: Reference) -> Bool {
    until.map { !reference.isAtLeast($0) } ?? true && since.map(reference.isAtLeast) ?? true
  }

  private static let privileges = [
    AcceptedDifference(
      name: "There is one user namespace, even with --dev and --disable-userns",
      reason: "A second one, inside the first, costs time and keeps others from entering.",
      example: "$system --dev /dev",
      apply: { facts, nestbox, line in
        guard line.has("--dev") || line.has("--disable-userns") else { return }
        for map in ["uid_map", "gid_map"] {
          guard let ids = facts[map]?.split(separator: " "), ids.count == 3,
            let real = nestbox[map]?.split(separator: " ").dropFirst().first
          else { continue }
          facts[map] = "\(ids[0]) \(real) 1"
        }
      }),
    AcceptedDifference(
      name: "The directory of a devpts belongs to user 0, if there is one",
      reason: "It is mounted in the only user namespace, which maps 0 to nobody or to --uid 0.",
      example: "$system --dev /dev",
      apply: { facts, _, _ in
        for (name, value) in facts where name.hasPrefix("file ") && name.hasSuffix("/pts") {
          guard value.hasPrefix("drwxr-xr-x ") else { continue }
          let ids = ["uid_map", "gid_map"].map {
            facts[$0]?.hasPrefix("0 ") == true ? "0" : "65534"
          }
          facts[name] = "drwxr-xr-x " + ids.joined(separator: ":")
        }
      }),
    AcceptedDifference(
      name: "The command cannot read the environment of init",
      reason: "It is the caller's, with whatever --unsetenv and --clearenv took from the command.",
      example: "$system --unshare-pid --proc /proc",
      apply: { facts, _, line in
        // Init may do something that the command may not, is less filtered, or hides from callers
        // that were not told of it.
        let hasAll = facts["status CapEff"]?.hasSuffix("1ffffffffff") == true
        let isFiltered = facts["status Seccomp_filters"] != "0"
        let isTold = line.has("--info-fd") || line.has("--json-status-fd")
        guard facts["namespace pid"] == "a new one", !hasAll || isFiltered || !isTold
        else { return }
        let name = "environment of init is seen"
        if facts[name] == "True" { facts[name] = "Permission denied" }
      }),
    AcceptedDifference(
      name: "Descriptors of namespaces and of the maps' writer are not open in the command",
      reason: "They were named to nestbox, and would let the command do what only it should.",
      example: """
        hold --user --map-current-user; \
        bwrap $system --userns 3 3</proc/$holder/ns/user observe
        """,
      apply: { facts, _, line in
        for match in line.text.matches(of: /--(userns|userns2|pidns|userns-block-fd) ([0-9]+)/) {
          facts["descriptor \(match.2)"] = nil
        }
      }),
    AcceptedDifference(
      name: "With --as-pid-1 it is the monitor that holds the descriptor of --sync-fd",
      reason: "There is no init, and the command is not to have it.",
      example: "$system --unshare-pid --as-pid-1 --sync-fd 3 3<data",
      apply: { facts, _, line in
        guard line.has("--as-pid-1") else { return }
        for match in line.text.matches(of: /--sync-fd ([0-9]+)/) {
          facts["descriptor \(match.1)"] = nil
        }
      }),
    AcceptedDifference(
      name: "--unshare-all keeps the user namespace that was given",
      reason: "The one of its own is no more than an attempt.",
      example: """
        hold --user --map-root-user; \
        bwrap $system --userns 3 --unshare-all 3</proc/$holder/ns/user observe
        """,
      translate: {
        guard $0.contains("--userns ") else { return $0 }
        return $0.replacing(
          "--unshare-all",
          with: "--unshare-ipc --unshare-pid --unshare-net --unshare-uts --unshare-cgroup-try")
      }),
    AcceptedDifference(
      name: "With --new-session the command leads its session, with an init or without",
      reason: "bubblewrap's leads it only where there is no init, which leads it otherwise.",
      example: "$system --unshare-pid --new-session",
      apply: { facts, _, line in
        guard line.has("--new-session"), facts["session"] != nil else { return }
        facts["session"] = "own"
        facts["process group"] = "own"
      }),
    AcceptedDifference(
      name: "--disable-userns is content with the implied user namespace",
      reason: "There is one in any case, unless root is the caller.",
      example: "$system --disable-userns",
      translate: { $0.replacing("--disable-userns", with: "--unshare-user --disable-userns") }),
    AcceptedDifference(
      name: "Ids may be as large as the kernel's",
      reason: "bubblewrap takes them for signed numbers.",
      example: "$system --uid 4000000000 --gid 4000000001",
      translate: { $0.replacing(/(--[ug]id) 4000(\d{6})\b/) { "\($0.1) 40\($0.2)" } },
      apply: { facts, _, line in
        guard line.has("--uid", "4000000000") else { return }
        facts = facts.mapValues { $0.replacing("400000", with: "40000000") }
      }),
  ]

  private static let mounts = [
    AcceptedDifference(
      name: "Mounts of the sandbox's own file system are named otherwise",
      reason:
        "Names below a file system's root that can't be seen from inside are nobody's affair.",
      example: "$system --bind-data 3 /a/file 3<data",
      apply: { facts, nestbox, _ in
        for (name, value) in facts where name.hasPrefix("mount ") && name.hasSuffix(" root") {
          let options = String(name.dropLast(4)) + "options"
          // Those in memory share one file system, and so its limit; its mode is that of a directory
          // that can't be seen.
          if value == "/", let own = nestbox[name], own.hasPrefix("/memory") {
            facts[name] = own
            let others = facts[options, default: ""].split(separator: ",")
              .filter { !$0.hasPrefix("mode=") }
            facts[options] = (others + ["mode=755"]).sorted().joined(separator: ",")
          }
          guard value == "/newroot" || value.hasPrefix("/bindfile") else { continue }
          // Files keep a name, so that a sandbox inside can cover them.
          let file = nestbox[name, default: ""]
          facts[name] = value == "/newroot" ? "/new" : file.hasPrefix("/data") ? file : "/data"
          // A mode that is the default's, and of a directory that can't be seen.
          facts[options]?.replace(",rw", with: ",mode=755,rw")
        }
      }),
    AcceptedDifference(
      name: "Mounts that no path leads to are restricted as well",
      reason: """
        bubblewrap finds mounts by their paths. They lead to the topmost mount of a place, and not \
        into a directory that only root may enter, such as /sys/kernel/debug.
        """,
      until: "0.13.1",
      example: "--ro-bind / / --tmpfs /mnt --bind work /mnt --ro-bind /mnt /mnt",
      apply: { facts, nestbox, _ in
        for (name, value) in facts where name.hasPrefix("mount ") && name.hasSuffix(" flags") {
          let isHidden = isCovered(name, facts) || isOutOfReach(name, facts)
          guard isHidden, let other = nestbox[name] else { continue }
          let (old, new) = (words(value), words(other))
          if new.isSuperset(of: old.subtracting(["rw"])) { facts[name] = other }
        }
      }),
    AcceptedDifference(
      name: "Trees that were bound read-only are private",
      reason: "A mount that appears on the host later would be writable inside.",
      example: "within=$shared; bwrap --ro-bind / / --tmpfs /mnt --bind work /mnt observe",
      apply: { facts, nestbox, _ in
        for (name, value) in facts where name.hasSuffix(" propagation") && value == "master" {
          let flags = name.replacing(" propagation", with: " flags")
          let restrictions = words(nestbox[flags] ?? "")
          if restrictions.contains("ro"), nestbox[name] == "" { facts[name] = "" }
        }
      }),
    AcceptedDifference(
      name: "An mqueue has no set-user-ID files, devices or programs",
      reason: "It holds message queues and nothing else.",
      example: "$system --unshare-ipc --mqueue /a",
      apply: { facts, _, _ in
        for (name, value) in facts where name.hasSuffix(" type") && value == "mqueue" {
          let name = name.replacing(" type", with: " flags")
          let flags = words(facts[name] ?? "").union(["nodev", "noexec", "nosuid"])
          facts[name] = flags.sorted().joined(separator: ",")
        }
      }),
  ]

  private static let files = [
    AcceptedDifference(
      name: "Missing parents are made with mode 0755",
      reason: "bubblewrap documents that as well, and makes them 0700 for some options.",
      example: "$system --bind work /mnt --symlink target /a/link --bind source /mnt/new/place",
      apply: { facts, nestbox, line in
        // If the line sets 0700, that mode must stay.
        guard !line.text.contains("0700") else { return }
        for (name, value) in facts where value.hasPrefix("drwx------") {
          guard name.hasPrefix("file ") || name.hasPrefix("host ") else { continue }
          facts[name] = value.replacing("drwx------", with: "drwxr-xr-x")
        }
      }),
    AcceptedDifference(
      name: "After a failure nothing that was made on the host stays there",
      reason: "Nobody asked for mount points of a sandbox that never was.",
      example: "$system --bind work /mnt --bind source /mnt/new/place --chmod 0700 /missing",
      apply: { facts, nestbox, _ in
        guard facts["status"] == "1", facts["errors"] != "none" else { return }
        for name in facts.keys where name.hasPrefix("host ./") && nestbox[name] == nil {
          if name.hasPrefix("host ./work/") || name.hasPrefix("host ./source/")
            || name.hasPrefix("host ./empty/")
          {
            facts[name] = nil
          }
        }
      }),
    AcceptedDifference(
      name: "An absolute link in a destination leads to what it means inside",
      reason: "bubblewrap before 0.12 follows it on the host, and fails or worse.",
      example: "$system --symlink /b /a --dir /b --dir /a/inner",
      translate: { $0.replacing("--symlink /b /a --dir /b", with: "--symlink b /a --dir /b") },
      apply: { facts, _, line in
        if line.has("--symlink", "/b", "/a") { facts["file /a"]?.replace("-> b", with: "-> /b") }
      }),
    AcceptedDifference(
      name: "A destination that is a link leads to what it means inside",
      reason: "Programs rely on links such as /bin; bubblewrap refuses them since 0.12.",
      since: "0.12.0",
      example: "$system --bind source /mnt --bind work/file /mnt/link",
      translate: {
        $0.replacing("--bind work/file /mnt/link", with: "--bind work/file /mnt/file")
          .replacing("--file 3 /mnt/link", with: "--file 3 /mnt/file")
          .replacing("--symlink a /b --bind source /b", with: "--symlink a /b --bind source /a")
          .replacing(
            "--symlink target /a --bind source /a",
            with: "--symlink target /a --bind source /target")
      }),
    AcceptedDifference(
      name: "A read-only overlay is a read-only mount as well",
      reason: "Its file system is read-only in both; the mount says so too.",
      since: "0.11.0",
      example: "$system --overlay-src source --overlay-src work --ro-overlay /mnt",
      apply: { facts, nestbox, line in
        guard line.has("--ro-overlay") else { return }
        for (name, value) in facts where name.hasSuffix(" type") && value == "overlay" {
          let flags = name.replacing(" type", with: " flags")
          if nestbox[flags]?.contains("ro") == true { facts[flags]?.replace(",rw", with: ",ro") }
        }
      }),
    AcceptedDifference(
      name: "A directory is made where a link leads, if there is none",
      reason: "bubblewrap takes the link itself for the directory, and leaves it dangling.",
      example: "$system --symlink nowhere /a --dir /a",
      translate: {
        $0.replacing("--symlink nowhere /a --dir /a", with: "--symlink nowhere /a --dir /nowhere")
          .replacing("--symlink target /a --dir /a", with: "--symlink target /a --dir /target")
      }),
    AcceptedDifference(
      name: "A link that exists and says the same is accepted",
      reason: "bubblewrap does so as well since 0.8.",
      example: "$system --symlink target /a --symlink target /a",
      translate: {
        $0.replacing(/(--symlink \S+ \S+) \1/) { match in String(match.1) }
      }),
  ]

  private static let mistakes = [
    AcceptedDifference(
      name: "--perms before nothing is a mistake",
      reason: "Somebody expects a mode that will not be set.",
      example: "$system --perms 0700",
      apply: { facts, _, line in
        if line.text.contains(/--perms [0-7]+ observe/) { facts.fail() }
      }),
    AcceptedDifference(
      name: "Every descriptor of --sync-fd is held and kept from the command",
      reason: "bubblewrap does so as well since 0.13; before, it warned and passed the others on.",
      until: "0.13.0",
      example: "$system --sync-fd 3 --sync-fd 4 3<data 4<data",
      apply: { facts, _, line in
        let matches = line.text.matches(of: /--sync-fd ([3-9])/)
        guard matches.count > 1 else { return }
        for match in matches { facts["descriptor \(match.1)"] = nil }
        facts["errors"] = "none"
      }),
    AcceptedDifference(
      name: "A descriptor that is not open is named",
      reason: "bubblewrap names a path of its own making, or goes on as if there was one.",
      example: "$system --sync-fd 77",
      apply: { facts, _, line in
        if line.has("--sync-fd", "77") { facts.fail() }
        if line.has("--bind-fd", "77") { facts["errors"] = "a message" }
      }),
    AcceptedDifference(
      name: "A lock that cannot be taken keeps the command from starting",
      reason: "bubblewrap starts it without the lock, fails, and leaves it running.",
      example: "$system --lock-file /missing",
      apply: { facts, _, line in
        // The command has said something, and so has bubblewrap.
        guard line.has("--lock-file"), facts["directory"] != nil, facts["status"] == "1" else {
          return
        }
        if facts["errors"] == "a message" { facts.fail(afterSetup: true) }
      }),
    AcceptedDifference(
      name: "A directory can be bound more than once from one descriptor",
      reason: "Nothing of it is used up by the first.",
      example: "$system --bind-fd 3 /a --bind-fd 3 /b 3<source",
      translate: {
        $0.replacing("-fd 3 /a --bind-fd 3 /b 3<source", with: "-fd 3 /a --bind source /b 3<source")
      }),
    AcceptedDifference(
      name: "What came from a descriptor can be made read-only",
      reason: "bubblewrap looks for the mount by a name that has been removed.",
      example: "$system --bind-data 3 /a 3<data --remount-ro /a",
      translate: {
        $0.replacing(/--(?:ro-)?bind-data ([0-9]) (\S+)( | .* )--remount-ro \2(?=[ )])/) {
          "--ro-bind-data \($0.1) \($0.2)\($0.3)"
        }
      }),
    AcceptedDifference(
      name: "The version is of the release that nestbox is compatible with",
      reason: "Clients ask for it to learn what they may use.",
      example: "bwrap --version",
      apply: { facts, _, line in
        if line.has("--version") { facts["output"] = "bubblewrap 0.12.0\n" }
      }),
  ]

  /// Whether another mount lies on the one that the fact `name` is about.
  private static func isCovered(_ name: String, _ facts: Facts) -> Bool {
    guard let mark = name.lastIndex(of: "#"),
      let number = Int(name[mark...].dropFirst().prefix { $0.isNumber })
    else { return false }
    return facts[name[..<mark] + "#\(number + 1) flags"] != nil
  }

  /// Whether the user may not enter a directory above the mount that the fact `name` is about.
  private static func isOutOfReach(_ name: String, _ facts: Facts) -> Bool {
    facts[name.replacing(" flags", with: " is out of reach")] != nil
  }

  private static func words(_ text: String) -> Set<Substring> { Set(text.split(separator: ",")) }
}

extension Facts {
  /// Makes these the facts of a launch that failed, before it did anything or after it had set up
  /// the sandbox.
  fileprivate mutating func fail(afterSetup isSetUp: Bool = false) {
    let channels = isSetUp ? self["channels"]?.replacing("ITS-NUMBER", with: "NUMBER") : nil
    self = filter { $0.key.hasPrefix("host ") }
    self["status"] = "1"
    self["errors"] = "a message"
    self["channels"] = channels?.replacing(/{ "exit-code": [0-9]+ }\n/, with: "") ?? ""
  }
}
