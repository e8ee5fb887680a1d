// SPDX-License-Identifier: Apache-2.0
// JSON, for reports that programs read.

/// A value as RFC 8259 writes it.
///
/// Not indirect: lists of values lie apart anyway, and a box for each number would have to be freed.
public enum JSON: Sendable {
  /// No value.
  case null
  /// True or false.
  case boolean(Bool)
  /// A whole number.
  case number(Int64)
  /// A whole number that is not negative.
  case unsigned(UInt64)
  /// A whole number of thousandths or millionths, written as a decimal fraction.
  case fraction(Int64, places: Int)
  /// A text.
  case string(String)
  /// Values in order.
  case array([JSON])
  /// Named values in order.
  case object([Member])

  /// A named value of an object.
  public struct Member: Sendable {
    /// The name.
    public let name: String
    /// The value.
    public let value: JSON

    /// Names a value.
    public init(_ name: String, _ value: JSON) {
      self.name = name
      self.value = value
    }
  }

  /// Bytes as text, with a replacement character for bytes that are not UTF-8.
  public static func bytes(_ bytes: ByteString) -> JSON { .string(bytes.text) }

  /// Bytes as text; where they are not UTF-8, also all of them as hexadecimal digits, in a second member
  /// whose name ends with `-hex`.
  public static func exact(_ name: String, _ bytes: ByteString) -> [Member] {
    let member = Member(name, .bytes(bytes))
    if bytes.text.utf8.elementsEqual(bytes.bytes) { return [member] }
    var digits = ""
    for byte in bytes.bytes { digits += (byte < 16 ? "0" : "") + String(byte, radix: 16) }
    return [member, Member(name + "-hex", .string(digits))]
  }

  /// A time in seconds.
  public static func milliseconds(_ value: Int64) -> JSON { .fraction(value, places: 3) }

  /// A time in seconds.
  public static func microseconds(_ value: Int64) -> JSON { .fraction(value, places: 6) }

  /// A value that may be missing.
  public static func optional(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }

  /// The line of an object, which has members and no newline at its end, with another member.
  public static func adding(_ member: Member, to line: String) -> String {
    line.dropLast() + ", " + JSON.object([member]).line.dropFirst().dropLast()
  }

  /// The value over several lines, with a newline at the end.
  public var text: String { String(decoding: bytes(indent: []), as: UTF8.self) }

  /// The value in one line, with a newline at the end.
  public var line: String { String(decoding: lineBytes, as: UTF8.self) }

  /// The same as bytes: the operations of strings touch many pages, which takes a launch time.
  public var lineBytes: [UInt8] { bytes(indent: nil) }

  private func bytes(indent: [UInt8]?) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(1024)
    write(to: &bytes, indent: indent)
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }

  /// Writes the value: over several lines with `indent` before each, or in one without.
  private func write(to bytes: inout [UInt8], indent: [UInt8]?) {
    switch self {
    case .null: bytes += "null".utf8
    case .boolean(let value): bytes += (value ? "true" : "false").utf8
    case .number(let value): JSON.writeDecimal(value, 0, to: &bytes)
    case .unsigned(let value): JSON.write(value, 1, to: &bytes)
    case .fraction(let value, let places): JSON.writeDecimal(value, places, to: &bytes)
    case .string(let value): JSON.quote(value, to: &bytes)
    case .array(let values):
      bytes.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        JSON.begin(index, to: &bytes, indent)
        value.write(to: &bytes, indent: JSON.deeper(indent))
      }
      JSON.end(UInt8(ascii: "]"), isEmpty: values.isEmpty, to: &bytes, indent)
    case .object(let members):
      bytes.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        JSON.begin(index, to: &bytes, indent)
        JSON.quote(member.name, to: &bytes)
        bytes += ": ".utf8
        member.value.write(to: &bytes, indent: JSON.deeper(indent))
      }
      JSON.end(UInt8(ascii: "}"), isEmpty: members.isEmpty, to: &bytes, indent)
    }
  }

  private static func deeper(_ indent: [UInt8]?) -> [UInt8]? {
    indent.map { $0 + [UInt8(ascii: " "), UInt8(ascii: " ")] }
  }

  /// Writes what stands before the value of this index in a list.
  private static func begin(_ index: Int, to bytes: inout [UInt8], _ indent: [UInt8]?) {
    if index > 0 { bytes.append(UInt8(ascii: ",")) }
    if let indent {
      bytes.append(UInt8(ascii: "\n"))
      bytes += indent
      bytes += "  ".utf8
    } else if index > 0 {
      bytes.append(UInt8(ascii: " "))
    }
  }

  private static func end(
    _ mark: UInt8, isEmpty: Bool, to bytes: inout [UInt8], _ indent: [UInt8]?
  ) {
    if let indent, !isEmpty {
      bytes.append(UInt8(ascii: "\n"))
      bytes += indent
    }
    bytes.append(mark)
  }

  private static func writeDecimal(_ value: Int64, _ places: Int, to bytes: inout [UInt8]) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    write(value.magnitude, places + 1, to: &bytes)
    if places > 0 { bytes.insert(UInt8(ascii: "."), at: bytes.count - places) }
  }

  /// Writes a number with at least `least` digits.
  private static func write(_ value: UInt64, _ least: Int, to bytes: inout [UInt8]) {
    if value > 9 || least > 1 { write(value / 10, least - 1, to: &bytes) }
    bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
  }

  private static func quote(_ value: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    var previous: UInt8 = 0
    for byte in value.utf8 {
      defer { previous = byte }
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case UInt8(ascii: "\n"): bytes += "\\n".utf8
      case UInt8(ascii: "\t"): bytes += "\\t".utf8
      case 0..<0x20, 0x7f: escape(byte, to: &bytes)
      // The other control characters: U+0080 to U+009F are two bytes, of which the first is this.
      case 0x80..<0xa0 where previous == 0xc2:
        bytes.removeLast()
        escape(byte, to: &bytes)
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Writes a character below U+0100 by its number.
  private static func escape(_ number: UInt8, to bytes: inout [UInt8]) {
    let digits = Array(String(number, radix: 16).utf8)
    bytes += "\\u00".utf8
    if digits.count < 2 { bytes.append(UInt8(ascii: "0")) }
    bytes += digits
  }
}
