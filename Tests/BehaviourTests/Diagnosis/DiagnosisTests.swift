// SPDX-License-Identifier: Apache-2.0
// Whether the cause that is named is the true one, and the remedy helps.

import TestSupport
import Testing

@Suite("Diagnosis", .needs("python3"), .needs("unshare"))
struct DiagnosisTests {
  // Red: somebody whose sandbox does not start is told nothing, or something that is not so, or to
  // do something that does not help.
  @Test(
    "The cause is named, and with the remedy the line works",
    arguments: BrokenSetup.all.filter {
      ($0.user == .ordinary || User.isRoot) && (!$0.needsStaticExecutable || Program.isStatic)
    })
  func broken(_ broken: BrokenSetup) throws {
    let session = try Session(as: broken.user)
    let script = BrokenSetup.preamble + broken.setup
    let failure = try session.run("\(script)\n\(broken.line)")
    #expect(failure.status != 0, "it works: \(failure.output)")
    let lines = failure.errors.split(separator: "\n").map(String.init)
    let causes = lines.filter { $0.hasPrefix("nestbox: cause: ") }
    // What can be typed is a remedy, everything else a hint.
    let typed = lines.filter { $0.hasPrefix("nestbox: remedy: ") }
    let hints = lines.filter { $0.hasPrefix("nestbox: hint: ") }
    #expect(causes.count == 1 && typed.count + hints.count == 1, "\(failure.errors)")
    #expect(causes.first?.contains(broken.cause) == true, "\(failure.errors)")
    let remedy =
      typed.first?.dropFirst("nestbox: remedy: ".count)
      ?? hints.first?.dropFirst("nestbox: hint: ".count) ?? ""
    #expect(typed.isEmpty == broken.isHint, "\(failure.errors)")
    #expect(remedy.contains(broken.remedy), "\(failure.errors)")

    // A remedy is typed as it is: it is the line mended, or comes before the line.
    let isMended = remedy.hasPrefix("nestbox ")
    let fixed = broken.fixed ?? "eval \"$remedy\"" + (isMended ? "" : "; \(broken.line)")
    try session.write("remedy", String(remedy))
    // What the first line made stays, as it would for its user.
    let again = broken.setup.replacing("mkdir ", with: "mkdir -p ")
    let success = try session.run(
      "remedy=$(<remedy)\n\(BrokenSetup.preamble)\n\(again)\n\(fixed)")
    #expect(success.output == broken.output, "\(remedy)\n\(success.errors)")
  }

  // Red: the table shrinks.
  @Test func `There are more than twenty-five broken set-ups`() {
    #expect(BrokenSetup.all.count > 25)
    #expect(Set(BrokenSetup.all.map(\.name)).count == BrokenSetup.all.count)
  }
}
