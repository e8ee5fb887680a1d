// SPDX-License-Identifier: Apache-2.0
// The notation of the texts in the tables and of the manual pages.

/// A text in paragraphs, as help and manual show it.
///
/// Paragraphs are separated by empty lines. One that begins with `# ` or `## ` is a heading, one
/// that begins with `* ` an item of a list, with its term before ` -- `, and lines indented by
/// four spaces are shown as they are. Options, operands and references to manual pages are
/// recognised; anything else that is typed literally stands between backquotes.
struct Prose {
  let blocks: [Block]
  /// The names of operands in it.
  let operands: [String]

  /// A paragraph.
  enum Block: Equatable {
    case heading(level: Int, String)
    case paragraph(String)
    case item(term: String, String)
    case example([String])
  }

  init(_ text: String, operands: [String] = []) {
    self.operands = operands
    var blocks: [Block] = []
    var lines: [Substring] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let isEmpty = line.allSatisfy { $0 == " " }
      // Items need no empty line before them, and headings none behind them.
      if isEmpty || line.hasPrefix("* ") || lines.last?.hasPrefix("#") == true {
        Prose.end(&lines, &blocks)
      }
      if !isEmpty { lines.append(line) }
    }
    Prose.end(&lines, &blocks)
    self.blocks = blocks
  }

  private static func end(_ lines: inout [Substring], _ blocks: inout [Block]) {
    guard let first = lines.first else { return }
    let text = lines.map { $0.drop { $0 == " " } }.joined(separator: " ")
    if first.hasPrefix("    ") {
      let example = lines.map { String($0.dropFirst(4)) }
      // Empty lines in an example separate its parts.
      if case .example(let before) = blocks.last {
        blocks[blocks.count - 1] = .example(before + [""] + example)
      } else {
        blocks.append(.example(example))
      }
    } else if first.hasPrefix("#") {
      let level = first.prefix { $0 == "#" }.count
      blocks.append(.heading(level: level, String(text.dropFirst(level + 1))))
    } else if first.hasPrefix("* ") {
      let (term, rest) = parts(text.dropFirst(2), at: " -- ")
      blocks.append(.item(term: term, rest))
    } else {
      blocks.append(.paragraph(text))
    }
    lines = []
  }

  /// The parts before and after `separator`.
  private static func parts(_ text: Substring, at separator: String) -> (String, String) {
    var end = text.startIndex
    while end < text.endIndex {
      if text[end...].hasPrefix(separator) {
        return (String(text[..<end]), String(text[end...].dropFirst(separator.count)))
      }
      end = text.index(after: end)
    }
    return ("", String(text))
  }
}

// MARK: - Words

extension Prose {
  /// A piece of a paragraph in one style.
  struct Span: Equatable {
    var text: String
    let style: Style

    /// How it is set.
    enum Style { case plain, literal, operand }
  }

  /// The paragraph `text` in pieces; put together they are the text without its backquotes.
  func spans(_ text: String) -> [Span] {
    var spans: [Span] = []
    for (index, part) in text.split(separator: "`", omittingEmptySubsequences: false).enumerated() {
      if index % 2 == 1 {
        spans.append(Span(text: String(part), style: .literal))
        continue
      }
      for (index, word) in part.split(separator: " ", omittingEmptySubsequences: false).enumerated()
      {
        let space = index == 0 ? "" : " "
        if !space.isEmpty { spans.append(Span(text: space, style: .plain)) }
        spans += pieces(of: word)
      }
    }
    return spans.filter { !$0.text.isEmpty }
  }

  /// A word with the punctuation around it.
  private func pieces(of word: Substring) -> [Span] {
    let front = word.prefix { "([\"".contains($0) }
    let rest = word.dropFirst(front.count)
    let core = rest.prefix { $0.isLetter || $0.isNumber || "-_$/.".contains($0) }
    let end = core.reversed().prefix { $0 == "." }.count
    let name = core.dropLast(end)
    guard let style = style(of: name, before: rest.dropFirst(name.count)) else {
      return [Span(text: String(word), style: .plain)]
    }
    return [
      Span(text: String(front), style: .plain), Span(text: String(name), style: style),
      Span(text: String(rest.dropFirst(name.count)), style: .plain),
    ]
  }

  private func style(of name: Substring, before rest: Substring) -> Span.Style? {
    if name.hasPrefix("--"), name.count > 2 { return .literal }
    if operands.contains(String(name)) { return .operand }
    // A page of the manual, as execve(2).
    let section = rest.prefix(3)
    if !name.isEmpty, section.first == "(", section.last == ")",
      section.dropFirst().first?.isNumber == true
    {
      return .literal
    }
    return nil
  }
}

extension Option {
  /// The option and its operands, as they are typed.
  public var synopsis: String {
    var words = [name] + operands.map(\.name)
    if traits.contains(.lastIsOptional), let last = words.popLast() { words.append("[\(last)]") }
    return words.joined(separator: " ")
  }

  /// Its whole text: summary, details, and what follows from its traits.
  var prose: Prose {
    var text = summary + ".\n\n" + discussion
    for operand in operands { text += "\n\n" + operand.kind.glossary }
    if traits.contains(.lastWins) {
      text += "\n\nIf the option is repeated, the last one counts, with a warning."
    }
    return Prose(text, operands: operands.map(\.name))
  }
}

extension Operand.Kind {
  /// The meanings of its words as items of a list, if only a few fixed words are allowed.
  fileprivate var glossary: String {
    switch self {
    case .generated:
      Generated.allCases.map { "* `\($0.rawValue)` -- \($0.summary)\n" }.joined()
    default: ""
    }
  }
}
