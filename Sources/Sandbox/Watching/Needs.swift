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
  private static let system = [
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
    needs[low].isGuard = needs[low].isGuard || need.isGuard
  }

  /// A directory of which many files were used counts as used.
  func joinSiblings() {
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

  /// What the line showed read-only in a directory that the profile shows writable stays so, used or
  /// not.
  func addGuards() {
    let writable = needs.filter { $0.isWhole && $0.isWritable }
    for mount in plan.root.mounts where mount.bind == nil {
      guard let place = mount.place, let trail = plan.root.find(place), !isWritable(trail.end),
        var need = need(of: trail)
      else { continue }
      (need.isWhole, need.isGuard) = (true, true)
      if writable.contains(where: { need.isBelow($0.place) }) { insert(need) }
    }
  }

  /// Adds what the profile has to show, directories before what is in them.
  func addShown(to items: inout [LearnedItem], _ findings: inout Findings) {
    var wholes: [Need] = []
    for (index, need) in needs.enumerated() {
      let around = wholes.last { need.isBelow($0.place) }
      let isCovered = around.map { $0.isWritable || !need.isWritable } ?? false
      if isCovered, !need.hasDevices, !need.isGuard { continue }
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
    let all = plan.sandbox.filesystem
    // A guard belongs to the one before it.
    return all.firstIndex(of: wanted).map { all[...$0].count { !$0.isGuard } - 1 }
  }
}
