// SPDX-License-Identifier: Apache-2.0
// Strings as people and shells read them, and strings in which bytes stand escaped.

extension ByteString {
  /// The string as one line of a message: as it is where it is printable text, and otherwise in
  /// the shell's `$'…'` form, so that a name can neither end the line nor drive a terminal.
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

// MARK: - Shells

extension ByteString {
  /// The string as a word of a POSIX shell's, byte for byte: between single quotes, where only the
  /// next single quote has a meaning.
  public var shellWord: [UInt8] {
    if !isEmpty && bytes.allSatisfy(ByteString.isPlainInShells) { return Array(bytes) }
    var word = [UInt8(ascii: "'")]
    for byte in bytes {
      word += byte == UInt8(ascii: "'") ? Array(#"'\''"#.utf8) : [byte]
    }
    return word + [UInt8(ascii: "'")]
  }

  /// The string as a word of a command line that a person can read and type: as `shellWord` where
  /// it is printable text, and otherwise in the form `$'…'`.
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
  /// Reads `text`, in which a byte may stand as `marker` and its number.
  /// - Parameters:
  ///   - text: The bytes with escapes.
  ///   - marker: The byte that begins an escape.
  ///   - digits: How many digits follow it.
  ///   - radix: What the digits count in.
  public init(
    unescaping text: ArraySlice<UInt8>, marker: Unicode.Scalar, digits: Int, radix: Int
  ) {
    let marker = UInt8(ascii: marker)
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      let number = rest.prefix(digits)
      if byte == marker, number.count == digits,
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
