// SPDX-License-Identifier: Apache-2.0
// What a person at a terminal is told after a command that has failed, and what --explain keeps to
// itself.

import TestSupport
import Testing

@Suite("After a failure", .needs("script"), .needs("python3"), .needs("git"))
struct FailureTests {
  /// Runs nestbox with each of the commands at a terminal, and returns those after which --explain is
  /// named.
  private func hinted(_ commands: [String], input: String = "") throws -> [String] {
    let lines = commands.map { "typed '" + $0 + "'" }.joined(separator: "\n")
    let outcome = try Session().run(
      """
      printf '#!/bin/sh\\nls /nosuch\\n' >failing; chmod +x failing
      typed() {
        printf '\(input)' | script --quiet --return --command "nestbox $1" /dev/null |
          grep -q 'this line also says.*nestbox --explain ' && echo "$1"
      }
      \(lines)
      true
      """)
    return outcome.lines
  }

  // Red: after the commonest failures a person is told nothing.
  @Test func `Failures of every kind name --explain`() throws {
    let commands = [
      "./failing", "sh -c \"exit 1\"", "sh -c \"exit 126\"", "sh -c nosuchprogram",
      "sh -c \"exit 128\"", "sh -c \"exit 134\"", "sh -c \"exit 255\"",
      "sh -c \"kill -SEGV \\$\\$\"", "sh -c \"kill -ABRT \\$\\$\"", "grep -q a nosuchfile",
    ]
    #expect(try hinted(commands) == commands)
  }

  // Red: each test(1) that says no, and each Ctrl-C, is followed by advice.
  @Test func `What is no failure names nothing`() throws {
    let commands = [
      "true", "false", "test -e nosuchfile", "grep -q nosuchword /dev/null", "expr 0",
      "sh -c \"exit 130\"", "sh -c \"kill -INT \\$\\$\"", "sh -c \"kill -TERM \\$\\$\"",
      "sh -c \"kill -PIPE \\$\\$\"", "--timeout 1s sleep 60",
    ]
    #expect(try hinted(commands) == [])
    #expect(try hinted(["sh", "bash -i"], input: "exit 3\\n") == [])
  }

  // Red: a person is told to pass a password on, or nothing of the X server.
  @Test func `Variables of the session come with what leads there, secrets without an option`()
    throws
  {
    let outcome = try Session().run(
      """
      export DISPLAY=:7 WAYLAND_DISPLAY=w DBUS_SESSION_BUS_ADDRESS=unix:path=/b SSH_AUTH_SOCK=/s
      export MY_TOKEN=secret URL=https://a:b@example.org XDG_SEAT=seat0 DB_PWD=x MODEL=sk-proj-x
      nestbox --explain sh -c 'exit 3' 2>all; grep -e 'of your session' -e 'look secret' all
      grep -e XDG_SEAT -e 'keep-env.*TOKEN' -e 'keep-env.*URL' -e 'keep-env.*PWD' -e 'keep-env.*MODEL' all
      nestbox --explain sh -c 'exit 0' 2>&1
      >f; nestbox --explain sh -c 'cat $0; echo $DISPLAY; exit 3' $PWD/f 2>&1 | grep variables
      """)
    let lines = outcome.lines
    try #require(lines.count == 4, "\(outcome)")
    for text in [
      " DISPLAY (--profile x11)", "WAYLAND_DISPLAY (--profile wayland)",
      "DBUS_SESSION_BUS_ADDRESS (--dbus-session)", "SSH_AUTH_SOCK (the SSH agent signs",
    ] {
      #expect(lines[0].contains(text), "\(outcome)")
    }
    #expect(
      lines[1].contains("did not get: ") && lines[1].contains("MY_TOKEN")
        && lines[1].contains("URL"), "\(outcome)")
    #expect(lines[2].contains("the sandbox kept nothing that the command asked for ("))
    // Where something else is the likely cause, only what the command names.
    #expect(lines[3].hasSuffix("did not get: DISPLAY (--profile x11)"), "\(outcome)")
  }

  // Red: the line that is given to type lacks what the command missed last.
  @Test func `The line to type has what was missed last, or there is none`() throws {
    let outcome = try Session().run(
      """
      >f
      nestbox --explain sh -c 'cat /etc/debian_version; cat $0' $PWD/f 2>&1 |
        grep -e 'remedy:.*--read /etc'
      nestbox --explain sh -c 'cat $0; cat /etc/debian_version' $PWD/f 2>&1 |
        grep -e 'remedy:.*--read /etc'
      """)
    #expect(outcome.lines.count == 1, "\(outcome)")
    #expect(
      outcome.output.hasPrefix("nestbox: remedy: nestbox --read /etc/debian_version sh -c"),
      "\(outcome)")
  }

  // Red: a 32-bit program is killed, and nothing says what lets it run.
  @Test("A 32-bit program comes with the policy under which it runs", .needs("gcc"))
  func foreign() throws {
    let session = try Session()
    try session.write("main.c", "int main(void) { return 7; }")
    let built = try session.run("gcc -m32 -static -o program main.c && { ./program; [ $? = 7 ]; }")
    guard built.status == 0 else { try Test.cancel("gcc -m32 builds nothing here") }
    let outcome = try session.run(
      """
      for option in '' --explain; do
        nestbox $option ./program 2>errors; grep -c -e '32-bit' -e 'kept nothing' errors
        line=$(sed -n 's/^nestbox: remedy: //p' errors); eval "$line" 2>/dev/null; echo $?
      done
      nestbox --read program sh -c './program; exit $?' 2>&1 | grep -o 'hint: 32-bit.*'
      nestbox --seccomp-explain ./program 2>&1
      """)
    #expect(
      outcome.lines == [
        "1", "7", "1", "7", "hint: 32-bit programs need --seccomp-policy desktop",
        "nestbox: --seccomp-policy: expected a policy, and ./program is a program; built in are "
          + "default, desktop, strict, compat",
      ], "\(outcome)")
  }

  // Red: a person shows a key, a file that they may not read either, or lets hooks be written.
  @Test func `No option is given for secrets, closed files and hooks`() throws {
    let outcome = try Session().run(
      """
      export HOME=$PWD/home; mkdir home; cd home; echo k >.netrc; ln -s .netrc link
      echo a >locked; chmod 0 locked; echo a >open
      for file in .netrc link locked; do nestbox cat $file 2>&1 | grep -e --read -e secret; done
      nestbox cat .netrc open 2>&1 | grep remedy:
      git init -q p; cd p
      nestbox --explain --profile build sh -c '>.git/hooks/x' 2>&1 | grep -o '/hooks is.*'
      nestbox --explain --profile git sh -c '>.git/config' 2>&1 | grep -o '/config is.*'
      """)
    #expect(
      outcome.lines == [
        "nestbox: the sandbox does not show .netrc: it is secret, or holds secrets",
        "nestbox: the sandbox does not show link: it is secret, or holds secrets",
        "nestbox: remedy: nestbox --read open cat .netrc open",
        "/hooks is read-only inside (sh): git and its like later execute what is in it, outside",
        "/config is read-only inside (sh): git and its like later execute what is in it, outside",
      ], "\(outcome)")
  }

  // Red: what every program of Python looks for seems to be the cause.
  @Test func `What Python can do without is told last, or not at all`() throws {
    let outcome = try Session().run(
      """
      export HOME=$PWD/home; mkdir -p lib/mod; echo 'x = 1' >lib/mod/__init__.py
      mkdir -p $(python3 -m site --user-site)
      nestbox --explain --read lib --setenv PYTHONPATH $PWD/lib python3 -c '
      open("/etc/debian_version"); import mod' 2>&1 | grep 'nestbox: /'
      nestbox --explain --read lib --setenv PYTHONPATH $PWD/lib python3 -c '
      import mod, os; open("/etc/debian_version")' 2>&1 | grep 'nestbox: /'
      """)
    #expect(outcome.lines.count == 4, "\(outcome)")
    for index in outcome.lines.indices {
      let text =
        index % 2 == 0 ? "/etc/debian_version is not shown" : "site-packages, which has the modules"
      #expect(outcome.lines[index].contains(text), "\(outcome)")
    }
  }
}
