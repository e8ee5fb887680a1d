// SPDX-License-Identifier: Apache-2.0
// The option table as such: what help, manual and completions rely on.

import Foundation
import Linux
import Testing

@testable import Options
import Text

@Suite("Option table")
struct TableTests {
  // Red: the parser could only ever find one of the two.
  @Test func `No two options have the same name`() {
    #expect(Set(Option.all.map(\.name)).count == Option.all.count)
  }

  // Red: a name that nobody can type, or that a completion splits.
  @Test("A name is two dashes and lower-case words", arguments: Option.all.map(\.name))
  func spelling(_ name: String) {
    #expect(name.wholeMatch(of: /--[a-z0-9]+(-[a-z0-9]+)*/) != nil)
  }

  // Red: an option that --help lists without saying what it is for.
  @Test("A summary is one line without a full stop", arguments: Option.all.map(\.name))
  func summary(_ name: String) throws {
    let summary = try option(name).summary
    #expect(!summary.isEmpty && !summary.contains("\n") && !summary.hasSuffix("."))
    #expect(summary.first?.isUppercase == true)
    #expect(summary.utf8.count <= 70, "--help is 80 columns wide")
  }

  // Red: a paragraph of the manual that ends in the middle of a sentence.
  @Test("A discussion is made of sentences", arguments: Option.all.map(\.name))
  func discussion(_ name: String) throws {
    let blocks = Prose(try option(name).discussion).blocks
    #expect(!blocks.isEmpty, "there is always something that a summary leaves out")
    for block in blocks {
      switch block {
      case .paragraph(let text), .item(_, let text): #expect(text.hasSuffix("."), "\(text)")
      case .example, .heading: break
      }
    }
  }

  // Red: help shows a word that cannot be told from an option or from text.
  @Test("Operands are named in capitals", arguments: Option.all.map(\.name))
  func operands(_ name: String) throws {
    for operand in try option(name).operands {
      #expect(operand.name.wholeMatch(of: /[A-Z][A-Z0-9]*/) != nil)
    }
  }

  // Red: a heading of --help with nothing below it.
  @Test("Every section has an option", arguments: Section.allCases)
  func section(_ section: Section) {
    #expect(Option.all.contains { $0.section == section })
  }

  // Red: an option that exists cannot be found.
  @Test("Every option is found by its name", arguments: Option.all.map(\.name))
  func lookup(_ name: String) {
    #expect(Option.named(.init(name))?.name == name)
    #expect(Option.named(.init(name + "-")) == nil)
  }

  // Red: an option gets another name, and a message or a remedy still tells people the old one.
  @Test func `Every option that the sources write in a text exists`() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources").standardizedFileURL
    let files = try #require(
      FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
    )
    let known = Set(Option.all.map(\.name)).union(TableTests.optionsOfOthers)
    var count = 0
    for case let file as URL in files where file.pathExtension == "swift" {
      // Options of interpreters and of programs that start others.
      if file.lastPathComponent == "CommandWords.swift" { continue }
      let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      for line in lines where !line.drop(while: { $0 == " " }).hasPrefix("//") {
        for match in line.matches(of: /(?:^|[^a-z0-9-])(--[a-z][a-z0-9-]*[a-z0-9])/) {
          count += 1
          let name = String(match.1)
          let exists = known.contains(name)
          #expect(exists, "\(file.lastPathComponent): \(name)")
        }
      }
    }
    #expect(count > 500)
  }

  /// What the sources type for other programs: git, diff, notify-send, kdialog, zenity, xdg-dbus-proxy,
  /// mount, systemd-run, docker, and ls in a profile.
  private static let optionsOfOthers: Set = [
    "--abort", "--app-name", "--color", "--continue", "--directory", "--error", "--fd", "--filter",
    "--grep", "--icon", "--in-place", "--log", "--make-private", "--no-color", "--no-dereference",
    "--no-ext-diff", "--no-index", "--no-markup", "--no-pager", "--no-prefix", "--no-textconv",
    "--passivepopup", "--scope", "--security-opt", "--text", "--title", "--user",
  ]

  private func option(_ name: String) throws -> Option {
    try #require(Option.all.first { $0.name == name })
  }
}
