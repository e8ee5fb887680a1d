// SPDX-License-Identifier: Apache-2.0
// Sizes, times and limits as people type them.

internal import Linux
internal import Sandbox
internal import Text

/// A number with a unit.
enum Amount {
  /// The sizes of units, in bytes.
  private static let sizes: [(String, UInt64)] = [
    ("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30), ("T", 1 << 40),
  ]

  /// A number of bytes, which may end in K, M, G or T.
  static func bytes(_ text: String) -> UInt64? { read(text, sizes, one: 1) }

  /// A time in parts of a second, `perSecond` of them; a number without a unit is seconds.
  static func time(_ text: String, perSecond: UInt64) -> UInt64? {
    let units = [
      ("ms", perSecond / 1000), ("s", perSecond), ("m", perSecond * 60), ("h", perSecond * 3600),
    ]
    // A unit that is finer than the resource's own has no value there.
    return read(text, units.filter { $0.1 > 0 }, one: perSecond)
  }

  /// A number of things.
  static func count(_ text: String) -> UInt64? { read(text, [], one: 1) }

  /// A number of things, or parts of one, in thousandths.
  static func thousandths(_ text: String) -> UInt64? { read(text, [], one: 1000) }

  /// A decimal number with a unit; nil if it is none, or out of range.
  private static func read(_ text: String, _ units: [(String, UInt64)], one: UInt64) -> UInt64? {
    let unit = units.first { text.hasSuffix($0.0) }
    let digits = unit.map { String(text.dropLast($0.0.count)) } ?? text
    let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, isDigits(first), let whole = UInt64(first) else { return nil }
    let factor = unit?.1 ?? one
    let (product, overflow) = whole.multipliedReportingOverflow(by: factor)
    if overflow { return nil }
    guard parts.count == 2 else { return product }
    // A fraction only of a unit that has parts, to at most nine places.
    guard factor > 1, isDigits(parts[1]), parts[1].count <= 9, let part = UInt64(parts[1])
    else { return nil }
    let scale = (0..<parts[1].count).reduce(UInt64(1)) { scale, _ in scale * 10 }
    let (share, shareOverflow) = part.multipliedReportingOverflow(by: factor)
    let (sum, sumOverflow) = product.addingReportingOverflow(share / scale)
    return shareOverflow || sumOverflow ? nil : sum
  }

  private static func isDigits(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }
}

extension Occurrence {
  /// The word at `index` as a length of time, in milliseconds, at least one.
  func time(_ index: Int) throws(UsageError) -> Int64 {
    let text = text(index)
    guard let value = Amount.time(text.text, perSecond: 1000), value > 0,
      // A hundred years, so that no later sum overflows.
      value <= 1000 * 3600 * 24 * 36525
    else {
      throw UsageError(
        "expected a time such as 30, 500ms, 1.5s, 10m or 2h, found \(text.quoted)")
    }
    return Int64(value)
  }

  /// The word at `index` as a number of bytes.
  func size(_ index: Int, atLeast least: UInt64) throws(UsageError) -> UInt64 {
    let text = text(index)
    guard let value = Amount.bytes(text.text), (least...UInt64(Int64.max)).contains(value) else {
      throw UsageError("expected a size such as 64K, 10M or 2G, found \(text.quoted)")
    }
    return value
  }

  /// The word at `index` as a number of processors, in thousandths.
  func processors(_ index: Int) throws(UsageError) -> UInt32 {
    let text = text(index)
    guard let value = Amount.thousandths(text.text), (10...10_000_000).contains(value) else {
      throw UsageError("expected a number of processors, at least 0.01, found \(text.quoted)")
    }
    return UInt32(value)
  }

  /// The word at `index` as a number of processes.
  func processes(_ index: Int) throws(UsageError) -> UInt32 {
    let text = text(index)
    guard let value = Amount.count(text.text), (1...UInt64(Int32.max)).contains(value) else {
      throw UsageError("expected a number of processes, at least 1, found \(text.quoted)")
    }
    return UInt32(value)
  }

  /// The word at `index` as a limit: a name, =, and one or two values.
  func resource(_ index: Int) throws(UsageError) -> Limit {
    let text = text(index)
    let parts = text.text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw UsageError("expected NAME=VALUE, such as nofile=64, found \(text.quoted)")
    }
    let name = String(parts[0]).lowercased()
    guard let resource = Resource(named: name) else {
      let near = Suggestion.matches(for: name, among: Resource.all.map(\.name))
      throw UsageError(
        "\(ByteString(name).quoted) is not a resource of prlimit(1)" + Suggestion.question(near))
    }
    let values = parts[1].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let soft = try value(String(values[0]), of: resource)
    let hard = values.count == 2 ? try value(String(values[1]), of: resource) : soft
    guard soft <= hard else {
      throw UsageError("the first value of \(text.quoted) is above the second, the hard limit")
    }
    return .resource(resource, soft: soft, hard: hard)
  }

  private func value(_ text: String, of resource: Resource) throws(UsageError) -> UInt64 {
    if text == "unlimited" { return Resource.unlimited }
    let (value, form) =
      switch resource.unit {
      case .bytes: (Amount.bytes(text), "a size such as 64K, 10M or 2G")
      case .seconds: (Amount.time(text, perSecond: 1), "a time such as 10, 90s or 5m")
      case .microseconds: (Amount.time(text, perSecond: 1_000_000), "a time such as 500ms or 2s")
      case .count: (Amount.count(text), "a number")
      }
    guard let value, value < Resource.unlimited else {
      throw UsageError("expected \(form), or unlimited, found \(ByteString(text).quoted)")
    }
    return value
  }
}
