// SPDX-License-Identifier: Apache-2.0
// The bubblewraps that nestbox is compared with.

import Foundation
import TestSupport
import Testing

/// A bubblewrap of this machine.
struct Reference: Sendable, CustomTestStringConvertible {
  /// Where it lies.
  let path: String
  /// Its version, as `X.Y.Z`.
  let version: String
  /// The options that its help lists.
  let options: Set<String>

  var testDescription: String { "bubblewrap \(version)" }

  /// The bubblewrap at `path`; nil if it does not run.
  private init?(at path: String) {
    func answer(_ option: String) -> String {
      (try? Session().run("'\(path)' \(option)"))?.output ?? ""
    }
    let version = answer("--version").split(separator: " ")
    guard version.first == "bubblewrap", let number = version.last else { return nil }
    self.path = path
    self.version = String(number)
    options = Reference.documented(in: answer("--help"))
  }

  /// The one that is installed.
  static let installed = Reference(at: "/usr/bin/bwrap")
  /// A newer one: the variable NEWEST_BWRAP names it, and Probe/newest.sh unpacks one.
  static let newest = ProcessInfo.processInfo.environment["NEWEST_BWRAP"].flatMap {
    Reference(at: $0)
  }
  /// Both, as far as they are there and differ.
  static let all = [installed, newest?.version == installed?.version ? nil : newest]
    .compactMap { $0 }

  /// The options that a page of help has lines for.
  static func documented(in help: String) -> Set<String> {
    let words = help.split(separator: "\n").compactMap { $0.split(separator: " ").first }
    return Set(words.map(String.init).filter { $0.hasPrefix("--") })
  }

  /// Whether it is at least of this version.
  func isAtLeast(_ other: String) -> Bool {
    version.compare(other, options: .numeric) != .orderedAscending
  }
}

extension Trait where Self == ConditionTrait {
  /// The test compares with a bubblewrap.
  static var needsReference: Self {
    .enabled(if: !Reference.all.isEmpty, "needs bubblewrap, as /usr/bin/bwrap or NEWEST_BWRAP")
  }

  /// The test compares with a bubblewrap that has overlays.
  static var needsNewestReference: Self {
    .enabled(
      if: Reference.newest?.isAtLeast("0.11.0") == true,
      "needs bubblewrap 0.11 or later, which NEWEST_BWRAP names (Probe/newest.sh unpacks one)")
  }
}
