// SPDX-License-Identifier: Apache-2.0
// From the notes of a run to what a profile has to show for it (--learn), or to what of a profile the
// run used (--verify). Each path is followed again on the root on paper, so that every link on its way
// counts, and the operation is known that showed it. Nothing is learned but what the run's sandbox
// showed: a learned profile never shows more.

internal import Linux
internal import SystemPackage
internal import Text

/// Collects what a run needs.
///
/// A class: copies of its parts would make the executable larger.
final class Learner {
  private let plan: Plan
  /// What was used, by its place inside, in the order of the places.
  private var needs: [Need] = []
  /// Which operations something was used of.
  private var used: [Bool]
  private var executed: [ByteString: Int] = [:]
  private var addresses: [LearnedItem] = []
  private var wasChanged = false
  private var isComplete: Bool

  /// Something to be shown.
  private struct Need {
    /// Its place inside.
    let place: ByteString
    /// The number of the operation that showed it; -1 for a link that an operation made.
    var operation: Int
    /// A directory of which nothing but its name is needed.
    var isNameOnly = false
    /// All that is in it is needed.
    var isWhole = false
    var isWritable = false
    var hasDevices = false
    /// Only a link of the host leads there.
    var isLinked = false

    var kind: LearnedItem.Kind {
      if isNameOnly { return .directory }
      if hasDevices { return .devices }
      if isWritable { return .writable }
      return isLinked ? .linked : .same
    }

    /// Whether a file in a directory whose name is `place`.
    func isBelow(_ other: ByteString) -> Bool {
      let bytes = place.bytes.dropFirst(other.count)
      return place.bytes.starts(with: other.bytes)
        && (bytes.first == UInt8(ascii: "/") || other == "/" && !bytes.isEmpty)
    }
  }

  /// How many files of a directory stand for all of it, and bounds.
  private static let most = (siblings: 8, needs: 4000, links: 40, depth: 4)

  init(_ findings: inout Findings) {
    plan = findings.plan
    used = plan.operations.map { _ in false }
    isComplete = findings.isComplete
  }

  /// What `observations` say.
  func items(
    _ observations: Observations, _ learning: Learning, _ findings: inout Findings
  ) -> [LearnedItem] {
    visit(plan.directory.path, .look)
    // The launcher's own exec is not among the notes.
    for path in plan.command.searched { visit(path, .execute) }
    for observation in observations.all { visit(observation) }
    var items = [LearnedItem(.calls, ByteString(String(observations.calls)))]
    for finding in findings.all { items.append(LearnedItem(finding)) }
    switch learning {
    case .verification(let file): addUnusedLines(of: file, to: &items)
    case .profile:
      for _ in 0..<Learner.most.depth { joinSiblings() }
      addShown(to: &items, &findings)
      items += addresses
      addUnused(to: &items)
    }
    if !isComplete { items.append(LearnedItem(.incomplete, "")) }
    return items
  }
}

// MARK: - Following paths

extension Learner {
  private func visit(_ seen: Observation) {
    switch seen.kind {
    case .address:
      if !plan.namespaces.contains(.network) {
        addresses.append(LearnedItem(.address, seen.subject, notes: [seen.program]))
      }
    case .abstractSocket, .nameServer, .host, .busName, .unreadable, .port, .capability, .refusal:
      break
    default: visit(seen.subject.path, seen.kind)
    }
  }

  private func visit(_ path: FilePath, _ kind: ObservedKind, depth: Int = 0) {
    guard path.isAbsolute, depth < Learner.most.depth, var trail = plan.root.find("/") else {
      return
    }
    let top = trail
    var rest = Array(path.components.reversed())
    var links = 0
    while let name = rest.popLast() {
      switch name.kind {
      case .currentDirectory: continue
      case .parentDirectory:
        trail.leave()
        continue
      case .regular: break
      }
      let child = plan.root.step(from: trail.end, to: name)
      switch plan.root.node(at: child) {
      case nil:
        // It may have been made and removed meanwhile.
        if rest.isEmpty, kind.changes { noteChange(in: trail) }
        return
      case .link(let target):
        noteLink(trail.path.appending(name), child, target)
        links += 1
        guard links <= Learner.most.links else { return }
        if rest.isEmpty, kind == .lookAtLink { return }
        if rest.isEmpty, kind == .remove { return noteChange(in: trail) }
        if target.isAbsolute { trail = top }
        rest += target.components.reversed()
      default:
        trail.positions.append(child)
        trail.names.append(name)
      }
    }
    note(trail, kind)
    if kind == .execute { visitInterpreters(of: trail, depth) }
  }

  /// Notes a file.
  private func note(_ trail: RootModel.Trail, _ kind: ObservedKind) {
    let isDirectory = plan.root.node(at: trail.end) == .directory
    if let operation = operation(at: trail.end) { used[operation] = true }
    var trail = trail
    if kind == .create || kind == .remove {
      trail.leave()
      return noteChange(in: trail)
    }
    guard var need = need(of: trail) else { return }
    // Somebody who opens a directory lists it.
    need.isWhole = isDirectory && kind == .read && mayShowWhole(trail.path, of: need.operation)
    need.isNameOnly = isDirectory && !need.isWhole && kind != .write
    need.isWritable = kind == .write && isWritable(trail.end)
    if need.isWritable { wasChanged = true }
    need.hasDevices = !isDirectory && showsDevices(need.operation)
    add(need)
  }

  /// Notes a directory in which a name was made or removed.
  private func noteChange(in trail: RootModel.Trail) {
    guard var need = need(of: trail) else { return }
    used[need.operation] = true
    guard isWritable(trail.end) else { return }
    wasChanged = true
    need.isWhole = true
    need.isWritable = true
    add(need)
  }

  /// Notes a link, which some options make where the host has it.
  private func noteLink(_ path: FilePath, _ position: RootModel.Position, _ target: FilePath) {
    var operation = operation(at: position) ?? -1
    if operation < 0 {
      for planned in plan.operations where planned.operation.action.destination == path {
        operation = planned.index
      }
    }
    if operation >= 0 {
      used[operation] = true
      guard plan.operations[operation].operation.action.isLearned else { return }
    }
    guard plan.root.host.target(of: path) == target else { return }
    add(Need(place: ByteString(path), operation: operation))
  }

  /// The kernel opens a script's interpreter and a program's loader by itself.
  private func visitInterpreters(of trail: RootModel.Trail, _ depth: Int) {
    guard let host = plan.root.hostPath(of: trail.end) else { return }
    guard executed.updateValue(depth, forKey: ByteString(host)) == nil else { return }
    if let path = ScriptLine(at: host)?.interpreter.path ?? ELFFile(at: host)?.loader {
      visit(path, .execute, depth: depth + 1)
    }
  }
}

// MARK: - Operations

extension Learner {
  /// The number of the operation that made what lies at `position`.
  private func operation(at position: RootModel.Position) -> Int? {
    var mount = position.mount
    while plan.root.mounts[mount].operation == nil, let bind = plan.root.mounts[mount].bind {
      mount = bind
    }
    return plan.root.mounts[mount].operation
  }

  /// A need of something that a learned profile shows by itself; nil for the rest.
  private func need(of trail: RootModel.Trail) -> Need? {
    guard let operation = operation(at: trail.end),
      plan.operations[operation].operation.action.isLearned
    else { return nil }
    var need = Need(place: ByteString(trail.path), operation: operation)
    need.isLinked = plan.root.hostPath(of: trail.end) != trail.path
    return need
  }

  /// Where the operation begins, inside.
  private func base(of operation: Int) -> FilePath? {
    guard operation >= 0 else { return nil }
    return plan.operations[operation].operation.action == .temporaryHome
      ? plan.home : plan.operations[operation].place
  }

  private func showsDevices(_ operation: Int) -> Bool {
    if case .bind(_, _, .devices, _) = plan.operations[operation].operation.action { return true }
    return false
  }

  /// Whether changes reach the host.
  private func isWritable(_ position: RootModel.Position) -> Bool {
    guard case .host = plan.root.mounts[position.mount].content else { return false }
    return !plan.root.mounts[plan.root.decidingMount(at: position)].isReadOnly
  }

  /// Whether a profile may show all of a directory of which some was used.
  private func mayShowWhole(_ place: FilePath, of operation: Int) -> Bool {
    guard place != plan.home, !Secrets.isFile(place, home: plan.home) else { return false }
    return place.components.count > 1 || place == base(of: operation)
  }
}

// MARK: - Generalising

extension Learner {
  /// The system, of which a package update may change any file.
  private static let system = [
    "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix", "gnu",
  ]

  private func isOfSystem(_ place: ByteString) -> Bool {
    place.path.components.first.map { Learner.system.contains($0.string) } ?? false
  }

  /// Adds a need; of the system, all that the operation shows.
  private func add(_ need: Need) {
    guard !need.isWritable, isOfSystem(need.place), let base = base(of: need.operation),
      need.place.path.starts(with: base)
    else { return insert(need) }
    let names = need.place.path.components
    let whole =
      base.components.isEmpty ? FilePath(root: "/", names.prefix(1)) : base
    var wider = Need(place: ByteString(whole), operation: need.operation)
    wider.isWhole = wider.place != need.place || need.isWhole
    wider.hasDevices = need.hasDevices
    wider.isLinked = need.isLinked && !wider.isWhole
    insert(wider)
  }

  /// Inserts a need at its place.
  private func insert(_ need: Need) {
    var (low, high) = (0, needs.count)
    while low < high {
      let middle = (low + high) / 2
      if needs[middle].place.bytes.lexicographicallyPrecedes(need.place.bytes) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    guard low < needs.count, needs[low].place == need.place else {
      guard needs.count < Learner.most.needs else {
        isComplete = false
        return
      }
      return needs.insert(need, at: low)
    }
    needs[low].isNameOnly = needs[low].isNameOnly && need.isNameOnly
    needs[low].isWhole = needs[low].isWhole || need.isWhole
    needs[low].isWritable = needs[low].isWritable || need.isWritable
    needs[low].hasDevices = needs[low].hasDevices || need.hasDevices
  }

  /// A directory of which many files were used counts as used.
  private func joinSiblings() {
    var index = 0
    var last: ByteString = ""
    while index < needs.count {
      let need = needs[index]
      let parent = need.place.path.parent
      index += 1
      guard !need.isNameOnly, !need.isWritable, need.operation >= 0, ByteString(parent) != last
      else { continue }
      last = ByteString(parent)
      var count = 0
      for other in needs[(index - 1)...] {
        guard other.isBelow(last) else { break }
        if !other.isNameOnly, !other.isWritable, other.place.path.parent == parent { count += 1 }
      }
      guard count >= Learner.most.siblings, let base = base(of: need.operation), parent != base,
        parent.starts(with: base), mayShowWhole(parent, of: need.operation)
      else { continue }
      var whole = Need(place: last, operation: need.operation)
      whole.isWhole = true
      insert(whole)
    }
  }

  /// Adds what the profile has to show, directories before what is in them.
  private func addShown(to items: inout [LearnedItem], _ findings: inout Findings) {
    var wholes: [Need] = []
    for (index, need) in needs.enumerated() {
      let isCovered = wholes.contains {
        need.isBelow($0.place) && ($0.isWritable || !need.isWritable)
      }
      if isCovered, !need.hasDevices { continue }
      if need.isWhole { wholes.append(need) }
      if need.isNameOnly {
        // A directory is there if anything is shown in it.
        let hasNext = index + 1 < needs.count && needs[index + 1].isBelow(need.place)
        if hasNext || need.place == "/" { continue }
      }
      let number = need.operation < 0 ? nil : number(of: need.operation)
      let reason =
        need.isNameOnly || isOfSystem(need.place)
        ? nil : findings.objection(to: need.place.path)
      items.append(
        LearnedItem(
          reason == nil ? need.kind : .objection, need.place, operation: number,
          notes: reason.map { [ByteString($0)] } ?? []))
    }
  }

  /// The operation's number among those that were typed: some are carried out in another order.
  private func number(of operation: Int) -> Int? {
    let wanted = plan.operations[operation].operation
    return plan.sandbox.filesystem.indices.first { plan.sandbox.filesystem[$0] == wanted }
  }
}

// MARK: - What was missing, and what was not used

extension LearnedItem {
  fileprivate init(_ finding: Finding) {
    let programs = finding.programs.map(\.quoted).joined(separator: ", ")
    self.init(
      .missing, finding.subject,
      notes: [
        ByteString(finding.kind.rawValue), ByteString(finding.objection ?? ""),
        ByteString(programs), finding.isUsual ? "usual" : "",
      ] + finding.options)
  }
}

extension Learner {
  private func addUnused(to items: inout [LearnedItem]) {
    for planned in plan.operations
    where planned.operation.action.isLearned && !planned.isSkipped && !used[planned.index] {
      items.append(LearnedItem(.unused, ByteString(planned.operation.action.destination)))
    }
    if addresses.isEmpty { items.append(LearnedItem(.unused, "the network")) }
    if !wasChanged { items.append(LearnedItem(.unused, "changing files of the host")) }
  }

  private func addUnusedLines(of file: ByteString, to items: inout [LearnedItem]) {
    for planned in plan.operations where !used[planned.index] {
      guard case .profile(_, let path, let line) = planned.operation.option.origin, path == file,
        planned.operation.action.source != nil
      else { continue }
      items.append(LearnedItem(.unusedLine, ByteString(String(line))))
    }
  }
}
