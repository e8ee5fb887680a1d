// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import Testing
import Text

@Suite("Parts of a path")
struct PathPartsTests {
  // Red: a launch mounts beside the place that an option names.
  @Test(
    arguments: [
      "", "/", "a", "/a", "a/b", "/a/b", "/a/b/c", ".", "..", "/.", "/..", "a/.", "a/..", "./a",
      "../a", "/a//b///", "a/", "/ä/ö",
    ])
  func `Parent and last name are those of the library`(_ text: String) {
    let path = FilePath(text)
    #expect(path.parent == path.removingLastComponent())
    #expect(path.lastName.text == path.lastComponent?.string ?? "")
    #expect(path.endsInName == (path.lastComponent?.kind == .regular))
  }
}
