// SPDX-License-Identifier: Apache-2.0
// Sizes, times and limits as people type them.

import Linux
import Testing

@testable import Options

@Suite("Amounts")
struct AmountTests {
  // Red: a limit is a thousand times too large or too small, or a mistyped one counts as none.
  @Test(
    "A size is a number of bytes with a unit",
    arguments: [
      ("0", 0), ("1", 1), ("1K", 1024), ("1.5K", 1536), ("2M", 2 << 20), ("3G", 3 << 30),
      ("1T", 1 << 40), ("16777215T", 16_777_215 << 40), ("16777216T", nil), ("", nil), ("K", nil),
      ("1k", nil), ("1KB", nil), ("-1", nil), ("+1", nil), ("1.", nil), (".5K", nil), ("1.5", nil),
      ("0x10", nil), (" 1", nil), ("1 K", nil), ("99999999999999999999", nil),
      ("1.1234567890K", nil),
    ] as [(String, UInt64?)])
  func sizes(_ text: String, _ bytes: UInt64?) {
    #expect(Amount.bytes(Array(text.utf8)[...]) == bytes)
  }

  // Red: 1m is a thousandth of a second, or a minute has 100 seconds.
  @Test(
    "A time is a number of seconds or has a unit",
    arguments: [
      ("1", 1000), ("0.001", 1), ("1s", 1000), ("250ms", 250), ("1.5s", 1500), ("2m", 120_000),
      ("1h", 3_600_000), ("1d", nil), ("s", nil), ("1:30", nil), ("-1s", nil), ("inf", nil),
      ("18446744073709551615h", nil),
    ] as [(String, UInt64?)])
  func times(_ text: String, _ milliseconds: UInt64?) {
    #expect(Amount.time(Array(text.utf8)[...], perSecond: 1000) == milliseconds)
  }

  // Red: a unit that the resource cannot express is rounded to nothing, and limits it to 0.
  @Test func `A resource that counts in seconds has no milliseconds`() {
    #expect(Amount.time(Array("500ms".utf8)[...], perSecond: 1) == nil)
    #expect(Amount.time(Array("2m".utf8)[...], perSecond: 1) == 120)
  }

  // Red: an option limits another resource than it names.
  @Test func `The names and numbers of resources are the kernel's`() throws {
    // In the order of setrlimit(2)'s constants.
    let names = [
      "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as", "locks",
      "sigpending", "msgqueue", "nice", "rtprio", "rttime",
    ]
    #expect(Resource.all.map(\.name) == names)
    #expect(Resource.all.map(\.number) == Array(0..<16))
    #expect(try #require(Resource(named: "nofile")).limits().soft > 2)
  }
}
