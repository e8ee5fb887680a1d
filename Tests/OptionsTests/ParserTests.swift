// SPDX-License-Identifier: Apache-2.0
// From words to a sandbox: what each option changes, and nothing else.

import Linux
import Sandbox
import SystemPackage
import Testing

@testable import Options
import Text

/// What `words` and a command describe.
func parse(_ words: ByteString...) throws -> Draft {
  var parser = Parser()
  try parser.parse(words + ["command"])
  return parser.draft
}

/// Permissions as they are typed.
func mode(_ octal: CModeT) -> FilePermissions { FilePermissions(rawValue: octal) }

/// The sandbox with nothing but a command, changed by `change`.
private func sandbox(_ change: (inout Sandbox) -> Void) -> Sandbox {
  var sandbox = Sandbox()
  sandbox.command = ["command"]
  change(&sandbox)
  return sandbox
}

/// The sandbox with one operation on the new root.
private func operation(
  _ option: String, _ action: FilesystemOperation.Action
) -> Sandbox {
  sandbox { $0.filesystem = [FilesystemOperation(action, option: WrittenOption(option))] }
}

@Suite("Parser")
struct ParserTests {
  // Red: the launcher takes options of the command for its own, or the reverse.
  @Test func `The command begins at the first word that is not an option, or at two dashes`() throws
  {
    for words: [ByteString] in [["a", "--bind", "--"], ["--", "a", "--bind", "--"]] {
      var parser = Parser()
      try parser.parse(["--new-session"] + words)
      #expect(parser.draft.sandbox.command == ["a", "--bind", "--"])
      #expect(parser.draft.sandbox.newSession != nil)
    }
  }

  // Red: a command called `--x` cannot be run.
  @Test func `Behind two dashes the command may begin with a dash`() throws {
    var parser = Parser()
    try parser.parse(["--", "--help"])
    #expect(parser.draft.sandbox.command == ["--help"])
    #expect(parser.draft.task == nil)
  }

  // Red: an empty line makes a sandbox.
  @Test func `No option changes nothing`() throws {
    #expect(try parse().sandbox == sandbox { _ in })
  }

  // Red: a bind shows the wrong place, or with the wrong rights.
  @Test(
    "Each bind has its access",
    arguments: [
      ("--ro-bind", .readOnly), ("--bind", .readWrite), ("--dev-bind", .devices),
    ] as [(ByteString, FilesystemOperation.Access)])
  func binds(_ name: ByteString, _ access: FilesystemOperation.Access) throws {
    #expect(
      try parse(name, "a", "/b").sandbox
        == operation(
          name.text,
          .bind(source: "a", destination: "/b", access: access, isOptional: false)))
    let tried = ByteString(name.text + "-try")
    #expect(
      try parse(tried, "a", "/b").sandbox
        == operation(
          tried.text, .bind(source: "a", destination: "/b", access: access, isOptional: true)))
  }

  // Red: one of these options does something else than it says.
  @Test func `Each filesystem option is an operation`() throws {
    let cases: [([ByteString], FilesystemOperation.Action)] = [
      (["--remount-ro", "/a"], .remountReadOnly("/a")), (["--proc", "/a"], .proc("/a")),
      (["--dev", "/a"], .dev("/a")), (["--mqueue", "/a"], .mqueue("/a")),
      (["--tmpfs", "/a"], .tmpfs("/a", permissions: mode(0o755), size: nil)),
      (["--dir", "/a"], .directory("/a", permissions: mode(0o755))),
      (["--file", "7", "/a"], .file(descriptor: 7, destination: "/a", permissions: mode(0o666))),
      (
        ["--bind-data", "7", "/a"],
        .data(descriptor: 7, destination: "/a", permissions: mode(0o600), access: .readWrite)
      ),
      (
        ["--ro-bind-data", "7", "/a"],
        .data(descriptor: 7, destination: "/a", permissions: mode(0o600), access: .readOnly)
      ),
      (["--symlink", "a//b", "/c"], .symbolicLink(target: "a//b", "/c")),
      (["--chmod", "1750", "/a"], .permissions(mode(0o1750), "/a")),
    ]
    for (words, action) in cases {
      var parser = Parser()
      try parser.parse(words + ["command"])
      #expect(parser.draft.sandbox == operation(words[0].text, action))
    }
  }

  // Red: later options apply before earlier ones.
  @Test func `Operations keep their order`() throws {
    let draft = try parse("--tmpfs", "/b", "--dir", "/a", "--proc", "/b", "--dir", "/a")
    #expect(draft.sandbox.filesystem.map(\.option.name) == ["--tmpfs", "--dir", "--proc", "--dir"])
  }

  // Red: a mode or a size is lost, or applies to another option.
  @Test func `Modifiers apply only to the next option`() throws {
    let draft = try parse(
      "--perms", "0700", "--dir", "/a", "--dir", "/b", "--size", "4096", "--perms", "1777",
      "--tmpfs", "/c", "--tmpfs", "/d", "--perms", "0640", "--file", "3", "/e")
    #expect(
      draft.sandbox.filesystem.map(\.action) == [
        .directory("/a", permissions: mode(0o700)), .directory("/b", permissions: mode(0o755)),
        .tmpfs("/c", permissions: mode(0o1777), size: 4096),
        .tmpfs("/d", permissions: mode(0o755), size: nil),
        .file(descriptor: 3, destination: "/e", permissions: mode(0o640)),
      ])
  }

  // Red: a namespace that was asked for is not made, or another one is.
  @Test func `Each kind of namespace has its option`() throws {
    let cases: [(ByteString, (inout NamespaceRequest) -> Void)] = [
      ("--unshare-user", { $0.user = .create }),
      ("--unshare-user-try", { $0.user = .createWhereSupported }),
      ("--unshare-cgroup", { $0.cgroup = .create }),
      ("--unshare-cgroup-try", { $0.cgroup = .createWhereSupported }),
      ("--unshare-pid", { $0.others = .pid }), ("--unshare-net", { $0.others = .network }),
      ("--unshare-ipc", { $0.others = .ipc }), ("--unshare-uts", { $0.others = .uts }),
      ("--unshare-time", { $0.others = .time }),
      (
        "--unshare-all",
        {
          $0.user = .createWhereSupported
          $0.cgroup = .createWhereSupported
          $0.others = [.pid, .network, .ipc, .uts]
        }
      ),
    ]
    for (name, change) in cases {
      #expect(try parse(name).sandbox == sandbox { change(&$0.namespaces) }, "\(name.text)")
    }
  }

  // Red: the network is shared although it was to be unshared, or the other way round.
  @Test func `--share-net cancels only options before it`() throws {
    let shared = try parse("--unshare-all", "--share-net").sandbox.namespaces
    #expect(shared.others == [.pid, .ipc, .uts])
    let unshared = try parse("--share-net", "--unshare-all").sandbox.namespaces
    #expect(unshared.others == [.pid, .network, .ipc, .uts])
  }

  // Red: a required protection becomes an optional one.
  @Test func `A later --…-try does not weaken an earlier demand`() throws {
    for words: [ByteString] in [
      ["--unshare-user", "--unshare-cgroup", "--unshare-user-try", "--unshare-cgroup-try"],
      ["--unshare-user", "--unshare-cgroup", "--unshare-all"],
      ["--unshare-all", "--unshare-user", "--unshare-cgroup"],
    ] {
      var parser = Parser()
      try parser.parse(words + ["command"])
      #expect(parser.draft.sandbox.namespaces.user == .create)
      #expect(parser.draft.sandbox.namespaces.cgroup == .create)
    }
  }

  // Red: one of these options does something else than it says.
  @Test func `Each option of one value changes that value`() throws {
    let cases: [([ByteString], (inout Sandbox) -> Void)] = [
      (["--uid", "4294967294"], { $0.user = Setting(4_294_967_294, "--uid") }),
      (["--gid", "0"], { $0.group = Setting(0, "--gid") }),
      (["--hostname", "h"], { $0.hostname = Setting("h", "--hostname") }),
      (["--domainname", "d"], { $0.domainName = Setting("d", "--domainname") }),
      (["--monotonic", "-5"], { $0.clocks.monotonic = Setting(-5, "--monotonic") }),
      (["--boottime", "86400"], { $0.clocks.boottime = Setting(86_400, "--boottime") }),
      (["--chdir", "/a//b/"], { $0.workingDirectory = Setting("/a//b/", "--chdir") }),
      (["--argv0", ""], { $0.commandName = "" }),
      (["--new-session"], { $0.newSession = WrittenOption("--new-session") }),
      (
        ["--name", "box", "--single"],
        {
          $0.name = Setting("box", "--name")
          $0.single = WrittenOption("--single")
        }
      ),
      (["--pty"], { $0.terminal = WrittenOption("--pty") }),
      (["--die-with-parent"], { $0.dieWithParent = WrittenOption("--die-with-parent") }),
      (["--kill-on-exit"], { $0.killOnExit = WrittenOption("--kill-on-exit") }),
      (["--exec"], { $0.becomeCommand = WrittenOption("--exec") }),
      (["--as-pid-1"], { $0.commandAsInit = WrittenOption("--as-pid-1") }),
      (["--seccomp", "5"], { $0.filters = [Setting(5, "--seccomp")] }),
    ]
    for (words, change) in cases {
      var parser = Parser()
      try parser.parse(words + ["command"])
      #expect(parser.draft.sandbox == sandbox(change), "\(words[0].text)")
    }
  }

  // Red: a variable or capability that was set last is not what counts.
  @Test func `Changes of environment and capabilities keep their order`() throws {
    let draft = try parse(
      "--setenv", "A", "", "--clearenv", "--unsetenv", "B", "--cap-drop", "all", "--cap-add",
      "Net_Raw", "--cap-add", "CAP_KILL")
    #expect(draft.sandbox.environment == [.set("A", to: ""), .clear, .unset("B")])
    #expect(
      draft.sandbox.capabilities == [
        .drop(.all), .add(Capabilities(bits: 1 << 13)), .add(Capabilities(bits: 1 << 5)),
      ])
  }

  // Red: only one of several filters is installed, or an additional one.
  @Test func `--add-seccomp-fd adds and --seccomp replaces`() throws {
    let added = try parse("--add-seccomp-fd", "5", "--add-seccomp-fd", "6").sandbox.filters
    #expect(added.map(\.value) == [5, 6])
    let replaced = try parse("--seccomp", "5", "--seccomp", "6").sandbox.filters
    #expect(replaced.map(\.value) == [6])
  }

  // Red: --help is refused because of words after it.
  @Test func `An option that prints a page ends the reading`() throws {
    let help = try parse("--help", "topic", "--no-such-option")
    #expect(help.task == .help(topic: "topic"))
    #expect(try parse("--version", "--no-such-option").task == .version)
    var parser = Parser()
    try parser.parse(["--help"])
    #expect(parser.draft.task == .help(topic: nil))
  }

  // Red: journald shows errors as notes.
  @Test func `--level-prefix is remembered`() throws {
    #expect(try parse("--level-prefix").hasLevelPrefix)
    #expect(try !parse().hasLevelPrefix)
  }
}
