// SPDX-License-Identifier: Apache-2.0
// The options that give a command what the sandbox kept from it, and what speaks against them.

internal import Linux
internal import Network
internal import Seccomp
internal import SystemPackage
internal import Text

extension Findings {
  /// Adds what would give the thing to the command, and what speaks against that.
  mutating func complete(_ finding: inout Finding) {
    if finding.program != nil { return completeProgram(&finding) }
    switch finding.kind {
    case .refused: completeRefused(&finding)
    case .capability:
      // For the clocks, which are those of the whole machine.
      if finding.subject == "CAP_SYS_TIME", hasNoRightsOutside {
        finding.objection = Findings.isOfMachine
      } else {
        finding.options = ["--cap-add", finding.subject]
      }
    case .noNetwork: completeNetwork(&finding)
    case .noMember: finding.objection = "nestbox --list shows the members"
    case .noBusName: completeBusName(&finding)
    case .unreadable: break
    case .forbidden:
      finding.objection = resolved.sandbox.disableUserNamespaces.map { "\($0.name) forbids them" }
    case .readOnly: completeReadOnly(&finding)
    case .fixed: completeName(&finding)
    case .notShown, .notPermitted: completeHidden(&finding)
    }
  }

  /// The name of a call.
  static func name(ofCall seen: Observation) -> ByteString {
    let numbers = seen.subject.text.split(separator: " ").compactMap { UInt32($0) }
    guard numbers.count >= 2 else { return seen.subject }
    return ByteString(
      Architecture.callName(numbers[1], token: numbers[0]) ?? "number " + String(numbers[1]))
  }

  /// Whether a refused call needs a capability for the namespaces that it asks for.
  static func asksForNamespaces(_ name: ByteString, _ seen: Observation) -> Bool {
    name == "setns"
      || (name == "unshare" || name == "clone")
        && seen.subject.bytes.suffix(2).elementsEqual(" 1".utf8)
  }

  private static let isOfMachine =
    "it takes rights over the whole machine, which no option gives to the command"

  /// Whether the command has no rights over the machine, whatever its capabilities.
  private var hasNoRightsOutside: Bool {
    resolved.namespaces.contains(.user) || resolved.identity.user != 0
  }

  private func completeRefused(_ finding: inout Finding) {
    let name = finding.subject.text
    let isLog = name == "syslog" && Findings.restrictsLog
    guard !hasNoRightsOutside || !isLog && !WatchedCall.actsOnMachine(name) else {
      finding.objection = Findings.isOfMachine
      return
    }
    finding.options = ["--seccomp-allow", finding.subject]
    // Permitted by the policy, it would fail for the lack of that.
    let needed: ByteString? =
      isLog
      ? "CAP_SYSLOG"
      : finding.needsNamespaces
        ? "CAP_SYS_ADMIN"
        : WatchedCall.capability(ofCall: name).map { ByteString(stringLiteral: $0) }
    if let needed, lacks(needed) { finding.options += ["--cap-add", needed] }
  }

  /// Whether only those with rights over the machine may read the kernel's log.
  ///
  /// See syslog(2) and `kernel.dmesg_restrict`.
  private static var restrictsLog: Bool {
    (try? TextFile.beginning(of: "/proc/sys/kernel/dmesg_restrict", 1)) != [UInt8(ascii: "0")]
  }

  private func completeNetwork(_ finding: inout Finding) {
    if finding.subject.bytes.first == UInt8(ascii: "@") {
      finding.objection = "sockets of this kind belong to the network of the host"
    } else if let (address, port, _) = Findings.endpoint(finding.subject), address.isLoopback {
      finding.options = ["--net-host", ByteString(String(port))]
      finding.note = ", there host.nestbox.internal:" + String(port)
    } else if let what = Findings.endpoint(finding.subject)
      .flatMap({ UnallowableAddress($0.address) })
    {
      finding.objection = what.text
    } else if let rule = Findings.rule(for: finding.subject) {
      finding.options = ["--net-allow", rule]
    } else if resolved.sandbox.isFromProfile {
      finding.options = ["--profile", "network"]
    } else {
      finding.options = ["--share-net"]
    }
  }

  private mutating func completeReadOnly(_ finding: inout Finding) {
    let path = finding.subject.path
    let isHeldBack = isInRepository(path)
    finding.objection =
      objection(to: path) ?? refusalOutside(of: path, [.write])
      ?? (isHeldBack && !mayCommit(to: path) ? Findings.isExecuted : nil)
    guard finding.objection == nil else { return }
    finding.options = isHeldBack ? ["--profile", "git"] : ["--write", finding.subject]
  }

  private mutating func completeHidden(_ finding: inout Finding) {
    let path = finding.subject.path
    finding.isUsual = Findings.isUsual(finding.subject) && !isNamed(path)
    // The lines for people only name it: then the sandbox need not be planned.
    if finding.isUsual, !resolved.sandbox.explainsInJSON, resolved.sandbox.learning == nil {
      return
    }
    if finding.isForReplacing || isReplaced(path, by: finding.programs) {
      return completeName(&finding)
    }
    if isChanged(path, by: finding.programs) { finding.isForWriting = true }
    let refusal = refusalOutside(of: path, finding.accesses)
    // What it could do without, outside as well.
    let isEnough = finding.accesses.contains { isGranted($0, path) }
    if refusal != nil, isEnough, !FileAccess.write.isGranted(path) {
      finding.isForWriting = false
    }
    finding.objection = objection(to: path) ?? (isEnough ? nil : refusal)
    guard finding.objection == nil else { return }
    finding.options = showing(path, isForWriting: finding.isForWriting)
    if path.lastName == "site-packages" {
      finding.isUnlikely = true
      finding.note = ", which has the modules that you installed with pip"
    }
    let option = finding.options.first
    finding.isOfSystem =
      option == "--ro-same" || option == "--proc" || option == "--dev"
      || option == "--read" && plan.isOfSystem(path)
    // Other options for files take the place of the profile that nobody named.
    if resolved.sandbox.isFromProfile, namesNoProfile, option != "--read", option != "--write",
      option != "--profile"
    {
      finding.options = ["--profile", "untrusted"] + finding.options
    }
  }

  /// The address and the port of a subject such as "192.0.2.7 port 443" or "192.0.2.7 port 123/udp".
  static func endpoint(
    _ subject: ByteString
  ) -> (address: IPAddress, port: UInt16, isDatagram: Bool)? {
    let words = subject.bytes.split(separator: UInt8(ascii: " "))
    guard words.count == 3, let address = IPAddress(text: words[0]) else { return nil }
    let parts = words[2].split(separator: UInt8(ascii: "/"))
    guard let port = parts.first.flatMap({ UInt32(decimal: $0) }) else { return nil }
    return (address, UInt16(truncatingIfNeeded: port), parts.count > 1)
  }

  /// The access that it needs.
  static func access(for seen: Observation) -> FileAccess? {
    // A file that exists is only opened, whatever may be done to its directory.
    if seen.kind == .create, FileAccess.write.isGranted(seen.subject.path) { return nil }
    return seen.kind.access
  }

  /// The rule of --net-allow for a host or an address; nil where none can be.
  static func rule(for subject: ByteString) -> ByteString? {
    guard let (address, port, isDatagram) = endpoint(subject) else { return subject }
    if port == 53 || UnallowableAddress(address) != nil { return nil }
    let host = address.v4 == nil ? "[" + address.text + "]" : address.text
    if isDatagram { return ByteString(host + ":" + String(port) + "/udp") }
    return ByteString(port == 80 || port == 443 ? host : host + ":" + String(port))
  }

  /// The subject is the access, then the name.
  private func completeBusName(_ finding: inout Finding) {
    let words = finding.subject.bytes.split(separator: UInt8(ascii: " "))
    guard words.count == 2 else { return }
    let owns = words[0].elementsEqual("own".utf8)
    let onSession: ByteString = owns ? "--dbus-own" : Bus.session.talkOption
    let onSystem: ByteString = owns ? "--dbus-system-own" : Bus.system.talkOption
    finding.subject = ByteString(words[1])
    let buses = resolved.sandbox.buses.shown
    if buses.count > 1 {
      finding.objection = "allow it on its bus, with \(onSession.text) or \(onSystem.text)"
    } else if let bus = buses.first {
      finding.options = [bus.bus == .session ? onSession : onSystem, finding.subject]
    }
  }

  /// What speaks against showing a file.
  mutating func objection(to path: FilePath) -> String? {
    // What a link leads to is shown as well.
    let target = (try? plan.root.host.follow(path))?.path ?? path
    if let socket = PowerfulSocket.all.first(where: { socket in
      socket.places.contains { plan.path($0) == path || plan.path($0) == target }
    }) {
      return socket.sentence
    }
    for path in [path, target] where Secrets.isFile(path, among: secrets) {
      return Secrets.objection
    }
    if let standIns, standIns.hides(path) || standIns.hides(target) { return "--hide hides it" }
    guard let trail = plan.root.find(path) ?? plan.root.find(path.parent),
      let number = plan.root.mounts[trail.end.mount].operation
    else { return nil }
    let operation = plan.operations[number].operation
    switch operation.action {
    case .hide, .mask: return "\(operation.option.name) hides it"
    case .temporaryHome where plan.root.mounts[trail.end.mount].isNew: return Secrets.objection
    case .repositories: return Findings.isExecuted
    default: return nil
    }
  }

  /// Offers the directory of a name that the command removes or replaces: at a name that is shown by itself
  /// something is mounted, and the kernel keeps it.
  private mutating func completeName(_ finding: inout Finding) {
    let path = finding.subject.path
    let directory = path.parent
    finding.objection =
      objection(to: path) ?? refusalOutside(of: directory, [.write])
      ?? (isInRepository(path) ? Findings.isExecuted : nil)
      ?? resolved.objection(toReplacingIn: directory, secrets)
    if finding.objection == nil { finding.options = ["--write", ByteString(directory)] }
  }

  /// Whether the programs that looked for a file remove or replace what they name, and can do so outside.
  private mutating func isReplaced(_ path: FilePath, by programs: [ByteString]) -> Bool {
    programs.contains { resolved.use(by: $0) == .replaces } && !resolved.isTarget(path)
      && FileAccess.write.isGranted(path.parent) && !plan.isOfSystem(path)
  }

  /// Whether the programs that looked for a file change what they name, and can do so outside.
  private mutating func isChanged(_ path: FilePath, by programs: [ByteString]) -> Bool {
    programs.contains { resolved.use(by: $0) != nil } && FileAccess.write.isGranted(path)
      && !plan.isOfSystem(path)
  }

  private static let isExecuted = "git and its like later execute what is in it, outside"

  /// Whether git keeps `path` for itself in a repository that is protected.
  private func isInRepository(_ path: FilePath) -> Bool {
    resolved.sandbox.protectsRepositories
      && path.components.contains { $0.string == GitName.workTree.name.string }
  }

  /// Whether the profile git, which the line lacks, lets the command write there.
  private func mayCommit(to path: FilePath) -> Bool {
    let sandbox = resolved.sandbox
    guard sandbox.isFromProfile, !sandbox.permitsCommits else { return false }
    let names = path.components.reversed().prefix(while: {
      $0.string != GitName.workTree.name.string
    })
    for name in names {
      if GitName.ofRepository.contains(where: { $0.name.string == name.string }) { return false }
    }
    return true
  }

  /// Whether the host gives the caller this access.
  private func isGranted(_ access: FileAccess, _ path: FilePath) -> Bool {
    // Its mode lets everyone read the kernel's log, and its driver asks for more.
    if path == "/dev/kmsg", access == .read, hasNoRightsOutside, Findings.restrictsLog {
      return false
    }
    return access.isGranted(path)
  }

  /// What the host itself refuses, so that no option gives it to the command.
  private func refusalOutside(of path: FilePath, _ accesses: [FileAccess]) -> String? {
    guard let refused = accesses.first(where: { !isGranted($0, path) }) else { return nil }
    let verb =
      switch refused {
      case .read: "read"
      case .write: "change"
      case .execute: "execute"
      }
    return "you may not \(verb) it outside either"
  }

  /// The options that show a file as the host has it.
  func showing(_ path: FilePath, isForWriting: Bool) -> [ByteString] {
    let name = ByteString(path)
    if path == "/proc" { return ["--proc", name] }
    if path == "/dev" { return ["--dev", name] }
    if path.components.count == 1, Findings.system.contains(path.lastName.text) {
      return ["--ro-same", name]
    }
    let facts = try? FileFacts(at: path, followsLinks: true)
    if facts?.kind == .device { return ["--dev-bind", name, name] }
    if facts?.kind == .socket {
      let profile = Findings.profiles.first { path.lastName.bytes.starts(with: $0.name.utf8) }
      if let profile, resolved.sandbox.isFromProfile {
        return ["--profile", ByteString(profile.profile)]
      }
    }
    return [isForWriting ? "--write" : "--read", name]
  }

  /// Profiles by the beginnings of the names of the sockets that they show.
  private static let profiles: [(name: String, profile: String)] = [
    ("wayland-", "wayland"), ("pipewire-", "audio"), ("native", "audio"), ("X", "x11"),
  ]

  /// What nearly every program looks for, and does without: files, directories with what is in them, and the
  /// beginnings of names.
  private static let usual = (
    files: [
      "/etc/nsswitch.conf", "/etc/locale.alias", "/usr/share/locale/locale.alias",
      "/etc/localtime", "/etc/gitconfig", "/etc/inputrc", "/etc/terminfo", "/etc/selinux",
      "/etc/bash.bashrc", "/etc/gai.conf", "/etc/host.conf", "/var/run/nscd", "/run/nscd",
      "/run/systemd", "/sys", "/etc/fstab", "/etc/mtab", "/etc/machine-id", "/dev/tty",
      "/var/cache/ldconfig", "/dev/pts", "/etc/resolv.conf",
    ], beginnings: ["/etc/ld.so.", "/etc/profile", "/etc/python3"]
  )

  /// Whether nearly every program looks for `subject`, and does without.
  static func isUsual(_ subject: ByteString) -> Bool {
    let bytes = subject.bytes
    return usual.beginnings.contains { bytes.starts(with: $0.utf8) }
      || usual.files.contains {
        bytes.starts(with: $0.utf8)
          && [nil, UInt8(ascii: "/")].contains(bytes.dropFirst($0.utf8.count).first)
      }
  }
}
