// SPDX-License-Identifier: Apache-2.0
// Mistakes in a command line: exactly one message for each.

import Linux
import Sandbox
import Testing

@testable import Options
import Text

@Suite("Mistakes")
struct MistakeTests {
  // Red: a mistake is accepted, or its message does not help to find it.
  @Test(
    "A mistake has its message",
    arguments: [
      ("--frobnicate", "Unknown option --frobnicate"), ("-q", "Unknown option -q"),
      ("--ro-bnid / /", "Unknown option --ro-bnid; did you mean --ro-bind?"),
      (
        "--perms 0700 command",
        "--perms must be followed by an option that creates a file or directory"
      ),
      (
        "--perms 0700 --proc /a",
        "--perms must be followed by an option that creates a file or directory"
      ),
      (
        "--perms 0700 --symlink a /b",
        "--perms must be followed by an option that creates a file or directory"
      ),
      ("--size 1 --dir /a", "--size must be followed by --tmpfs"),
      ("--size 1 command", "--size must be followed by --tmpfs"),
      ("--size 1 --perms 0700 --dir /a", "--size must be followed by --tmpfs"),
      ("--perms 8 --dir /a", "--perms: expected an octal mode from 0 to 7777, found 8"),
      ("--perms 10000 --dir /a", "--perms: expected an octal mode from 0 to 7777, found 10000"),
      ("--perms +7 --dir /a", "--perms: expected an octal mode from 0 to 7777, found +7"),
      ("--perms -1 --dir /a", "--perms: expected an octal mode from 0 to 7777, found -1"),
      ("--chmod rwx /a", "--chmod: expected an octal mode from 0 to 7777, found rwx"),
      ("--size 0 --tmpfs /a", "--size: expected a number of bytes, at least 1, found 0"),
      (
        "--size 1k --tmpfs /a",
        "--size: expected a number of bytes, at least 1, found 1k; write 1024"
      ),
      (
        "--size 9223372036854775808 --tmpfs /a",
        "--size: expected a number of bytes, at least 1, found 9223372036854775808"
      ),
      ("--file -1 /a", "--file: expected the number of a descriptor, found -1"),
      ("--file 2147483648 /a", "--file: expected the number of a descriptor, found 2147483648"),
      (
        "--report a.json true",
        "--report: expected the number of a descriptor, found a.json; to write a file: "
          + "--report 3 COMMAND 3>a.json"
      ),
      ("--bind-data x /a", "--bind-data: expected the number of a descriptor, found x"),
      ("--ro-bind-data 0x3 /a", "--ro-bind-data: expected the number of a descriptor, found 0x3"),
      ("--seccomp +3", "--seccomp: expected the number of a descriptor, found +3"),
      ("--add-seccomp-fd 3.0", "--add-seccomp-fd: expected the number of a descriptor, found 3.0"),
      ("--args x", "--args: expected the number of a descriptor, found x"),
      ("--uid 4294967295", "--uid: expected a number from 0 to 4294967294, found 4294967295"),
      ("--gid root", "--gid: expected a number from 0 to 4294967294, found root"),
      ("--monotonic 1.5", "--monotonic: expected a number of seconds, found 1.5"),
      ("--boottime soon", "--boottime: expected a number of seconds, found soon"),
      (
        "--setenv A=B c",
        "--setenv: expected the name of a variable, found A=B; write --setenv A B"
      ),
      (
        "--unsetenv A=B",
        "--unsetenv: expected the name of a variable, found A=B; write --unsetenv A"
      ),
      (
        "--keep-env A,B=C",
        "--keep-env: expected the name of a variable, found B=C; write --setenv B C"
      ),
      (
        "--size 16MiB --tmpfs /a",
        "--size: expected a number of bytes, at least 1, found 16MiB; write 16777216"
      ),
      (
        "--size 9999999T --tmpfs /a",
        "--size: expected a number of bytes, at least 1, found 9999999T"
      ),
      ("--cap-add root", "--cap-add: expected a capability or ALL, found root"),
      ("--cap-drop cap_", "--cap-drop: expected a capability or ALL, found cap_"),
      ("--argv0 a --argv0 b", "--argv0: may be given only once"),
      ("--seccomp 3 --add-seccomp-fd 4", "--add-seccomp-fd cannot be combined with --seccomp"),
      ("--add-seccomp-fd 4 --seccomp 3", "--seccomp cannot be combined with --add-seccomp-fd"),
    ])
  func message(_ line: String, _ message: String) {
    let words = line.split(separator: " ").map { ByteString(String($0)) }
    #expect(throws: UsageError(message)) {
      var parser = Parser()
      try parser.parse(words)
    }
  }

  // Red: a word of the command is taken for an operand, or the program reads past the end.
  @Test("A missing operand is named", arguments: Option.all.map(\.name))
  func missingOperand(_ name: String) throws {
    let option = try #require(Option.all.first { $0.name == name })
    let operands = option.operands
    for count in operands.indices
    where !option.traits.contains(.lastIsOptional) || count < operands.count - 1 {
      let words = [ByteString](repeating: "1", count: count)
      let missing = operands[count].name
      let remedies = [
        "SANDBOX": "; nestbox --list shows the running sandboxes",
        "REVIEW": "; nestbox --reviews shows the reviews that wait",
      ]
      let remedy = remedies[missing] ?? ""
      #expect(throws: UsageError("\(name): \(missing) is missing\(remedy)")) {
        var parser = Parser()
        try parser.parse([ByteString(name)] + words)
      }
    }
  }

  // Red: half of an option's protection is lost without a warning.
  @Test(
    "A repeated option that takes effect once causes a warning",
    arguments: [
      "--uid", "--gid", "--hostname", "--chdir", "--seccomp", "--monotonic", "--boottime",
    ])
  func repetition(_ name: String) throws {
    let option = ByteString(name)
    #expect(try parse(option, "1").warnings == [])
    let draft = try parse(option, "1", option, "2", option, "3")
    let warning = "Only the last \(name) option will take effect"
    #expect(draft.warnings == [warning, warning])
  }

  // Red: options that are made to be repeated are warned of.
  @Test("What may be repeated is not warned of")
  func allowedRepetition() throws {
    let draft = try parse(
      "--bind", "/", "/", "--bind", "/", "/", "--setenv", "A", "1", "--setenv", "A", "2",
      "--unshare-pid", "--unshare-pid", "--new-session", "--new-session")
    #expect(draft.warnings == [])
  }

  // Red: a sandbox is started although part of it was not understood.
  @Test(
    "A missing option is named",
    arguments: [
      ("--hostname a", "--hostname needs --unshare-uts"),
      ("--domainname a", "--domainname needs --unshare-uts"),
      ("--monotonic 1", "--monotonic needs --unshare-time"),
      ("--boottime 1", "--boottime needs --unshare-time"),
      ("--as-pid-1", "--as-pid-1 needs --unshare-pid"),
      ("--kill-on-exit", "--kill-on-exit needs --unshare-pid"),
    ])
  func dependency(_ line: String, _ message: String) throws {
    var parser = Parser()
    try parser.parse(line.split(separator: " ").map { ByteString(String($0)) } + ["command"])
    let sandbox = parser.draft.sandbox
    #expect(throws: UsageError(message)) { try sandbox.validate() }
  }

  // Red: a number that was mistyped leads to a file that the caller never meant.
  @Test(
    "A descriptor that is not open is named",
    arguments: ["--file", "--bind-data", "--ro-bind-data", "--seccomp", "--add-seccomp-fd"])
  func closedDescriptor(_ name: String) throws {
    let words: [ByteString] =
      name.contains("seccomp") ? [ByteString(name), "999999"] : [ByteString(name), "999999", "/a"]
    var parser = Parser()
    try parser.parse(words + ["command"])
    let sandbox = parser.draft.sandbox
    #expect(throws: UsageError("\(name): descriptor 999999 is not open")) {
      try sandbox.validate()
    }
  }

  // Red: a person who comes from another program is sent to the wrong option, or nowhere.
  @Test(
    "Names of other programs lead to what helps here",
    arguments: [
      ("--network=host", "--network host"), ("--time-limit", "--timeout"),
      ("--memory-limit=1g", "--memory 1G"), ("--rlimit_as", "--rlimit nofile=64"),
      ("--pids-limit", "--processes"),
      ("--join", "--userns"), ("--private", "--profile untrusted"),
      ("--rm", "leave it out"), ("-it", "leave it out"), ("--expose", "--publish"),
      ("--volume", "--bind"), ("--blacklist", "--mask"), ("--workdir", "--chdir"),
      ("--bindmount_ro", "--ro-bind"), ("--dbus-user.talk", "--dbus-talk"),
    ])
  func otherPrograms(_ word: String, _ expected: String) {
    let message = Suggestion.unknownOption(ByteString(word))
    #expect(
      message.hasPrefix("Unknown option \(word); ") && message.contains(expected), "\(message)")
  }

  // Red: clients of bubblewrap do not find the words that they look for.
  @Test(
    "Some mistakes have bubblewrap's words as well",
    arguments: [
      ("--overlay a b /c", "--overlay requires at least one --overlay-src"),
      ("--ro-overlay /c", "--ro-overlay requires at least two --overlay-src"),
      (
        "--overlay-src / command",
        "--overlay-src must be followed by another --overlay-src or one of --overlay, --tmp-overlay, "
          + "or --ro-overlay"
      ),
      ("--info-fd x", "Invalid fd: x"),
      ("--seccomp 3 --add-seccomp-fd 4", "--add-seccomp-fd cannot be combined with --seccomp"),
    ])
  func bubblewrap(_ line: String, _ message: String) {
    var parser = Parser()
    let words = line.split(separator: " ").map { ByteString(String($0)) }
    let error = #expect(throws: UsageError.self) { try parser.parse(words) }
    #expect(error?.message(asBubblewrap: true) == message)
  }

  // Red: an empty variable of a script is taken for a file that may be missing.
  @Test func `A source without a name is not merely missing`() {
    var parser = Parser()
    let error = #expect(throws: UsageError.self) {
      try parser.parse(["--ro-bind-try", "", "/mnt", "command"])
    }
    #expect(error?.message == "--ro-bind-try does not take an empty path for SRC")
  }
}
