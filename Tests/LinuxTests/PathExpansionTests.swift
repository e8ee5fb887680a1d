// SPDX-License-Identifier: Apache-2.0
// The files that a pattern stands for.

import Foundation
import Linux
import SystemPackage
import TestSupport
import Testing
import Text

@Suite("Expansion of patterns")
struct PathExpansionTests {
  private func expand(_ pattern: String, in session: Session) throws -> [String] {
    let prefix = session.directory.path + "/"
    return try PathPattern(ByteString(prefix + pattern))?.matches().map {
      $0.text.hasPrefix(prefix) ? String($0.text.dropFirst(prefix.count)) : $0.text
    } ?? []
  }

  // Red: --glob options show, or --mask hides, other files than a shell would list.
  @Test func `Patterns stand for the files that a shell lists`() throws {
    let session = try Session()
    let outcome = try session.run(
      #"""
      mkdir -p a/x b/x .h/x "d e"; touch a/x/1 b/x/2 .h/x/3 a.txt $'\xff.txt' 'a*' .env; ln -s nowhere link
      ln -s a to-a
      """#)
    try #require(outcome.status == 0, "\(outcome.errors)")
    #expect(try expand("*/x/?", in: session) == ["a/x/1", "b/x/2", "to-a/x/1"])
    #expect(try expand(".*/x/*", in: session) == [".h/x/3"])
    #expect(try expand("*.txt", in: session) == ["a.txt", "\u{fffd}.txt"])
    #expect(try expand(#"a\*"#, in: session) == ["a*"])
    #expect(try expand("[.]env", in: session) == [])
    #expect(try expand("a/x/1/*", in: session) == [])
    #expect(try expand("missing", in: session) == [])
    #expect(try expand("a/../b/x/*", in: session) == ["a/../b/x/2"])
  }
}
