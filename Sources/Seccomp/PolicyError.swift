// SPDX-License-Identifier: Apache-2.0
// Mistakes in policies, and their places.

internal import Linux
internal import Text

/// A mistake in a policy: a sentence that begins with the place.
public struct PolicyError: Error, Equatable, Sendable {
  /// The sentence.
  public let message: String

  init(_ position: Position, _ message: String) {
    self.message = position.description + ": " + message
  }

  /// A mistake without a place.
  init(_ message: String) {
    self.message = message
  }

  /// `word` stands where something else was expected; one of `candidates` may be meant.
  static func expected(
    _ expected: String, _ word: Word, among candidates: [String] = []
  ) -> PolicyError {
    PolicyError(
      word.position,
      "expected \(expected), found \(word.description)"
        + suggestion(for: word.text, among: candidates))
  }

  static func suggestion(for text: String, among candidates: [String]) -> String {
    Suggestion.nearest(to: text, among: candidates).map { "; did you mean \($0)?" } ?? ""
  }
}

/// A place in a policy.
struct Position: Hashable, Sendable {
  /// The file, as it was named, or an option.
  let file: String
  /// The line, from 1 on; nil in an option.
  let line: Int?
  /// The character in the line, from 1 on.
  let column: Int

  var description: String {
    line.map { "\(file):\(String($0)):\(String(column))" } ?? file
  }
}
