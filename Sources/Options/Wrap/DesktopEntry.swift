// SPDX-License-Identifier: Apache-2.0
// Menu entries, by the Desktop Entry Specification.

internal import Linux
public import Sandbox
public import Text

/// A `.desktop` file.
public struct DesktopEntry: Sendable {
  private let lines: [ArraySlice<UInt8>]

  /// An entry with this text.
  public init(_ text: [UInt8]) {
    lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
  }

  /// Whether a line of `text` says that --wrap has written it.
  public static func isOurs(_ text: [UInt8]) -> Bool {
    text.prefix(200).split(separator: UInt8(ascii: "\n"))
      .contains { $0.starts(with: WrapperScript.mark.utf8) }
  }

  /// Whether the entry starts a program that `isProgram` accepts.
  public func starts(_ isProgram: (ByteString) -> Bool) -> Bool {
    fields.contains { field in
      field.group == DesktopEntry.main && field.key == "Exec"
        && (try? ExecLine(field.value))?.program(isProgram) != nil
    }
  }

  /// Whether menus and file managers pass on files that a person opens.
  ///
  /// See the Desktop Entry Specification, "The Exec key".
  public var takesFiles: Bool {
    fields.contains { field in
      field.group == DesktopEntry.main && field.key == "Exec"
        && DesktopEntry.takesFiles(ByteString(field.value).bytes)
    }
  }

  // By bytes: a search for a string in a string links Swift's regular expressions, 1.2 MB.
  private static func takesFiles(_ line: ArraySlice<UInt8>) -> Bool {
    zip(line, line.dropFirst()).contains { $0 == UInt8(ascii: "%") && "fFuU".utf8.contains($1) }
  }

  /// An entry that starts the wrapper in place of the program.
  public struct Replacement: Sendable {
    /// The entry's text.
    public let text: [UInt8]
    /// The actions left out, because they start something else.
    public let leftOut: [ByteString]
  }

  /// The entry with `wrapper` in place of the program, in every line that starts it.
  ///
  /// An action that starts anything else is left out, because that would run without a sandbox.
  /// D-Bus no longer activates the entry, because that would bypass the wrapper. Everything else
  /// stays.
  public func replacing(
    _ isProgram: (ByteString) -> Bool, with wrapper: ByteString
  ) throws(UsageError) -> Replacement {
    let path = try DesktopEntry.checked(wrapper)
    var lines = self.lines
    var removed: Set<Int> = []
    var leftOut: [ByteString] = []
    var hasExec = false
    for field in fields {
      switch field.key {
      case "Exec":
        if let word = try ExecLine(field.value).program(isProgram) {
          lines[field.line].replaceSubrange(word.range, with: ExecLine.quoted(path))
          if field.group == DesktopEntry.main { hasExec = true }
        } else if field.group == DesktopEntry.main {
          throw UsageError("it starts something else: Exec=\(ByteString(field.value).quoted)")
        } else {
          removed.formUnion(indices(ofGroup: field.group))
          leftOut.append(ByteString(field.group))
        }
      case "TryExec":
        if isProgram(ExecLine.unescaped(field.value)) {
          lines[field.line].replaceSubrange(
            field.value.startIndex..<field.value.endIndex, with: ExecLine.escaped(path))
        }
      case "DBusActivatable" where field.group == DesktopEntry.main: removed.insert(field.line)
      default: break
      }
    }
    guard hasExec else { throw UsageError("the entry does not start it") }
    for field in fields where field.key == "Actions" && !leftOut.isEmpty {
      lines[field.line] = field.withoutActions(leftOut)
    }
    let mark = Array("\(WrapperScript.mark), which replaces it when it is run again.".utf8)
    let kept = lines.indices.filter { !removed.contains($0) }.map { lines[$0] }
    return Replacement(
      text: Array(([mark[...]] + kept).joined(separator: [UInt8(ascii: "\n")])),
      leftOut: leftOut.reduce(into: []) { if !$0.contains($1) { $0.append($1) } })
  }

  /// The path, if an entry can name it.
  private static func checked(_ path: ByteString) throws(UsageError) -> ByteString {
    guard String(validating: path.bytes, as: UTF8.self) != nil,
      !path.bytes.contains(UInt8(ascii: "="))
    else {
      throw UsageError(
        "a menu entry cannot name \(path.quoted), which has an equals sign or is not UTF-8")
    }
    return path
  }

  // MARK: - Fields

  private static let main = "Desktop Entry"
  private static let action = "Desktop Action "

  private struct Field {
    let group: String
    /// The number of the line, and the line.
    let line: Int
    let text: ArraySlice<UInt8>
    let key: String
    /// A part of the line, with its indices.
    let value: ArraySlice<UInt8>

    /// The line, which lists actions, without the named ones.
    func withoutActions(_ groups: [ByteString]) -> ArraySlice<UInt8> {
      let names = groups.map { $0.bytes.dropFirst(DesktopEntry.action.utf8.count) }
      let kept = value.split(separator: UInt8(ascii: ";")).filter { name in
        !names.contains { $0.elementsEqual(ExecLine.trimmed(name)) }
      }
      return text[..<value.startIndex] + kept.flatMap { $0 + [UInt8(ascii: ";")] }
    }
  }

  /// The fields of all groups, in order.
  ///
  /// Groups outside the specification may start programs too, such as Unity's shortcuts. A suffix
  /// in brackets, a language or a flag of KDE's, does not change which key it is.
  private var fields: [Field] {
    var fields: [Field] = []
    for (index, (group, line)) in zip(groupNames, lines).enumerated() {
      guard let group, ExecLine.trimmed(line).first != UInt8(ascii: "#"),
        let equals = line.firstIndex(of: UInt8(ascii: "="))
      else { continue }
      let key = line[..<equals].prefix { $0 != UInt8(ascii: "[") }
      fields.append(
        Field(
          group: group, line: index, text: line,
          key: String(decoding: ExecLine.trimmed(key), as: UTF8.self),
          value: ExecLine.trimmed(line[(equals + 1)...])))
    }
    return fields
  }

  /// The group that each line belongs to, its header included; nil for the lines before the first.
  private var groupNames: [String?] {
    var group: String?
    return lines.map { line in
      let line = ExecLine.trimmed(line)
      if line.first == UInt8(ascii: "["), let end = line.firstIndex(of: UInt8(ascii: "]")) {
        group = String(decoding: line[line.startIndex + 1..<end], as: UTF8.self)
      }
      return group
    }
  }

  private func indices(ofGroup group: String) -> [Int] {
    groupNames.indices.filter { groupNames[$0] == group }
  }
}

/// The value of `Exec`: an escaped string of words, which may be quoted.
struct ExecLine {
  /// A word and the part of the value that encodes it.
  struct Word {
    let text: ByteString
    let range: Range<Int>
  }

  private(set) var words: [Word] = []

  init(_ value: ArraySlice<UInt8>) throws(UsageError) {
    var bytes = ExecLine.characters(value)[...]
    while true {
      bytes = bytes.drop { ExecLine.isBlank($0.byte) }
      guard let first = bytes.first else { return }
      var end = first.range.upperBound
      var text: [UInt8] = []
      var quote: UInt8?
      while let (byte, range) = bytes.first, quote != nil || !ExecLine.isBlank(byte) {
        bytes = bytes.dropFirst()
        end = range.upperBound
        if byte == quote {
          quote = nil
        } else if quote == nil && (byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")) {
          quote = byte
        } else if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "'"),
          let next = bytes.popFirst()
        {
          text.append(next.byte)
          end = next.range.upperBound
        } else {
          text.append(byte)
        }
      }
      guard quote == nil else {
        throw UsageError("the closing quotation mark is missing: Exec=\(ByteString(value).quoted)")
      }
      words.append(
        Word(text: ExecLine.literal(text), range: first.range.lowerBound..<end))
    }
  }

  /// The word that names the program, if the entry starts only that.
  ///
  /// Only env(1) may stand before it, with variables: any other program would run outside.
  func program(_ isProgram: (ByteString) -> Bool) -> Word? {
    guard let first = words.first else { return nil }
    if isProgram(first.text) { return first }
    guard first.text == "env" || first.text == "/usr/bin/env" || first.text == "/bin/env" else {
      return nil
    }
    let next = words.dropFirst().first { word in
      !(word.text.bytes.contains(UInt8(ascii: "=")) && word.text.bytes.first != UInt8(ascii: "-"))
    }
    return next.flatMap { isProgram($0.text) ? $0 : nil }
  }

  /// Two percent signs mean one; a percent sign and a letter, a field code, stays.
  private static func literal(_ word: [UInt8]) -> ByteString {
    var text: [UInt8] = []
    var rest = word[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.first == byte { rest = rest.dropFirst() }
      text.append(byte)
    }
    return ByteString(text)
  }

  // MARK: - Escapes of strings

  private static let escapes: [(letter: UInt8, byte: UInt8)] = [
    (UInt8(ascii: "s"), UInt8(ascii: " ")), (UInt8(ascii: "n"), UInt8(ascii: "\n")),
    (UInt8(ascii: "t"), UInt8(ascii: "\t")), (UInt8(ascii: "r"), UInt8(ascii: "\r")),
    (UInt8(ascii: "\\"), UInt8(ascii: "\\")),
  ]

  /// The bytes that a string encodes, each with the part that encodes it.
  private static func characters(
    _ value: ArraySlice<UInt8>
  ) -> [(byte: UInt8, range: Range<Int>)] {
    var characters: [(byte: UInt8, range: Range<Int>)] = []
    var index = value.startIndex
    while index < value.endIndex {
      let next = index + 1
      if value[index] == UInt8(ascii: "\\"), next < value.endIndex,
        let escape = escapes.first(where: { $0.letter == value[next] })
      {
        characters.append((escape.byte, index..<next + 1))
        index = next + 1
      } else {
        characters.append((value[index], index..<next))
        index = next
      }
    }
    return characters
  }

  /// The text that a string encodes.
  static func unescaped(_ value: ArraySlice<UInt8>) -> ByteString {
    ByteString(characters(value).map(\.byte))
  }

  /// `text`, escaped as a string.
  static func escaped(_ text: ByteString) -> [UInt8] {
    text.bytes.flatMap { byte in
      // Only a space at either end needs an escape, and no path has one there.
      guard byte != UInt8(ascii: " "), let escape = escapes.first(where: { $0.byte == byte }) else {
        return [byte]
      }
      return [UInt8(ascii: "\\"), escape.letter]
    }
  }

  /// `word` as a word of an Exec value, quoted if necessary.
  static func quoted(_ word: ByteString) -> [UInt8] {
    let reserved = Array(" \t\n\r\"'\\><~|&;$*?#()`".utf8)
    let isQuoted = word.bytes.contains { reserved.contains($0) }
    var text: [UInt8] = []
    for byte in word.bytes {
      if isQuoted && "\"`$\\".utf8.contains(byte) { text.append(UInt8(ascii: "\\")) }
      if byte == UInt8(ascii: "%") { text.append(byte) }
      text.append(byte)
    }
    let quote = isQuoted ? [UInt8(ascii: "\"")] : []
    return escaped(ByteString(quote + text + quote))
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
      || byte == UInt8(ascii: "\r")
  }

  /// The part of `text` between the blanks at its ends.
  static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let start = text.drop(while: isBlank)
    let end = start.lastIndex { !isBlank($0) } ?? start.startIndex - 1
    return start[..<(end + 1)]
  }
}
