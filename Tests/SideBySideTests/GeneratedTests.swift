// SPDX-License-Identifier: Apache-2.0
// Lines from a generator. NESTBOX_SEED and NESTBOX_CASES choose which, and how many.

import Foundation
import Testing

@Suite("Side by side: generated lines", .needsReference)
struct GeneratedTests {
  private static func number(_ variable: String, else standard: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) } ?? standard
  }

  static let seed = number("NESTBOX_SEED", else: 20_261_121)

  static let count = number("NESTBOX_CASES", else: 320)

  static let lines: [Line] = {
    var generator = LineGenerator(seed: seed)
    return (0..<count).map { _ in generator.line() }
  }()

  // Red: something that no other test has thought of is not as in bubblewrap.
  @Test("A generated line does the same in both programs", arguments: zip(lines, references))
  func generated(_ line: Line, _ reference: Reference) throws {
    try Comparison(line, with: reference).check("seed \(GeneratedTests.seed)")
  }

  /// For each line one bubblewrap, in turn.
  private static let references = lines.indices.map { Reference.all[$0 % Reference.all.count] }

  // Red: the lines are refused before there is anything to compare.
  @Test func `Enough of the generated lines start a command`() throws {
    let sample = GeneratedTests.lines.prefix(30)
    let successes = try sample.count { try Comparison($0, with: Reference.all.first).hasSucceeded }
    #expect(successes * 3 >= sample.count, "seed \(GeneratedTests.seed): \(successes)")
  }

  // Red: a seed that was printed does not bring the failing line back.
  @Test func `A seed makes the same lines again`() {
    var (first, second) = (LineGenerator(seed: 1), LineGenerator(seed: 1))
    #expect((0..<50).map { _ in first.line().text } == (0..<50).map { _ in second.line().text })
  }
}
