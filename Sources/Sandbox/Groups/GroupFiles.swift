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

  /// A file with one number; nil for `max` and for anything else.
  static func number(_ text: [UInt8]) -> Int64? {
    let words = words(text)
    return words.count == 1 ? number(words[0]) : nil
  }

  /// The number after `key` in a file with lines of a key and a number, such as cpu.stat.
  static func number(of key: String, in text: [UInt8]) -> Int64? {
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let words = line.split(separator: UInt8(ascii: " "))
      guard words.count == 2, words[0].elementsEqual(key.utf8) else { continue }
      return number(words[1])
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

  /// Reads the files of the group `directory`.
  init(of directory: CInt) {
    func text(_ name: FilePath) -> [UInt8]? {
      try? Descriptors.contents(of: name, in: directory, limit: GroupText.limit)
    }
    memoryPeak = text("memory.peak").flatMap { GroupText.number($0) }
    kills = text("memory.events").flatMap { GroupText.number(of: "oom_kill", in: $0) }
    processesPeak = text("pids.peak").flatMap { GroupText.number($0) }
    if let times = text("cpu.stat") {
      user = GroupText.number(of: "user_usec", in: times)
      system = GroupText.number(of: "system_usec", in: times)
    }
    if let bytes = text("io.stat") {
      read = GroupText.sum(of: "rbytes", in: bytes)
      written = GroupText.sum(of: "wbytes", in: bytes)
    }
  }
}
