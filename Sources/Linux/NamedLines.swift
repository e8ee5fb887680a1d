// SPDX-License-Identifier: Apache-2.0
// Files of /proc with a name and a value in each line, read as bytes: strings would cost an entry into
// a sandbox more than all its system calls.

/// Lines of the form `NAME:VALUE`.
///
/// See proc_pid_status(5) and proc_pid_fdinfo(5).
public struct NamedLines {
  private let text: [UInt8]

  /// The lines of `text`.
  public init(_ text: [UInt8]) { self.text = text }

  /// What the line `name` says; empty if there is no such line.
  public func value(_ name: String) -> ArraySlice<UInt8> {
    let count = name.utf8.count
    var start = text.startIndex
    while start < text.endIndex {
      let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex
      let line = text[start..<end]
      start = end + 1
      guard line.count > count, line[line.startIndex + count] == UInt8(ascii: ":"),
        line.prefix(count).elementsEqual(name.utf8)
      else { continue }
      return line.dropFirst(count + 1)
    }
    return []
  }

  /// The number in the line `name`; 0 if there is no such line, or no number in it.
  public func number(_ name: String) -> Int {
    var number = 0
    for byte in value(name) where !NamedLines.isBlank(byte) {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), number < Int.max / 16 else {
        break
      }
      number = number * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return number
  }

  /// Whether `byte` separates words of a value.
  public static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }
}
