// SPDX-License-Identifier: Apache-2.0
// Limits in learned profiles: of several runs, the one that permits the most stays.

internal import Sandbox
internal import Text

extension LearnedProfile {
  private static let limitTitle =
    "# Limits with room for what the runs used; to set one, remove what stands before its option:"
  private static let limitMark = "# limit: "

  /// Adds a limit as a comment; the larger one stays.
  mutating func addLimit(_ item: LearnedItem) {
    guard let operand = item.notes.first else { return }
    let start = Array((item.subject.text + " ").utf8)
    // The profile sets that limit itself.
    if lines.contains(where: { $0.starts(with: start) }) { return }
    let mark = Array(LearnedProfile.limitMark.utf8) + start
    let line = mark + operand.bytes
    if let known = lines.firstIndex(where: { $0.starts(with: mark) }) {
      let size = { (line: [UInt8]) in
        UInt32(decimal: line.dropFirst(mark.count).prefix { (0x30...0x39).contains($0) }) ?? 0
      }
      if size(lines[known]) < size(line) { lines[known] = line }
      return
    }
    let title = Array(LearnedProfile.limitTitle.utf8)
    if !lines.contains(title) { lines.append(title) }
    lines.append(line)
  }
}

// MARK: - Mounts in memory

extension LearnedProfile {
  /// Gives a mount in memory that is there already the size that a run had, if that is more.
  /// - Returns: Whether `new` is such a mount and was there: a second one would cover it.
  mutating func addMount(_ new: [[UInt8]], at place: inout Int) -> Bool {
    guard let mount = new.last, mount.starts(with: "--tmpfs ".utf8),
      let known = lines.firstIndex(of: mount)
    else { return false }
    var start = known
    while start > 0, LearnedProfile.isModifier(lines[start - 1]) { start -= 1 }
    place = max(place, known + 1)
    // Without a size, there is no limit.
    guard let old = lines[start..<known].firstIndex(where: { LearnedProfile.size($0) != nil })
    else { return true }
    guard let line = new.first(where: { LearnedProfile.size($0) != nil }) else {
      lines.remove(at: old)
      place -= 1
      return true
    }
    if let (had, has) = LearnedProfile.sizes(lines[old], line), had < has {
      lines[old] = line
      added.append(line)
    }
    return true
  }

  private static func sizes(_ first: [UInt8], _ second: [UInt8]) -> (Int64, Int64)? {
    guard let one = size(first) ?? nil, let two = size(second) ?? nil else { return nil }
    return (one, two)
  }

  /// The size of a line that limits one; nil inside if it is not a number.
  private static func size(_ line: [UInt8]) -> Int64?? {
    let words = words(of: line)
    guard words.first?.elementsEqual("--size".utf8) == true else { return nil }
    return words.last.flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
  }
}
