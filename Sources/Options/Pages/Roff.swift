// SPDX-License-Identifier: Apache-2.0
// Texts as man(1) shows them: the macros of man(7), which groff and mandoc both know.

/// A manual page.
struct Roff {
  private(set) var text: String
  /// Whether the next paragraph needs no space above it.
  private var isAtTop = false

  /// Begins the page `name` of a section of the manual.
  init(_ name: String, section: Int, summary: String) {
    text = """
      .\\" SPDX-License-Identifier: Apache-2.0
      .\\" Written by nestbox --generate; change the text there.
      .TH \(name.uppercased()) \(section) \(Release.date) "nestbox \(Release.version)"
      .ad l
      .SH NAME
      \(name) \\- \(summary)

      """
  }

  /// Begins a section.
  mutating func section(_ title: String) {
    text += ".SH \(Roff.argument(title))\n"
    isAtTop = true
  }

  /// Begins a part of a section.
  mutating func part(_ title: String) {
    text += ".SS \(Roff.argument(title))\n"
    isAtTop = true
  }

  /// Appends the description of `option`.
  mutating func append(_ option: Option) {
    let prose = option.prose
    text += ".TP\n" + Roff.line(prose.spans(option.synopsis)) + "\n"
    isAtTop = true
    append(prose.blocks.prefix(1), of: prose)
    // The paragraphs after the first keep its indentation.
    guard prose.blocks.count > 1 else { return }
    text += ".RS\n"
    append(prose.blocks.dropFirst(), of: prose)
    text += ".RE\n"
  }

  /// Appends `prose`.
  mutating func append(_ prose: Prose) {
    append(prose.blocks[...], of: prose)
  }

  private mutating func append(_ blocks: ArraySlice<Prose.Block>, of prose: Prose) {
    for block in blocks {
      switch block {
      case .heading(1, let title): section(title)
      case .heading(_, let title): part(title)
      case .paragraph(let paragraph):
        if !isAtTop { text += ".PP\n" }
        fill(prose.spans(paragraph))
      case .item(let term, let rest):
        if term.isEmpty {
          text += ".IP \\(bu 3\n"
        } else {
          text += ".TP\n" + Roff.line(prose.spans(term)) + "\n"
        }
        fill(prose.spans(rest))
      case .example(let lines):
        text += ".PP\n.RS 4\n.EX\n"
        for line in lines { text += Roff.guarded(Roff.escaped(line, isLiteral: true)) + "\n" }
        text += ".EE\n.RE\n"
      }
      isAtTop = false
    }
  }

  // MARK: - Lines

  /// Appends a paragraph; each sentence starts a new line.
  private mutating func fill(_ spans: [Prose.Span]) {
    var line = ""
    for word in Roff.words(spans) {
      if !line.isEmpty, line.count + 1 + word.count > 76 {
        text += Roff.guarded(line) + "\n"
        line = ""
      }
      line += line.isEmpty ? word : " " + word
      if word.hasSuffix(".") || word.hasSuffix(".)") {
        text += Roff.guarded(line) + "\n"
        line = ""
      }
    }
    if !line.isEmpty { text += Roff.guarded(line) + "\n" }
  }

  /// The words of a paragraph with their fonts.
  private static func words(_ spans: [Prose.Span]) -> [String] {
    var words: [String] = []
    var isJoined = false
    for span in spans {
      for (index, part) in span.text.split(separator: " ", omittingEmptySubsequences: false)
        .enumerated()
      {
        if index > 0 { isJoined = false }
        guard !part.isEmpty else { continue }
        let word = set(Prose.Span(text: String(part), style: span.style))
        if isJoined, let last = words.popLast() {
          words.append(last + word)
        } else {
          words.append(word)
        }
        isJoined = true
      }
    }
    return words
  }

  /// The pieces of a line with their fonts.
  private static func line(_ spans: [Prose.Span]) -> String {
    guarded(spans.map(set).joined())
  }

  private static func set(_ span: Prose.Span) -> String {
    switch span.style {
    case .plain: escaped(span.text, isLiteral: false)
    case .literal: "\\fB" + escaped(span.text, isLiteral: true) + "\\fR"
    case .operand: "\\fI" + escaped(span.text, isLiteral: true) + "\\fR"
    }
  }

  /// Text with everything special to roff escaped; literal text can be copied.
  private static func escaped(_ text: String, isLiteral: Bool) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\e"
      case "-" where isLiteral: escaped += "\\-"
      case "'" where isLiteral: escaped += "\\(aq"
      case "`": escaped += "\\(ga"
      case "^": escaped += "\\(ha"
      case "~": escaped += "\\(ti"
      case "\u{80}"...:
        let digits = String(scalar.value, radix: 16, uppercase: true)
        escaped += "\\[u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "]"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  /// A line that roff does not mistake for a request.
  private static func guarded(_ line: String) -> String {
    line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" + line : line
  }

  private static func argument(_ text: String) -> String {
    let text = escaped(text, isLiteral: false)
    return text.contains(" ") ? "\"\(text)\"" : text
  }
}
