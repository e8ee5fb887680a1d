// SPDX-License-Identifier: Apache-2.0
// Sizes, times and limits as people type them.

internal import Linux
internal import Sandbox
internal import Text

/// A number with a unit, read from the bytes that were typed: operations of strings, and a table of units,
/// touch pages that a launch does not need otherwise.
enum Amount {
  /// A number of bytes, which may end in K, M, G or T.
  static func bytes(_ text: ArraySlice<UInt8>) -> UInt64? {
    read(text, one: 1) { unit in
      guard unit.count == 1 else { return nil }
      switch unit[unit.startIndex] {
      case UInt8(ascii: "K"): return 1 << 10
      case UInt8(ascii: "M"): return 1 << 20
      case UInt8(ascii: "G"): return 1 << 30
      case UInt8(ascii: "T"): return 1 << 40
      default: return nil
      }
    }
  }

  /// A time in parts of a second, `perSecond` of them; a number without a unit is seconds.
  static func time(_ text: ArraySlice<UInt8>, perSecond: UInt64) -> UInt64? {
    read(text, one: perSecond) { unit in
      switch (unit.first, unit.count) {
      case (UInt8(ascii: "s"), 1): perSecond
      case (UInt8(ascii: "m"), 1): perSecond * 60
      case (UInt8(ascii: "h"), 1): perSecond * 3600
      // A unit that is finer than the resource's own has no value there.
      case (UInt8(ascii: "m"), 2) where unit.last == UInt8(ascii: "s") && perSecond >= 1000:
        perSecond / 1000
      default: nil
      }
    }
  }

  /// A number of things.
  static func count(_ text: ArraySlice<UInt8>) -> UInt64? { read(text, one: 1) { _ in nil } }

  /// A number of things, or parts of one, in thousandths.
  static func thousandths(_ text: ArraySlice<UInt8>) -> UInt64? {
    read(text, one: 1000) { _ in nil }
  }

  /// A decimal number with a unit; nil if it is none, or out of range.
  private static func read(
    _ text: ArraySlice<UInt8>, one: UInt64, _ factorOf: (ArraySlice<UInt8>) -> UInt64?
  ) -> UInt64? {
    var rest = text
    guard let (whole, _) = digits(&rest) else { return nil }
    var fraction: (value: UInt64, scale: UInt64)?
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      // At most nine places.
      guard let part = digits(&rest), part.scale <= 1_000_000_000 else { return nil }
      fraction = part
    }
    guard let factor = rest.isEmpty ? one : factorOf(rest) else { return nil }
    let (product, overflow) = whole.multipliedReportingOverflow(by: factor)
    if overflow { return nil }
    guard let fraction else { return product }
    // Only a unit that has parts can have a fraction.
    guard factor > 1 else { return nil }
    let (share, shareOverflow) = fraction.value.multipliedReportingOverflow(by: factor)
    let (sum, sumOverflow) = product.addingReportingOverflow(share / fraction.scale)
    return shareOverflow || sumOverflow ? nil : sum
  }

  /// Takes the digits at the beginning of `text`.
  /// - Returns: Their value, and 10 to the power of their number, which stays at the highest power
  ///   that has room; nil without digits, or if the value is out of range.
  private static func digits(
    _ text: inout ArraySlice<UInt8>
  ) -> (value: UInt64, scale: UInt64)? {
    var (value, scale): (UInt64, UInt64) = (0, 1)
    while let byte = text.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      text = text.dropFirst()
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflows) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
      if overflow || overflows { return nil }
      value = sum
      if scale < 10_000_000_000 { scale *= 10 }
    }
    return scale > 1 ? (value, scale) : nil
  }
}

extension Occurrence {
  /// The word at `index` as a length of time, in milliseconds, at least one.
  func time(_ index: Int) throws(UsageError) -> Int64 {
    let text = text(index)
    guard let value = Amount.time(text.bytes, perSecond: 1000), value > 0,
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
    guard let value = Amount.bytes(text.bytes), (least...UInt64(Int64.max)).contains(value) else {
      throw UsageError("expected a size such as 64K, 10M or 2G, found \(text.quoted)")
    }
    return value
  }

  /// The word at `index` as a number of processors, in thousandths.
  func processors(_ index: Int) throws(UsageError) -> UInt32 {
    let text = text(index)
    guard let value = Amount.thousandths(text.bytes), (10...10_000_000).contains(value) else {
      throw UsageError("expected a number of processors, at least 0.01, found \(text.quoted)")
    }
    return UInt32(value)
  }

  /// The word at `index` as a number of processes.
  func processes(_ index: Int) throws(UsageError) -> UInt32 {
    let text = text(index)
    guard let value = Amount.count(text.bytes), (1...UInt64(Int32.max)).contains(value) else {
      throw UsageError("expected a number of processes, at least 1, found \(text.quoted)")
    }
    return UInt32(value)
  }

  /// The word at `index` as a limit: a name, =, and one or two values.
  func resource(_ index: Int) throws(UsageError) -> Limit {
    let text = text(index)
    guard let (typedName, values) = text.bytes.halves(at: UInt8(ascii: "=")) else {
      throw UsageError("expected NAME=VALUE, such as nofile=64, found \(text.quoted)")
    }
    let name = String(
      decoding: typedName.map { $0 + ((0x41...0x5a).contains($0) ? 0x20 : 0) }, as: UTF8.self)
    guard let resource = Resource(named: name) else {
      let near = Suggestion.matches(for: name, among: Resource.all.map(\.name))
      throw UsageError(
        "\(ByteString(name).quoted) is not a resource of prlimit(1)" + Suggestion.question(near))
    }
    let both = values.halves(at: UInt8(ascii: ":"))
    let soft = try value(both?.first ?? values, of: resource)
    let hard =
      try both.map { (both) throws(UsageError) in try value(both.second, of: resource) } ?? soft
    guard soft <= hard else {
      throw UsageError("the first value of \(text.quoted) is above the second, the hard limit")
    }
    return .resource(resource, soft: soft, hard: hard)
  }

  private func value(
    _ text: ArraySlice<UInt8>, of resource: Resource
  ) throws(UsageError) -> UInt64 {
    if text.elementsEqual("unlimited".utf8) { return Resource.unlimited }
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

extension ArraySlice<UInt8> {
  /// What lies before and behind the first `mark`; nil without one.
  fileprivate func halves(at mark: UInt8) -> (first: Self, second: Self)? {
    guard let place = firstIndex(of: mark) else { return nil }
    return (self[..<place], self[(place + 1)...])
  }
}
