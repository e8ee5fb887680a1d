// SPDX-License-Identifier: Apache-2.0
// Options for overlays, open descriptors, joined namespaces, channels, locks and labels: what each
// changes, and the mistakes in it.

import Linux
import Sandbox
import SystemPackage
import Testing

@testable import Options
import Text

/// The sandbox that `words` and a command describe.
private func sandbox(_ words: [ByteString]) throws -> Sandbox {
  var parser = Parser()
  try parser.parse(words + ["command"])
  return parser.draft.sandbox
}

/// The words of a line.
private func words(_ line: String) -> [ByteString] {
  line.split(separator: " ").map { ByteString(String($0)) }
}

@Suite("Joins and channels")
struct JoinAndChannelTests {
  // Red: the sandbox waits for, writes to or joins another descriptor than the one that was named.
  @Test func `Each option changes its own value`() throws {
    let cases: [([ByteString], (inout Sandbox) -> Void)] = [
      (["--userns", "5"], { $0.joined.user = Setting(5, "--userns") }),
      (["--userns2", "5"], { $0.joined.secondUser = Setting(5, "--userns2") }),
      (["--pidns", "5"], { $0.joined.pid = Setting(5, "--pidns") }),
      (["--netns", "5"], { $0.joined.network = Setting(5, "--netns") }),
      (["--disable-userns"], { $0.disableUserNamespaces = WrittenOption("--disable-userns") }),
      (
        ["--assert-userns-disabled"],
        { $0.assertNoUserNamespaces = WrittenOption("--assert-userns-disabled") }
      ),
      (["--block-fd", "5"], { $0.channels.block = Setting(5, "--block-fd") }),
      (["--userns-block-fd", "5"], { $0.channels.mapsWritten = Setting(5, "--userns-block-fd") }),
      (["--info-fd", "5"], { $0.channels.information = Setting(5, "--info-fd") }),
      (["--json-status-fd", "0"], { $0.channels.status = Setting(0, "--json-status-fd") }),
      (["--sync-fd", "2147483647"], { $0.channels.sync = [Setting(CInt.max, "--sync-fd")] }),
      (["--lock-file", "a//b"], { $0.lockFiles = [Setting("a//b", "--lock-file")] }),
      (["--exec-label", "a:b"], { $0.executionLabel = Setting("a:b", "--exec-label") }),
      (["--file-label", ""], { $0.fileLabel = Setting("", "--file-label") }),
      (["--not-a-security-boundary"], { $0.isNoSecurityBoundary = true }),
      (["--follow-mounts"], { $0.followsMounts = true }),
    ]
    for (words, change) in cases {
      var expected = Sandbox()
      expected.command = ["command"]
      change(&expected)
      #expect(try sandbox(words) == expected, "\(words[0].text)")
    }
  }

  // Red: a lock is lost, or a second one takes the place of the first.
  @Test func `Files to be locked add up in order`() throws {
    let draft = try parse("--lock-file", "/b", "--lock-file", "/a", "--lock-file", "/b")
    #expect(draft.sandbox.lockFiles.map(\.value) == ["/b", "/a", "/b"])
    #expect(draft.warnings == [])
  }

  // Red: the caller reads end of file while the sandbox still lives.
  @Test func `Each of several --sync-fd is held`() throws {
    let draft = try parse("--sync-fd", "3", "--sync-fd", "4")
    #expect(draft.sandbox.channels.sync.map(\.value) == [3, 4])
    #expect(draft.warnings == [])
  }

  // Red: half of an option's effect is lost without a warning.
  @Test(
    "The last of several counts, and the others cause a warning",
    arguments: [
      "--userns", "--userns2", "--pidns", "--netns", "--block-fd", "--userns-block-fd",
      "--info-fd", "--json-status-fd", "--exec-label", "--file-label",
    ])
  func repetition(_ name: String) throws {
    let option = ByteString(name)
    #expect(try parse(option, "1").warnings == [])
    let draft = try parse(option, "1", option, "2", option, "3")
    let warning = "Only the last \(name) option will take effect"
    #expect(draft.warnings == [warning, warning])
    #expect(draft.sandbox == (try sandbox([option, "3"])))
  }

  // Red: a mistyped number is taken for a descriptor that the caller never meant.
  @Test(
    "A word that is not the number of a descriptor is refused",
    arguments: [
      "--userns", "--userns2", "--pidns", "--netns", "--block-fd", "--userns-block-fd",
      "--info-fd", "--json-status-fd", "--sync-fd", "--bind-fd", "--ro-bind-fd",
    ])
  func noDescriptor(_ name: String) {
    for word: ByteString in ["-1", "+1", "0x1", "1 ", "", "2147483648", "one"] {
      let message = "\(name): expected the number of a descriptor, found \(word.quoted)"
      #expect(throws: UsageError(message)) { try parse(ByteString(name), word, "/a") }
    }
  }

  // Red: what was opened for the sandbox is shown at another place, or with other rights.
  @Test func `An open file or directory is bound with its access`() throws {
    for (name, access) in [
      ("--bind-fd", FilesystemOperation.Access.readWrite), ("--ro-bind-fd", .readOnly),
    ] {
      let operations = try parse(ByteString(name), "7", "a").sandbox.filesystem
      #expect(
        operations.map(\.action)
          == [.bindDescriptor(7, destination: FilePath("a"), access: access)])
      #expect(operations.map(\.option.name) == [name])
      #expect(operations.map(\.descriptor) == [7])
    }
  }
}

@Suite("Overlay options")
struct OverlayOptionTests {
  // Red: layers are stacked the wrong way round, or writes go where they were not to go.
  @Test func `Each kind of overlay has its layers and its place for writes`() throws {
    let cases: [(String, Overlay.Writes)] = [
      ("--overlay up work /d", .kept(upper: "up", work: "work")), ("--tmp-overlay /d", .discarded),
      ("--ro-overlay /d", .refused),
    ]
    for (line, writes) in cases {
      let operations = try sandbox(
        words("--overlay-src a --overlay-src b --overlay-src a " + line)
      ).filesystem
      #expect(
        operations.map(\.action)
          == [.overlay(Overlay(sources: ["a", "b", "a"], writes: writes), destination: "/d")])
      #expect(operations.map(\.option.name) == [String(line.prefix { $0 != " " })])
    }
  }

  // Red: a directory's name is taken apart.
  @Test func `Paths are taken as they are`() throws {
    let draft = try parse("--overlay-src", #"a:b,c\ d"#, "--overlay", "u:,", #"w\"#, "/d:,")
    #expect(
      draft.sandbox.filesystem.map(\.action) == [
        .overlay(
          Overlay(sources: [#"a:b,c\ d"#], writes: .kept(upper: "u:,", work: #"w\"#)),
          destination: "/d:,")
      ])
  }

  // Red: an option of overlayfs is lost, or is one word with its neighbour.
  @Test func `Options of overlayfs are taken apart at commas and add up`() throws {
    let draft = try parse(
      "--overlay-opt", "a=1,b", "--overlay-src", "s", "--overlay-opt", "c", "--tmp-overlay", "/d")
    #expect(
      draft.sandbox.filesystem.map(\.action) == [
        .overlay(
          Overlay(sources: ["s"], writes: .discarded, options: ["a=1", "b", "c"]),
          destination: "/d")
      ])
  }

  // Red: an overlay shows what was meant for another one.
  @Test func `Sources and options hold for one overlay`() throws {
    let operations = try sandbox(
      words("--overlay-opt a --overlay-src s --tmp-overlay /d --overlay-src t --tmp-overlay /e")
    ).filesystem
    #expect(
      operations.map(\.action) == [
        .overlay(Overlay(sources: ["s"], writes: .discarded, options: ["a"]), destination: "/d"),
        .overlay(Overlay(sources: ["t"], writes: .discarded), destination: "/e"),
      ])
  }

  private static let dangling =
    "--overlay-src must be followed by another --overlay-src or one of --overlay, --tmp-overlay, "
    + "or --ro-overlay"
  private static let danglingOption =
    "--overlay-opt must be followed by one of --overlay, --tmp-overlay, or --ro-overlay"

  // Red: named layers are left out without a message.
  @Test(
    "A mistake has its message",
    arguments: [
      ("--overlay a b /d", "--overlay requires at least one --overlay-src"),
      ("--tmp-overlay /d", "--tmp-overlay requires at least one --overlay-src"),
      ("--ro-overlay /d", "--ro-overlay requires at least two --overlay-src"),
      (
        "--overlay-src a --ro-overlay /d",
        "--ro-overlay requires at least two --overlay-src"
      ),
      (
        "--overlay-src a --tmp-overlay /d --tmp-overlay /e",
        "--tmp-overlay requires at least one --overlay-src"
      ),
      ("--overlay-src a", dangling), ("--overlay-opt a", danglingOption),
      ("--overlay-src a --dir /d --tmp-overlay /d", dangling),
      ("--overlay-src a --perms 0700 --dir /d", dangling),
      ("--overlay-opt a --bind / /", danglingOption),
    ])
  func message(_ line: String, _ message: String) {
    #expect(throws: UsageError(message)) { try sandbox(words(line)) }
  }
}

@Suite("What joins and channels go with")
struct JoinAndChannelValidationTests {
  // Red: a sandbox is started that is not the one that was asked for.
  @Test(
    "A conflict or a missing option is named",
    arguments: [
      ("--userns 0 --unshare-user", "--userns cannot be combined with --unshare-user"),
      ("--unshare-user --userns 0", "--userns cannot be combined with --unshare-user"),
      ("--netns 0 --unshare-net", "--netns cannot be combined with --unshare-net"),
      ("--unshare-all --netns 0", "--netns cannot be combined with --unshare-net"),
      ("--netns 0 --net-allow a.test", "--netns cannot be combined with --net-allow"),
      ("--publish 80 --netns 0", "--netns cannot be combined with --publish"),
      ("--userns 0 --disable-userns", "--disable-userns needs --unshare-user"),
      (
        "--unshare-user --disable-userns --info-fd 0 --userns-block-fd 0",
        "--disable-userns cannot be combined with --userns-block-fd"
      ),
      ("--unshare-user --userns-block-fd 0", "--userns-block-fd needs --info-fd"),
      (
        "--userns 0 --userns-block-fd 0 --info-fd 0",
        "--userns-block-fd needs --unshare-user"
      ),
      (
        "--unshare-pid --as-pid-1 --lock-file /a",
        "--as-pid-1 cannot be combined with --lock-file"
      ),
    ])
  func exclusion(_ line: String, _ message: String) throws {
    let sandbox = try sandbox(words(line))
    #expect(throws: UsageError(message)) { try sandbox.validate() }
  }

  // Red: options that go together are refused.
  @Test(
    "Options that go together are accepted",
    arguments: [
      "--unshare-all --share-net --netns 0", "--userns 0 --unshare-user-try",
      "--userns 0 --unshare-all", "--userns 0 --uid 5 --gid 6",
      "--unshare-user --disable-userns --assert-userns-disabled",
      "--unshare-user --userns-block-fd 0 --info-fd 0", "--unshare-pid --pidns 0",
      "--userns 0 --userns2 0 --pidns 0 --assert-userns-disabled",
      "--unshare-pid --as-pid-1 --sync-fd 0 --block-fd 0 --json-status-fd 0",
      "--unshare-pid --lock-file /a --lock-file /b --sync-fd 0",
    ])
  func combination(_ line: String) throws {
    let sandbox = try sandbox(words(line))
    #expect(throws: Never.self) { try sandbox.validate() }
  }

  // Red: a number that was mistyped leads to a file that the caller never meant.
  @Test(
    "A descriptor that is not open is named",
    arguments: [
      "--userns", "--userns2", "--pidns", "--netns", "--block-fd", "--info-fd",
      "--json-status-fd", "--sync-fd", "--bind-fd", "--ro-bind-fd",
    ])
  func closedDescriptor(_ name: String) throws {
    let line = name.hasSuffix("bind-fd") ? "\(name) 999999 /a" : "\(name) 999999"
    let sandbox = try sandbox(words(line))
    #expect(throws: UsageError("\(name): descriptor 999999 is not open")) {
      try sandbox.validate()
    }
  }
}
