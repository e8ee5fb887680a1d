// SPDX-License-Identifier: Apache-2.0
// A hostile command in sandboxes that are made in different ways.

import Foundation
import TestSupport
import Testing

@Suite("Escapes", .needs("gcc"), .needs("python3"))
struct EscapeTests {
  /// Ordinary users skip the attacks that only root can prepare.
  private static let possible = Attack.all.filter { User.isRoot || !$0.needsRoot }

  /// Every attack in every sandbox where it must fail.
  static let cases = possible.flatMap { attack in
    attack.boxes.filter { $0.user == .ordinary || User.isRoot }.map { (attack, $0) }
  }

  // Red: a command gets out of its sandbox.
  @Test("The attack fails in the sandbox", arguments: cases)
  func fails(_ attack: Attack, _ box: Box) throws {
    let session = try Session(as: box.user)
    let outcome = try session.attack(
      """
      \(attack.scene)nestbox --unsetenv MARKER --setenv OTHER hidden-marker --unsetenv OTHER \
        --setenv OWN_USER \(box == .userZero ? "0" : "$(id -u)") \
        \(box.options) "$tools/hostile" \(attack.name)
      cat data/file
      """, "export MARKER=hidden-marker")
    #expect(outcome.lines == ["held", "untouched"], "\(outcome.errors)")
  }

  // Red: the test above could not fail.
  @Test("The attack succeeds where nothing prevents it", arguments: possible)
  func bites(_ attack: Attack) throws {
    let prefix = "export PATIENCE=3000 MARKER=hidden-marker OWN_USER=$(id -u) attack=\(attack.name)"
    let outcome: Outcome
    switch attack.weakness {
    case .bare, .options:
      var line = #""$tools/hostile" "$attack""#
      if case .options(let options) = attack.weakness {
        line = "nestbox \(options) \(line)"
      }
      if attack.name == "injection", !EscapeTests.isInjectionPossible {
        try Test.cancel("this kernel does not let anybody push input (dev.tty.legacy_tiocsti)")
      }
      // A neighbour of the same user, to be found by those who look for one.
      outcome = try Session().attack(
        "sleep 100 & neighbour=$!; \(attack.scene)\(line); kill $neighbour", prefix)
    case .root(let script):
      guard User.isRoot else { try Test.cancel("needs to be run as root") }
      outcome = try Session(as: .root).attack(
        script, prefix.replacing("OWN_USER=$(id -u)", with: "OWN_USER=61234"))
    }
    #expect(outcome.lines.contains { $0.hasPrefix("escaped: ") }, "\(outcome)")
  }

  private static let isInjectionPossible =
    (try? String(contentsOfFile: "/proc/sys/dev/tty/legacy_tiocsti", encoding: .utf8)) != "0\n"
}

extension Attack {
  /// Whether the program that it executes can be made by root alone.
  var needsRoot: Bool { name == "set-user-id" || name == "file-capabilities" }
}
