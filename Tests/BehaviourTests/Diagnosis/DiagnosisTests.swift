// SPDX-License-Identifier: Apache-2.0
// Whether the cause that is named is the true one, and the remedy helps.

import Foundation
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

  // Red: a remedy is printed that nobody has typed.
  @Test func `Each cause with a remedy has a line in the table`() throws {
    let causes = try CauseText.withRemedy()
    #expect(causes.count > 30, "the sources are not read")
    let untried = causes.filter { cause in
      !BrokenSetup.all.contains { cause.isNamed(in: $0.cause) }
        && !DiagnosisTests.triedElsewhere.contains { cause.isNamed(in: $0) }
    }
    #expect(untried.map(\.description) == [])
  }

  /// Causes whose remedies other tests type.
  private static let triedElsewhere = [
    // DesktopTests, dbus.sh.
    "the bus listens on an abstract socket",
    // Kernels such as 6.18 make a mount bindable that becomes a slave; no test here gets this cause.
    "is marked unbindable",
  ]
}

/// The words for a cause in the sources, without what depends on the machine.
private struct CauseText: CustomStringConvertible {
  let file: String
  let parts: [String]

  var description: String { "\(file): \(parts.joined(separator: " … "))" }

  /// Whether `text`, a part of a message, is about this cause.
  func isNamed(in text: String) -> Bool {
    parts.contains { part in
      let length = min(part.count, text.count, 10)
      let letters = Array(part)
      return (0...(letters.count - length)).contains {
        text.contains(String(letters[$0..<($0 + length)]))
      }
    }
  }

  /// The causes that come with a line to type.
  static func withRemedy() throws -> [CauseText] {
    let directory = Workspace.repository.appending(path: "Sources/Sandbox/Diagnosis")
    return try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted().flatMap {
      name in
      let text = try String(contentsOf: directory.appending(path: name), encoding: .utf8)
      return text.ranges(of: "remedy: ").compactMap { range -> CauseText? in
        // Advice alone is no line.
        guard !text[range.upperBound...].hasPrefix(".advice("),
          !text[range.upperBound...].hasPrefix("nil")
        else { return nil }
        // The cause is written before its remedy, perhaps as a constant.
        let before = text[..<range.lowerBound].split(
          separator: "\n", omittingEmptySubsequences: false
        )
        .suffix(9).joined(separator: "\n")
        guard
          let call = before.range(of: "Diagnosis(", options: .backwards)
            ?? before.range(of: "ReachedLimit(", options: .backwards)
        else { return nil }
        let own = fragments(of: before[call.upperBound...])
        let parts = own.isEmpty ? fragments(of: before[...]) : own
        return parts.isEmpty ? nil : CauseText(file: name, parts: parts)
      }
    }
  }

  /// The constant parts of the texts in some lines of Swift.
  private static func fragments(of lines: Substring) -> [String] {
    lines.matches(of: #/"((?:[^"\\]|\\.)*)"/#).flatMap { match in
      match.1.split(separator: #/\\\([^"]*?\)+/#).map { $0.trimmingCharacters(in: .whitespaces) }
    }.filter { $0.count >= 8 }
  }
}
