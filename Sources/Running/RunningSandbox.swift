// SPDX-License-Identifier: Apache-2.0
// The module Running finds the sandboxes that run, in /proc and in the registry of names; it lists,
// inspects, signals and ends them.
//
// This file: which processes make a sandbox together.

internal import Linux
internal import SystemPackage
public import Text

/// Processes that share namespaces of their own.
public struct RunningSandbox: Equatable, Sendable {
  /// What tells a sandbox from others.
  public enum Key: Hashable, Sendable {
    /// Its user namespace and its pid namespace, those directly below this process's own.
    case nested(user: UInt64?, pid: UInt64?)
    /// All of its namespaces, if it has neither a new user nor a new pid namespace.
    case flat(NamespaceNumbers)
    /// A process whose namespaces the kernel does not show.
    case hidden(Int32)
  }

  /// What tells it from others.
  public let key: Key
  /// Its processes, the oldest first.
  public let processes: [ProcessFacts]
  /// The process outside that started it, if that still runs.
  public let monitor: ProcessFacts?
  /// The name under which it is registered.
  public var name: ByteString?
  /// The program that made it.
  public var tool: Tool
  /// Whether it goes on without its command.
  public var isKept = false

  /// States a sandbox; it has one process at least.
  public init(
    key: Key, processes: [ProcessFacts], monitor: ProcessFacts?, name: ByteString?, tool: Tool
  ) {
    (self.key, self.processes, self.monitor) = (key, processes, monitor)
    (self.name, self.tool) = (name, tool)
  }

  /// Its first process: process 1 of its outermost pid namespace, or else the oldest.
  public var first: ProcessFacts {
    processes.filter { $0.numbersInside.last == 1 }
      .min { $0.numbersInside.count < $1.numbersInside.count } ?? processes[0]
  }

  /// The process whose properties are the sandbox's: the command, if it can be identified, or
  /// another one whose namespaces the kernel shows.
  public var command: ProcessFacts? {
    let first = first
    // What init reaps can have come later; the command is its oldest child.
    if first.numbersInside.last == 1,
      let child = processes.first(where: { $0.parent == first.number && $0.namespaces != nil }),
      isNestboxInit(first) || Tool.hasInit(first)
        || monitor?.name == "lxc-execute"
    {
      return child
    }
    return first.namespaces != nil ? first : processes.first { $0.namespaces != nil }
  }

  /// Whether `process`, which has the number 1 inside, is nestbox's: it hides, or it has the name of
  /// the launcher's file, whatever that is.
  private func isNestboxInit(_ process: ProcessFacts) -> Bool {
    tool == .nestbox && (process.namespaces == nil || process.name == monitor?.name)
  }

  /// Whether it contains more than nestbox's process 1; only a kept sandbox lives without a command.
  var hasCommand: Bool { !isKept || (command ?? first) != first }

  /// Its command, and those that entered: children of a hiding nestbox process, which is init to
  /// them.
  public var commands: [ProcessFacts] {
    let hiding = Set(hiding.map(\.number))
    let command = command ?? first
    if !hasCommand { return [] }
    let entered = processes.filter {
      $0 != command && hiding.contains($0.parent) && !hiding.contains($0.number)
        && $0.parent != first.number
    }
    return [command] + entered
  }

  /// Its init, and those of the commands that entered.
  var hiding: [ProcessFacts] {
    // The file may have another name than nestbox.
    let name = tool == .nestbox ? first.name : "nestbox"
    return processes.filter { $0.namespaces == nil && [name, "nestbox"].contains($0.name) }
  }

  /// Whether flatpak made it, by means of bubblewrap.
  ///
  /// Its description of itself is mounted there. Process 1 shows that mount table, which only a
  /// process with rights over the mount namespace can change.
  var isOfFlatpak: Bool {
    guard let process = try? ProcessDirectory.of(first),
      let table = try? process.contents(of: "mountinfo", limit: Bound.mountTable)
    else { return false }
    return MountTable(parsing: table).entries.contains { $0.point == "/.flatpak-info" }
  }

  /// Whether its monitor executes the same file as this process, under any name.
  var isOfThisProgram: Bool {
    guard let monitor, let process = try? ProcessDirectory.of(monitor),
      let own = try? ProcessDirectory(CurrentProcess.number)
    else { return false }
    func identity(_ process: borrowing ProcessDirectory) -> FileIdentity? {
      try? process.open("exe", .location).fileIdentity()
    }
    let file = identity(own)
    return file != nil && identity(process) == file
  }

  /// Its namespaces; nil where the kernel shows none of them.
  public var namespaces: NamespaceNumbers? { command?.namespaces ?? first.heldNamespaces }
}

/// The programs that make sandboxes.
public enum Tool: String, Equatable, Sendable {
  case nestbox, bubblewrap, flatpak, podman, docker, lxc, nspawn, firejail, other

  /// The program with the process name `name`.
  init(named name: ByteString) {
    let name = name.text
    self =
      switch name {
      case "nestbox": .nestbox
      case "bwrap": .bubblewrap
      case "conmon", "podman", "podman pause": .podman
      case "dockerd", "rootlesskit": .docker
      case "firejail": .firejail
      case "systemd-nspawn": .nspawn
      case "lxc-start", "lxc-execute": .lxc
      // The kernel keeps 15 bytes of a name.
      case _ where name.hasPrefix("containerd-shim"): .docker
      default: .other
      }
  }

  /// Whether `process`, which has the number 1 inside, only waits for the command.
  static func hasInit(_ process: ProcessFacts) -> Bool {
    switch Tool(named: process.name) {
    case .nestbox, .bubblewrap, .firejail: true
    default: inits.contains(process.name)
    }
  }

  /// The programs that container engines start as process 1 on demand.
  private static let inits: [ByteString] = [
    "catatonit", "podman-init", "docker-init", "tini", "dumb-init", "lxc-init",
  ]
}

// MARK: - Grouping

extension Survey {
  /// The user's sandboxes, the oldest first.
  public var sandboxes: [RunningSandbox] {
    var groups: [RunningSandbox.Key: [ProcessFacts]] = [:]
    let keys = keys()
    for process in processes {
      if let key = keys[process.number] { groups[key, default: []].append(process) }
    }
    let numbers = Dictionary(
      processes.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
    return groups.map { key, members in
      let members = members.sorted { ($0.started, $0.number) < ($1.started, $1.number) }
      let monitor = monitor(of: members, numbers)
      let sandbox = RunningSandbox(
        key: key, processes: members, monitor: monitor, name: nil, tool: .other)
      var named = sandbox
      named.tool = Survey.tool(sandbox)
      let registered = names.first {
        $0.record.monitor == monitor?.number && $0.record.started == monitor?.started
      }
      (named.name, named.isKept) = (registered?.name, registered?.record.isKept ?? false)
      // Whatever its file is called.
      if registered != nil { named.tool = .nestbox }
      return named
    }
    .filter(isOwn)
    .sorted { ($0.first.started, $0.first.number) < ($1.first.started, $1.first.number) }
  }

  /// How a command line names each sandbox: by its name, or by the number of its first process.
  public var labels: [String] {
    sandboxes.map { $0.name?.text ?? String($0.first.number) }
  }

  /// The sandbox of each process that is in one.
  private func keys() -> [Int32: RunningSandbox.Key] {
    var keys: [Int32: RunningSandbox.Key] = [:]
    for process in processes { keys[process.number] = key(of: process) }
    // A process that hides belongs to the sandbox of its children, as init does, or of its parent.
    let depth = ownDepth
    let hidden = processes.filter { $0.namespaces == nil && $0.numbersInside.count > depth }
    for process in hidden {
      let child = processes.first { $0.parent == process.number && keys[$0.number] != nil }
      if let key = child.flatMap({ keys[$0.number] }) ?? keys[process.parent] {
        keys[process.number] = key
      } else if process.user == user {
        keys[process.number] = .hidden(process.number)
      }
    }
    return keys
  }

  /// How many pid namespaces there are around this process, its own among them, as far as /proc
  /// shows.
  private var ownDepth: Int {
    processes.first { $0.namespaces == own }?.numbersInside.count ?? 1
  }

  private func key(of process: ProcessFacts) -> RunningSandbox.Key? {
    guard let numbers = process.namespaces ?? process.heldNamespaces else { return nil }
    let differences = numbers.differences(from: own)
    guard !differences.isEmpty else { return nil }
    if process.outerUser != nil || process.outerPid != nil {
      return .nested(user: process.outerUser?.number, pid: process.outerPid)
    }
    // This process cannot look into a user namespace that is not below its own.
    return differences.contains(.user) ? nil : .flat(numbers)
  }

  /// Whether the user made it: the owner of its user namespace, or the user of its processes.
  private func isOwn(_ sandbox: RunningSandbox) -> Bool {
    if let outer = sandbox.processes.lazy.compactMap(\.outerUser).first {
      return outer.owner == user
    }
    return sandbox.processes.contains { $0.user == user }
  }

  /// The nearest ancestor outside; nil where that is process 1, which takes in orphans.
  private func monitor(
    of members: [ProcessFacts], _ numbers: [Int32: ProcessFacts]
  ) -> ProcessFacts? {
    let inside = Set(members.map(\.number))
    for member in members where !inside.contains(member.parent) {
      guard var parent = numbers[member.parent], parent.number != 1 else { continue }
      // A hiding nestbox process between command and monitor: init without a new pid namespace.
      while parent.namespaces == nil, let next = numbers[parent.parent],
        Tool(named: next.name) != .other || next.name == parent.name
      {
        parent = next
      }
      return parent
    }
    return nil
  }

  private static func tool(_ sandbox: RunningSandbox) -> Tool {
    let tool = sandbox.monitor.map { Tool(named: $0.name) } ?? .other
    if tool != .other { return tool }
    // If the monitor has ended, init may still show the tool. A rootless container engine has
    // namespaces around those of its containers, with its own processes in them.
    let first = Tool(named: sandbox.first.name)
    let isEngine = first == .podman || first == .docker
    return isEngine || sandbox.first.numbersInside.last == 1 ? first : .other
  }
}
