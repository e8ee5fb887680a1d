// SPDX-License-Identifier: Apache-2.0
// The built-in profiles against a thief in a session full of secrets, and in a terminal.

import Foundation
import TestSupport
import Testing

@Suite("Built-in profiles in use", .needs("gcc"), .needs("python3"))
struct ProfileTests {
  static let programs = URL(filePath: #filePath)
    .deletingLastPathComponent().appending(path: "Programs").path

  /// Lets the thief loose by `command`, in which it is called THIEF.
  private func theft(_ scene: String, _ command: String) throws -> Outcome {
    let session = try Session()
    return try session.run(
      """
      mkdir program && gcc -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -o program/thief "$1/thief.c" &&
      cp "$1/session.py" . && python3 session.py \(scene) -- \(command)
      """, ProfileTests.programs)
  }

  // Red: the thief is too weak, and all tests below prove nothing.
  @Test func `Without a sandbox everything can be stolen`() throws {
    let outcome = try theft("outside", "THIEF")
    #expect(
      outcome.lines == ["exit 0 ", "missed []", "alive True"], "\(outcome.output)\(outcome.errors)")
  }

  // Red: the first line that a new user types gives away keys, tokens or the session.
  @Test(
    "With the standard profile nothing can be stolen, changed or left behind",
    arguments: [
      "nestbox THIEF", "nestbox --profile untrusted THIEF", "nestbox --profile shell THIEF",
      "nestbox --uid 0 --gid 0 THIEF",
    ])
  func untrusted(_ command: String) throws {
    let outcome = try theft("inside", command)
    #expect(
      outcome.lines == ["exit 0 ", "got []", "changed []", "alive True"],
      "\(outcome.output)\(outcome.errors)")
  }

  // Red: a program in the home directory finds no settings, a secret, or leaves something.
  @Test(
    "In the home directory without secrets, settings are found and nothing is stolen or left",
    arguments: [
      ("nestbox --tmp-home THIEF", "'.bashrc', "),
      // Has a prompt of its own.
      ("nestbox --profile shell --tmp-home THIEF", ""),
    ])
  func home(_ command: String, _ prompt: String) throws {
    let outcome = try theft("home", command)
    #expect(
      outcome.lines == [
        "settings [\(prompt)'.env', '.profile', 'beside', 'letter', 'x.desktop']", "exit 0 ",
        "got []", "changed []", "alive True",
      ], "\(outcome.output)\(outcome.errors)")
  }

  // Red: a build reads or changes more than the project.
  @Test func `For a build nothing can be stolen or changed beside the directory`() throws {
    let outcome = try theft("inside", "nestbox --profile build THIEF")
    #expect(
      outcome.lines.map(ProfileTests.withoutProject) == [
        "exit 0 ", "got []", "changed []", "alive True",
      ], "\(outcome.output)\(outcome.errors)")
    // That the directory is writable shows in what was left there.
    #expect(outcome.output.contains("/program/"))
  }

  /// The line without what lies in the directory of the program, and without the directory for the
  /// locks of launches.
  private static func withoutProject(_ line: String) -> String {
    guard let start = line.firstIndex(of: "["), line.hasSuffix("]") else { return line }
    let parts = line[start...].dropFirst().dropLast().split(separator: ", ")
      .filter { !$0.contains("/program") && !$0.hasSuffix("-run/'") }
    return line[..<start] + "[" + parts.joined(separator: ", ") + "]"
  }

  // Red: keys do nothing, or the wrong program gets them; who uses a sandbox by hand stops using it.
  @Test func `A shell in a terminal behaves as one outside does`() throws {
    let outcome = try Session().run("python3 \"$1/terminal.py\"", ProfileTests.programs)
    #expect(outcome.lines == ["7", "0", "130"], "\(outcome.errors)")
  }

  // Red: a command that may reach the internet reaches something of the session as well.
  @Test func `With the network nothing of the session is reached`() throws {
    let outcome = try theft("inside", "nestbox --profile network THIEF")
    #expect(
      outcome.lines == ["exit 0 ", "got []", "changed []", "alive True"],
      "\(outcome.output)\(outcome.errors)")
  }

  // Red: the host's network comes with the sockets of X11 and D-Bus, or with files.
  @Test func `With the host's network, ports can be reached and nothing else`() throws {
    let outcome = try theft("inside", "nestbox --profile host-network THIEF")
    #expect(outcome.lines.first == "exit 0 ")
    #expect(
      outcome.lines.dropFirst().first?.wholeMatch(of: /got \['port:\d+'\]/) != nil,
      "\(outcome.output)\(outcome.errors)")
    #expect(outcome.lines.suffix(2) == ["changed []", "alive True"])
  }

  // Red: nestbox waits without a word for somebody to write to a FIFO, or refuses a pipe that bash
  // makes.
  @Test func `A pipe is read by its descriptor, and a FIFO is refused`() throws {
    let outcome = try Session().run(
      """
      mkfifo fifo; line='--ro-bind / /'
      timeout 60 nestbox --profile ./fifo true; echo $?
      nestbox --profile <(sleep 0.1; echo "$line") echo substituted
      nestbox --profile /dev/stdin echo text <<<"$line"
      { sleep 0.1; echo "$line"; } | nestbox --profile /proc/self/fd/0 echo piped
      timeout 60 nestbox $line --seccomp-policy ./fifo true; echo $?
      nestbox $line --seccomp-policy <(sleep 0.1; echo 'default allow') echo policy
      """)
    #expect(
      outcome.lines == ["125", "substituted", "text", "piped", "125", "policy"], "\(outcome)")
    #expect(outcome.errors.contains("--profile: the profile ./fifo is a FIFO; name a regular file"))
    #expect(outcome.errors.contains("the policy ./fifo is a FIFO; name a regular file"))
  }
}
