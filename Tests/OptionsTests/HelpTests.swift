// SPDX-License-Identifier: Apache-2.0
// The page of --help, compared with the one that is checked in; UPDATE_GOLDENS=1 rewrites that.

import Foundation
import Testing

@testable import Linux
@testable import Options
import Text

@Suite("Help")
struct HelpTests {
  private static let golden = URL(filePath: #filePath)
    .deletingLastPathComponent().appending(path: "Golden/help.txt")

  // Red: the page changed; look at the difference, and rewrite the file if it was meant.
  @Test func `The page equals the file in Golden`() throws {
    let page = Help.page("nestbox")
    if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
      try page.write(to: HelpTests.golden, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: HelpTests.golden, encoding: .utf8) == page)
  }

  // Red: the manual does not say what happens if the kernel or a container lacks a call.
  @Test("The manual tells what happens without a call", arguments: SystemCalls.numbers.map(\.name))
  func refused(_ name: String) throws {
    let call = try #require(SystemCalls.numbers.first { $0.name == name })
    guard call.since >= (3, 0) else { return }
    let chapter = try #require(Manual.chapters.first { $0.title == "REFUSED CALLS" })
    let text = chapter.text.split { $0.isWhitespace }.joined(separator: " ")
    let release = "\(call.since.0).\(call.since.1)"
    #expect(text.contains("`\(name)`, Linux \(release)"), "\(text)")
  }

  // Red: lines wrap on a terminal of usual width.
  @Test func `No line of the page is wider than 80 columns`() {
    let lines = Help.page("nestbox").split(separator: "\n")
    #expect(lines.filter { $0.count > 80 } == [])
  }

  // Red: after `nestbox` alone, a person has to scroll or to search for a line to type.
  @Test func `The first screen is 24 lines of 80 columns`() {
    let lines = FirstSteps.page("nestbox").split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count <= 24 && lines.allSatisfy { $0.count <= 80 })
    for (task, line) in FirstSteps.all {
      #expect(lines.contains("  \(task):") && lines.contains("      \(line)"))
    }
  }

  // Red: the beginning of a section has scrolled away when its end is read.
  @Test("A section's part of the page fits a screen", arguments: Section.allCases)
  func screen(_ section: Section) {
    #expect(Help.overview(section).split(separator: "\n").count <= 23, "split the section")
  }

  // Red: --help does not show an option.
  @Test("Every option is listed once, with its operands", arguments: Option.all.map(\.name))
  func listed(_ name: String) throws {
    let option = try #require(Option.all.first { $0.name == name })
    let words = "  " + option.synopsis
    let lines = Help.page("nestbox").split(separator: "\n")
      .filter { $0 == words || $0.hasPrefix(words + "  ") }
    #expect(lines.count == 1)
  }

  // Red: `--help OPTION` tells less than the table knows, or tells it of another option.
  @Test("Help on an option has its whole text", arguments: Option.all.map(\.name))
  func option(_ name: String) throws {
    let option = try #require(Option.all.first { $0.name == name })
    for word in [name, String(name.dropFirst(2)), name.uppercased()] {
      guard case .option(let found)? = Topic(ByteString(word)) else {
        // Without its dashes a word may be a section or a profile first.
        #expect(
          !word.hasPrefix("-")
            && (Section.allCases.contains { $0.topic == word }
              || ["network", "x11"].contains(word))
        )
        continue
      }
      #expect(found.name == name)
    }
    let page = Help.page(on: .option(option))
    #expect(page.hasPrefix(option.synopsis + "\n    "))
    let words = page.split { $0 == " " || $0 == "\n" }
    for word in option.summary.split(separator: " ") {
      #expect(words.contains { $0.hasPrefix(word) })
    }
    for word in option.discussion.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
      #expect(words.contains(word.filter { $0 != "`" }[...]), "\(word)")
    }
    #expect(page.hasSuffix("See also --help \(option.section.topic).\n"))
  }

  // Red: a section cannot be asked for as it is written.
  @Test("Help on a section has all of its options", arguments: Section.allCases)
  func section(_ section: Section) throws {
    for word in [section.topic, section.rawValue, section.rawValue.uppercased()] {
      guard case .section(section)? = Topic(ByteString(word)) else {
        Issue.record("\(word) is not found")
        return
      }
    }
    let lines = Help.page(on: .section(section)).components(separatedBy: "\n")
    #expect(lines.first == section.rawValue)
    let synopses = Option.all.filter { $0.section == section }.map(\.synopsis)
    #expect(lines.filter { $0.hasPrefix("--") } == synopses)
  }

  // Red: examples are set like sentences, or prose like examples.
  @Test func `The notation of texts is understood`() {
    let prose = Prose(
      """
      # HEAD
      ## Below
      A `b -- c` of --ro-bind, DEST and execve(2).
      Still (--dev).

          one  two
            three

          four
      * `5` -- five
      * six

      end
      """, operands: ["DEST"])
    #expect(
      prose.blocks == [
        .heading(level: 1, "HEAD"), .heading(level: 2, "Below"),
        .paragraph("A `b -- c` of --ro-bind, DEST and execve(2). Still (--dev)."),
        .example(["one  two", "  three", "", "four"]), .item(term: "`5`", "five"),
        .item(term: "", "six"), .paragraph("end"),
      ])
    #expect(
      prose.spans("a (`b -- c`), --dev. DEST, execve(2)").filter { $0.style != .plain } == [
        .init(text: "b -- c", style: .literal), .init(text: "--dev", style: .literal),
        .init(text: "DEST", style: .operand), .init(text: "execve", style: .literal),
      ])
    #expect(prose.spans("a (`b`), --dev.").map(\.text).joined() == "a (b), --dev.")
  }
}
