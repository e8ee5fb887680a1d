// SPDX-License-Identifier: Apache-2.0
// The words of a line of a profile.

internal import Linux
internal import Sandbox
internal import Text

/// Reads the words of one line: separated by blanks, with double quotes around blanks that belong to
/// a word, with variables, and with a comment from a word that begins with `#` on.
struct LineReader {
  /// The line without its end.
  private let bytes: ArraySlice<UInt8>
  private var index: Int
  /// The values of variables; nil leaves variables out.
  private let variables: ProfileVariables?
  /// How deep it is inside fallbacks of variables.
  private var depth = 0
  private static let maximumDepth = 32
  /// The column of a mistake, counted in bytes from 1.
  private(set) var mistakeColumn = 0

  /// The words as they are written.
  private(set) var written: [ArraySlice<UInt8>] = []
  /// The variables whose values they have.
  private(set) var used: [ByteString] = []

  init(_ line: ArraySlice<UInt8>, _ variables: ProfileVariables?) {
    bytes = line
    index = line.startIndex
    self.variables = variables
  }

  private var current: UInt8? { index < bytes.endIndex ? bytes[index] : nil }

  /// The next word; nil at the end.
  mutating func next() throws(UsageError) -> ByteString? {
    while let byte = current, LineReader.isBlank(byte) { index += 1 }
    guard let first = current, first != UInt8(ascii: "#") else { return nil }
    let start = index
    var word: [UInt8] = []
    word.reserveCapacity(bytes.endIndex - start)
    while let byte = current, !LineReader.isBlank(byte) {
      switch byte {
      case UInt8(ascii: "\""): try readQuoted(into: &word)
      case UInt8(ascii: "$") where startsVariable: try readVariable(into: &word, isWanted: true)
      default: takeByte(into: &word)
      }
    }
    written.append(bytes[start..<index])
    guard !word.contains(0) else { throw mistake("NUL bytes are not allowed", at: start) }
    return ByteString(word)
  }

  private mutating func takeByte(into word: inout [UInt8]) {
    word.append(bytes[index])
    index += 1
  }

  /// Reads from one double quote to the next.
  private mutating func readQuoted(into word: inout [UInt8]) throws(UsageError) {
    let start = index
    index += 1
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return
      case UInt8(ascii: "\\"): word.append(try readEscape())
      case UInt8(ascii: "$") where startsVariable: try readVariable(into: &word, isWanted: true)
      default: takeByte(into: &word)
      }
    }
    throw mistake("the closing double quote is missing", at: start)
  }

  /// Reads a backslash and the character after it.
  private mutating func readEscape() throws(UsageError) -> UInt8 {
    let start = index
    index += 1
    guard let byte = current else {
      throw mistake("expected a character after the backslash", at: start)
    }
    index += 1
    switch byte {
    case UInt8(ascii: "n"): return UInt8(ascii: "\n")
    case UInt8(ascii: "t"): return UInt8(ascii: "\t")
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "$"), UInt8(ascii: "}"): return byte
    default:
      throw mistake(
        #"in double quotes a backslash must precede " \ $ } n or t; double it"#, at: start)
    }
  }

  // MARK: - Variables

  private var startsVariable: Bool {
    index + 1 < bytes.endIndex && bytes[index + 1] == UInt8(ascii: "{")
  }

  /// Reads `${NAME}` or `${NAME:-FALLBACK}`; checks only the form of a variable that is not wanted.
  private mutating func readVariable(
    into word: inout [UInt8], isWanted: Bool
  ) throws(UsageError) {
    let start = index
    index += 2
    let nameStart = index
    while let byte = current, LineReader.isName(byte) { index += 1 }
    let name = ByteString(bytes[nameStart..<index])
    guard !name.isEmpty, !LineReader.isDigit(bytes[nameStart]) else {
      throw mistake("expected the name of a variable after ${", at: start)
    }
    let hasFallback = current == UInt8(ascii: ":")
    let value = isWanted ? try self.value(of: name, at: start, isNeeded: !hasFallback) : nil
    if current == UInt8(ascii: "}") {
      index += 1
      if isWanted, variables != nil {
        guard let value else { throw unset(name, at: start) }
        used.append(name)
        word += value.bytes
      }
      return
    }
    guard hasFallback, index + 1 < bytes.endIndex, bytes[index + 1] == UInt8(ascii: "-")
    else { throw mistake("expected } or :- after \(name.text)", at: start) }
    index += 2
    // As in a shell, an empty value counts as none here.
    let usesFallback = value?.isEmpty ?? true
    try readFallback(into: &word, isWanted: isWanted && usesFallback, from: start)
    if let value, !usesFallback {
      used.append(name)
      word += value.bytes
    }
  }

  /// Reads what stands between `:-` and `}`.
  private mutating func readFallback(
    into word: inout [UInt8], isWanted: Bool, from start: Int
  ) throws(UsageError) {
    depth += 1
    defer { depth -= 1 }
    guard depth <= LineReader.maximumDepth else {
      throw mistake("variables are nested too deeply", at: start)
    }
    var fallback: [UInt8] = []
    while let byte = current {
      switch byte {
      case UInt8(ascii: "}"):
        index += 1
        if isWanted { word += fallback }
        return
      case UInt8(ascii: "\\"): fallback.append(try readEscape())
      case UInt8(ascii: "$") where startsVariable:
        try readVariable(into: &fallback, isWanted: isWanted)
      default: takeByte(into: &fallback)
      }
    }
    throw mistake("the } of ${ is missing", at: start)
  }

  /// The value of a variable; if a fallback follows, an unavailable one counts as unset.
  private mutating func value(
    of name: ByteString, at start: Int, isNeeded: Bool
  ) throws(UsageError) -> ByteString? {
    guard let variables else { return nil }
    do throws(UsageError) {
      return try variables.value(of: name)
    } catch {
      if !isNeeded { return nil }
      throw mistake("${\(name.text)}: \(error.message)", at: start)
    }
  }

  private mutating func unset(_ name: ByteString, at start: Int) -> UsageError {
    if ProfileVariable(rawValue: name.text)?.needsDirectory == true {
      return mistake(
        "${\(name.text)} has no value: the working directory was removed or cannot be searched",
        at: start)
    }
    let hint = variables.flatMap { $0.nearest(to: name) }.map { "; did you mean ${\($0)}?" }
    return mistake(
      "${\(name.text)} is not set" + (hint ?? "; give a fallback: ${\(name.text):-fallback}"),
      at: start)
  }

  private mutating func mistake(_ message: String, at place: Int) -> UsageError {
    mistakeColumn = place - bytes.startIndex + 1
    return UsageError(message)
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func isName(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte == UInt8(ascii: "_")
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }
}
