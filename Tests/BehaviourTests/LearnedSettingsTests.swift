// SPDX-License-Identifier: Apache-2.0
// The settings of a learned or shortened profile, which are all that is not about files, permit no more than those of
// the line.

import TestSupport
import Testing

@Suite("Learned profiles: settings", .needs("python3"))
struct LearnedSettingsTests {
  /// The rest of a line.
  private static let line = "--unshare-all --ro-bind / / --dev /dev --proc /proc"

  /// Options of one or more runs, of which the last decides, and a command that shows what they do.
  struct Case: CustomTestStringConvertible, Sendable {
    let runs: [String]
    let command: String
    var testDescription: String { runs.joined(separator: ", then ") }

    init(_ runs: String..., command: String) { (self.runs, self.command) = (runs, command) }
  }

  private static let mkdir = "mkdir /mnt/x 2>/dev/null && echo made || echo refused"
  private static let capabilities = "grep CapEff /proc/self/status"
  private static let variable = "echo ${K-none}"

  static let cases = [
    Case(
      "--seccomp-policy default --seccomp-policy desktop --seccomp-policy default",
      command: "unshare -Ur true 2>/dev/null && echo made || echo refused"),
    Case(
      "--tmpfs /mnt --seccomp-policy default --seccomp-deny mkdir,mkdirat --seccomp-policy desktop "
        + "--seccomp-deny mkdir,mkdirat", command: mkdir),
    Case("--cap-drop ALL --cap-add CAP_SYS_ADMIN --cap-drop ALL", command: capabilities),
    Case("--unsetenv K --setenv K real --unsetenv K", command: variable),
    Case("--clearenv --setenv K real --clearenv", command: variable),
    Case("--rlimit nofile=64 --rlimit nofile=1024 --rlimit nofile=64", command: "ulimit -n"),
    Case("--uid 5 --uid 0 --uid 5", command: "id -u"),
    Case("--hostname a --hostname b --hostname a", command: "uname -n"),
    // Two runs.
    Case(
      "--cap-drop ALL --chdir /", "--chdir / --cap-add CAP_SYS_ADMIN --cap-drop ALL",
      command: capabilities),
    Case(
      "--tmpfs /mnt --seccomp-policy default --seccomp-deny mkdir,mkdirat --chdir /",
      "--tmpfs /mnt --chdir / --seccomp-policy desktop --seccomp-deny mkdir,mkdirat", command: mkdir
    ),
    Case("--setenv K a --chdir / --unsetenv K", "--unsetenv K --chdir /", command: variable),
    Case("--rlimit nofile=1024", "--rlimit nofile=64", command: "ulimit -n"),
    Case("--unshare-all --share-net", "--unshare-net", command: "ls /sys/class/net; true"),
  ]

  // Red: an option that was given again, to take back the one between, is missing in the profile; or two runs add
  // up to more than either had.
  @Test("Settings keep their order and their repetitions", arguments: cases)
  func order(_ what: Case) throws {
    let line = LearnedSettingsTests.line
    let outcome = try Session().run(
      """
      export K=callers; last() { nestbox "$@" sh -c '\(what.command)' 2>>err; }
      last \(line) \(what.runs.last ?? "") >line
      \(what.runs.map { "last --learn ./p \(line) \($0) >/dev/null" }.joined(separator: "\n"))
      last --profile ./p >learned; cmp line learned && wc -l <line; cat err >&2
      """)
    #expect(outcome.lines.count == 1 && outcome.lines != ["0"], "\(outcome)")
  }

  // Red: the caller's own value of a secret takes the place of the one that was typed.
  @Test func `A secret that was typed does not let the caller's pass`() throws {
    let outcome = try Session().run(
      """
      export API_TOKEN=real
      nestbox --learn ./p --unshare-all --ro-bind / / --setenv API_TOKEN dummy sh -c 'echo $API_TOKEN' 2>/dev/null
      nestbox --profile ./p sh -c 'echo ${API_TOKEN-none}'; grep -c dummy p
      """)
    #expect(outcome.lines == ["dummy", "none", "0"], "\(outcome)")
  }

  // Red: what a descriptor restricts is permitted under the profile.
  @Test func `What a descriptor restricts is refused, or restricted in another way`() throws {
    let outcome = try Session().run(
      """
      nestbox --seccomp-compile default >filter
      for option in --seccomp --add-seccomp-fd; do
        nestbox --learn ./p \(LearnedSettingsTests.line) $option 9 sh -c 'echo ran' 9<filter 2>err
        echo $?; grep -c -e "$option restricts.*--seccomp-policy" err; ls p 2>/dev/null
      done
      unshare -Urn bash -c 'nestbox --learn ./q --unshare-pid --ro-bind / / --proc /proc --netns 9 true \
        9</proc/self/ns/net' 2>&1 | grep -v wrote
      grep -e --unshare-net q
      """)
    #expect(outcome.lines == ["125", "1", "125", "1", "--unshare-net"], "\(outcome)")
  }

  // Red: one limit takes out those of other resources; or lines that were added by hand go without a word.
  @Test func `Each resource has its own limit, and lines that go are named`() throws {
    let outcome = try Session().run(
      """
      learn() { nestbox --learn ./p \(LearnedSettingsTests.line) "$@" true 2>&1; }
      learn --rlimit nofile=64 >/dev/null
      printf '%s\\n' '--rlimit core=0' '--rlimit "stack=1M"' '--hostname mine' >>p
      learn --rlimit nofile=64 --chdir / | grep -c 'took the place'
      learn --rlimit nofile=32 --hostname other | grep -o 'in ./p, options .*'
      grep -e rlimit -e hostname p | sort
      learn --rlimit NOFILE=16 >/dev/null; grep -ci nofile p
      learn --rlimit stack=2M --json | grep -o '"removed": .*]'
      """)
    #expect(
      outcome.lines == [
        "0",
        "in ./p, options of this run took the place of 2 lines: --rlimit nofile=64, --hostname mine",
        "--hostname other", "--rlimit \"stack=1M\"", "--rlimit core=0", "--rlimit nofile=32",
        "1",
        #""removed": ["--rlimit \"stack=1M\""]"#,
      ], "\(outcome)")
  }

  // Red: FILE gives the command what its line does not, as someone wrote it there.
  @Test(
    "What the line does not permit is not written",
    arguments: [
      ("--cap-add CAP_SYS_ADMIN", "keep the capability cap_sys_admin"),
      ("--profile ./other", "make the system call"),
      ("--not-a-security-boundary", "run with --not-a-security-boundary"),
    ])
  func more(_ known: String, _ reason: String) throws {
    let outcome = try Session().run(
      """
      printf -- '--seccomp-policy default\\n--seccomp-allow ptrace,unshare,mount\\n' >other
      echo '\(known)' | tee p q >/dev/null
      nestbox --learn ./p \(LearnedSettingsTests.line) --seccomp-policy strict true; echo $?; cmp p q
      """)
    #expect(outcome.lines == ["125"], "\(outcome)")
    #expect(
      outcome.errors.contains("nothing was written: under the profile the command could \(reason)"),
      "\(outcome)")
    #expect(outcome.errors.contains("name another file"), "\(outcome)")
  }

  // Red: without the line that made the sandbox's network, the command has that of the host.
  @Test func `Shrinking leaves the network isolated`() throws {
    let outcome = try Session().run(
      """
      net() {
        nestbox --profile ./$1 --dry-run --json true |
          python3 -c 'import json, sys; print(json.load(sys.stdin)["namespaces"]["net"])'
      }
      base="--unshare-user --unshare-pid --ro-bind / / --proc /proc"
      nestbox --learn ./p --shrink $base --net-allow-try example.org true 2>/dev/null; net p
      nestbox --learn ./q $base --net-allow-try example.org true 2>/dev/null
      sed -i '/^--unshare-net$/d' q; nestbox --verify ./q --shrink true 2>/dev/null; net q
      """)
    #expect(outcome.lines == ["new", "new"], "\(outcome)")
  }

  // Red: FILE has a line that is a mistake without what no run used, and cannot start.
  @Test func `A profile that is written can be used`() throws {
    let outcome = try Session().run(
      """
      base="--unshare-user --unshare-pid --ro-bind / / --dev /dev --proc /proc"
      nestbox --learn ./p $base --net-allow '*' --net-deny 10.0.0.0/8 true 2>err || cat err
      nestbox --profile ./p echo started
      mkdir w; echo kept >w/f; echo a >a
      nestbox --learn ./q \(LearnedSettingsTests.line) --bind $PWD/w $PWD/w --remount-ro $PWD/w cat w/f 2>/dev/null
      nestbox --profile ./q sh -c 'cat w/f; echo x >>w/f' 2>/dev/null || wc -l <w/f
      # What covers something is there as well, also where the same option stands before it.
      nestbox --learn ./r \(LearnedSettingsTests.line) --tmpfs /mnt --ro-bind $PWD/a /mnt/a --tmpfs /mnt ls /mnt 2>/dev/null || echo $?
      nestbox --profile ./r ls /mnt; echo $?
      """)
    #expect(outcome.lines == ["started", "kept", "kept", "1", "0"], "\(outcome)")
  }

  // Red: --shrink cannot run the command again, and names a wrong cause.
  @Test func `Trials find the profile's directory, and the reason why they cannot start`() throws {
    let outcome = try Session().run(
      """
      mkdir 'd $x'; cd 'd $x'; echo one >a; echo two >b
      printf '%s\\n' --unshare-all '--ro-bind /usr /usr' '--symlink usr/bin /bin' '--symlink usr/lib /lib' \
        '--symlink usr/lib64 /lib64' '--ro-bind-try ${PROFILE_DIR}/a /a' '--ro-bind-try "${PROFILE_DIR}/b" /b' >p
      nestbox --verify ./p --shrink cat /a 2>&1 | grep -v '^nestbox: .*\\(enough\\|not used\\|left out\\)'; grep 'PROFILE_DIR' p
      port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
      printf '%s\\n' --unshare-all '--ro-bind / /' "--publish $port" >q
      nestbox --verify ./q --shrink true 2>&1 | grep -c 'does not succeed'
      """)
    #expect(
      outcome.lines == [
        "one", "--ro-bind-try ${PROFILE_DIR}/a /a",
        "# not needed: --ro-bind-try \"${PROFILE_DIR}/b\" /b", "0",
      ], "\(outcome)")
  }

  // Red: the message blames the command where the line has what no profile can.
  @Test func `A descriptor that hides something is named`() throws {
    let outcome = try Session().run(
      """
      mkdir w; echo secret >w/secret
      nestbox --learn ./p \(LearnedSettingsTests.line) --bind $PWD/w $PWD/w --ro-bind-data 8 $PWD/w/secret touch w/new 8</dev/null
      echo $?
      """)
    #expect(outcome.lines == ["125"], "\(outcome)")
    #expect(outcome.errors.contains("--ro-bind-data"), "\(outcome)")
  }
}
