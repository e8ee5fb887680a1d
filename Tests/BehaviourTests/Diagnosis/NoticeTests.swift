// SPDX-License-Identifier: Apache-2.0
// The remedies of notices, of messages after the command's end and of --doctor: each is typed as it
// is printed. Those of launches that failed are in DiagnosisTests.

import Foundation
import TestSupport
import Testing

/// A line that gets a notice, and what the remedy achieves.
struct Noticed: Sendable, CustomTestStringConvertible {
  /// What the notice is about.
  let name: String
  /// The function that writes it.
  let source: String
  /// Makes what both lines need.
  var setup = ""
  /// The line.
  let line: String
  /// Looks at what the remedy did.
  var after = ""
  /// What the remedy, when it is typed, and that print.
  let output: String

  var testDescription: String { name }

  static let all = [
    Noticed(
      name: "A word names a file that is not shown", source: "hiddenFiles",
      setup: "echo text > 'a letter'", line: "nestbox cat 'a letter'", output: "text"),
    Noticed(
      name: "Several words do", source: "hiddenFiles",
      setup: "mkdir dir; touch dir/file; echo text > letter", line: "nestbox ls dir letter",
      output: "letter\n\ndir:\nfile"),
    Noticed(
      name: "One file and an empty directory for the result", source: "hiddenFiles",
      setup: "mkdir -p results; rm -f results/*; echo text > in", line: "nestbox cp in results/",
      after: "cat results/in", output: "text"),
    Noticed(
      name: "The command changes the file that it names", source: "hiddenFiles",
      setup: "echo text > letter", line: "nestbox chmod 600 letter",
      after: "stat -c %a letter", output: "600"),
    Noticed(
      name: "The command removes the file that it names", source: "hiddenFiles",
      setup: "mkdir -p w; cd w; echo text > letter", line: "nestbox rm letter", after: "ls",
      output: ""),
    Noticed(
      name: "The command replaces the file that it names", source: "hiddenFiles",
      setup: "mkdir -p w; echo text > w/letter", line: "nestbox sed -i s/text/other/ w/letter",
      after: "cat w/letter", output: "other"),
    Noticed(
      name: "The command moves a file into a directory", source: "hiddenFiles",
      setup: "mkdir -p w x; echo text > w/letter; >x/y", line: "nestbox mv w/letter x",
      after: "ls w; cat x/letter", output: "text"),
    Noticed(
      name: "The command's name finds another program outside", source: "otherCommand",
      setup: """
        mkdir -p tools; printf '#!/bin/sh\\necho mine\\n' > tools/ls; chmod +x tools/ls
        PATH=$PWD/tools:$PATH
        """, line: "nestbox ls -d /", output: "mine"),
    Noticed(
      name: "What the command writes is thrown away", source: "discardedDirectory",
      setup: """
        mkdir -p work; cd work
        nestbox() { command script --quiet --return --command "command nestbox ${*@Q}" /dev/null </dev/null | tr -d '\\r' >&2; }
        """, line: "nestbox touch made", after: "ls", output: "made"),
    Noticed(
      name: "A destination is relative", source: "relativeDestination",
      setup: "echo text > in.txt",
      line: "nestbox --profile untrusted --ro-bind in.txt in.txt cat in.txt", output: "text"),
    Noticed(
      name: "git cannot commit", source: "readOnlyRepository",
      setup: """
        git init -q p 2>&-; cd p; git config user.name A; git config user.email a@example.org
        """, line: "nestbox --profile build git commit -q --allow-empty -m one",
      after: "git log --format=%s", output: "one"),
    Noticed(
      name: "git cannot make a repository", source: "readOnlyRepository",
      setup: "mkdir -p q; cd q", line: "nestbox --profile build git init -q",
      after: "git rev-parse --git-dir", output: ".git"),
    Noticed(
      name: "The working directory is not shown", source: "changeDirectory",
      setup: "cd /var/log", line: "nestbox pwd", output: "/var/log"),
  ]
}

@Suite("Remedies beside failed launches", .needs("python3"), .needs("git"), .needs("script"))
struct NoticeTests {
  // Red: a person types what a notice says, and it is no line, or does not help.
  @Test("The remedy of a notice is a whole line that works", arguments: Noticed.all)
  func notice(_ noticed: Noticed) throws {
    let outcome = try Session().run(
      """
      \(noticed.setup)
      { \(noticed.line) >/dev/null; } 2>"$HOME/errors"
      sed -n 's/^nestbox: remedy: //p' "$HOME/errors" > "$HOME/remedy"
      [ $(wc -l < "$HOME/remedy") = 1 ] || cat "$HOME/errors"
      eval "$(<"$HOME/remedy")" 2>"$HOME/errors-2"
      grep -e remedy: -e hint: "$HOME/errors-2"
      \(noticed.after)
      """)
    #expect(outcome.output == noticed.output, "\(outcome.errors)")
  }

  // Red: after one remedy a person is given a second one, or none after a failure.
  @Test func `After a failure --explain is named, unless another remedy was`() throws {
    let outcome = try Session().run(
      """
      echo text > letter
      typed() {
        script --quiet --return --command "nestbox $1" /dev/null </dev/null | tr -d '\\r' |
          grep -o -e '^nestbox: remedy' -e 'this line also says.*--explain .*'
      }
      typed "sh -c 'exit 3'"; echo --; typed 'cat letter'
      # What the command wrote is lost, which does not explain why it failed.
      echo --; mkdir project; cd project; typed "sh -c 'touch lost; exit 3'"
      """)
    #expect(
      outcome.lines == [
        "this line also says what the sandbox kept from it: nestbox --explain sh -c 'exit 3'", "--",
        "nestbox: remedy", "--",
        "this line also says what the sandbox kept from it: nestbox --explain sh -c 'touch lost; exit 3'",
        "nestbox: remedy",
      ], "\(outcome)")
  }

  // Red: a person who lets git write to the repository is told that it cannot.
  @Test func `A repository that a later option shows writable gets no notice`() throws {
    let outcome = try Session().run(
      """
      git init -q p 2>&-; cd p; git config user.name A; git config user.email a@example.org
      nestbox --profile build --write $PWD/.git git commit -q --allow-empty -m one 2>&1
      git log --format=%s
      """)
    #expect(outcome.output == "one", "\(outcome)")
  }

  // Red: --learn says to write where the command could then change the profile, or the line does not
  // keep what the command writes.
  @Test func `Of a learning run a person keeps what the command writes`() throws {
    let outcome = try Session().run(
      """
      mkdir work; cd work
      learn() {
        script --quiet --return --command "nestbox --learn $1 touch made" /dev/null </dev/null | tr -d '\\r' |
          grep -o -e 'to keep it.*' -e 'the command could change'
      }
      learn ./p; ls; learn './p --write .'; learn '../p --write .'; ls; ls ..
      """)
    #expect(
      outcome.lines == [
        "to keep it, have the profile written to another directory, and add --write .", "p",
        "the command could change", "made", "p", "p", "work",
      ], "\(outcome)")
  }

  // Red: a notice is added whose remedy nobody has typed.
  @Test func `Each notice has a line in the table`() throws {
    let file = Workspace.repository.appending(path: "Sources/Sandbox/Setup/Notices.swift")
    let text = try String(contentsOf: file, encoding: .utf8)
    let sources = text.matches(of: #/func (\w+)\(\) -> Notice\?/#).map { String($0.1) }
    #expect(sources.count >= 4, "the source is not read")
    #expect(sources.filter { source in !Noticed.all.contains { $0.source == source } } == [])
    // Outside that file and the diagnoses, which have a table, no line is made but these.
    #expect(try NoticeTests.filesWithLines() == NoticeTests.known)
  }

  /// The files that make remedies, without those of failed launches.
  private static func filesWithLines() throws -> Set<String> {
    let sources = Workspace.repository.appending(path: "Sources")
    let names = try FileManager.default.subpathsOfDirectory(atPath: sources.path)
    return Set(
      try names.filter { $0.hasSuffix(".swift") && !$0.hasPrefix("Sandbox/Diagnosis/") }.filter {
        let text = try String(contentsOf: sources.appending(path: $0), encoding: .utf8)
        return [".line(line.text)", "Remedy.line(", "Remedy.asRoot(", ".asRoot("].contains {
          text.contains($0)
        }
      })
  }

  private static let known: Set = [
    "Sandbox/Setup/Notices.swift", "Sandbox/Setup/Command.swift",
    // Cases/files/notices.md types this.
    "Sandbox/Launch/DiscardedDirectory.swift",
    // NetworkProfileTests type this.
    "Sandbox/Setup/ProxyNotice.swift",
    // ExplainTests type these.
    "Sandbox/Watching/Explanation.swift",
    // The next test.
    "Launcher/Doctor/DoctorFacts.swift",
  ]

  // Red: --doctor gives a line that names no package, or that only works for somebody else.
  @Test("The doctor's remedy for a missing program installs it", .needs("apt-get"))
  func doctor() throws {
    let outcome = try Session().run(
      """
      mkdir -p bin; ln -s "$(command -v nestbox)" /usr/bin/apt-get bin; ln -s /usr/bin/sed bin
      PATH=$PWD/bin DBUS_SESSION_BUS_ADDRESS=unix:path=/x nestbox --doctor |
        sed -n 's/^ *remedy: \\(.*xdg-dbus-proxy\\)$/\\1/p' > remedy
      cat remedy; line=$(<remedy); line=${line#sudo }
      eval "${line/install/--simulate install}" >/dev/null && echo works
      """)
    #expect(
      outcome.output == "sudo apt-get install xdg-dbus-proxy\nworks", "\(outcome.errors)")
  }
}
