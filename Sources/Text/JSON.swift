// SPDX-License-Identifier: Apache-2.0
// JSON, for reports that programs read.

/// A value as RFC 8259 writes it.
public indirect enum JSON: Equatable, Sendable {
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
  public struct Member: Equatable, Sendable {
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

  /// A time in seconds.
  public static func milliseconds(_ value: Int64) -> JSON { .fraction(value, places: 3) }

  /// A time in seconds.
  public static func microseconds(_ value: Int64) -> JSON { .fraction(value, places: 6) }

  /// A value that may be missing.
  public static func optional(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }

  /// The value over several lines, with a newline at the end.
  public var text: String { written(indent: []) }

  /// The value in one line, with a newline at the end.
  public var line: String { written(indent: nil) }

  private func written(indent: [UInt8]?) -> String {
    // Bytes: the operations of strings touch many pages, which takes a launch time.
    var bytes: [UInt8] = []
    bytes.reserveCapacity(1024)
    write(to: &bytes, indent: indent)
    bytes.append(UInt8(ascii: "\n"))
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Writes the value: over several lines with `indent` before each, or in one without.
  private func write(to bytes: inout [UInt8], indent: [UInt8]?) {
    switch self {
    case .null: bytes += "null".utf8
    case .boolean(let value): bytes += (value ? "true" : "false").utf8
    case .number(let value): bytes += String(value).utf8
    case .unsigned(let value): bytes += String(value).utf8
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
    var digits = Array(String(value.magnitude).utf8)
    while digits.count <= places { digits.insert(UInt8(ascii: "0"), at: 0) }
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    bytes += digits[..<(digits.count - places)]
    bytes.append(UInt8(ascii: "."))
    bytes += digits[(digits.count - places)...]
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
