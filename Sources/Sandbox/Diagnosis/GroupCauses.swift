// SPDX-License-Identifier: Apache-2.0
// Why a limit cannot be set, or no control group be made for it.

internal import Linux
internal import SystemPackage
internal import Text

extension Cause {
  static let groups: [Cause] = [
    Cause([.makeGroup], [.noSuchFileOrDirectory]) { failure in
      guard (try? UnifiedHierarchy.place()) == nil else { return nil }
      return Diagnosis(
        "control groups of version 2 are not mounted on /sys/fs/cgroup", failure.advice)
    },
    Cause([.makeGroup], [.notSupported]) { failure in
      let name = failure.error.cause.subject ?? ""
      if CurrentProcess.exists(ByteString(Array("/sys/fs/cgroup/".utf8) + name.bytes)) {
        return Diagnosis(
          "this machine uses the controller \(name.quoted) in control groups of version 1",
          "boot Linux with systemd.unified_cgroup_hierarchy=1; " + failure.advice)
      }
      return Diagnosis(
        "the control group of this process has no controller \(name.quoted)",
        remedy: failure.inScope)
    },
    Cause([.makeGroup], [.resourceBusy]) { failure in
      Diagnosis(
        "other processes share the control group of this process, and nestbox does not move them",
        remedy: failure.inScope)
    },
    Cause([.makeGroup], [.permissionDenied, .notPermitted, .readOnlyFileSystem, .timedOut]) {
      failure in
      Diagnosis(
        failure.error.cause.subject == "systemd"
          ? "the user's systemd has not made a scope"
          : "the control group of this process is not delegated to this user",
        remedy: failure.inScope)
    },
    Cause([.limit], [.notPermitted]) { failure in
      guard let name = failure.error.subject, let resource = Resource(named: name.text),
        let hard = try? resource.limits().hard
      else { return nil }
      let most = String(hard) + resource.unit.suffix
      return Diagnosis(
        "the hard limit of \(name.quoted) is \(most) here, and cannot be raised inside",
        "limit it to \(most) or less")
    },
    Cause([.protectGroups], [.notPermitted]) { failure in
      Diagnosis(
        "the sandbox shows the control groups, and with CAP_SYS_ADMIN the command could make them "
          + "writable and lift its limit",
        "bind no directory with /sys/fs/cgroup below it, or leave CAP_SYS_ADMIN out")
    },
  ]
}

extension Failure {
  /// What to do where no group can be made.
  fileprivate var advice: String {
    "\(option)-try runs the command without the limit where it cannot be set"
  }

  /// The same line in a scope of the user's systemd, if that runs.
  fileprivate var inScope: Remedy {
    let environment = Environment(resolved.inherited, [])
    guard let directory = environment.value(of: "XDG_RUNTIME_DIR"),
      CurrentProcess.exists(ByteString(directory.bytes + Array("/systemd/private".utf8)))
    else {
      return .advice("start nestbox in a control group that is delegated to you; or " + advice)
    }
    let line = words.map(\.quotedForShell).joined(separator: " ")
    return .line("systemd-run --user --scope -p Delegate=yes " + line)
  }
}
