// SPDX-License-Identifier: Apache-2.0
// Each entry of the list of accepted differences says something that is still true.

import Testing

extension AcceptedDifference: CustomTestStringConvertible {
  var testDescription: String { name }
}

@Suite("Side by side: accepted differences", .needsReference)
struct AcceptedDifferenceTests {
  // Red: the list has an entry that allows for nothing, or for less than there is.
  @Test(
    "An accepted difference is there, and is all there is",
    arguments: AcceptedDifference.all, Reference.all)
  func example(_ accepted: AcceptedDifference, _ reference: Reference) throws {
    guard accepted.isAbout(reference) else { return }
    let others = AcceptedDifference.all(from: reference).filter { $0.name != accepted.name }
    if accepted.translate(accepted.example.text) != accepted.example.text {
      return try Comparison(accepted.example, with: reference).check()
    }
    // Of what bubblewrap starts and then lets go of, it depends on the moment how far it comes.
    for _ in 0..<10 {
      let comparison = try Comparison(accepted.example, with: reference)
      comparison.check()
      if !comparison.differences(accepting: others).isEmpty { return }
    }
    Issue.record("there is no such difference")
  }
}
