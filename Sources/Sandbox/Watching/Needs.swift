// SPDX-License-Identifier: Apache-2.0
// What a profile has to show, from the files that a run used: a directory in the place of many of its
// files, and of the system all that the run's line showed.

internal import Linux
internal import SystemPackage
internal import Text

extension Learner {
  /// Something to be shown.
  struct Need {
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
    /// Read-only in a directory that is shown writable.
    var isGuard = false
    /// How much of it was used, if that is not all.
    var joined: String?

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
}

extension Learner {
  /// The system, of which a package update may change any file.
  static let system = [
    "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix", "gnu",
  ]

  private func isOfSystem(_ place: ByteString) -> Bool {
    place.path.components.first.map { Learner.system.contains($0.string) } ?? false
  }

  /// Adds a need; of the system, all that the operation shows.
  func add(_ need: Need) {
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

  /// The number of needs before `place`.
  private func count(before place: ByteString) -> Int {
    var (low, high) = (0, needs.count)
    while low < high {
      let middle = (low + high) / 2
      if needs[middle].place.bytes.lexicographicallyPrecedes(place.bytes) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  /// Inserts a need at its place.
  private func insert(_ need: Need) {
    let low = count(before: need.place)
    guard low < needs.count, needs[low].place == need.place else {
      // Without a guard, the command could write what this run could only read.
      guard needs.count < Learner.most.needs || need.isGuard else {
        isComplete = false
        return
      }
      return needs.insert(need, at: low)
    }
    if !needs[low].isWhole || need.isWritable && !needs[low].isWritable {
      needs[low].joined = need.joined
    }
    needs[low].isNameOnly = needs[low].isNameOnly && need.isNameOnly
    needs[low].isWhole = needs[low].isWhole || need.isWhole
    needs[low].isWritable = needs[low].isWritable || need.isWritable
    needs[low].hasDevices = needs[low].hasDevices || need.hasDevices
    needs[low].isGuard = needs[low].isGuard || need.isGuard
  }

  /// A directory of which many files were used counts as used, and one of which nearly all names were
  /// looked at counts as listed.
  func joinSiblings() {
    var seen: Set<ByteString> = []
    for parent in needs.map({ ByteString($0.place.path.parent) })
    where seen.insert(parent).inserted {
      if let whole = joined(in: parent) { insert(whole) }
    }
  }

  /// How a name in a directory was used, as bits.
  private enum Use {
    static let (looked, used, changed) = (1, 2, 4)
  }

  /// All of the directory `place` as a need; nil if too little of it was used, or it has secrets.
  private func joined(in place: ByteString) -> Need? {
    let start = place.appending("/")
    var uses: [ByteString: Int] = [:]
    for need in needs[count(before: start)...] {
      guard need.place.bytes.starts(with: start.bytes) else { break }
      let rest = need.place.bytes.dropFirst(start.count)
      let name = rest.prefix { $0 != UInt8(ascii: "/") }
      let isUsed = name.count == rest.count && !need.isNameOnly && need.operation >= 0
      let use = !isUsed ? Use.looked : need.isWritable ? Use.changed : Use.used
      uses[ByteString(name), default: 0] |= use
    }
    let count = { (use: Int) in uses.values.count { $0 & use != 0 } }
    guard uses.count >= Learner.most.siblings, let trail = plan.root.find(place.path),
      var whole = need(of: trail), whole.place == place,
      mayShowWhole(trail.path, of: whole.operation), let source = plan.root.hostPath(of: trail.end)
    else { return nil }
    let isUsed = count(Use.used) >= Learner.most.siblings && trail.path != base(of: whole.operation)
    guard isUsed || uses.count >= 2 * Learner.most.siblings else { return nil }
    // A command may have filled the directory.
    let most = Learner.most.names
    let names = max(plan.root.host.names(in: source, most: most).count, uses.count)
    let isNearlyAll = uses.count >= 2 * Learner.most.siblings && uses.count * 8 >= names * 7
    guard isNearlyAll || isUsed else { return nil }
    whole.isWritable =
      isNearlyAll && count(Use.changed) * 4 >= names * 3 && plan.root.isHostWritable(trail.end)
    whole.isWhole = true
    let all = names < most ? String(names) : "more than " + String(most - 1)
    whole.joined = String(uses.count) + " of " + all
    return whole
  }

  /// What the line showed read-only in a directory that the profile shows writable stays so, used or
  /// not, and whether it existed or not: a later run may find it.
  func addGuards() {
    let writable = needs.filter { $0.isWhole && $0.isWritable }
    for mount in plan.root.mounts where mount.bind == nil {
      guard let place = mount.place, let trail = plan.root.find(place),
        !plan.root.isHostWritable(trail.end), var need = need(of: trail)
      else { continue }
      (need.isWhole, need.isGuard) = (true, true)
      if writable.contains(where: { need.isBelow($0.place) }) { insert(need) }
    }
    // Also where its path lies, and where that leads if nothing is there: the command may have changed the links
    // on its way.
    for planned in plan.operations {
      guard let path = planned.protectedPlace else { continue }
      let isAbsent = planned.isSkipped || planned.place == nil
      // Of a link, the line protects the file that may take its place. Anything else may be writable by a later
      // option.
      let isLink = if case .link = plan.root.entry(at: path) { true } else { false }
      guard
        isAbsent || isLink
          || plan.root.find(path).map({ !plan.root.isHostWritable($0.end) }) == true
      else { continue }
      for place in isAbsent ? [path, plan.root.followingParents(of: path)] : [path] {
        var need = Need(place: ByteString(place), operation: planned.index)
        (need.isWhole, need.isGuard) = (true, true)
        if writable.contains(where: { need.isBelow($0.place) }) { insert(need) }
      }
    }
  }

  /// Adds the directories that the command may change.
  ///
  /// If a command, in any run, puts a link in the place of a directory in one of them, the profile would show
  /// another file, such as a key outside. So no source may lead through links from there: neither one of this
  /// run nor one of an earlier run, in which the directory was read-only. In `/` all is the command's anyway.
  /// Other directories follow from the profile's sources: LinklessDirectories.swift.
  func addLinkless(to items: inout [LearnedItem]) {
    var seen: Set<ByteString> = []
    for place in plan.writablePlaces where place != "/" && !place.starts(with: "/proc") {
      guard (try? plan.root.host.follow(place).kind) == .directory else { continue }
      if seen.insert(ByteString(place)).inserted {
        items.append(LearnedItem(.linkless, ByteString(place)))
      }
    }
  }

  /// Adds what the profile has to show, directories before what is in them.
  func addShown(to items: inout [LearnedItem], _ findings: inout Findings) {
    var wholes: [Need] = []
    for (index, need) in needs.enumerated() {
      let around = wholes.last { need.isBelow($0.place) }
      let isCovered = around.map { $0.isWritable || !need.isWritable } ?? false
      // A directory that was used shows its devices, but does not let them be opened.
      if isCovered, !need.hasDevices || around?.hasDevices == true, !need.isGuard { continue }
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
          notes: (reason ?? need.joined).map { [ByteString($0)] } ?? []))
    }
  }

  /// The operation's number among those that were typed: some are carried out in another order.
  private func number(of operation: Int) -> Int? {
    let wanted = plan.operations[operation].operation
    let all = plan.sandbox.filesystem
    // A guard belongs to the one before it.
    return all.firstIndex(of: wanted).map { all[...$0].count { !$0.isGuard } - 1 }
  }
}
