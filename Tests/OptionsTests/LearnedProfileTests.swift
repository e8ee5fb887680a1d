// SPDX-License-Identifier: Apache-2.0
// Learned profiles: whatever names a command uses, a line of the profile means that name alone.

import Foundation
import Sandbox
import TestSupport
import Testing
import Text

@testable import Options

@Suite("Learned profiles")
struct LearnedProfileTests {
  private static let words: ProfileWords = ProfileWords(
    Surroundings(
      environment: ["HOME=/home/joe", "XDG_RUNTIME_DIR=/run/user/1000"],
      workingDirectory: "/home/joe/app"), command: [])

  private static var variables: ProfileVariables {
    ProfileVariables(
      surroundings: Surroundings(
        environment: ["HOME=/home/joe", "XDG_RUNTIME_DIR=/run/user/1000"],
        workingDirectory: "/home/joe/app"), command: [], path: nil)
  }

  private func read(_ line: [UInt8]) throws -> [ByteString] {
    var reader = LineReader(line[...], LearnedProfileTests.variables)
    var words: [ByteString] = []
    while let word = try reader.next() { words.append(word) }
    return words
  }

  private func path(_ chance: inout Chance) -> ByteString {
    let starts = [
      "/", "/home/joe", "/home/joe/", "/run/user/1000/", "/home/joe/app/", "/home/joey/",
    ]
    let texts = [
      "\n", "\n--share-net\n", " ", "\t", "\r", "\"", "\\", "$", "${HOME}", "}", "#", "--", "\\n",
      "\u{1b}[2J", "\u{202e}", "é", "a",
    ]
    let parts: [[UInt8]] = texts.map { Array($0.utf8) } + [[0xff], [1], [0x7f]]
    var bytes = Array(chance.pick(starts).utf8)
    for _ in 0..<Int.random(in: 0..<8, using: &chance) { bytes += chance.pick(parts) }
    return ByteString(bytes)
  }

  // Red: a file's name adds an option to a profile, or names another file.
  @Test("What is written as a word is read as that word", arguments: [UInt64(1), 2, 3, 4])
  func words(_ seed: UInt64) throws {
    var chance = Chance(seed: seed)
    for _ in 0..<1000 {
      let words = [ByteString("--ro-same-try"), path(&chance)]
      let line = LearnedProfileTests.words.line(words)
      #expect(!line.contains(UInt8(ascii: "\n")))
      #expect(try read(line) == words, "\(words)")
    }
    #expect(LearnedProfileTests.words.word("/home/joe/.vimrc") == Array("${HOME}/.vimrc".utf8))
  }

  // Red: the name of a file, or what a command looked for, becomes a line of its own.
  @Test("No item adds a line but its own", arguments: [UInt64(1), 2, 3, 4])
  func items(_ seed: UInt64) throws {
    var chance = Chance(seed: seed)
    let kinds: [LearnedItem.Kind] = [
      .same, .linked, .writable, .devices, .directory, .objection, .missing, .unused, .address,
    ]
    for _ in 0..<100 {
      var items: [LearnedItem] = []
      for _ in 0..<Int.random(in: 1..<6, using: &chance) {
        let notes: [ByteString] = ["not-shown", "it is secret", path(&chance), ""]
        items.append(
          LearnedItem(
            chance.pick(kinds), path(&chance), operation: Int.random(in: 0..<2, using: &chance),
            notes: notes + ["--read", path(&chance)]))
      }
      let options = [
        AppliedOption(lines: [Array("--unshare-all".utf8)], operations: 0..<0, use: .kept),
        AppliedOption(lines: [], operations: 0..<1, use: .learned),
        AppliedOption(lines: [], operations: 1..<2, use: .learned),
      ]
      var profile = LearnedProfile()
      profile.add("run", options, items, LearnedProfileTests.words)
      // Read again as a file, and learned again.
      var again = LearnedProfile(profile.text)
      again.add("run", options, items, LearnedProfileTests.words)
      #expect(again.text == profile.text)
      for line in profile.lines where line.first != UInt8(ascii: "#") {
        let words = try read(line)
        guard words != ["--unshare-all"] else { continue }
        #expect(words.count == 2 || words.count == 3)
        let isKnown = items.contains { $0.subject == words.last && words.count <= 3 }
        #expect(isKnown && words.first?.bytes.starts(with: "--".utf8) == true, "\(words)")
      }
      for line in profile.lines where line.first == UInt8(ascii: "#") {
        let isPlain = String(decoding: line, as: UTF8.self).unicodeScalars.allSatisfy {
          $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
        }
        #expect(isPlain)
      }
    }
  }

  // Red: the second run loses what the first one needed, or what somebody has written.
  @Test func `Two runs add up, and no line that is there changes`() throws {
    let options = [
      AppliedOption(lines: [Array("--unshare-all".utf8)], operations: 0..<0, use: .kept),
      AppliedOption(lines: [], operations: 0..<1, use: .learned),
      AppliedOption(
        lines: [Array("--perms 1777".utf8), Array("--tmpfs /tmp".utf8)], operations: 1..<2,
        use: .kept),
    ]
    func item(_ path: ByteString) -> LearnedItem { LearnedItem(.same, path, operation: 0) }
    var profile = LearnedProfile()
    profile.add("a", options, [item("/b")], LearnedProfileTests.words)
    var second = LearnedProfile(profile.text + Array("# mine\n--hostname box\n".utf8))
    second.add("b", options, [item("/a"), item("/b/c")], LearnedProfileTests.words)
    let text = second.lines.map { String(decoding: $0, as: UTF8.self) }
    #expect(
      text.filter { $0.hasPrefix("-") } == [
        "--unshare-all", "--ro-same-try /a", "--ro-same-try /b", "--perms 1777", "--tmpfs /tmp",
        "--hostname box",
      ])
    #expect(text.contains("#   a") && text.contains("#   b") && text.contains("# mine"))
    #expect(second.added.map { String(decoding: $0, as: UTF8.self) } == ["--ro-same-try /a"])
  }

  // Red: --shrink leaves out a line that protects, and so permits more than the profile did.
  @Test func `Only lines that permit something can be left out`() {
    let profile = LearnedProfile(
      Array(
        """
        --unshare-all
        --seccomp-policy default
        --keep-env HOME
        --perms 1777
        --tmpfs /tmp
        --ro-same-try /usr
        --bind-try /p /p
        --ro-bind-try /p/.git /p/.git
        --ro-bind-try /q /q
        --ro-repositories /p
        --mask /q/x
        """.utf8))
    func lines(unused: Set<Int>) -> [String] {
      profile.candidates(unused: unused).map { String(decoding: profile.lines[$0], as: UTF8.self) }
    }
    // Whether a line protects what another one shows, a plan says: LearnedNoMoreTests.
    let reading = ["--ro-same-try /usr", "--ro-bind-try /p/.git /p/.git", "--ro-bind-try /q /q"]
    #expect(lines(unused: []) == reading)
    let all = [reading[0], "--bind-try /p /p"] + reading[1...]
    #expect(lines(unused: Set(profile.lines.indices)) == all)
    let text = String(decoding: profile.leavingOut([5]).text, as: UTF8.self)
    #expect(text.contains("\n# not needed: --ro-same-try /usr\n"))
  }
}
