// SPDX-License-Identifier: Apache-2.0
// What people and programs are told of running sandboxes.

import Testing
import Text

@testable import Running

@Suite("Reports on running sandboxes")
struct ReportTests {
  private func entry(name: ByteString?, words: [ByteString], process: ByteString = "sh")
    -> ListedSandbox
  {
    ListedSandbox(
      sandbox: RunningSandbox(
        key: .hidden(5), processes: [ProcessFacts(number: 5, parent: 4, name: process)],
        monitor: nil, name: name, tool: .nestbox),
      network: .none, words: words, age: 90_000)
  }

  // Red: a command that calls itself `\n-  1 …` adds a line to the list, or one with an escape
  // sequence drives the terminal.
  @Test(
    "No name can end a line or drive a terminal",
    arguments: ["a\nb", "\u{1b}[2J", "\u{9b}31m", "x\u{202e}y", "\r"])
  func hostileNames(_ text: String) {
    let name = ByteString(text)
    for entry in [
      entry(name: name, words: ["sh", name]), entry(name: nil, words: [], process: name),
    ] {
      let lines = SandboxList([entry]).text().split(separator: "\n")
      #expect(lines.count == 2)
      for scalar in lines[1].unicodeScalars {
        #expect(
          scalar.properties.generalCategory != .control
            && scalar.properties.generalCategory != .format)
      }
    }
  }

  // Red: a long command wraps and breaks the list.
  @Test func `A line is no longer than the terminal is wide`() {
    let list = SandboxList([
      entry(name: "box", words: ["sleep", ByteString(String(repeating: "x", count: 300))])
    ])
    for line in list.text(width: 80).split(separator: "\n") { #expect(line.count <= 80) }
    #expect(list.text(width: 80).contains("xxx…\n"))
    #expect(list.text().contains(String(repeating: "x", count: 300)))
  }

  // Red: a command fills more columns than the line has characters, or covers other lines with marks.
  @Test(
    "Wide letters and marks do not make a line longer than the terminal is wide",
    arguments: ["\u{6f22}", "a\u{301}\u{301}\u{301}"])
  func wideNames(_ letter: String) {
    let list = SandboxList([
      entry(name: "box", words: [ByteString(String(repeating: letter, count: 100))])
    ])
    for line in list.text(width: 80).split(separator: "\n") {
      #expect(line.unicodeScalars.reduce(0) { $0 + ($1.isASCII || $1 == "…" ? 1 : 2) } <= 80)
    }
    #expect(list.text(width: 80).contains("…"))
  }

  // Red: programs that read the list break.
  @Test func `The list for programs has a version and these members`() {
    #expect(
      SandboxList([entry(name: "box", words: ["sleep", "9"])]).json.text == """
        {
          "version": 1,
          "sandboxes": [
            {
              "name": "box",
              "made-by": "nestbox",
              "process": 5,
              "monitor": null,
              "age": 90000,
              "processes": 1,
              "network": "none",
              "member-of": null,
              "address": null,
              "kept": false,
              "command": [
                "sleep",
                "9"
              ]
            }
          ],
          "networks": []
        }

        """)
  }

  // Red: the age of a sandbox is hard to read.
  @Test func `A duration is told in its two largest units`() {
    let texts = [0, 59, 60, 3599, 3600, 7500, 86_400, 90_000, 864_000]
      .map { ListedSandbox.duration($0) }
    #expect(
      texts == [
        "0 s", "59 s", "1 min", "59 min", "1 h", "2 h 5 min", "1 d", "1 d 1 h", "10 d",
      ])
  }

  private func tree(_ nodes: [(Int, Int)]) -> [String] {
    nodes.map { TreeNode(number: $0.0, parent: $0.1, text: String($0.0)) }.treeLines
  }

  // Red: a process or mount stands below another one than its parent.
  @Test func `A tree shows what is below what`() {
    #expect(
      tree([(1, 0), (2, 1), (5, 2), (3, 1), (4, 2), (9, 7)])
        == ["1", "├─ 2", "│  ├─ 5", "│  └─ 4", "└─ 3", "9"])
  }

  // Red: numbers that were given again while the processes were read make the report endless, or
  // leave processes out; a sandbox that nests its processes makes it as long as it likes.
  @Test func `A tree holds everything once, whatever the numbers say`() {
    #expect(tree([(1, 1), (2, 3), (3, 2), (3, 1)]) == ["1", "└─ 3", "   └─ 2", "      └─ 3"])
    let lines = tree((1...1000).map { ($0, $0 - 1) })
    #expect(lines.count == 1000)
    #expect(lines.allSatisfy { $0.count < 100 })
  }
}
