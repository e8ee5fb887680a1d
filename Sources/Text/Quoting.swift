// SPDX-License-Identifier: Apache-2.0
// Quoting: strings for messages and for shells, and strings with escaped bytes.

extension ByteString {
  /// The string as one line of a message: printable text as it is, anything else in the shell's
  /// `$'…'` form, so that a name can neither end the line nor control a terminal.
  public var quoted: String {
    let isPlain = String(validating: bytes, as: UTF8.self)?.unicodeScalars.allSatisfy {
      !($0.properties.generalCategory == .control || $0.properties.generalCategory == .format
        || $0.properties.generalCategory == .lineSeparator
        || $0.properties.generalCategory == .paragraphSeparator)
    }
    if isPlain == true { return isEmpty ? "''" : text }
    var quoted = "$'"
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\n"): quoted += "\\n"
      case UInt8(ascii: "\t"): quoted += "\\t"
      case UInt8(ascii: "'"): quoted += "\\'"
      case UInt8(ascii: "\\"): quoted += "\\\\"
      case 0x20..<0x7f: quoted.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        quoted += byte < 16 ? "\\x0" : "\\x"
        quoted += String(byte, radix: 16)
      }
    }
    return quoted + "'"
  }
}

extension ByteString {
  /// As `quoted`; in single quotes where it would look like more than a name in a line that has
  /// arrows, colons and notes in parentheses around names, or where a shell would execute part of it.
  public var quotedInReport: String {
    let text = quoted
    guard text.utf8.elementsEqual(bytes) else { return text }
    let isAmbiguous =
      ["'", "\"", "$'", " "].contains { text.hasPrefix($0) } || bytes.last == UInt8(ascii: " ")
      || bytes.contains { "$`;&|<>\\".utf8.contains($0) }
      || bytes.contains(UInt8(ascii: " "))
        && ["  ", " -> ", ": ", " (", "/ with "].contains { text.includes($0) }
    return isAmbiguous ? String(decoding: shellWord, as: UTF8.self) : text
  }
}

// MARK: - Shells

extension ByteString {
  /// The string as a word for a POSIX shell, byte for byte: in single quotes, between which the
  /// shell interprets only the next single quote.
  public var shellWord: [UInt8] {
    if !isEmpty && bytes.allSatisfy(ByteString.isPlainInShells) { return Array(bytes) }
    var word = [UInt8(ascii: "'")]
    for byte in bytes {
      word += byte == UInt8(ascii: "'") ? Array(#"'\''"#.utf8) : [byte]
    }
    return word + [UInt8(ascii: "'")]
  }

  /// The string as a word of a command line that a person can read and type: printable text as
  /// `shellWord`, anything else in the form `$'…'`.
  public var quotedForShell: String {
    let text = quoted
    if text.hasPrefix("$'") { return text }
    return String(decoding: shellWord, as: UTF8.self)
  }

  private static func isPlainInShells(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-_/.,:+@%=".utf8.contains(byte)
    }
  }
}

// MARK: - Escapes

extension ByteString {
  /// Reads `text`, which may contain a byte as `marker` and its number.
  /// - Parameters:
  ///   - text: The bytes with escapes.
  ///   - marker: The byte that begins an escape.
  ///   - digits: The number of digits after it.
  ///   - radix: The base of the number.
  public init(
    unescaping text: ArraySlice<UInt8>, marker: Unicode.Scalar, digits: Int, radix: Int
  ) {
    let marker = UInt8(ascii: marker)
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      let number = rest.prefix(digits)
      // Not a sign, which the initialiser would take.
      if byte == marker, number.count == digits, number.first != UInt8(ascii: "+"),
        let value = UInt8(String(decoding: number, as: UTF8.self), radix: radix)
      {
        bytes.append(value)
        rest = rest.dropFirst(digits)
      } else {
        bytes.append(byte)
      }
    }
    self.init(bytes)
  }
}
