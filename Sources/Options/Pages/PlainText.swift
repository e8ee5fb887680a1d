// SPDX-License-Identifier: Apache-2.0
// Texts as a terminal shows them.

/// Text set for a terminal of 80 columns.
struct PlainText {
  private(set) var text = ""
  /// The columns to the left of everything.
  var indent = 0

  static let width = 80

  /// Appends a line as it is.
  mutating func line(_ line: String) {
    text += line.isEmpty ? "\n" : String(repeating: " ", count: indent) + line + "\n"
  }

  /// Appends `prose`, an empty line between its paragraphs.
  mutating func append(_ prose: Prose) {
    for (index, block) in prose.blocks.enumerated() {
      if index > 0 { line("") }
      switch block {
      case .heading(_, let title): line(title)
      case .paragraph(let text): fill(prose.words(text))
      case .item(let term, let text):
        if !term.isEmpty { fill(prose.words(term)) }
        indent += 4
        fill(prose.words(text))
        indent -= 4
      case .example(let lines):
        indent += 4
        for example in lines { line(example) }
        indent -= 4
      }
    }
  }

  /// Appends the words of a text, as many in a line as fit.
  mutating func fill(_ text: String) {
    fill(text.split(separator: " ").map(String.init))
  }

  /// Appends words, as many in a line as fit.
  mutating func fill(_ words: [String]) {
    for filled in PlainText.lines(words, width: PlainText.width - indent) { line(filled) }
  }

  /// Words in lines of at most `width` columns; only a longer word exceeds that.
  static func lines(_ words: [String], width: Int) -> [String] {
    var lines: [String] = []
    for word in words {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(word)
      }
    }
    return lines
  }
}

extension Prose {
  /// The words of the paragraph `text`, without its notation.
  fileprivate func words(_ text: String) -> [String] {
    spans(text).map(\.text).joined().split(separator: " ").map(String.init)
  }
}
