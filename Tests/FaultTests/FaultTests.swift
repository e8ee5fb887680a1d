// SPDX-License-Identifier: Apache-2.0
// Every system call of the launcher, hindered in turn by errors and by death. The rules that each
// run is held to are those of `judge` in Injector/main.c.

import Foundation
import TestSupport
import Testing

/// A command line; the injector makes its launch fail.
struct FaultLine: Sendable, CustomTestStringConvertible {
  let name: String
  /// The options.
  ///
  /// The descriptors 1 to 8 are those that Injector/trace.c opens; 20 and 21 are the
  /// user and pid namespace of another sandbox.
  let options: String
  var user = User.ordinary
  /// The directory in which it is started, below the home directory.
  var place = "."
  /// What makes that directory, if it is more than an empty one.
  var scene = ""
  /// Whether it is started in a control group that the user may divide.
  var isInGroup = false

  var testDescription: String { name }

  private static let desktop = """
    --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 \
    --proc /proc --dev /dev --tmpfs /tmp --perms 0700 --dir /run/user --bind work /work \
    --ro-bind data /work/data --tmpfs /work/tmp --file 3 /work/file --ro-bind-data 4 /work/d/f \
    --symlink x /work/link --chmod 0750 /work/tmp --remount-ro /work/tmp --ro-bind $tools $tools
    """

  static let all: [FaultLine] = [
    FaultLine(name: "plain", options: "--ro-bind / /"),
    FaultLine(name: "all namespaces", options: "--ro-bind / / --proc /proc --unshare-all"),
    FaultLine(
      name: "desktop", options: "--unshare-all --new-session --die-with-parent \(desktop)"),
    FaultLine(
      name: "in place",
      options: """
        --exec --unshare-net --unshare-uts --hostname box --die-with-parent --ro-bind / / --dev /dev \
        --tmpfs /mnt --ro-bind-text text /mnt/text --seccomp-policy default
        """),
    FaultLine(
      name: "status",
      options: """
        --unshare-all --ro-bind / / --proc /proc --info-fd 7 --json-status-fd 8 --block-fd 4
        """),
    FaultLine(
      name: "process 1",
      options: "--unshare-all --as-pid-1 --ro-bind / / --proc /proc --json-status-fd 8"),
    FaultLine(
      name: "filters",
      options: "--unshare-pid --ro-bind / / --proc /proc --seccomp 5 --cap-add CAP_SYS_PTRACE"),
    FaultLine(
      name: "no user namespaces",
      options: """
        --unshare-user --unshare-pid --ro-bind / / --proc /proc --disable-userns \
        --assert-userns-disabled --uid 0 --gid 0 --cap-add ALL
        """),
    FaultLine(
      name: "locks",
      options: "--ro-bind / / --lock-file /usr/bin/env --sync-fd 7 --json-status-fd 8"),
    FaultLine(
      name: "settings",
      options: """
        --unshare-uts --hostname box --domainname domain --unshare-time --boottime 1000 \
        --ro-bind / / --chdir /usr --setenv A B --unsetenv HOME --argv0 name \
        --cap-add CAP_NET_RAW --uid 1000
        """),
    FaultLine(
      name: "overlays",
      options: """
        --ro-bind / / --overlay-src data --tmp-overlay /mnt --bind work /media \
        --overlay-src data --overlay-src /usr/bin --ro-overlay /media/a/b --bind-fd 6 /media/c
        """),
    FaultLine(
      name: "policy",
      options: """
        --unshare-all --ro-bind / / --proc /proc --seccomp-policy default --seccomp-deny io_uring_setup
        """),
    FaultLine(
      name: "untrusted",
      options: """
        --profile untrusted --bind work /work --proc /proc --ro-bind $tools $tools
        """),
    // The name .git is taken in the project meanwhile.
    FaultLine(
      name: "build", options: "--profile build --ro-bind $tools $tools", place: "project"),
    // A linked work tree, with a repository below and programs that settings and links name.
    FaultLine(
      name: "git", options: "--profile git --ro-bind $tools $tools", place: "tree",
      scene: """
        export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
        git init -q main; git -C main commit -q --allow-empty -m x
        git -C main worktree add -q ../tree 2> /dev/null; git init -q tree/sub
        mkdir tree/hooks tree/tools; : > tree/tools/run; ln -s ../tools/run tree/hooks/pre-push
        git -C main config core.hooksPath hooks; git -C main config diff.external tools/run
        git -C main config include.path ../../tree/tools/more; printf '[alias]\nx = !tools/other\n' > tree/tools/more
        : > tree/tools/other; git -C tree/sub config filter.a.clean ../tools/other
        ln -s ../../../tools/run tree/sub/.git/hooks/pre-push

        """),
    FaultLine(
      name: "explained",
      options: """
        --explain --unshare-all --ro-bind / / --proc /proc --seccomp-policy default
        """),
    // Its standard input is a terminal (Injector/trace.c).
    FaultLine(
      name: "terminal", options: "--pty --unshare-all --ro-bind / / --proc /proc --dev /dev"),
    FaultLine(name: "terminal of the host", options: "--pty --ro-bind / /"),
    FaultLine(
      name: "joined", options: "--userns 20 --pidns 21 --ro-bind / / --json-status-fd 8"),
    FaultLine(
      name: "joined, with processes of its own",
      options: "--userns 20 --pidns 21 --unshare-pid --ro-bind / / --proc /proc --info-fd 7"),
    FaultLine(
      name: "by root", options: "--unshare-all --ro-bind / / --proc /proc --cap-drop ALL",
      user: .root),
    FaultLine(
      name: "by root, with a capability",
      options: "--ro-bind / / --cap-drop ALL --cap-add CAP_NET_RAW", user: .root),
    FaultLine(
      name: "reviewed", options: "--ro-bind / / --review data --review-store $HOME/reviews",
      place: "reviewed"),
    FaultLine(name: "network by name", options: "--ro-bind / / --net-allow example.org"),
    FaultLine(name: "limits", options: limits),
    FaultLine(name: "a control group", options: "\(limits) --cpu-time 100", isInGroup: true),
  ]

  private static let limits = """
    --ro-bind / / --unshare-pid --unshare-cgroup --proc /proc --processes 50 --rlimit nofile=100 \
    --rlimit core=0 --timeout 100 --report 8
    """
}

extension FaultLine {
  /// Those that NESTBOX_FAULT_LINES names, between commas; all if it is not set.
  static let chosen: [FaultLine] = {
    guard let names = ProcessInfo.processInfo.environment["NESTBOX_FAULT_LINES"] else { return all }
    return all.filter { names.split(separator: ",").contains($0.name[...]) }
  }()
}

@Suite("Faults", .needs("gcc"), .needs("git"), .ofStaticExecutable)
struct FaultTests {
  /// One fault in so many is tried, others with every seed.
  private static let share = ProcessInfo.processInfo.environment["NESTBOX_FAULT_SHARE"] ?? "13"
  /// The Makefile exports it without a value where nobody names one.
  private static let seed =
    ProcessInfo.processInfo.environment["NESTBOX_SEED"].flatMap { UInt64($0) } ?? 1

  private static let injector: Result<URL, any Error> = Result {
    let directory = Workspace.root.appending(path: "injector")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
    let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Injector")
    let outcome = try Session(as: .root).run(
      "gcc -O1 -Wall -Wextra -Werror -static -o \"$2/injector\" \"$1\"/*.c",
      sources.path, directory.path)
    guard outcome.status == 0 else { throw Failure("injector: \(outcome.errors)") }
    return directory
  }

  // Red: where the machine fails in the middle of a launch a command runs with less protection than
  // was asked for, or the caller gets a wrong report.
  @Test(
    "Whatever fails, a command has what was asked for or does not run", arguments: FaultLine.chosen)
  func faults(_ line: FaultLine) throws {
    try hinder(line, FaultTests.share)
  }

  // Red: two processes wait for each other for ever.
  @Test(
    "Every message between the processes may be lost",
    arguments: FaultLine.chosen.filter { $0.options.contains("-fd 7") },
    ["sendmsg", "recvmsg"])
  func messages(_ line: FaultLine, _ call: String) throws {
    try hinder(line, call)
  }

  /// Hinders one call in `share`, or those that it names.
  private func hinder(_ line: FaultLine, _ share: String) throws {
    guard line.user == .ordinary && !line.isInGroup || User.isRoot else {
      try Test.cancel("needs to be run as root")
    }
    let script = try script(line, share)
    let outcome =
      line.isInGroup ? try DelegatedGroup.run(script) : try Session(as: line.user).run(script)
    print("faults, \(line.name): \(outcome.lines.last ?? "")")
    #expect(outcome.status == 0, "\(outcome.output)\n\(outcome.errors)")
  }

  private func script(_ line: FaultLine, _ share: String) throws -> String {
    try """
    tools=\(FaultTests.injector.get().path)
    \(line.scene)mkdir -p \(line.place); cd \(line.place); mkdir work data; echo text > data/file
    # Where /etc/passwd cannot be read a profile has the number of the user for the name.
    export USER=somebody
    printf '\\x06\\0\\0\\0\\0\\0\\xff\\x7f' > data/filter
    for kind in user mnt pid net ipc uts cgroup time; do
      export "HOST_$kind=$(readlink /proc/self/ns/$kind)"
    done
    \(line.name.hasPrefix("joined") ? FaultTests.otherSandbox : "")
    \(line.isInGroup ? "in_group " : "")"$tools/injector" \(share) \(FaultTests.seed) \
      nestbox \(line.options) "$tools/injector" observe 1
    status=$?
    # It must have lived until now.
    [ -z "$other" ] || { kill "$other" || status=3; wait "$other"; } 2>&-
    exit $status
    """
  }

  /// Another sandbox, whose namespaces are open as 20 and 21.
  private static let otherSandbox = """
    mkfifo about end
    nestbox --unshare-user --unshare-pid --ro-bind / / --proc /proc --info-fd 3 \
      sh -c 'read -r end <&4' 3> about 4<> end & other=$!
    first=$(grep -o '"child-pid": [0-9]*' about | grep -o '[0-9]*')
    exec 20< /proc/$first/ns/user 21< /proc/$first/ns/pid
    """
}
