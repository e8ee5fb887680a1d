// SPDX-License-Identifier: Apache-2.0
// Compares the files written from the option table with those checked in; UPDATE_GOLDENS=1
// rewrites that.

import Foundation
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Options
@testable import Sandbox
import Text

@Suite("Generated files")
struct GeneratedTests {
  private static let repository = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Where each of them is kept, as the Makefile installs it.
  static let files: [(Generated, String)] = [
    (.manual, "docs/nestbox.1"), (.profileManual, "docs/nestbox-profile.5"),
    (.policyManual, "docs/nestbox-policy.5"), (.bash, "completions/bash"),
    (.zsh, "completions/zsh"),
    (.fish, "completions/fish"),
  ]

  private static let surroundings = Surroundings(
    environment: ["HOME=/home/user"], workingDirectory: "/srv/project", user: 1000, group: 1000)

  // Red: the text changed; look at the difference, and rewrite the file if it was meant.
  @Test("The file is the one that is checked in", arguments: files)
  func golden(_ kind: Generated, _ path: String) throws {
    let text = kind.text(GeneratedTests.surroundings)
    let file = GeneratedTests.repository.appending(path: path)
    if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    // A comparison of lines, since one of the whole would print the whole.
    let kept = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
    let lines = text.components(separatedBy: "\n")
    #expect(lines.count == kept.count)
    #expect(zip(lines, kept).first { $0 != $1 }.map { "\($0), kept: \($1)" } == nil)
  }

  // Red: the manual leaves out an option, or part of what there is to say.
  @Test func `The manual has the text of every option`() throws {
    func plain(_ text: String) -> String {
      text.replacing(/\\f[BIR]|`|\n\.[A-Z]+( 4)?(?=\n)/, with: "").replacing("\\-", with: "-")
        .replacing("\\(ti", with: "~").filter { !$0.isWhitespace }
    }
    let manual = plain(Manual.page.replacing("\n.", with: "\n\n."))
    for option in Option.all {
      let title = plain(option.synopsis)
      let isThere = manual.contains(title + plain(option.summary) + ".")
      #expect(isThere, "\(option.name)")
      for case .paragraph(let text) in Prose(option.discussion).blocks {
        let isThere = manual.contains(plain(text))
        #expect(isThere, "\(option.name): \(text)")
      }
    }
  }

  // Red: an operand is taken for the command, or a word of the command for an operand.
  @Test(
    "Every shell knows the kinds of operands of every option",
    arguments: [
      (
        "bash",
        ". completions/bash; for o in \"$@\"; do _nestbox_kinds $o; echo $o ${kinds[@]}; done"
      ),
      (
        "zsh",
        "compdef() { }; functions _nestbox; eval \"$(sed '/^_nestbox \"/d' completions/zsh)\"; "
          + "for o in \"$@\"; do _nestbox_kinds $o; echo $o $kinds; done"
      ),
      (
        "fish",
        "source completions/fish; for o in $argv; echo $o (__nestbox_kinds $o); end"
      ),
    ])
  func kinds(_ shell: String, _ script: String) throws {
    guard
      let path = ["/usr/bin/\(shell)", "/bin/\(shell)"].first(where: {
        FileManager.default.isExecutableFile(atPath: $0)
      })
    else {
      try Test.cancel("needs the program \(shell)")
    }
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.currentDirectoryURL = GeneratedTests.repository
    let names = Option.all.map(\.name)
    // fish writes into its home directory.
    let session = try Session()
    process.environment = [
      "PATH": "/usr/bin:/bin", "HOME": session.directory.path, "LC_ALL": "C",
    ]
    process.arguments =
      switch shell {
      case "bash": ["--norc", "-c", "complete() { :; }; " + script, "bash"] + names
      case "zsh": ["-f", "-c", script, "zsh"] + names
      default: ["--no-config", "-c", script, "--"] + names
      }
    let pipe = Foundation.Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let lines = String(decoding: output, as: UTF8.self).split(separator: "\n").map {
      $0.split(separator: " ").map(String.init)
    }
    #expect(lines == Option.all.map { [$0.name] + $0.operands.map(\.kind.rawValue) })
  }

  // Red: a script offers nothing where it could, or asks the program for what it does not print.
  @Test(
    "Lists for completions have a word in each line",
    arguments: Generated.allCases.filter { kind in
      // The others are the files that are checked in; and nothing may be running or waiting.
      kind != .sandboxes && kind != .reviews && !files.contains { $0.0 == kind }
    })
  func lists(_ kind: Generated) {
    let text = kind.text(GeneratedTests.surroundings)
    let lines = text.components(separatedBy: "\n").dropLast()
    #expect(lines.count > 3 && text.hasSuffix("\n"))
    #expect(lines.allSatisfy { !$0.isEmpty && !$0.contains(" ") })
    #expect(Set(lines).count == lines.count)
  }

  // Red: the manual shows a line that the program refuses, or one after which the command can write
  // to all files of the person who copies it.
  @Test func `The examples of help and manual are understood and safe to copy`() throws {
    var texts = Option.all.map(\.discussion) + Section.allCases.map(\.introduction)
    texts += Manual.chapters.map(\.text)
    var count = 0
    for case .example(let lines) in texts.flatMap({ Prose($0).blocks }) {
      let text = lines.joined(separator: "\n").replacing(" \\\n", with: " ")
      for line in text.split(separator: "\n") where line.hasPrefix("nestbox ") {
        // What the shell sees to, and descriptors that are not open here.
        guard !line.contains("--args"), !line.contains("--wrap") else { continue }
        let words = line.split { $0 == "|" }[0].split(separator: " ").dropFirst()
          .filter { !$0.contains("<") && !$0.contains(">") }
          .map { $0.filter { $0 != "\"" && $0 != "'" } }
        var parser = Parser(GeneratedTests.surroundings, standardProfile: nil)
        #expect(throws: Never.self, "\(line)") {
          try parser.parse(words.map { ByteString(String($0)) })
        }
        for operation in parser.draft.sandbox.filesystem {
          let all: [FilePath] = ["/", "/home", "/root", "~", "/home/joe"]
          switch operation.action {
          case .bind(let source, _, let access, _):
            #expect(access == .readOnly || !all.contains(source), "\(line)")
          case .show(let path, let access):
            #expect(access == .readOnly || !all.contains(path), "\(line)")
          default: break
          }
        }
        // What the shell itself would do.
        #expect(!line.contains("sudo ") && !line.contains(" rm ") && !line.contains("--not-a"))
        count += 1
      }
    }
    #expect(count > 20)
  }
}
