// SPDX-License-Identifier: Apache-2.0
// One sandbox as a person reads it.

internal import Linux
internal import SystemPackage
internal import Text

extension Inspection {
  /// The report over several lines, with a newline at the end.
  public var text: String {
    var text = ""
    for (heading, lines) in paragraphs where !lines.isEmpty {
      text += (text.isEmpty ? "" : "\n") + heading + "\n"
      for line in lines { text += "  " + line + "\n" }
    }
    return text
  }

  /// The most processes that are named in one line.
  private static let mostNames = 8

  private var paragraphs: [(String, [String])] {
    [
      ("Sandbox", summaryLines), ("Launch", launchLines),
      ("Namespaces", namespaces.flatMap(namespaceLines)),
      ("Identity", mapLines), ("Processes", processLines), ("Privileges", protectionLines),
      ("Mounts", mounts.map(\.node).treeLines), ("Network", networkLines), ("Limits", limitLines),
      ("Messages of the launcher", messages.map(\.quoted)),
    ]
  }

  private var summaryLines: [String] {
    let sandbox = listed.sandbox
    var lines = [listed.commandText]
    if let name = sandbox.name { lines.append("name: \(name.quoted)") }
    lines.append("made by \(sandbox.tool.rawValue), \(ListedSandbox.duration(listed.age)) ago")
    lines.append("first process: \(String(sandbox.first.number))")
    if let monitor = sandbox.monitor {
      lines.append("monitor: \(Inspection.name(of: monitor))")
    }
    let seconds = ListedSandbox.duration(use.processorTime)
    lines.append(
      Inspection.count(UInt64(use.processes), "process", "processes") + ", "
        + Inspection.count(use.threads, "thread", "threads")
        + "; memory: \(Inspection.size(use.memory)); processor time: \(seconds)")
    return lines
  }

  private var launchLines: [String] {
    let words = launcherWords.map(\.quotedForShell).joined(separator: " ")
    return (words.isEmpty ? [] : ["command line: " + words]) + (launch?.lines ?? [])
  }

  private func namespaceLines(_ use: NamespaceUse) -> [String] {
    var lines = [use.name + (use.isOwn ? ", the caller's" : "")]
    if use.isOwn { return lines }
    let missing = listed.sandbox.processes.count - use.members.count
    if missing > 0 {
      let processes = Inspection.count(UInt64(missing), "process", "processes")
      lines.append("  \(processes) of the sandbox in another one")
    }
    if !use.others.isEmpty { lines.append("  shared with " + Inspection.names(of: use.others)) }
    for sandbox in use.sandboxes {
      lines.append("  shared with the sandbox " + Inspection.label(of: sandbox))
    }
    return lines
  }

  private var mapLines: [String] {
    func lines(_ name: String, _ map: [IdentityMaps.Line]) -> [String] {
      map.map { line in
        "\(name) \(String(line.inside)) is \(String(line.outside)) outside"
          + (line.count == 1 ? "" : ", and so on for \(String(line.count))")
      }
    }
    return lines("user", maps.users) + lines("group", maps.groups)
      + (maps.setgroups.map { ["setgroups: " + $0] } ?? [])
  }

  private var processLines: [String] {
    let nodes = processes.map { member in
      let inside = member.facts.numbersInside.last.map { String($0) } ?? "?"
      let words = member.words.map(\.quotedForShell).joined(separator: " ")
      let text = words.isEmpty ? "(\(member.facts.name.quoted))" : SandboxList.cut(words, to: 200)
      return TreeNode(
        number: Int(member.facts.number), parent: Int(member.facts.parent),
        text: "\(String(member.facts.number)), inside \(inside): \(text)")
    }
    let rest = listed.sandbox.processes.count - processes.count
    return nodes.treeLines + (rest > 0 ? ["and \(String(rest)) more"] : [])
  }

  private var protectionLines: [String] {
    var lines: [String] = []
    if let flag = protection.hasNoNewPrivileges {
      lines.append("no_new_privs: " + (flag ? "yes" : "no"))
    }
    switch protection.seccomp {
    case 0: lines.append("system calls are not filtered")
    case 1: lines.append("system calls: read, write and _exit alone")
    case 2:
      lines.append("filters of system calls: " + (protection.filters.map { String($0) } ?? "some"))
    default: break
    }
    for (name, set) in protection.capabilities {
      let names = set.bits == Capabilities.all.bits ? "all" : set.names.joined(separator: ", ")
      lines.append("\(name): " + (set.isEmpty ? "none" : names))
    }
    return lines
  }

  private var networkLines: [String] {
    guard let network else { return [] }
    return network.interfaces.map { "interface \($0.quoted)" }
      + network.addresses.map { "address \(ByteString($0).quoted)" }
      + (sharedNetwork?.lines ?? [])
  }

  private var limitLines: [String] {
    let limited = limits.filter { $0.soft != nil || $0.hard != nil }
    return limited.map { limit in
      let unit = limit.unit.isEmpty ? "" : " " + ByteString(limit.unit).quoted
      let text = { (value: UInt64?) in value.map { String($0) + unit } ?? "unlimited" }
      let name = ByteString(limit.name).quoted
      if limit.soft == limit.hard { return "\(name): \(text(limit.soft))" }
      return "\(name): \(text(limit.soft)) (the command may raise it to \(text(limit.hard)))"
    }
      + groups.map { group in
        let hierarchy =
          group.controllers.isEmpty ? "" : " of \(ByteString(group.controllers).quoted)"
        let figures = group.figures.map { "\($0.name) \($0.text.quoted)" }
        return "control group\(hierarchy): \(group.path.quoted)"
          + (figures.isEmpty ? "" : " (" + figures.joined(separator: ", ") + ")")
      }
  }

  // MARK: - Words

  private static func name(of process: ProcessFacts) -> String {
    "\(String(process.number)) (\(process.name.quoted))"
  }

  private static func names(of processes: [ProcessFacts]) -> String {
    let names = processes.prefix(mostNames).map(name).joined(separator: ", ")
    let rest = processes.count - min(processes.count, mostNames)
    return names + (rest > 0 ? " and \(String(rest)) more" : "")
  }

  private static func count(_ number: UInt64, _ one: String, _ several: String) -> String {
    "\(String(number)) \(number == 1 ? one : several)"
  }

  static func label(of sandbox: RunningSandbox) -> String {
    sandbox.name?.quoted ?? String(sandbox.first.number)
  }

  /// A number of bytes in the largest unit of which there is one at least.
  static func size(_ bytes: UInt64) -> String {
    let units: [(UInt64, String)] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
    guard let (unit, name) = units.first(where: { bytes >= $0.0 }) else {
      return "\(String(bytes)) bytes"
    }
    let tenths = bytes / (unit / 10)
    return tenths < 100
      ? "\(String(tenths / 10)).\(String(tenths % 10)) \(name)" : "\(String(bytes / unit)) \(name)"
  }
}

extension MountUse {
  fileprivate var node: TreeNode {
    TreeNode(number: entry.number, parent: entry.parent, text: line)
  }

  private var line: String {
    var text = "\(ByteString(entry.point).quoted): \(ByteString(entry.type).quoted)"
    if entry.root != "/" { text += " \(ByteString(entry.root).quoted)" }
    text += " (\(entry.options.map { ByteString(String($0)).quoted }.joined(separator: ",")))"
    guard let use, let size = use.size, let used = use.used else { return text }
    return text + ", \(Inspection.size(used)) of \(Inspection.size(size)) in use"
  }
}
