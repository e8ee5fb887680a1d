// SPDX-License-Identifier: Apache-2.0
// How the executable of `make build` is laid out, in its file and in a running launcher.

import Foundation
import TestSupport
import Testing

@Suite("The image of the executable", .ofStaticExecutable, .needs("nm"))
struct ImageTests {
  // Red: a stray write in the monitor changes a policy's program, a path or a message. Without
  // Sources/nestbox/constants.ld the linker makes all constants writable.
  @Test func `Constants are read-only in a running launcher`() throws {
    let outcome = try Session().run(
      """
      nm "$(command -v nestbox)" | grep ' linux_constants_'
      mkfifo begin end
      nestbox --ro-bind / / sh -c 'echo > begin; read line < end' & read line < begin
      grep /nestbox /proc/$!/maps
      echo > end; wait
      """)
    let constants = outcome.lines.filter { $0.contains(" linux_constants_") }
      .compactMap { UInt64($0.prefix { $0 != " " }, radix: 16) }.sorted()
    try #require(constants.count == 2, "\(outcome.output)\(outcome.errors)")
    // The compiler's literals, the runtime's and the C library's.
    #expect(constants[1] - constants[0] > 1 << 20)
    let mappings = outcome.lines.compactMap(Mapping.init)
    let touched = mappings.filter { $0.end > constants[0] && $0.start < constants[1] }
    #expect(touched.map(\.access) == ["r--p"], "\(outcome.output)")
    #expect(mappings.contains { $0.access == "rw-p" }, "the mappings of the launcher are not seen")
  }
}

/// A line of /proc/PID/maps.
private struct Mapping {
  let start: UInt64
  let end: UInt64
  let access: Substring

  init?(_ line: some StringProtocol) {
    let words = line.split(separator: " ")
    guard let bounds = words.first?.split(separator: "-"), bounds.count == 2, words.count > 1,
      let start = UInt64(bounds[0], radix: 16), let end = UInt64(bounds[1], radix: 16)
    else { return nil }
    (self.start, self.end, access) = (start, end, Substring(words[1]))
  }
}
