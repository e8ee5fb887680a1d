// SPDX-License-Identifier: Apache-2.0
// A command line that both programs are given.

import Foundation
import TestSupport
import Testing

/// A line of shell for `compare.sh`: `bwrap` in it is the program that is tried, `observe` the
/// command that looks around.
struct Line: Sendable, CustomTestStringConvertible, ExpressibleByStringLiteral {
  /// The whole line.
  let text: String

  /// Takes options, among which redirections may stand, or a whole line with `bwrap` in it.
  init(_ text: String) {
    self.text = text.contains("bwrap ") ? text : "bwrap \(text) observe"
  }

  init(stringLiteral text: String) { self.init(text) }

  var testDescription: String { text }

  /// The options that occur in it.
  var options: Set<String> {
    Set(text.split(separator: " ").map(String.init).filter { $0.hasPrefix("--") && $0 != "--" })
  }

  /// Whether each of `words` occurs in it.
  func has(_ words: String...) -> Bool {
    let all = text.split { $0.isWhitespace || $0 == ")" }
    return words.allSatisfy { word in all.contains { $0 == word } }
  }
}
