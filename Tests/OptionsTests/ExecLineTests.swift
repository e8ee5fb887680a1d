// SPDX-License-Identifier: Apache-2.0
// Values of Exec in entries of menus, as the Desktop Entry Specification describes them.

import Sandbox
import TestSupport
import Testing
import Text

@testable import Options

@Suite("Exec lines of menu entries")
struct ExecLineTests {
  private func words(_ value: String) throws -> [String] {
    try ExecLine(Array(value.utf8)[...]).words.map(\.text.text)
  }

  // Red: another word than the program is taken for it, and a menu starts the wrong thing.
  @Test(
    "Words are split as menus do",
    arguments: [
      ("a b  c", ["a", "b", "c"]), ("", []), ("  \t ", []), (#""a b" c"#, ["a b", "c"]),
      (#""a\\"b""#, [#"a"b"#]), (#"a\\ b"#, ["a b"]), (#"a\sb"#, ["a", "b"]),
      (#"'a b'"#, ["a b"]), ("a%%b %U", ["a%b", "%U"]), (#"a""b"#, ["ab"]), (#""""#, [""]),
      (#"\\$HOME"#, ["$HOME"]), ("a\\", ["a\\"]),
    ])
  func splitting(_ value: String, _ words: [String]) throws {
    #expect(try self.words(value) == words)
  }

  // Red: the wrapper takes the place of a part of a word, or of two words.
  @Test func `A word knows where it stands in the value`() throws {
    let value = Array(#"env  "a b"=c x\\ y"#.utf8)
    let line = try ExecLine(value[...])
    let written = line.words.map { String(decoding: value[$0.range], as: UTF8.self) }
    #expect(written == ["env", #""a b"=c"#, #"x\\ y"#])
  }

  // Red: the menu shows an entry that no launcher understands.
  @Test("A quotation mark without its end is refused", arguments: [#""a"#, "'a", #"a "b\\""#])
  func unbalanced(_ value: String) {
    #expect(throws: UsageError.self) { try words(value) }
  }

  // Red: a path with blanks, quotes or percent signs is started as something else.
  @Test func `A word that was quoted is read back`() throws {
    var chance = Chance(seed: 1)
    let letters = Array(" \t\n\r\"'\\><~|&;$*?#()`%=aé/".utf8)
    for _ in 0..<2000 {
      let word = ByteString(
        (0..<Int.random(in: 1...10, using: &chance)).map { _ in chance.pick(letters) })
      let value = Array("first ".utf8) + ExecLine.quoted(word) + Array(" last".utf8)
      let read = try ExecLine(value[...]).words.map(\.text)
      #expect(read == ["first", word, "last"], "\(word.quoted)")
    }
  }

  // Red: a key with blanks around it is not found.
  @Test(
    "Blanks at both ends are cut off",
    arguments: [(" a b ", "a b"), ("", ""), ("  ", ""), ("a", "a"), ("\ta", "a")])
  func trimming(_ text: String, _ expected: String) {
    let trimmed = ExecLine.trimmed(Array(text.utf8)[...])
    #expect(String(decoding: trimmed, as: UTF8.self) == expected)
  }
}
