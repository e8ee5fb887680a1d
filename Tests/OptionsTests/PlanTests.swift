// SPDX-License-Identifier: Apache-2.0
// Plans of sandboxes on a host that is made up: the page of --dry-run, and what it warns of.

import Foundation
import Linux
import SystemPackage
import Testing

@testable import Options
@testable import Sandbox
import Text

/// A host of a few files.
private struct PaperHost: HostFiles {
  var files: [FilePath: FileFacts.Kind] = [
    "/": .directory, "/usr": .directory, "/mnt": .directory, "/mnt/all": .directory,
    "/usr/bin": .directory, "/usr/bin/true": .regular,
    "/home": .directory, "/home/me": .directory, "/home/me/.ssh": .directory,
    "/tmp": .directory, "/proc": .directory, "/etc": .directory, "/run": .directory,
    "/run/docker.sock": .socket, "/run/user": .directory, "/run/user/1000": .directory,
    "/run/user/1000/bus": .socket, "/bin": .link, "/dev": .directory,
    "/dev/null": .device, "/dev/zero": .device, "/dev/full": .device, "/dev/random": .device,
    "/dev/urandom": .device, "/dev/tty": .device, "/etc/ssh": .directory,
    "/etc/ssh/ssh_config.d": .directory, "/etc/ssh/ssh_config.d/site.conf": .regular,
  ]
  var mounts = MountTable([
    .init(number: 1, parent: 0, point: "/", type: "ext4"),
    .init(number: 2, parent: 1, point: "/proc", type: "proc"),
    .init(number: 3, parent: 1, point: "/tmp", type: "tmpfs"),
    .init(number: 4, parent: 1, point: "/usr", options: ["ro"], type: "squashfs"),
  ])

  func look(at path: FilePath) -> FileFacts? {
    files[path].map { FileFacts(kind: $0, permissions: 0o755, owner: 0) }
  }
  func target(of path: FilePath) -> FilePath? { path == "/bin" ? "usr/bin" : nil }
  func follow(_ path: FilePath) throws(SystemCallError) -> FoundFile {
    let path: FilePath =
      path == "/bin" ? "/usr/bin" : FilePath("/home/me").pushing(path).lexicallyNormalized()
    guard let kind = files[path] else {
      throw SystemCallError(call: "open", errno: .noSuchFileOrDirectory)
    }
    return FoundFile(path: path, kind: kind, mount: nil)
  }
  func names(in path: FilePath, most: Int) -> [FilePath.Component] {
    files.keys.filter { $0.removingLastComponent() == path }.prefix(most)
      .compactMap(\.lastComponent)
  }
  func may(_ access: FileAccess, _ path: FilePath) -> Bool { true }
}

@Suite("Plans")
struct PlanTests {
  private func plan(
    _ line: String, _ change: (inout PlanCaller) -> Void = { _ in }
  ) throws -> Plan {
    var parser = Parser()
    try parser.parse(line.split(separator: " ").map { ByteString(String($0)) })
    var caller = PlanCaller()
    change(&caller)
    let resolved = ResolvedSandbox(
      parser.draft.sandbox,
      inherited: ["PATH=/usr/bin", "HOME=/home/me", "XDG_RUNTIME_DIR=/run/user/1000"],
      identity: (1000, 1000), workingDirectory: "/home/me")
    return Plan(resolved, for: caller, on: PaperHost())
  }

  private static let golden = URL(filePath: #filePath)
    .deletingLastPathComponent().appending(path: "Golden/plan.txt")

  // Red: the page changed; look at the difference, and rewrite the file if it was meant.
  @Test func `The page equals the file in Golden`() throws {
    let plan = try plan(
      """
      --unshare-pid --unshare-uts --hostname box --uid 0 --ro-bind / / --tmpfs /tmp --proc /proc \
      --dev /dev --bind . /home/me --symlink new /home/me/link --dir /home/me/link/deep --perms 0700 --dir \
      /opt/x --bind-try missing /x --bind missing /y --size 4096 --tmpfs /home/me/new --file 3 \
      /home/me/file --chmod 0600 /home/me/file --remount-ro /home/me --bind / /tmp --setenv TOKEN \
      a --setenv A b --unsetenv C --cap-add net_raw --seccomp 4 --die-with-parent --kill-on-exit \
      --lock-file /tmp/lock --info-fd 5 --dry-run true x
      """
    ) { $0.descriptors = [(7, "/home", true), (5, "/dev/null", false)] }
    if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
      try plan.text.write(to: PlanTests.golden, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: PlanTests.golden, encoding: .utf8) == plan.text)
  }

  // Red: a plan shows as visible what a later option hides, or the other way round.
  @Test(
    "What a later mount hides is shown as covered",
    arguments: [
      ("--user-files /etc --tmpfs /etc", 2), ("--user-files /a --tmpfs /a/b", nil),
      ("--user-files /etc --ro-bind-text x /etc/passwd", nil),
      ("--bind /usr/bin/true /etc/passwd --user-files /etc", 2),
      ("--mask /usr --tmpfs /usr", nil), ("--ro-bind /usr /a --mask /a --tmpfs /a", 3),
      ("--ro-same /usr --tmpfs /", 2), ("--ro-same /bin --tmpfs /", 2),
      ("--dir /a --tmpfs /a", nil), ("--dir /a/b --tmpfs /a", 2), ("--dev /dev --tmpfs /", 2),
      ("--ro-bind-text x /a --ro-bind-text y /a", 2), ("--proc /a/proc --tmpfs /a", 2),
      ("--bind-program --tmpfs /usr/bin", 2),
    ] as [(String, Int?)])
  func covers(_ line: String, _ cover: Int?) throws {
    let plan = try plan(line + " /usr/bin/true")
    #expect(plan.operations.dropLast().last?.coveredBy.map { $0 + 1 } == cover)
  }

  // Red: the plan shows a typed or inherited secret to its reader.
  @Test(
    "Values that look like secrets are hidden",
    arguments: [
      "API_TOKEN x1y2", "AWS_SECRET_ACCESS_KEY x1y2", "PGPASSWORD x1y2", "github_pat x1y2",
      "DATABASE_URL postgres://u:x1y2@h/db", "npm_config__auth x1y2", "OPENAI_API_KEY x1y2",
    ])
  func secrets(_ variable: String) throws {
    let plan = try plan("--setenv \(variable) true")
    #expect(!plan.text.contains("x1y2"))
    #expect(!plan.json.text.contains("x1y2"))
    #expect(plan.warnings.map(\.name).contains("environment-secret"))
  }

  // Red: a plan hides what its reader has to know.
  @Test(
    "Other values are shown",
    arguments: ["LANG x1y2", "KEYBOARD x1y2", "PATH x1y2", "PAGER x1y2", "URL http://x1y2/a@b"])
  func plain(_ variable: String) throws {
    let plan = try plan("--clearenv --setenv \(variable) true")
    #expect(plan.text.contains("x1y2"))
    #expect(!plan.warnings.map(\.name).contains("environment-secret"))
  }

  // Red: a hole in the sandbox is not named, or one is named that is not there.
  @Test(
    "Only settings that defeat the sandbox are named",
    arguments: [
      ("--unshare-all --ro-bind /usr /usr", []),
      (
        "--unshare-all --bind / /",
        ["root-writable", "secrets-visible", "docker-socket", "session-bus"]
      ),
      ("--unshare-all --ro-bind / / --tmpfs /home --tmpfs /run", []),
      (
        "--unshare-all --ro-bind / / --tmpfs /home --tmpfs /run --bind / /mnt/all",
        ["root-writable", "secrets-visible", "docker-socket", "session-bus"]
      ),
      ("--unshare-all --ro-bind / / --tmpfs /home", ["docker-socket", "session-bus"]),
      ("--unshare-all --bind /home /home", ["home-writable", "secrets-visible"]),
      ("--unshare-all --bind /home /elsewhere", ["home-writable", "secrets-visible"]),
      ("--unshare-all --bind /home /home --remount-ro /home", ["secrets-visible"]),
      ("--unshare-all --bind /home /home --ro-bind /home/me /home/me", ["secrets-visible"]),
      ("--unshare-all --bind /home /home --tmpfs /home/me", []),
      ("--unshare-all --ro-bind /run/docker.sock /x", ["docker-socket"]),
      ("--unshare-all --ro-bind /run/user/1000 /x", ["session-bus"]),
      ("--unshare-all --ro-bind /etc /run/docker.sock", []),
      ("--unshare-all --share-net --ro-bind /usr /usr", ["network-shared"]),
      ("--unshare-net --ro-bind /usr /usr", ["processes-shared"]),
      ("--unshare-all --ro-bind /usr /usr --follow-mounts", ["later-mounts"]),
    ] as [(String, [String])])
  func hazards(_ line: String, _ names: [String]) throws {
    let plan = try plan(line + " true") { $0.abstractSockets = ["@/tmp/one"] }
    #expect(plan.warnings.map(\.name) == names)
  }

  // Red: the warning about a kept terminal is missing, or appears when the terminal does no harm.
  @Test func `A terminal is a hazard where the kernel takes input from programs`() throws {
    let line = "--unshare-all --ro-bind /usr /usr"
    func names(_ line: String, _ has: Bool, _ allows: Bool) throws -> [String] {
      try plan(line + " true") {
        ($0.terminal, $0.allowsInput) = (has ? "/dev/pts/0" : nil, allows)
      }
      .warnings.map(\.name)
    }
    #expect(try names(line, true, true) == ["terminal-input"])
    #expect(try names(line, true, false) == [])
    #expect(try names(line, false, true) == [])
    #expect(try names(line + " --new-session", true, true) == [])
  }

  // Red: ssh ends with "Bad owner or permissions", and nothing has said that it would.
  @Test func `Settings of the system that ssh refuses are named if the command may be ssh`() throws
  {
    func names(_ line: String) throws -> [String] {
      try plan("--unshare-all --tmpfs /home --tmpfs /run " + line).warnings.map(\.name)
    }
    for command in ["ssh host", "/usr/bin/git fetch"] {
      #expect(try names("--ro-bind / / --tmpfs /home --tmpfs /run \(command)") == ["ssh-settings"])
    }
    #expect(try names("--ro-bind / / --tmpfs /home --tmpfs /run true") == [])
    #expect(try names("--ro-bind /usr /usr ssh host") == [])
    let hidden = "--ro-bind / / --tmpfs /home --tmpfs /run --tmpfs /etc/ssh/ssh_config.d ssh host"
    #expect(try names(hidden) == [])
  }

  // Red: a directory that the caller left open leads out of the sandbox without a word.
  @Test func `An open directory that is passed on is named`() throws {
    let plan = try plan("--unshare-all --bind-fd 5 /x true") {
      $0.descriptors = [(5, "/", true), (6, "/home", true), (7, "/etc/hosts", false)]
    }
    #expect(plan.warnings.map(\.name) == ["descriptor-passed"])
    #expect(plan.warnings.first?.text.contains("descriptor 6") == true)
  }
}
