// SPDX-License-Identifier: Apache-2.0
// What --doctor examines without a launch: versions, helper programs, permissions of files.

internal import Linux
internal import Sandbox
internal import SystemPackage
internal import Text

extension Doctor {
  /// The findings that need no launch: what this machine has, or lacks and can be given.
  func facts() -> [Finding] { [kernel] + terminals + buses + restrictions }

  private var kernel: Finding {
    let release = machine.release ?? "unknown"
    let works = machine.isAtLeast(5, 12)
    return Finding(
      name: "kernel", purpose: Doctor.everything, works: works, detail: "Linux \(release)",
      advice: works ? [] : [Remedy.advice("use Linux 5.12 or later").text])
  }

  /// The terminals that --pty needs; a trial would not need one, as its output is a pipe.
  private var terminals: [Finding] {
    guard let use = machine.terminals else { return [] }
    return [
      Finding(
        name: "pseudo-terminals", purpose: "--pty and the profile shell", works: !use.isUp,
        detail: "\(String(use.number)) of \(String(use.most)) in use",
        advice: use.isUp ? [use.remedy.text] : [])
    ]
  }

  /// The D-Bus proxy, where there is a bus that a program could want.
  private var buses: [Finding] {
    let name = "xdg-dbus-proxy"
    let path = launcher.search(name)
    let prefix = Array("DBUS_SESSION_BUS_ADDRESS=".utf8)
    guard path != nil || launcher.environment.contains(where: { $0.bytes.starts(with: prefix) })
    else { return [] }
    return [
      Finding(
        name: name, purpose: "D-Bus options and the profiles dbus and desktop", works: path != nil,
        detail: path?.text ?? "not in PATH",
        advice: path == nil ? [installing(name).text] : [])
    ]
  }

  /// How this machine's package manager installs a package.
  private func installing(_ package: String) -> Remedy {
    let managers = [
      ("apt-get", "install"), ("dnf", "install"), ("zypper", "install"), ("pacman", "-S"),
      ("apk", "add"),
    ]
    guard let (manager, verb) = managers.first(where: { launcher.search($0.0) != nil }) else {
      return .advice("install \(package)")
    }
    return .asRoot("\(manager) \(verb) \(package)")
  }

  /// Restrictions, which the report shows only if they exist.
  private var restrictions: [Finding] {
    var findings: [Finding] = []
    if let name = machine.container {
      findings.append(
        Finding(
          name: "container", purpose: "", works: true,
          detail: "this looks like a container of \(name)"))
    }
    if machine.isFiltered {
      findings.append(
        Finding(
          name: "seccomp", purpose: "", works: true,
          detail: "this process is under a filter of system calls"))
    }
    // Profiles forbid such calls by their policy of system calls.
    if machine.sysctl("dev.tty.legacy_tiocsti") != 0 {
      findings.append(
        Finding(
          name: "terminal", purpose: "", works: true,
          detail: "without a policy or --new-session, a command can type into it"))
    }
    if machine.restrictsByAppArmor {
      let hasProfile = CurrentProcess.exists("/etc/apparmor.d/nestbox")
      findings.append(
        Finding(
          name: "AppArmor profile", purpose: Doctor.everything, works: hasProfile,
          detail: hasProfile
            ? "/etc/apparmor.d/nestbox" : "AppArmor restricts user namespaces of other programs",
          advice: hasProfile
            ? []
            : [Remedy.advice("as root: make install, which installs apparmor/nestbox").text]))
    }
    return findings
  }
}

extension Launcher {
  /// The file that PATH gives for a program's name.
  func search(_ name: String) -> ByteString? {
    let prefix = Array("PATH=".utf8)
    let path = environment.first { $0.bytes.starts(with: prefix) }
    return try? ProgramSearch.find(
      ByteString(name), in: path.map { ByteString($0.bytes.dropFirst(5)) })
  }
}
