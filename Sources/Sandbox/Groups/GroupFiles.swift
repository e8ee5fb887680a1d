// SPDX-License-Identifier: Apache-2.0
// What the kernel says in the files of a control group. All of it is read with bounds: a payload may
// have made groups below, and the numbers are checked.

internal import Linux
internal import SystemPackage
internal import Text

/// The texts of a group's files.
enum GroupText {
  /// The most that is read of a file: io.stat has a line for each device.
  static let limit = 65_536

  /// The path of a process in the unified hierarchy, of the text of /proc/PID/cgroup; nil if it has
  /// none.
  static func path(in text: [UInt8]) -> ByteString? {
    let start = Array("0::".utf8)
    for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: start) {
      return ByteString(line.dropFirst(start.count))
    }
    return nil
  }

  /// The lines of /proc/self/mountinfo for a mount and for all that lie below its mount point.
  static func lines(in text: [UInt8], below number: Int) -> [ArraySlice<UInt8>] {
    let lines = text.split(separator: UInt8(ascii: "\n"))
    let start = Array((String(number) + " ").utf8)
    guard let top = lines.first(where: { $0.starts(with: start) }) else { return [] }
    let point = word(4, of: top)
    return lines.filter { word(4, of: $0).starts(with: point) }
  }

  /// Whether a line of /proc/self/mountinfo is about control groups, of any version.
  static func isOfGroups(_ line: ArraySlice<UInt8>) -> Bool {
    // No word has a blank in it: the kernel writes that as \040.
    let mark = Array(" - cgroup".utf8)
    return line.indices.contains {
      line[$0] == UInt8(ascii: " ") && line[$0...].starts(with: mark)
    }
  }

  /// Whether a line of /proc/self/mountinfo is about a read-only mount: that is the first of the
  /// mount's own options.
  static func isReadOnly(_ line: ArraySlice<UInt8>) -> Bool {
    let options = word(5, of: line)
    return options.elementsEqual("ro".utf8) || options.starts(with: Array("ro,".utf8))
  }

  /// The word of this index, from 0, where words have one blank between them.
  private static func word(_ index: Int, of line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var (rest, index) = (line, index)
    while let end = rest.firstIndex(of: UInt8(ascii: " ")) {
      if index == 0 { return rest[..<end] }
      index -= 1
      rest = rest[(end + 1)...]
    }
    return index == 0 ? rest : []
  }

  /// A file with one number; nil for `max` and for anything else.
  static func number(_ text: [UInt8]) -> Int64? {
    let words = words(text)
    return words.count == 1 ? number(words[0]) : nil
  }

  /// The number after `key` in a file with lines of a key and a number, such as cpu.stat.
  static func number(of key: String, in text: [UInt8]) -> Int64? {
    var rest = text[...]
    while !rest.isEmpty {
      let line = rest.prefix { $0 != UInt8(ascii: "\n") }
      rest = rest.dropFirst(line.count + 1)
      let word = line.prefix { $0 != UInt8(ascii: " ") }
      if word.elementsEqual(key.utf8) { return number(line.dropFirst(word.count + 1)) }
    }
    return nil
  }

  /// The sum of `key=NUMBER` over all lines of io.stat; nil if a number is none, or the sum is out of
  /// range.
  static func sum(of key: String, in text: [UInt8]) -> Int64? {
    let start = Array((key + "=").utf8)
    var sum: Int64 = 0
    for word in words(text) where word.starts(with: start) {
      guard let value = number(word.dropFirst(start.count)) else { return nil }
      let (next, overflow) = sum.addingReportingOverflow(value)
      if overflow { return nil }
      sum = next
    }
    return sum
  }

  /// Words between blanks and newlines.
  static func words(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
    text.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
    guard !digits.isEmpty, digits.count <= 19 else { return nil }
    var value: Int64 = 0
    for digit in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflows) = product.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
      if overflow || overflows { return nil }
      value = sum
    }
    return value
  }
}

/// What all processes of a group have used; nil for what the kernel does not count here.
struct GroupUse: Equatable {
  /// The most memory at one time, in bytes.
  var memoryPeak: Int64?
  /// How many processes were killed because memory ran out.
  var kills: Int64?
  /// The most processes and threads at one time, init included.
  var processesPeak: Int64?
  /// Processor time in microseconds.
  var user: Int64?, system: Int64?
  /// What was read from and written to storage, in bytes.
  var read: Int64?, written: Int64?

  /// Reads the files that `controllers` have put in the group `directory`; `times` is the text of
  /// cpu.stat, which each group has.
  init(of directory: CInt, _ controllers: GroupLimits.Controllers, times: [UInt8]) {
    user = GroupText.number(of: "user_usec", in: times)
    system = GroupText.number(of: "system_usec", in: times)
    if controllers.contains(.memory) {
      memoryPeak = GroupUse.text("memory.peak", directory).flatMap { GroupText.number($0) }
      kills = GroupUse.kills(in: directory, controllers)
    }
    if controllers.contains(.processes) {
      processesPeak = GroupUse.text("pids.peak", directory).flatMap { GroupText.number($0) }
    }
    if controllers.contains(.storage), let bytes = GroupUse.text("io.stat", directory) {
      read = GroupText.sum(of: "rbytes", in: bytes)
      written = GroupText.sum(of: "wbytes", in: bytes)
    }
  }

  /// How many processes were killed because memory ran out.
  static func kills(in directory: CInt, _ controllers: GroupLimits.Controllers) -> Int64? {
    guard controllers.contains(.memory) else { return nil }
    return text("memory.events", directory)
      .flatMap { GroupText.number(of: "oom_kill", in: $0) }
  }

  /// The processor time that the text of cpu.stat tells, in microseconds.
  static func time(in text: [UInt8]) -> Int64? { GroupText.number(of: "usage_usec", in: text) }

  private static func text(_ name: FilePath, _ directory: CInt) -> [UInt8]? {
    try? Descriptors.contents(of: name, in: directory, limit: GroupText.limit)
  }
}
