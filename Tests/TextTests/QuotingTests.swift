// SPDX-License-Identifier: Apache-2.0
// Strings in messages, in shell scripts, and in files that write some bytes as numbers.

import Foundation
import TestSupport
import Testing
import Text

@Suite("Quoting")
struct QuotingTests {
  // Red: a file name ends a line of a message, or drives the terminal.
  @Test(
    "A message shows printable text as it is, and everything else as numbers",
    arguments: [
      ("plain", "plain"), ("", "''"), ("é 漢", "é 漢"), ("a\nb", #"$'a\nb'"#),
      ("\u{1b}[2J", #"$'\x1b[2J'"#), ("it's\t", #"$'it\'s\t'"#), (#"a\b"#, #"a\b"#),
      ("a\\\u{7f}", #"$'a\\\x7f'"#), ("\u{202e}txt", #"$'\xe2\x80\xaetxt'"#),
      ("\u{2028}", #"$'\xe2\x80\xa8'"#), ("\u{9b}2J", #"$'\xc2\x9b2J'"#),
    ] as [(ByteString, String)])
  func message(_ string: ByteString, _ quoted: String) {
    #expect(string.quoted == quoted)
  }

  // Red: the same, for bytes that are not text at all.
  @Test func `Bytes that are not UTF-8 are shown as numbers`() {
    #expect(ByteString([0xff, 0x61]).quoted == #"$'\xffa'"#)
  }

  // Red: a wrapper script starts something else than was typed.
  @Test("Shells read back what was quoted for them", arguments: ["sh", "bash"])
  func shells(_ shell: String) throws {
    var chance = Chance(seed: 1)
    var strings: [ByteString] = ["", "'", "a b", "$HOME", "`id`", "-n", "\n", "~", "*", "\\", "#a"]
    for _ in 0..<200 {
      let count = Int.random(in: 0...12, using: &chance)
      strings.append(ByteString((0..<count).map { _ in UInt8.random(in: 1...255, using: &chance) }))
    }
    var script = Array("printf '%s\\0'".utf8)
    for string in strings { script += [UInt8(ascii: " ")] + string.shellWord }
    if shell == "bash" {
      for string in strings { script += Array((" " + string.quotedForShell).utf8) }
    }
    let session = try Session()
    try Data(script).write(to: session.directory.appending(path: "script"))
    let outcome = try session.run("\(shell) script > words")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let words = try Data(contentsOf: session.directory.appending(path: "words"))
      .split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
        ByteString([UInt8]($0))
      }
    #expect(words == (shell == "bash" ? strings + strings : strings))
  }

  // Red: a mount point or the socket of a bus is looked for under another name.
  @Test(
    "Escapes are numbers with all their digits",
    arguments: [
      (#"a\040b"#, "a b"), (#"\134"#, #"\"#), (#"\04"#, #"\04"#), (#"\"#, #"\"#),
      (#"\400"#, #"\400"#), (#"\0x1"#, #"\0x1"#), (#"\+40"#, #"\+40"#), (#"\\040"#, #"\ "#),
    ] as [(ByteString, ByteString)])
  func escapes(_ text: ByteString, _ expected: ByteString) {
    #expect(ByteString(unescaping: text.bytes, marker: "\\", digits: 3, radix: 8) == expected)
  }
}
