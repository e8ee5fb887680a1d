// SPDX-License-Identifier: Apache-2.0
// What --doctor examines without a launch: versions, helper programs, permissions of files.

internal import Linux
internal import Sandbox
internal import SystemPackage
internal import Text

extension Doctor {
  /// The findings that need no launch.
  func facts() -> [Finding] {
    [
      kernel, landlock, subordinateIDs, cgroups, tunnel, program("xdg-dbus-proxy", "D-Bus options"),
      program("pasta", "networks of a sandbox's own"), terminalInput,
    ] + restrictions
  }

  private var kernel: Finding {
    let release = machine.release ?? "unknown"
    let works = machine.isAtLeast(5, 12)
    return Finding(
      name: "kernel", works: works, detail: "Linux \(release)",
      advice: works ? [] : ["remedy: use Linux 5.12 or later"])
  }

  private var landlock: Finding {
    let version = Landlock.version
    return Finding(
      name: "Landlock", works: version != nil,
      detail: version.map { "version \(String($0)) of its interface" }
        ?? "not in the kernel, or off",
      advice: version == nil ? ["remedy: boot a kernel that has it with lsm=landlock,…"] : [])
  }

  /// The ranges of ids for newuidmap(1), which a caller of --userns-block-fd needs.
  private var subordinateIDs: Finding {
    let (user, _) = CurrentProcess.identity
    let name = UserRecord.find(user)?.name.text
    var missing: [String] = []
    for program in ["newuidmap", "newgidmap"] {
      guard let path = launcher.search(program) else {
        missing.append("there is no \(program) in PATH")
        continue
      }
      let facts = try? FileFacts(at: path.path, followsLinks: true)
      // Without the bit and without a file capability it cannot write a map.
      if facts?.permissions ?? 0 & 0o4000 == 0, !FileCapabilities.exist(at: path.path) {
        missing.append("\(path.text) is not set-user-ID root")
      }
    }
    for file in ["/etc/subuid", "/etc/subgid"] {
      let lines = (try? TextFile.lines(of: FilePath(file))) ?? []
      let isListed = lines.contains { line in
        let owner = line.split(separator: ":").first.map(String.init)
        return owner == String(user) || owner != nil && owner == name
      }
      if !isListed { missing.append("\(file) has no line for \(name ?? String(user))") }
    }
    let who = name ?? String(user)
    return Finding(
      name: "ranges of ids", works: missing.isEmpty,
      detail: missing.isEmpty ? "newuidmap, newgidmap, /etc/subuid and /etc/subgid" : missing[0],
      advice: missing.isEmpty
        ? []
        : missing.dropFirst().map { "cause: " + $0 } + [
          "remedy: as root: install the package uidmap, and usermod --add-subuids 100000-165535 "
            + "--add-subgids 100000-165535 \(who)"
        ])
  }

  private var cgroups: Finding {
    guard let directory = machine.ownCgroup else {
      return Finding(
        name: "cgroup delegation", works: false, detail: "there is no cgroup v2 hierarchy",
        advice: ["remedy: boot with systemd.unified_cgroup_hierarchy=1"])
    }
    let works =
      FileAccess.write.isGranted(directory)
      && FileAccess.write.isGranted(directory.appending("cgroup.procs"))
    let name = ByteString(directory).quoted
    return Finding(
      name: "cgroup delegation", works: works,
      detail: works ? name : "\(name) belongs to another user",
      advice: works ? [] : ["remedy: start it with systemd-run --user --scope -p Delegate=yes"])
  }

  private var tunnel: Finding {
    do throws(SystemCallError) {
      _ = try OwnedDescriptor.open("/dev/net/tun", .readingAndWriting)
      return Finding(name: "/dev/net/tun", works: true)
    } catch {
      let remedy =
        error.errno == .noSuchFileOrDirectory
        ? "as root: modprobe tun" : "as root: chmod 666 /dev/net/tun"
      return Finding(
        name: "/dev/net/tun", works: false, detail: error.reason, advice: ["remedy: " + remedy])
    }
  }

  private func program(_ name: String, _ purpose: String) -> Finding {
    let path = launcher.search(name)
    return Finding(
      name: name, works: path != nil, detail: path?.text ?? "not in PATH; needed for \(purpose)",
      advice: path == nil ? ["remedy: install it"] : [])
  }

  private var terminalInput: Finding {
    let value = machine.sysctl("dev.tty.legacy_tiocsti")
    return Finding(
      name: "terminal input is safe", works: value == 0,
      detail: value == 0
        ? "dev.tty.legacy_tiocsti is 0"
        : value == nil
          ? "this kernel has no switch against TIOCSTI" : "dev.tty.legacy_tiocsti is 1",
      advice: value == 0
        ? []
        : [
          "remedy: --new-session"
            + (value == nil ? "" : ", or as root: sysctl -w dev.tty.legacy_tiocsti=0")
        ])
  }

  /// Restrictions, which the report shows only if they exist.
  private var restrictions: [Finding] {
    var findings: [Finding] = []
    if let name = machine.container {
      findings.append(
        Finding(name: "container", works: true, detail: "this looks like one of \(name)"))
    }
    if machine.isFiltered {
      findings.append(
        Finding(
          name: "seccomp", works: true, detail: "this process is under a filter of system calls"))
    }
    if machine.restrictsByAppArmor {
      let hasProfile = CurrentProcess.exists("/etc/apparmor.d/nestbox")
      findings.append(
        Finding(
          name: "AppArmor profile", works: hasProfile,
          detail: hasProfile
            ? "/etc/apparmor.d/nestbox" : "AppArmor restricts user namespaces of other programs",
          advice: hasProfile
            ? [] : ["remedy: as root: make install, which installs apparmor/nestbox"]))
    }
    return findings
  }
}

extension Launcher {
  /// The file that PATH gives for a program's name.
  func search(_ name: String) -> ByteString? {
    let prefix = Array("PATH=".utf8)
    let path = environment.first { $0.bytes.starts(with: prefix) }
    return ProgramSearch.find(ByteString(name), in: path.map { ByteString($0.bytes.dropFirst(5)) })
  }
}
