// SPDX-License-Identifier: Apache-2.0
// A plan as a person reads it.

internal import Linux
internal import Network
internal import Seccomp
internal import SystemPackage
internal import Text

extension Plan {
  /// The plan over several lines, with a newline at the end.
  public var text: String {
    var page = Page()
    page.add("Command", commandLines)
    page.add("Namespaces", namespaceLines)
    page.add("Identity", identityLines)
    page.add("File system", fileLines)
    page.add("Network", networkLines)
    page.add("Buses", busLines)
    page.add("Environment", environmentLines)
    page.add("Privileges", privilegeLines)
    page.add("Life", lifeLines)
    page.add("Limits", limitLines)
    page.add("Descriptors", descriptorLines)
    page.add("Warnings", warnings.map(\.text))
    return page.text
  }

  /// Paragraphs with headings.
  private struct Page {
    var text = ""

    mutating func add(_ heading: String, _ lines: [String]) {
      guard !lines.isEmpty else { return }
      text += (text.isEmpty ? "" : "\n") + heading + "\n"
      for line in lines { text += "  " + line + "\n" }
    }
  }

  private var commandLines: [String] {
    var lines = [
      sandbox.command.map(\.quotedForShell).joined(separator: " ")
    ]
    if let name = sandbox.commandName { lines.append("under the name \(name.quoted)") }
    if let file = command.file {
      let host = command.host.map { " (\(quoted($0)) of the host)" } ?? ""
      lines.append("found at \(quoted(file))" + (command.host == file ? "" : host))
    } else {
      let places = command.searched.map { quoted($0) }.joined(separator: ", ")
      lines.append("not found inside: looked for \(places)")
      if failing == nil { lines += diagnosis?.lines ?? [] }
    }
    let place = "starts in \(quoted(directory.path))"
    let option = directory.option.map { " (\($0.name))" } ?? ""
    lines.append(place + option + (directory.exists ? "" : ", which does not exist inside"))
    return lines
  }

  private var namespaceLines: [String] {
    Namespaces.names.map { kind, name in
      "\(name): " + state(of: kind)
    }
  }

  /// Whose namespace of a kind the command will be in.
  private func state(of kind: Namespaces) -> String {
    if let joined = joined(kind), !namespaces.contains(kind) {
      return "joined (\(joined.option.name) \(String(joined.value)))"
    }
    guard namespaces.contains(kind) else { return "the caller's" }
    var text = "new"
    if kind == .user && sandbox.namespaces.user == .share { text += ", as the caller is not root" }
    if kind == .uts, let name = sandbox.hostname?.value { text += ", host name \(name.quoted)" }
    if kind == .uts, let name = sandbox.domainName?.value { text += ", domain name \(name.quoted)" }
    if kind == .time {
      text += ", monotonic \(String(sandbox.clocks.monotonic?.value ?? 0)) s and boot time "
      text += "\(String(sandbox.clocks.boottime?.value ?? 0)) s ahead"
    }
    return text
  }

  /// The descriptor of the namespace of a kind that is joined, and its option.
  func joined(_ kind: Namespaces) -> Setting<CInt>? {
    switch kind {
    case .user: sandbox.joined.user
    case .pid: sandbox.joined.pid
    case .network: sandbox.joined.network
    default: nil
    }
  }

  private var identityLines: [String] {
    let (user, group) = resolved.identity
    guard namespaces.contains(.user) else {
      let inside = (sandbox.user?.value ?? user, sandbox.group?.value ?? group)
      return ["user \(String(inside.0)), group \(String(inside.1))"]
    }
    if let maps = sandbox.channels.mapsWritten {
      return ["the caller writes the id maps (\(maps.option.name) \(String(maps.value)))"]
    }
    return [
      "uid_map: \(String(sandbox.user?.value ?? user)) \(String(user)) 1",
      "gid_map: \(String(sandbox.group?.value ?? group)) \(String(group)) 1",
      "setgroups: deny",
    ]
  }

  /// Whether programs see a link that --net-link makes.
  var showsLink: Bool {
    (sandbox.network.link != nil || sandbox.network.showsTriedLink)
      && sandbox.network.shared == nil
      && resolved.namespaces.contains(.network)
  }

  private var networkLines: [String] {
    let network = sandbox.network
    let published = network.published.map { setting in
      "\(setting.value.text) of the host leads to port \(setting.value.insideText) inside"
    }
    let shared =
      network.shared.map { ["member of \($0.value.quoted), a network of sandboxes"] }
      ?? (showsLink ? ["programs see a link, eth0, that leads nowhere else"] : [])
    let problem = networkProblem.map { ["WILL FAIL: " + $0.message] } ?? []
    guard !network.allowed.isEmpty else { return shared + published + problem }
    func line(_ word: String, _ setting: Setting<NetworkRule>) -> String {
      "\(word) \(setting.value.text.quoted): \(setting.value.portText)"
    }
    return shared + published + network.denied.map { line("deny", $0) }
      + network.allowed.map { line("allow", $0) }
      + ["everything else is refused; nestbox answers look-ups and connects outside"]
      + problem
  }

  private var busLines: [String] {
    let lines = sandbox.buses.shown.map { bus, access in
      let rules = access.rules.map { " \($0.policy.rawValue) \($0.pattern.quoted)," }.joined()
      return "\(bus.rawValue) bus, through a proxy:" + rules + " talk to the bus itself"
    }
    return lines + (busProblem.map { ["WILL FAIL: " + $0.message] } ?? [])
  }

  private var environmentLines: [String] {
    let all = resolved.inherited.count
    let kept = Environment(resolved.inherited, keeping: sandbox.keptVariables, []).strings.count
    var lines = [
      sandbox.keptVariables == nil
        ? "the caller's \(String(all)) variables"
        : "\(String(kept)) of the caller's \(String(all)) variables"
    ]
    for change in sandbox.environment + variables {
      switch change {
      case .set(let name, let value):
        lines.append("set \(name.quoted) to \(Secrets.shown(name, value))")
      case .unset(let name): lines.append("remove \(name.quoted)")
      case .clear: lines.append("remove all")
      case .display:
        if let value = environment.value(of: "DISPLAY") {
          lines.append("set DISPLAY to \(value.quoted), and XAUTHORITY")
        }
      case .keep(let patterns):
        lines.append("keep the caller's " + patterns.map(\.text).joined(separator: ", "))
      }
    }
    lines.append("set PWD to \(quoted(directory.path))")
    return lines
  }

  private var privilegeLines: [String] {
    var lines = ["no_new_privs"]
    let names = capabilities.names
    let isAll = capabilities == Capabilities.all
    let what = isAll ? "all" : names.isEmpty ? "none" : names.joined(separator: ", ")
    let scope =
      resolved.hasUserNamespace && !names.isEmpty ? ", in the sandbox's user namespace only" : ""
    lines.append("capabilities: \(what)\(scope)")
    if sandbox.disablesUserNamespaces { lines.append("new user namespaces are forbidden inside") }
    if sandbox.filters.isEmpty && sandbox.policy == nil { lines.append("seccomp: no filter") }
    if let policy = sandbox.policy {
      let changes = policy.adjustments.map { " \($0.option) \($0.list.quoted)" }.joined()
      lines.append("seccomp: the policy \(policy.name.quoted)\(changes)")
    }
    for filter in sandbox.filters {
      lines.append(
        "seccomp: the program of descriptor \(String(filter.value)) (\(filter.option.name))")
    }
    if resolved.refusesUnixSockets {
      lines.append("seccomp: no Unix sockets, as this kernel has no scopes of Landlock")
    }
    for (scopes, condition) in [
      (resolved.refusesUnixSockets ? [] : sandbox.landlockScopes, ""),
      (sandbox.landlockScopesToTry.subtracting(sandbox.landlockScopes), ", on Linux 6.12 or later"),
    ] {
      if scopes.contains(.abstractSockets) {
        lines.append("Landlock: no connection to abstract sockets made outside" + condition)
      }
      if scopes.contains(.signals) {
        lines.append("Landlock: no signal to a process outside" + condition)
      }
    }
    if let label = sandbox.executionLabel?.value { lines.append("SELinux context \(label.quoted)") }
    return lines
  }

  private var lifeLines: [String] {
    var lines: [String] = []
    if let name = sandbox.name { lines.append("registered under the name \(name.value.quoted)") }
    if sandbox.single != nil {
      lines.append("a running sandbox with this name and these options is entered instead")
    }
    if sandbox.becomesCommand {
      lines.append("nestbox becomes the command: no process of it stays")
      lines.append("files as output and error, and the terminal, reach the command as they are")
    } else if sandbox.commandIsInit {
      lines.append("the command is process 1")
    } else if resolved.hasInit {
      lines.append("nestbox's init reaps processes inside")
    }
    if let option = sandbox.explain {
      lines.append("nestbox watches what the command looks for (\(option.name))")
    }
    if sandbox.detach != nil {
      lines.append(
        "the launcher returns once the command is executed, and goes on in the background")
    }
    if sandbox.isKept {
      lines.append("the sandbox is kept when the command has ended, until nestbox --stop")
    } else if namespaces.contains(.pid) {
      lines.append(
        resolved.endsAll
          ? "everything inside is killed when the command ends"
          : "processes that the command leaves behind live on")
    }
    if sandbox.diesWithParent { lines.append("everything inside is killed when the caller ends") }
    if !resolved.terminals.isEmpty {
      let numbers = resolved.terminals.all.map { String($0) }.joined(separator: ", ")
      lines.append("a terminal of its own in the place of the caller's, as descriptor \(numbers)")
    }
    lines.append(
      !resolved.terminals.isEmpty
        ? "a new session, with that terminal"
        : sandbox.hasOwnSession || sandbox.detach != nil
          ? "a new session, without a terminal" : "the caller's session")
    for path in sandbox.lockFiles { lines.append("\(path.value.quoted) is locked for reading") }
    return lines
  }

  private var limitLines: [String] {
    func value(_ value: UInt64) -> String {
      value == Resource.unlimited ? "unlimited" : String(value)
    }
    var lines: [String] = []
    for setting in sandbox.limits {
      switch setting.value {
      case .resource(let resource, let soft, let hard):
        let values = soft == hard ? value(soft) : "\(value(soft)), at most \(value(hard))"
        lines.append("\(resource.name) of each process: \(values)\(resource.unit.suffix)")
      case .processes(let number, _):
        lines.append(
          resolved.countsProcesses
            ? "\(String(number)) processes and threads, by the user namespace"
            : "processes and threads: no limit, as the caller is root or makes no user namespace")
      case .time(let time):
        lines.append(
          "ended after \(Ending.text(milliseconds: time)), killed "
            + "\(Ending.text(milliseconds: sandbox.grace)) later")
      case .grace: continue
      case .output(let bytes):
        lines.append("killed after \(String(bytes)) bytes of output")
      case .memory(let bytes, _):
        lines.append("\(Ending.size(Int64(clamping: bytes))) of memory in all, by a control group")
      case .swap(let bytes, _):
        lines.append("\(Ending.size(Int64(clamping: bytes))) of swap in all, by a control group")
      case .processors(let thousandths, _):
        lines.append(
          "as much time as \(Ending.text(thousandths: thousandths)) processors have, by a control "
            + "group")
      case .processorTime(let time, _):
        lines.append(
          "killed after \(Ending.text(milliseconds: time / 1000)) of processor time in all, "
            + "by a control group")
      }
    }
    if sandbox.tellsUse != nil { lines.append("nestbox prints what was used at the end") }
    return lines
  }

  private var descriptorLines: [String] {
    var lines: [String] = []
    sandbox.forEachDescriptor { option, number in
      lines.append("\(String(number)): used by \(option.name)")
    }
    if sandbox.closesDescriptors || !resolved.terminals.isEmpty {
      lines.append("only 0, 1 and 2 are passed on")
    }
    for descriptor in passedDescriptors {
      lines.append(
        "\(String(descriptor.number)): passed on to the command: \(quoted(descriptor.path))")
    }
    return lines
  }

  func quoted(_ path: FilePath) -> String { ByteString(path).quoted }

  /// The capabilities that the command keeps.
  var capabilities: Capabilities {
    resolved.capabilities(of: resolved.hasUserNamespace ? Capabilities.all : caller.permitted)
  }
}
