// SPDX-License-Identifier: Apache-2.0
// The pictures of the documentation are those that scripts draw from the executable, Package.swift
// and the results of the benchmark. `make pictures` draws them again.

import Foundation
import TestSupport
import Testing

@Suite("Pictures", .needs("python3"))
struct PictureTests {
  private static let directory = Workspace.repository.appending(path: "docs/pictures")

  private static let drawn = [
    ("terminal", "terminal.py \"$2/nestbox\""),
    ("processes", "architecture.py processes"),
    ("modules", "architecture.py modules \"$3/Package.swift\""),
    ("speed", "speed.py \"$3/Benchmarks/README.md\""),
  ]

  // Red: a picture shows output, modules or times that are no longer so.
  @Test("The picture is the one that is checked in", arguments: drawn)
  func golden(_ name: String, _ line: String) throws {
    let outcome = try Session(as: .root).run(
      "export PYTHONDONTWRITEBYTECODE=1 PATH=/usr/bin:/bin; python3 \"$1\"/\(line)",
      PictureTests.directory.path, Program.directory.path, Workspace.repository.path)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let kept = try text(name).components(separatedBy: "\n").dropLast()
    let lines = outcome.output.components(separatedBy: "\n")
    #expect(lines.count == kept.count)
    #expect(zip(lines, kept).first { $0 != $1 }.map { "\($0), kept: \($1)" } == nil)
  }

  // Red: somebody on a dark page, or who hears the page, gets nothing from the picture.
  @Test("It can be read on every page, and by everybody", arguments: drawn.map(\.0))
  func readable(_ name: String) throws {
    let text = try text(name)
    #expect(text.utf8.count < 12_000)
    #expect(text.contains("prefers-color-scheme:dark"))
    #expect(text.contains("<title") && text.contains("<desc") && text.contains("role=\"img\""))
    // It loads nothing, runs nothing, and names no place of the machine that drew it.
    for part in ["<script", "<image", "href", "@import", "url(h", "/tmp", "/root", "/src"] {
      #expect(!text.contains(part), "\(part)")
    }
    let name = ProcessInfo.processInfo.hostName
    #expect(name == "localhost" || name.count < 4 || !text.contains(name))
  }

  // Red: a page shows a picture without saying what it shows.
  @Test(arguments: [
    ("README.md", ["terminal", "speed"]), ("docs/architecture.md", ["processes", "modules"]),
  ])
  func `A page shows it with a text for those who do not see it`(_ page: String, _ names: [String])
    throws
  {
    let text = try String(
      contentsOf: Workspace.repository.appending(path: page), encoding: .utf8)
    for name in names {
      let pattern = try Regex("!\\[[^\\]]{30,}\\]\\((docs/)?pictures/\(name)\\.svg\\)")
      #expect(text.contains(pattern), "\(page): \(name)")
    }
  }

  // Red: `make bench` has a table and no plot of it.
  @Test func `The table of the benchmark is drawn as well`() throws {
    let table = """
      medians of up to 120 rounds; the programs take turns
      `true` by itself takes 0.48 ms, which the first table has taken off

      same line                  nestbox     bwrap  old bwrap   minimal     ratio
      --ro-bind / / true, ms        0.74      1.41      1.45      0.55      0.53
      100 binds                     2.26         -     19.00      1.76         -
      1000 binds                   15.90     35.60         -         -      0.44
      monitor and init, kB        276.00    467.00         -    724.00      0.59

      nestbox alone, ms            first    second
      --review                      1.00      2.00
      """
    let session = try Session(as: .root)
    try session.write("table", table)
    let outcome = try session.run(
      "PATH=/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 python3 \"$1\"/speed.py table",
      PictureTests.directory.path)
    #expect(
      outcome.output.contains(
        ">--ro-bind / / true: nestbox 0.74 ms, bubblewrap 1.41 ms, a plain C program 0.55 ms; "
          + "1000 binds: nestbox 15.9 ms, bubblewrap 35.6 ms<"))
    try session.write("table", "none")
    let missing = try session.run(
      "PATH=/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 python3 \"$1\"/speed.py table",
      PictureTests.directory.path)
    #expect(missing.status == 1 && missing.errors.contains("has no table"))
  }

  private func text(_ name: String) throws -> String {
    try String(
      contentsOf: PictureTests.directory.appending(path: "\(name).svg"), encoding: .utf8)
  }
}
