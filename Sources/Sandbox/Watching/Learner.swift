// SPDX-License-Identifier: Apache-2.0
// From the notes of a run to what a profile has to show for it (--learn), or to what of a profile the
// run used (--verify). Each path is followed again on the root on paper, so that every link on its way
// counts, and the operation is known that showed it. Nothing is learned but what the run's sandbox
// showed: a learned profile never shows more.

internal import Linux
internal import Seccomp
internal import SystemPackage
internal import Text

/// Collects what a run needs.
///
/// A class: copies of its parts would make the executable larger.
final class Learner {
  let plan: Plan
  /// What was used, by its place inside, in the order of the places.
  var needs: [Need] = []
  /// Which operations something was used of.
  private var used: [Bool]
  private var executed: [ByteString: Int] = [:]
  private var addresses: [LearnedItem] = []
  /// The names on buses that were called; empty for a connection.
  private(set) var called: [ByteString] = []
  /// The calls that only --seccomp-allow permitted; nil if that is not known.
  private(set) var additions: [ByteString]?
  /// Places of the host that an operation covers which the profile does not have: what --tmp-home keeps
  /// from the command, also where links and variables lead.
  private let covered: [FilePath]
  private let secrets: [FilePath]
  private var wasChanged = false
  /// What the command changed, and not on the host.
  var lost: [LostChange] = []
  /// Whether a profile is verified.
  private(set) var isVerifying = false
  var isComplete: Bool

  /// How many files of a directory stand for all of it, and bounds.
  ///
  /// Of a directory with more than `names` names, a run of at most `needs` files uses too few to stand for it.
  static let most = (
    siblings: 8, needs: 4000, names: 5000, depth: 4, lost: 50, addresses: 200
  )

  init(_ findings: inout Findings, knowsAdditions: Bool) {
    additions = knowsAdditions ? [] : nil
    plan = findings.plan
    secrets = findings.secrets
    let operations = plan.operations
    covered = plan.root.mounts.compactMap { mount in
      guard mount.isNew, let number = mount.operation,
        operations[number].operation.action.isLearned
      else { return nil }
      return mount.place
    }
    used = operations.map { _ in false }
    isComplete = findings.isComplete
  }

  /// What `observations` say.
  func items(
    _ observations: Observations, _ learning: Learning, _ findings: inout Findings
  ) -> [LearnedItem] {
    findings.renewTime()
    if case .verification = learning { isVerifying = true }
    visit(plan.directory.path, .look)
    // The launcher's own exec is not among the notes.
    for path in plan.command.searched { visit(path, .execute) }
    for seen in observations.all where !observations.isTriedByTCP(seen) {
      guard findings.hasTime() else { break }
      visit(seen)
    }
    // Of a list that was cut, the rest may have used anything.
    isComplete = isComplete && findings.isComplete
    var items = [LearnedItem(.calls, ByteString(String(observations.calls)))]
    for finding in findings.all { items.append(LearnedItem(finding)) }
    switch learning {
    case .verification(let file):
      if isComplete { addUnusedLines(of: file, to: &items) }
      items += lost.map { LearnedItem(.lost, $0.place) }
    case .profile:
      for _ in 0..<Learner.most.depth { joinSiblings() }
      addGuards()
      addLinkless(to: &items)
      addShown(to: &items, &findings)
      addLost(to: &items, &findings)
      items += addresses
      addBusRules(to: &items)
      addCalls(to: &items)
      if isComplete { addUnused(to: &items) }
    }
    if !isComplete { items.append(LearnedItem(.incomplete, "")) }
    return items
  }
}

// MARK: - Following paths

extension Learner {
  private func visit(_ seen: Observation) {
    switch seen.kind {
    case .address, .host:
      guard !plan.namespaces.contains(.network),
        Findings.endpoint(seen.subject)?.address.isLoopback != true
      else { return }
      guard addresses.count < Learner.most.addresses else {
        isComplete = false
        return
      }
      let program = ByteString(seen.program.quotedAsProgram)
      let rule = Findings.rule(for: seen.subject).map { [$0] } ?? []
      addresses.append(LearnedItem(.address, seen.subject, notes: [program] + rule))
    case .calledBusName: called.append(seen.subject)
    case .addition: additions?.append(Findings.name(ofCall: seen))
    case .abstractSocket, .nameServer, .busName, .unreadable, .port, .capability, .refusal,
      .userNamespace:
      break
    default: visit(seen.subject.path, seen.kind)
    }
  }

  private func visit(_ path: FilePath, _ kind: ObservedKind, depth: Int = 0) {
    guard path.isAbsolute, depth < Learner.most.depth, var trail = plan.root.find("/") else {
      return
    }
    let top = trail
    var steps = PathSteps(path)
    while let next = steps.next() {
      guard case .entry(let name) = next else {
        trail.leave()
        continue
      }
      let child = plan.root.step(from: trail.end, to: name)
      switch plan.root.node(at: child) {
      case nil:
        // It may have been made and removed meanwhile.
        if steps.isAtEnd, kind.changes { noteChange(in: trail) }
        return
      case .link(let target):
        noteLink(trail.path.appending(name), child, target)
        if steps.isAtEnd, kind == .lookAtLink { return }
        if steps.isAtEnd, kind.changesDirectory, kind != .create { return noteChange(in: trail) }
        guard steps.follow(target) else { return }
        if target.isAbsolute { trail = top }
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
    var kind = kind
    if kind.changesDirectory {
      var directory = trail
      directory.leave()
      // Where the command can make no file, it has found one, which it may change: open(2) with O_CREAT.
      guard kind == .create, !plan.root.isHostWritable(directory.end), !isDirectory else {
        return noteChange(in: directory)
      }
      kind = .write
    }
    if isMade(trail) {
      if kind == .write { noteLost(trail) }
      return
    }
    guard var need = need(of: trail) else { return }
    if kind == .write { noteLost(trail) }
    // Somebody who opens a directory lists it.
    need.isWhole = isDirectory && kind == .read && mayShowWhole(trail.path, of: need.operation)
    need.isNameOnly = isDirectory && !need.isWhole && kind != .write
    need.isWritable = kind == .write && plan.root.isHostWritable(trail.end)
    if need.isWritable {
      wasChanged = true
      // The profile shows all of it, with what the line protects in there.
      need.isWhole = isDirectory
    }
    need.hasDevices = showsDevices(need.operation) && isDevice(trail.end)
    add(need)
  }

  /// Notes a directory in which a name was made or removed.
  private func noteChange(in trail: RootModel.Trail) {
    if let operation = operation(at: trail.end) { used[operation] = true }
    noteLost(trail)
    guard !isMade(trail), var need = need(of: trail) else { return }
    guard plan.root.isHostWritable(trail.end) else { return }
    wasChanged = true
    need.isWhole = true
    need.isWritable = true
    add(need)
  }

  /// Notes a link, which some options make where the host has it.
  private func noteLink(_ path: FilePath, _ position: RootModel.Position, _ target: FilePath) {
    let maker = plan.operations.last { $0.operation.action.destination == path }?.index
    var operation = maker ?? operation(at: position) ?? -1
    if operation >= 0 {
      used[operation] = true
      if !plan.operations[operation].operation.action.isLearned {
        // In a directory in memory, an option that shows a file has made the links on the way to it.
        guard maker == nil, plan.root.mounts[position.mount].isNew else { return }
        operation = -1
      }
    }
    guard plan.root.host.target(of: path) == target else { return }
    add(Need(place: ByteString(path), operation: operation))
  }

  /// The kernel opens a script's interpreter and a program's loader by itself.
  private func visitInterpreters(of trail: RootModel.Trail, _ depth: Int) {
    guard let host = plan.root.hostPath(of: trail.end) else { return }
    guard executed.updateValue(depth, forKey: ByteString(host)) == nil else { return }
    if let path = ELFFile.interpreter(of: host) {
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
  func need(of trail: RootModel.Trail) -> Need? {
    guard let operation = operation(at: trail.end), !plan.root.mounts[trail.end.mount].isNew,
      plan.operations[operation].operation.action.isLearned
    else { return nil }
    var need = Need(place: ByteString(trail.path), operation: operation)
    need.isLinked = plan.root.ownHostPath(of: trail.end) != trail.path
    return need
  }

  /// Where the operation begins, inside.
  func base(of operation: Int) -> FilePath? {
    guard operation >= 0 else { return nil }
    return plan.operations[operation].operation.action == .temporaryHome
      ? plan.home : plan.operations[operation].place
  }

  private func isDevice(_ position: RootModel.Position) -> Bool {
    plan.root.hostPath(of: position).flatMap { plan.root.host.look(at: $0) }?.kind == .device
  }

  private func showsDevices(_ operation: Int) -> Bool {
    if case .bind(_, _, .devices, _) = plan.operations[operation].operation.action { return true }
    return false
  }

  /// Whether a profile may show all of a directory of which some was used.
  func mayShowWhole(_ place: FilePath, of operation: Int) -> Bool {
    guard place != plan.home,
      !Secrets.isFile(place, among: secrets),
      !covered.contains(where: { $0.starts(with: place) })
    else { return false }
    return place.components.count > 1 || place == base(of: operation)
  }
}

// MARK: - What was missing, and what was not used

extension LearnedItem {
  fileprivate init(_ finding: Finding) {
    let programs = finding.programNames.joined(separator: ", ")
    self.init(
      .missing, finding.subject,
      notes: [
        ByteString(finding.kind.rawValue), ByteString(finding.objection ?? ""),
        ByteString(programs), finding.isUsual ? "usual" : finding.isUnlikely ? "unlikely" : "",
      ] + finding.options)
  }
}

extension Learner {
  private func addUnused(to items: inout [LearnedItem]) {
    for planned in plan.operations
    where planned.operation.action.isLearned && !planned.isSkipped && !used[planned.index] {
      items.append(LearnedItem(.unused, ByteString(planned.operation.action.destination)))
    }
    // What the relay permits is known to the monitor.
    if addresses.isEmpty, !plan.sandbox.network.isUsed {
      items.append(LearnedItem(.unused, "the network"))
    }
    if !wasChanged { items.append(LearnedItem(.unused, "changing files of the host")) }
  }

  /// Whether a line restricts the command.
  ///
  /// Without it, a file of the host would be there that the line hides or has read-only. So it counts as used.
  private func isGuard(_ planned: PlannedOperation) -> Bool {
    let isAbsent = planned.isSkipped || planned.place == nil
    let protected = planned.guardedPlace.map { plan.root.followingParents(of: $0) }
    guard let place = isAbsent ? protected : planned.place, let name = place.lastComponent else {
      return false
    }
    var around = place.parent
    while plan.root.find(around) == nil, around != "/" { around = around.parent }
    guard let directory = plan.root.find(around) else { return false }
    let isWritable = plan.root.isHostWritable(directory.end)
    if isAbsent { return isWritable }
    guard let shown = plan.root.find(place),
      let below = plan.root.hostPath(of: directory.end)?.appending(name),
      plan.root.host.look(at: below) != nil
    else { return false }
    return plan.root.hostPath(of: shown.end) != below
      || isWritable && !plan.root.isHostWritable(shown.end)
  }

  private func addUnusedLines(of file: ByteString, to items: inout [LearnedItem]) {
    for planned in plan.operations where !used[planned.index] {
      guard case .profile(_, let path, let line) = planned.operation.option.origin, path == file,
        planned.operation.action.source != nil, !isGuard(planned)
      else { continue }
      items.append(LearnedItem(.unusedLine, ByteString(String(line))))
    }
  }
}
