// SPDX-License-Identifier: Apache-2.0
// Patterns of names, as glob(7) describes them.

import Testing
import Text

@Suite("Patterns of names")
struct PathPatternTests {
  private func match(_ name: String, _ pattern: String) -> Bool {
    PathPattern.match(Array(name.utf8)[...], Array(pattern.utf8)[...])
  }

  // Red: a pattern shows, or hides, the wrong file.
  @Test(
    "A pattern stands for these names",
    arguments: [
      ("", ["", "*", "**"]), ("a", ["a", "?", "*", "[a]", "[a-c]", "[!b]", "[^b]", #"\a"#, "*a*"]),
      ("a.pem", ["*.pem", "a*m", "*.*", "?.p[e]m"]), ("*", [#"\*"#, "[*]", "?"]),
      ("]", ["[]]", "[]a]", "[!a]", "]"]), ("-", ["[-a]", "[a-]", "[!a]"]),
      ("[a", ["[a", "?a", #"\[a"#]), ("b", ["[a-c]", "[]-c]"]), ("é", ["??", "*", "é"]),
      ("aXbXc", ["a*X*c", "*X*X*", "a*c"]), (#"\"#, [#"\"#, #"\\"#]),
    ])
  func accepted(_ name: String, _ patterns: [String]) {
    for pattern in patterns { #expect(match(name, pattern), "\(pattern)") }
  }

  // Red: the same.
  @Test(
    "A pattern does not stand for other names",
    arguments: [
      ("", ["?", "a", "[a]"]), ("a", ["b", "??", "[b]", "[!a]", "[^a]", "a?", "A", "[b-z]", "*b"]),
      ("a.pem", ["*.pe", "*.key", ".pem", "?.?"]), ("ab", ["a", "b", "[ab]", "?"]),
      ("*", ["a", #"\?"#]), ("aXb", ["a*X*c", "*X*X*"]),
    ])
  func refused(_ name: String, _ patterns: [String]) {
    for pattern in patterns { #expect(!match(name, pattern), "\(pattern)") }
  }

  // Red: a file with a long name, which a payload may have made, keeps a launch busy for years.
  @Test(.timeLimit(.minutes(1))) func `Many asterisks take no longer than a few`() {
    let name = String(repeating: "a", count: 255)
    #expect(!match(name, String(repeating: "*a", count: 60) + "b"))
    #expect(match(name, String(repeating: "*a", count: 60) + "*"))
  }

  // Red: a pattern is taken to begin in the working directory, where a launch may be anywhere.
  @Test func `A pattern begins at the root`() {
    #expect(PathPattern("a/*") == nil)
    #expect(PathPattern("") == nil)
    #expect(
      PathPattern("//a//*/")?.components.map { Array($0) } == [Array("a".utf8), Array("*".utf8)])
  }
}
