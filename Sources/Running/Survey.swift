// SPDX-License-Identifier: Apache-2.0
// A look at every process of the machine.

public import Linux
internal import SystemPackage
public import Text

/// The processes of the machine that this process can see.
public struct Survey: Sendable {
  /// The processes, in no particular order.
  public let processes: [ProcessFacts]
  /// This process's own namespaces.
  public let own: NamespaceNumbers
  /// This process's user id.
  public let user: UInt32
  /// The names that are registered.
  public let names: [(name: ByteString, record: RegistryRecord)]

  /// States the facts.
  public init(
    processes: [ProcessFacts], own: NamespaceNumbers, user: UInt32,
    names: [(name: ByteString, record: RegistryRecord)] = []
  ) {
    (self.processes, self.own, self.user, self.names) = (processes, own, user, names)
  }

  /// Looks at all processes, and at the names in `registry`.
  public static func take(_ registry: Registry) throws(SystemCallError) -> Survey {
    var reader = Reader(own: try ownNamespaces())
    var processes: [ProcessFacts] = []
    for name in try Directory.names(of: "/proc") {
      guard let number = Int32(decimal: name.bytes) else { continue }
      // It has ended meanwhile.
      if let facts = try? reader.facts(of: number) { processes.append(facts) }
    }
    let names = registry.entries()
    for index in processes.indices where processes[index].isHidingInit {
      let process = processes[index]
      if names.contains(where: { $0.record.monitor == process.parent }) {
        reader.completeFacts(of: &processes[index])
      }
    }
    return Survey(
      processes: processes, own: reader.own, user: CurrentProcess.identity.user, names: names)
  }

  private static func ownNamespaces() throws(SystemCallError) -> NamespaceNumbers {
    let process = try ProcessDirectory(CurrentProcess.number)
    return process.namespaces ?? NamespaceNumbers()
  }
}

extension ProcessFacts {
  /// Opens its directory; throws if its number now belongs to another process.
  public func directory() throws(SystemCallError) -> ProcessDirectory {
    try ProcessDirectory.of(self)
  }
}

/// How many bytes are read of files in /proc.
///
/// The kernel writes far less, except in lists that a process can make long.
enum Bound {
  static let stat = 4096
  static let descriptors = 1024
  static let status = 1 << 20
  static let commandLine = 4096
  static let mountTable = 4 << 20
  static let networkTable = 1 << 20
  static let other = 65_536
}

extension ProcessDirectory {
  /// Opens the directory of a process seen before; throws if its number now belongs to another.
  static func of(_ process: ProcessFacts) throws(SystemCallError) -> ProcessDirectory {
    let directory = try ProcessDirectory(process.number)
    let stat = StatLine(try directory.contents(of: "stat", limit: Bound.stat))
    guard stat?.started == process.started else {
      throw SystemCallError(call: "open", errno: .noSuchProcess)
    }
    return directory
  }

  /// The process's namespaces; nil where the kernel does not show them.
  borrowing func readNamespaces() throws(SystemCallError) -> NamespaceNumbers? {
    var numbers = NamespaceNumbers()
    for (kind, name) in Namespaces.names {
      do throws(SystemCallError) {
        numbers[kind] = NamespaceNumbers.number(in: try link(FilePath("ns/" + name)))
      } catch {
        // The kernel lacks this kind.
        if error.errno == .noSuchFileOrDirectory, kind != .mount { continue }
        if error.errno == .permissionDenied || error.errno == .notPermitted { return nil }
        throw error
      }
    }
    return numbers
  }

  fileprivate var namespaces: NamespaceNumbers? { borrowing get { try? readNamespaces() } }
}

/// Reads facts, and remembers where namespaces lie below this process's own.
private struct Reader {
  let own: NamespaceNumbers
  /// By the number of a user namespace: the one directly below this process's own, and its owner.
  private var outerUsers: [UInt64: (UInt64, UInt32)] = [:]
  private var outerPids: [UInt64: UInt64] = [:]

  init(own: NamespaceNumbers) { self.own = own }

  mutating func facts(of number: Int32) throws(SystemCallError) -> ProcessFacts? {
    let process = try ProcessDirectory(number)
    // A thread of the kernel may have namespaces of its own (kdevtmpfs has), but is in no sandbox.
    guard let stat = StatLine(try process.contents(of: "stat", limit: Bound.stat)),
      !stat.isKernelThread
    else { return nil }
    let status = StatusLines(try process.contents(of: "status", limit: Bound.status))
    guard let user = status.words(of: "Uid").first.flatMap({ UInt32(decimal: $0) }) else {
      return nil
    }
    var facts = ProcessFacts(
      number: number, parent: stat.parent, started: stat.started, name: stat.name, user: user,
      numbersInside: status.words(of: "NSpid").compactMap { Int32(decimal: $0) },
      namespaces: try process.readNamespaces())
    if let numbers = facts.namespaces, numbers != own {
      facts.outerUser = outerUser(numbers[.user]) { () throws(SystemCallError) in
        try process.namespace(.user)
      }
      facts.outerPid = outerPid(numbers[.pid]) { () throws(SystemCallError) in
        try process.namespace(.pid)
      }
      if facts.outerPid == nil, let outer = facts.outerUser, outer.number != numbers[.user] {
        facts.outerUser = Reader.member(process, of: outer) ?? outer
      }
    }
    return facts
  }

  /// Adds the namespaces of an init that hides, as its monitor holds them.
  mutating func completeFacts(of process: inout ProcessFacts) {
    guard let monitor = try? ProcessDirectory(process.parent),
      let names = try? monitor.open("fd", .directory).names()
    else { return }
    var numbers = NamespaceNumbers()
    for name in names.prefix(Bound.descriptors) {
      let path = FilePath("fd").pushing(name)
      guard let link = try? monitor.link(path),
        let kind = Namespaces.names.first(where: { link.text.hasPrefix($0.name + ":[") })?
          .namespace,
        let number = NamespaceNumbers.number(in: link)
      else { continue }
      numbers[kind] = number
      let open = { () throws(SystemCallError) in try OpenNamespace(monitor.open(path)) }
      if kind == .user { process.outerUser = outerUser(number, open) }
      if kind == .pid { process.outerPid = outerPid(number, open) }
    }
    if numbers != NamespaceNumbers() { process.heldNamespaces = numbers }
  }

  private mutating func outerUser(
    _ number: UInt64?, _ open: () throws(SystemCallError) -> OpenNamespace
  ) -> (number: UInt64, owner: UInt32)? {
    guard let number, number != own[.user] else { return nil }
    if let known = outerUsers[number] { return known }
    guard let outer = try? outermost(.user, open), let owner = try? outer.owner() else {
      return nil
    }
    outerUsers[number] = (outer.number, owner)
    return (outer.number, owner)
  }

  /// The sandbox's own user namespace, where the outer one is that of the holder of a network: it owns the
  /// network namespace, and other sandboxes lie below it as well.
  private static func member(
    _ process: borrowing ProcessDirectory, of outer: (number: UInt64, owner: UInt32)
  ) -> (number: UInt64, owner: UInt32)? {
    guard let holder = try? process.namespace(.network).userNamespace().number,
      let user = try? process.namespace(.mount).userNamespace(), let parent = try? user.parent(),
      holder == outer.number, parent.number == outer.number
    else { return nil }
    return (user.number, outer.owner)
  }

  private mutating func outerPid(
    _ number: UInt64?, _ open: () throws(SystemCallError) -> OpenNamespace
  ) -> UInt64? {
    guard let number, number != own[.pid] else { return nil }
    if let known = outerPids[number] { return known }
    let outer = try? outermost(.pid, open).number
    outerPids[number] = outer
    return outer
  }

  /// The namespace directly below this process's own in which the one that `open` opens lies.
  private func outermost(
    _ kind: Namespaces, _ open: () throws(SystemCallError) -> OpenNamespace
  ) throws(SystemCallError) -> OpenNamespace {
    var namespace = try open()
    // The kernel nests no more than 32.
    for _ in 0..<64 {
      guard let parent = try namespace.parent(), parent.number != own[kind] else { break }
      namespace = parent
    }
    return namespace
  }
}
