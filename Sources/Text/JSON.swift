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
    let name: String
    let value: JSON

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
  public var text: String {
    var text = ""
    write(to: &text, indent: "")
    return text + "\n"
  }

  /// The value in one line, with a newline at the end.
  public var line: String {
    var text = ""
    write(to: &text, indent: nil)
    return text + "\n"
  }

  /// Writes the value: over several lines with `indent` before each, or in one without.
  private func write(to text: inout String, indent: String?) {
    switch self {
    case .null: text += "null"
    case .boolean(let value): text += value ? "true" : "false"
    case .number(let value): text += String(value)
    case .unsigned(let value): text += String(value)
    case .fraction(let value, let places): text += JSON.decimal(value, places)
    case .string(let value): JSON.quote(value, to: &text)
    case .array(let values):
      JSON.list(values, "[", "]", to: &text, indent) { value, text, indent in
        value.write(to: &text, indent: indent)
      }
    case .object(let members):
      JSON.list(members, "{", "}", to: &text, indent) { member, text, indent in
        JSON.quote(member.name, to: &text)
        text += ": "
        member.value.write(to: &text, indent: indent)
      }
    }
  }

  private static func list<Element>(
    _ elements: [Element], _ start: String, _ end: String, to text: inout String,
    _ indent: String?, _ write: (Element, inout String, String?) -> Void
  ) {
    text += start
    for (index, element) in elements.enumerated() {
      if let indent {
        text += (index == 0 ? "\n" : ",\n") + indent + "  "
      } else if index > 0 {
        text += ", "
      }
      write(element, &text, indent.map { $0 + "  " })
    }
    if let indent, !elements.isEmpty { text += "\n" + indent }
    text += end
  }

  private static func decimal(_ value: Int64, _ places: Int) -> String {
    let digits = String(value.magnitude)
    let padded = String(repeating: "0", count: max(places + 1 - digits.count, 0)) + digits
    return (value < 0 ? "-" : "") + padded.dropLast(places) + "." + padded.suffix(places)
  }

  private static func quote(_ value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\u{0}"..<" ", "\u{7f}"..<"\u{a0}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
