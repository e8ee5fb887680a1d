// SPDX-License-Identifier: Apache-2.0
// Runs the pages under Cases: every section is a test.

import Foundation
import TestSupport
import Testing

@Suite("Examples")
struct CaseTests {
  // Red: the program does not do what the page promises, or the page is out of date.
  @Test(
    "An example does what its page shows",
    arguments: try Case.all().filter { Program.isStatic || !$0.needsStaticExecutable })
  func example(_ example: Case) throws {
    let session = try Session()
    let outcome = try session.run(example.script, isMerged: true)
    for (step, text, status) in example.results(outcome.output, outcome.status) {
      check(step, text, status, example)
    }
  }

  /// Whether a line names the cause of an error, its remedy or a hint.
  private static func isAdvice(_ line: String) -> Bool {
    line.contains(#/^(<3>)?(nestbox|bwrap): (cause|remedy|hint): /#)
  }

  private func check(_ step: Step, _ text: String, _ status: Int32, _ example: Case) {
    var lines = text.isEmpty ? [] : text.components(separatedBy: "\n")
    // Other tests cover the lines after an error, so pages on other subjects need not repeat them.
    if !step.output.contains(where: CaseTests.isAdvice) {
      lines.removeAll(where: CaseTests.isAdvice)
    }
    let place = SourceLocation(
      fileID: "BehaviourTests/Cases/\(example.page)",
      filePath: Case.directory.appending(path: example.page).path, line: step.line, column: 1)
    #expect(
      Transcript.matches(lines[...], step.output[...]),
      "$ \(step.command)\n\(text)\n— expected —\n\(step.output.joined(separator: "\n"))",
      sourceLocation: place)
    #expect(status == step.status, "$ \(step.command)\n\(text)", sourceLocation: place)
  }

  // Red: a wrong page would pass, and with it a wrong program.
  @Test(
    "Output that differs from a page's is noticed",
    arguments: [
      (["a"], ["b"], false), (["a"], [], false), ([], ["a"], false), (["a", "b"], ["a"], false),
      (["a", "b", "c"], ["a", "...", "c"], true), (["a", "c"], ["a", "...", "c"], true),
      (["a", "b"], ["...", "c"], false), (["x 12 y"], ["x [..] y"], true),
      (["x 12 z"], ["x [..] y"], false), (["12 34"], ["[..]2[..]4"], true), ([], ["..."], true),
    ] as [([String], [String], Bool)])
  func comparison(_ lines: [String], _ pattern: [String], _ isMatch: Bool) {
    #expect(Transcript.matches(lines[...], pattern[...]) == isMatch)
  }

  // Red: a mistake in a page would switch off its tests without a word.
  @Test(
    "A page that tests nothing is refused",
    arguments: [
      "## a\n", "```console\n$ true\n```\n", "## a\n```console\noutput\n```\n",
      "## a\n```console\n$ true\n", "```console\n$ true\n```\n## a\n",
      "```console\noutput\n```\n## a\n```console\n$ true\n```\n",
    ])
  func emptyPage(_ text: String) {
    #expect(throws: Failure.self) { try Case.read(text, of: "page") }
  }

  // Red: commands of a page are cut short, or output is taken for commands.
  @Test func `Commands, statuses and output of a page are told apart`() throws {
    let text = "# t\n## a\n```console\n$ one\n> two\nout\n? 3\n$ three\n```\n"
    let section = try #require(try Case.read(text, of: "page").first)
    #expect(section.steps.map(\.command) == ["one\ntwo", "three"])
    #expect(section.steps.map(\.status) == [3, 0])
    #expect(section.steps.map(\.output) == [["out"], []])
  }

  // Red: what a page does once for all its sections is done for the first of them alone.
  @Test func `What stands before the first section is typed in each of them`() throws {
    let text = """
      # t
      ```console
      $ f() {
      >   true; }
      ```
      ## a
      ```console
      $ f
      ```
      ## b
      ```console
      $ f 2
      ```
      """
    let commands = try Case.read(text, of: "page").map { $0.steps.map(\.command) }
    #expect(commands == [["f() {\n  true; }", "f"], ["f() {\n  true; }", "f 2"]])
  }
}
