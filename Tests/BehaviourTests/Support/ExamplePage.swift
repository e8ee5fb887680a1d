// SPDX-License-Identifier: Apache-2.0
// Pages of examples that are tests: Markdown with console blocks, read into commands and what each
// is expected to print.

import Foundation
import TestSupport
import Testing

/// One section of a page: commands that are typed one after the other into one shell, those that
/// the page has before its first section first.
struct Case: Sendable, CustomTestStringConvertible {
  /// The page, from the directory of pages on.
  let page: String
  /// The section's heading.
  let heading: String
  /// What is typed.
  var steps: [Step] = []
  /// Whether it hides the libraries that an executable of another build needs.
  var needsStaticExecutable = false

  var testDescription: String { "\(page): \(heading)" }
}

/// A command and what it is expected to do.
struct Step: Sendable {
  /// The line of the page.
  let line: Int
  /// What is typed.
  var command: String
  /// The lines that are expected, standard error among them.
  var output: [String] = []
  /// The expected exit status.
  var status: Int32 = 0
}

extension Case {
  /// The directory of pages.
  static let directory = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Cases")

  /// The sections of every page.
  static func all() throws -> [Case] {
    let pages = try FileManager.default.subpathsOfDirectory(atPath: directory.path)
      .filter { $0.hasSuffix(".md") }.sorted()
    return try pages.flatMap { page in
      let text = try String(contentsOf: directory.appending(path: page), encoding: .utf8)
      return try read(text, of: page)
    }
  }

  /// Reads the sections of a page.
  static func read(_ text: String, of page: String) throws -> [Case] {
    var reader = Reader(page: page)
    for (index, line) in text.components(separatedBy: "\n").enumerated() {
      try reader.take(line, at: index + 1)
    }
    guard !reader.isInBlock else { throw Failure("\(page): the last block has no end") }
    guard !reader.cases.isEmpty || reader.preamble.isEmpty else {
      throw Failure("\(page): it has no sections")
    }
    for section in reader.cases where section.steps.count == reader.preamble.count {
      throw Failure("\(page): the section “\(section.heading)” runs nothing")
    }
    return reader.cases
  }

  /// The sections of `text` with these headings; the others need not be examples.
  static func parts(of text: String, named headings: [String], page: String) throws -> [Case] {
    var number = 0
    var isWanted = false
    // With empty lines in the place of the others, so that lines keep their numbers.
    let lines = text.components(separatedBy: "\n").map { line in
      number += 1
      if line.hasPrefix("## ") { isWanted = headings.contains(String(line.dropFirst(3))) }
      return isWanted ? line : ""
    }
    return try read(lines.joined(separator: "\n"), of: page)
  }

  /// The script for a shell, with a mark after each step.
  var script: String {
    var script = ""
    for step in steps { script += step.command + "\nprintf '\\n\\036%d\\n' \"$?\"\n" }
    return script
  }

  /// What each step printed and its status, taken from what the whole script printed.
  func results(_ output: String, _ status: Int32) -> [(step: Step, text: String, status: Int32)] {
    var rest = output[...]
    return steps.map { step in
      // A command that ends the shell leaves no mark; its status is the shell's.
      let mark = rest.range(of: "\u{1E}")
      var text = rest[..<(mark?.lowerBound ?? rest.endIndex)]
      rest = mark.map { rest[$0.upperBound...] } ?? ""
      let number = rest.prefix { $0 != "\n" }
      rest = rest.dropFirst(number.count + 1)
      while text.hasSuffix("\n") { text.removeLast() }
      return (step, String(text), Int32(number) ?? status)
    }
  }

  private struct Reader {
    let page: String
    /// What every section needs, shell functions for instance.
    var preamble: [Step] = []
    var cases: [Case] = []
    var isInBlock = false

    mutating func take(_ line: String, at number: Int) throws {
      if isInBlock {
        try takeInBlock(line, at: number)
      } else if line == "```console" {
        isInBlock = true
      } else if line.hasPrefix("## ") {
        cases.append(Case(page: page, heading: String(line.dropFirst(3)), steps: preamble))
      } else if line.hasPrefix("This needs the static executable"), !cases.isEmpty {
        cases[cases.count - 1].needsStaticExecutable = true
      }
    }

    private mutating func takeInBlock(_ line: String, at number: Int) throws {
      if line == "```" {
        isInBlock = false
      } else if cases.isEmpty {
        try Reader.add(line, at: number, to: &preamble, of: page)
      } else {
        try Reader.add(line, at: number, to: &cases[cases.count - 1].steps, of: page)
      }
    }

    private static func add(
      _ line: String, at number: Int, to steps: inout [Step], of page: String
    ) throws {
      let last = steps.count - 1
      if line.hasPrefix("$ ") {
        steps.append(Step(line: number, command: String(line.dropFirst(2))))
      } else if steps.isEmpty {
        throw Failure("\(page):\(number): output before the first command")
      } else if line.hasPrefix("> "), steps[last].output.isEmpty {
        steps[last].command += "\n" + line.dropFirst(2)
      } else if line.hasPrefix("? "), let status = Int32(line.dropFirst(2)) {
        steps[last].status = status
      } else {
        steps[last].output.append(line)
      }
    }
  }
}

/// Comparing output with what a page shows.
enum Transcript {
  /// Whether `lines` are what `pattern` describes: a line `...` stands for any lines, none
  /// included, and `[..]` in a line for any text.
  static func matches(_ lines: ArraySlice<String>, _ pattern: ArraySlice<String>) -> Bool {
    guard let first = pattern.first else { return lines.isEmpty }
    if first == "..." {
      return (0...lines.count).contains { matches(lines.dropFirst($0), pattern.dropFirst()) }
    }
    guard let line = lines.first, matches(line, first) else { return false }
    return matches(lines.dropFirst(), pattern.dropFirst())
  }

  private static func matches(_ line: String, _ pattern: String) -> Bool {
    let parts = pattern.components(separatedBy: "[..]")
    guard parts.count > 1 else { return line == pattern }
    guard line.hasPrefix(parts[0]) else { return false }
    var rest = line.dropFirst(parts[0].count)
    for part in parts[1..<(parts.count - 1)] where !part.isEmpty {
      guard let range = rest.range(of: part) else { return false }
      rest = rest[range.upperBound...]
    }
    return rest.hasSuffix(parts[parts.count - 1])
  }
}
