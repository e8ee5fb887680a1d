// SPDX-License-Identifier: Apache-2.0
// Runs the examples of the README and of the pages in docs. DesktopTests runs those of desktop.md,
// which need a desktop session.

import Foundation
import TestSupport
import Testing

@Suite("README and docs")
struct ReadmeTests {
  /// A section of a page whose examples run here.
  struct Section: Sendable, CustomTestStringConvertible {
    let page: String
    let heading: String
    /// The programs that it runs.
    var programs = ["python3"]
    /// The directory that PATH begins with.
    var path = Program.directory

    var testDescription: String { "\(page): \(heading)" }
  }

  private static let sections = [
    Section(page: "README.md", heading: "First lines", programs: ["git", "make", "python3"]),
    Section(page: "docs/first-lines.md", heading: "An untrusted program"),
    Section(page: "docs/first-lines.md", heading: "A script"),
    Section(
      page: "docs/first-lines.md", heading: "A project", programs: ["gcc", "make", "python3"]),
    Section(page: "docs/first-lines.md", heading: "When a launch fails"),
    Section(page: "docs/profiles.md", heading: "Profiles of every day", programs: ["git"]),
    Section(page: "docs/profiles.md", heading: "A profile for one purpose"),
    Section(page: "docs/profiles.md", heading: "Where nestbox finds profiles"),
    Section(
      page: "docs/by-hand.md", heading: "Files, namespaces, privileges",
      programs: ["gcc", "python3", "ps", "ip"]),
    Section(
      page: "docs/by-hand.md", heading: "System call policies", programs: ["python3", "bwrap"]),
    Section(page: "docs/by-hand.md", heading: "Lines from programs"),
    Section(page: "docs/namespaces.md", heading: "Eight kinds"),
    Section(page: "docs/namespaces.md", heading: "Joining", programs: ["nsenter"]),
    Section(
      page: "docs/namespaces.md", heading: "What keeps a namespace alive",
      programs: ["nsenter", "unshare"]),
    Section(
      page: "docs/namespaces.md", heading: "Pid namespaces in each other", programs: ["pgrep"]),
    Section(page: "docs/namespaces.md", heading: "System V and POSIX queues", programs: ["ipcmk"]),
    Section(page: "docs/namespaces.md", heading: "The same port twice"),
    Section(
      page: "docs/bubblewrap.md", heading: "The name bwrap", path: Program.bubblewrapDirectory),
  ]

  private static let repository = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  // Red: a user types a line of the README or a page, and it does something else than that shows.
  @Test("An example does what the page shows", arguments: sections)
  func example(_ section: Section) throws {
    for program in section.programs where !isInstalled(program) {
      try Test.cancel("needs the program \(program)")
    }
    let file = ReadmeTests.repository.appending(path: section.page)
    let text = try String(contentsOf: file, encoding: .utf8)
    let example = try #require(
      Case.parts(of: text, named: [section.heading], page: section.page).first)
    let session = try Session()
    let outcome = try session.run(example.script, path: section.path, isMerged: true)
    // The pages call the user joe.
    let output = outcome.output.replacing(session.directory.path, with: "/home/joe")
    for (step, text, _) in example.results(output, outcome.status) {
      let lines = text.isEmpty ? [] : text.components(separatedBy: "\n")
      #expect(
        Transcript.matches(comparable(lines)[...], comparable(step.output)[...]),
        "\(section.page):\(step.line): $ \(step.command)\n\(text)")
    }
  }

  private func isInstalled(_ program: String) -> Bool {
    ["/usr/bin", "/usr/sbin", "/sbin"].contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
    }
  }

  /// The lines without what differs from run to run: the width of columns, blanks at the end, and
  /// the numbers of namespaces.
  private func comparable(_ lines: [String]) -> [String] {
    lines.map {
      $0.replacing(#/ +/#, with: " ").replacing(#/ $/#, with: "")
        .replacing(#/\[40265\d+\]/#, with: "[NUMBER]")
    }
  }

  // Red: somebody adds a block of examples, and no test runs it.
  @Test(
    "A test runs every block of examples",
    arguments: [
      "README.md", "docs/first-lines.md", "docs/profiles.md", "docs/by-hand.md",
      "docs/bubblewrap.md", "docs/namespaces.md",
    ])
  func complete(_ page: String) throws {
    let file = ReadmeTests.repository.appending(path: page)
    var heading = ""
    for line in try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n") {
      if line.hasPrefix("## ") { heading = String(line.dropFirst(3)) }
      guard line == "```console" else { continue }
      let isTested = ReadmeTests.sections.contains { $0.page == page && $0.heading == heading }
      #expect(isTested, "\(page): \(heading)")
    }
  }

  // Red: a profile comes with the program, and no page shows what it is good for.
  @Test("Every built-in profile has an example", arguments: profiles)
  func mentioned(_ name: String) throws {
    let pages = try ["README.md", "docs/desktop.md"].map {
      try String(contentsOf: ReadmeTests.repository.appending(path: $0), encoding: .utf8)
    }
    let page = try? String(
      contentsOf: Case.directory.appending(path: "profiles/\(name).md"), encoding: .utf8)
    let isStandard = name == "untrusted" && pages[0].contains("$ nestbox ./thing")
    #expect(
      isStandard || (pages.joined() + (page ?? "")).contains("--profile \(name) "),
      "neither in README.md nor in docs/desktop.md nor in Cases/profiles/\(name).md")
  }

  private static var profiles: [String] {
    let directory = repository.appending(path: "profiles").path
    let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return files.filter { $0.hasSuffix(".profile") }.map { String($0.dropLast(8)) }.sorted()
  }
}
