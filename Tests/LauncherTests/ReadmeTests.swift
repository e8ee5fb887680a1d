// SPDX-License-Identifier: Apache-2.0
// Runs the examples of the README that promise what the built-in profiles do.

import Foundation
import Testing

@Suite("README", .needs("gcc"), .needs("python3"), .needs("make"))
struct ReadmeTests {
  private static let sections = ["First lines", "Profiles"]
  private static let file = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "README.md")

  // Red: the first lines that a new user types do something else than the README shows.
  @Test("An example of the README does what it shows", arguments: sections)
  func example(_ heading: String) throws {
    let text = try String(contentsOf: ReadmeTests.file, encoding: .utf8)
    let example = try #require(
      Case.parts(of: text, named: ReadmeTests.sections, page: "README.md")
        .first { $0.heading == heading })
    #expect(example.steps.count >= 4)
    let session = try Session()
    let outcome = try session.run(example.script, isMerged: true)
    // Who follows it is called so there.
    let output = outcome.output.replacing(session.directory.path, with: "/home/joe")
    for (step, text, _) in example.results(output, outcome.status) {
      let lines = text.isEmpty ? [] : text.components(separatedBy: "\n")
      #expect(
        Transcript.matches(squeezed(lines)[...], squeezed(step.output)[...]),
        "README.md:\(step.line): $ \(step.command)\n\(text)")
    }
  }

  /// With one blank for several: columns depend on what else is in a table.
  private func squeezed(_ lines: [String]) -> [String] {
    lines.map { $0.replacing(#/ +/#, with: " ") }
  }

  // Red: a profile comes with the program, and nobody learns what it is good for.
  @Test("Every built-in profile has an example", arguments: profiles)
  func mentioned(_ name: String) throws {
    let text = try String(contentsOf: ReadmeTests.file, encoding: .utf8)
    let page = try? String(
      contentsOf: Case.directory.appending(path: "profiles/\(name).md"), encoding: .utf8)
    let isStandard = name == "untrusted" && text.contains("$ nestbox ./thing")
    #expect(
      isStandard || (text + (page ?? "")).contains("--profile \(name) "),
      "neither in README.md nor in Cases/profiles/\(name).md")
  }

  private static var profiles: [String] {
    let directory = file.deletingLastPathComponent().appending(path: "profiles").path
    let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return files.filter { $0.hasSuffix(".profile") }.map { String($0.dropLast(8)) }.sorted()
  }
}
