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

/// The program that nestbox is compared with.
enum Reference {
  /// Where it is installed.
  static let path = "/usr/bin/bwrap"

  /// Whether it is installed.
  static let isInstalled = FileManager.default.isExecutableFile(atPath: path)

  /// What it prints for `option`.
  private static func answer(_ option: String) -> String {
    guard isInstalled, let session = try? Session() else { return "" }
    return (try? session.run("\(path) \(option)"))?.output ?? ""
  }

  /// The version, as `X.Y.Z`.
  static let version = answer("--version").split(separator: " ").last.map(String.init) ?? ""

  /// The options that it knows.
  static let options = documented(in: answer("--help"))

  /// The options that a page of help has lines for.
  static func documented(in help: String) -> Set<String> {
    let words = help.split(separator: "\n").compactMap { $0.split(separator: " ").first }
    return Set(words.map(String.init).filter { $0.hasPrefix("--") })
  }
}

extension Trait where Self == ConditionTrait {
  /// The test compares with bubblewrap.
  static var needsReference: Self {
    .enabled(if: Reference.isInstalled, "needs bubblewrap as \(Reference.path)")
  }
}
