// SPDX-License-Identifier: Apache-2.0
// Splits a line of a policy into words.

internal import Linux
internal import Text

/// A word of a line.
struct Word: Equatable, Sendable {
  let text: String
  let position: Position

  /// The word as a message shows it.
  var description: String {
    text.isEmpty ? "the end of the line" : ByteString(text).quoted.inQuotes
  }
}

extension String {
  fileprivate var inQuotes: String { hasPrefix("$'") ? self : "\"\(self)\"" }
}

/// The words of one line, read from left to right.
struct Words {
  private var rest: ArraySlice<Word>
  /// Stands for a missing word at the end of the line.
  private let end: Word

  /// Splits a line at blanks and around the operators of conditions.
  ///
  /// Double quotes hold a word with blanks together; `#` begins a comment.
  init(_ line: some StringProtocol, _ file: String, _ number: Int) throws(PolicyError) {
    let scalars = Array(line.unicodeScalars)
    var words: [Word] = []
    var index = 0
    func word(_ range: Range<Int>, at start: Int) -> Word {
      var text = String.UnicodeScalarView()
      text.append(contentsOf: scalars[range])
      return Word(
        text: String(text), position: Position(file: file, line: number, column: start + 1))
    }
    while index < scalars.count, scalars[index] != "#" {
      let start = index
      if Words.isBlank(scalars[index]) {
        index += 1
      } else if scalars[index] == "\"" {
        guard let end = scalars[(start + 1)...].firstIndex(of: "\"") else {
          throw PolicyError(
            word(start..<start, at: start).position, "the closing double quote is missing")
        }
        words.append(word(start + 1..<end, at: start))
        index = end + 1
      } else {
        let isOperator = Words.operators.contains(scalars[index])
        while index < scalars.count, !Words.isBlank(scalars[index]), scalars[index] != "#",
          scalars[index] != "\"", Words.operators.contains(scalars[index]) == isOperator
        {
          index += 1
        }
        words.append(word(start..<index, at: start))
      }
    }
    rest = words[...]
    end = word(index..<index, at: index)
  }

  private static let operators: Set<Unicode.Scalar> = ["=", "!", "<", ">", "&", "|"]

  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
    scalar == " " || scalar == "\t" || scalar == "\r"
  }

  /// The words up to those that are left in `later`.
  func text(before later: Words) -> String {
    rest[..<later.rest.startIndex].map(\.text).joined(separator: " ")
  }

  var isEmpty: Bool { rest.isEmpty }

  /// The next word, or one without text behind the last.
  var next: Word { rest.first ?? end }

  /// Takes the next word.
  mutating func take() -> Word {
    let word = next
    rest = rest.dropFirst()
    return word
  }

  /// Takes the next word if it is `text`.
  mutating func take(_ text: String) -> Bool {
    guard next.text == text, !isEmpty else { return false }
    rest = rest.dropFirst()
    return true
  }
}
