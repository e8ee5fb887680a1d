// SPDX-License-Identifier: Apache-2.0
// Texts in texts, and how far two words are apart.

import Testing
import Text

@Suite("Parts of texts")
struct SubstringTests {
  // Red: advice is given, or a variable replaced, where nothing of the kind was written.
  @Test(
    "A part is found and replaced wherever it stands",
    arguments: [
      ("a-b-c", "-", "+", "a+b+c"), ("aaa", "aa", "b", "ba"), ("abc", "", "x", "abc"),
      ("abc", "d", "x", "abc"), ("abc", "abc", "", ""), ("é", "e", "x", "é"), ("", "a", "b", ""),
      ("ab", "abc", "x", "ab"),
    ])
  func replacing(_ text: String, _ part: String, _ other: String, _ expected: String) {
    #expect(text.replacingAll(part, by: other) == expected)
    #expect(text.includes(part) == (text != expected))
  }

  // Red: a mistyped option is answered with one that it is not like.
  @Test(
    "Words are as far apart as there are slips between them",
    arguments: [
      ("bind", "bind", 0), ("bind", "bnd", 1), ("bind", "bindd", 1), ("bind", "bond", 1),
      ("bind", "bnid", 1), ("bind", "dir", 3), ("", "abc", 3),
    ])
  func distance(_ a: String, _ b: String, _ distance: Int) {
    #expect(Suggestion.distance(Array(a.utf8), Array(b.utf8)) == distance)
    #expect(Suggestion.distance(Array(b.utf8), Array(a.utf8)) == distance)
  }
}
