// SPDX-License-Identifier: Apache-2.0
// What --dry-run says of a line's mounts, and the table of mounts inside the same line without it.

import Foundation
import TestSupport
import Testing

/// A mount, planned or seen.
struct SeenMount: Hashable, CustomStringConvertible {
  let point: String
  let type: String
  let isReadOnly: Bool

  var description: String { "\(point) \(type) \(isReadOnly ? "ro" : "rw")" }
}

/// One line, planned and run.
struct Rehearsal: Sendable {
  /// The mounts of the plan that operations make, in order, and all of them.
  let planned: (own: [SeenMount], all: [SeenMount])
  /// The table inside; empty where the launch failed.
  let seen: [SeenMount]
  /// The reasons for which the plan says that the launch will fail.
  let problems: [String]
  /// What the dry run changed.
  let made: String
  let planStatus: String
  let status: String
  let errors: String

  init(_ line: Line) throws {
    let session = try Session()
    let template = try Comparison.template.get().directory.appending(path: "template")
    let outcome = try session.run(
      "RESULTS=$HOME NESTBOX=\"$1\" TEMPLATE='\(template.path)' bash \"$2/plan.sh\" \"$3\"",
      Program.directory.appending(path: "nestbox").path, try Session.probe.get().path, line.text)
    guard outcome.status == 0, outcome.errors.isEmpty else {
      throw Failure("\(line): \(outcome.errors)")
    }
    let plan = try Rehearsal.object(try session.content("plan"))
    let mounts = plan["mounts"] as? [[String: Any]] ?? []
    func mount(_ object: [String: Any]) -> SeenMount {
      SeenMount(
        point: object["mount-point"] as? String ?? "?", type: object["type"] as? String ?? "?",
        isReadOnly: object["read-only"] as? Bool ?? false)
    }
    planned = (
      mounts.filter { $0["came-along"] as? Bool == false }.map(mount), mounts.map(mount)
    )
    problems =
      (plan["filesystem"] as? [[String: Any]] ?? []).compactMap { $0["problem"] as? String }
      + [plan["bus-problem"] as? String].compactMap(\.self)
    seen = try session.content("seen").split(separator: "\n").compactMap(Rehearsal.mount)
    made = try session.content("made")
    planStatus = try session.content("plan-status").trimmingCharacters(in: .whitespacesAndNewlines)
    status = try session.content("status").trimmingCharacters(in: .whitespacesAndNewlines)
    errors = try session.content("errors") + session.content("plan-errors")
  }

  private static func object(_ text: String) throws -> [String: Any] {
    guard !text.isEmpty else { return [:] }
    return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
  }

  /// Reads a line of the table.
  ///
  /// Not every line's command prints one.
  private static func mount(_ line: Substring) -> SeenMount? {
    let words = line.split(separator: " ").map(String.init)
    guard let dash = words.firstIndex(of: "-"), dash > 5 else { return nil }
    return SeenMount(
      point: words[4], type: words[dash + 1],
      isReadOnly: words[5].split(separator: ",").contains("ro"))
  }
}

@Suite("The plan and the sandbox", .needs("python3"))
struct PlanTests {
  // Red: --dry-run tells a lie about what will be visible, where, or how.
  @Test("A plan's mounts are those inside", arguments: GeneratedTests.lines)
  func generated(_ line: Line) throws { try check(line) }

  // Red: the same, for masks, texts, user files, patterns, the program and buses.
  @Test("A plan's mounts are those inside", arguments: PlanTests.newerLines)
  func own(_ line: Line) throws { try check(line) }

  static let newerLines: [Line] = {
    var generator = LineGenerator(seed: GeneratedTests.seed, hasOwnOptions: true)
    return (0..<GeneratedTests.count).map { _ in generator.line() }
  }()

  // Red: the lines are refused before there is anything to compare.
  @Test func `Enough of the lines start a command`() throws {
    let sample = PlanTests.newerLines.prefix(30)
    let successes = try sample.count { try Rehearsal($0).status == "0" }
    #expect(successes * 3 >= sample.count, "seed \(GeneratedTests.seed): \(successes)")
  }

  // Red: the same, for chosen combinations.
  @Test("A plan's mounts are those inside", arguments: PairTests.lines)
  func pair(_ line: Line) throws { try check(line) }

  // Red: the same, for overlays and for what bubblewrap does not know.
  @Test(
    "A plan's mounts are those inside",
    arguments: [
      "$system --overlay-src source --tmp-overlay /mnt --bind work /mnt/dir --tmpfs /mnt/new",
      "$system --overlay-src source --overlay-src work --ro-overlay /mnt --bind empty /mnt/dir",
      "$system --overlay-src source --overlay-src work --ro-overlay /mnt --bind empty /mnt/x",
      "$system --overlay-src missing --tmp-overlay /mnt",
      "$system --overlay-src source --overlay work empty /a/b --dir /a/b/c --dev /a/b/c/dev",
      "$system --symlink a /l --symlink /l/b /a/c --dir /a/b --tmpfs l/c/../c/d --dev ../../dev",
      "$system --bind / /mnt --tmpfs /mnt/proc --remount-ro /mnt/sys --remount-ro /mnt",
      "$system --bind /dev /a --remount-ro /a/pts --ro-bind /proc /b --tmpfs /c --remount-ro /c",
      "$system --symlink b /a --symlink a /b --tmpfs /a", "$system --bind work/file /a/b/c/d/e",
      "$system --ro-bind-try /proc/self/ns/user /x --ro-bind source/outward /y",
      "$system --ro-bind source /s --bind source /t --dir /t/new --tmpfs /s/new --bind data /t/new/f",
    ])
  func other(_ line: Line) throws { try check(line) }

  private func check(_ line: Line) throws {
    let rehearsal = try Rehearsal(line)
    #expect(rehearsal.made == "", "\(line): the dry run changed something")
    if rehearsal.status != "0" || rehearsal.seen.isEmpty {
      // The plan must contain the failures of operations; it need not contain others.
      let isOfFiles =
        rehearsal.errors.contains(
          /\(--(ro-|dev-)?(bind|tmpfs|dir|file|symlink|remount|proc|dev|mq|mask|same|user-f|dbus)/)
      #expect(
        !isOfFiles || rehearsal.planStatus != "0" || !rehearsal.problems.isEmpty,
        "\(line): \(rehearsal.errors)")
      return
    }
    #expect(rehearsal.problems == [], "\(line)")
    // All of them, including mounts that came along with a recursive bind.
    #expect(
      Dictionary(grouping: rehearsal.planned.all, by: { $0 }).mapValues(\.count)
        == Dictionary(grouping: rehearsal.seen, by: { $0 }).mapValues(\.count),
      "\(line)\nplanned \(rehearsal.planned.all)\nseen    \(rehearsal.seen)")
    // In order those that the operations make; the kernel lists what came along as it likes.
    var rest = rehearsal.seen[...]
    for mount in rehearsal.planned.own {
      let index = rest.firstIndex(of: mount)
      #expect(index != nil, "\(line): \(mount) is out of order in \(rehearsal.seen)")
      rest = rest[(index.map { $0 + 1 } ?? rest.startIndex)...]
    }
  }
}
