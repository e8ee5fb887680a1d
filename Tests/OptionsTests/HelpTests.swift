// SPDX-License-Identifier: Apache-2.0
// The page of --help, compared with the one that is checked in; UPDATE_GOLDENS=1 rewrites that.

import Foundation
import Testing

@testable import Options

@Suite("Help")
struct HelpTests {
  private static let golden = URL(filePath: #filePath)
    .deletingLastPathComponent().appending(path: "Golden/help.txt")

  // Red: the page changed; look at the difference, and rewrite the file if it was meant.
  @Test func `The page is the one that is checked in`() throws {
    let page = Help.page("nestbox")
    if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
      try page.write(to: HelpTests.golden, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: HelpTests.golden, encoding: .utf8) == page)
  }

  // Red: lines wrap on a terminal of usual width.
  @Test func `No line is wider than 100 columns`() {
    let lines = Help.page("nestbox").split(separator: "\n")
    #expect(lines.filter { $0.count > 100 } == [])
  }

  // Red: an option that nobody can learn of.
  @Test("Every option is listed once, with its operands", arguments: Option.all.map(\.name))
  func listed(_ name: String) throws {
    let option = try #require(Option.all.first { $0.name == name })
    let words = "  " + ([name] + option.operands.map(\.name)).joined(separator: " ")
    let lines = Help.page("nestbox").split(separator: "\n")
      .filter { $0 == words || $0.hasPrefix(words + "  ") }
    #expect(lines.count == 1)
  }
}
