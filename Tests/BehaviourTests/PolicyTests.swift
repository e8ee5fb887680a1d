// SPDX-License-Identifier: Apache-2.0
// Policies of system calls as the kernel enforces them: for every call, and for the ways in that
// kernels were attacked through.

import Foundation
import TestSupport
import Testing

extension Trait where Self == ConditionTrait {
  /// The test knows system calls by their numbers on one architecture.
  fileprivate static var onX86: Self {
    #if arch(x86_64)
      .enabled(if: true)
    #else
      .disabled("its numbers are those of x86_64")
    #endif
  }
}

extension Session {
  /// Builds a program of `Programs`, and copies the scripts beside it.
  fileprivate func prepareCalls() throws {
    let programs = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Programs")
    for name in ["calls.c", "answers.py"] {
      try write(name, String(contentsOf: programs.appending(path: name), encoding: .utf8))
    }
    let outcome = try run(
      "gcc -O1 -Wall -Wextra -Werror -o calls calls.c && ./calls --filter >mark.bpf")
    guard outcome.status == 0 else { throw Failure(outcome.errors) }
  }
}

@Suite("Policies in the kernel", .needs("gcc"), .needs("python3"), .onX86)
struct PolicyTests {
  // Red: --seccomp-explain does not tell the truth, or a policy lets through what it says it stops.
  @Test(
    "Each call is answered as --seccomp-explain says",
    arguments: ["default", "desktop", "strict", "compat"])
  func answers(_ policy: String) throws {
    let session = try Session()
    try session.prepareCalls()
    let outcome = try session.run("python3 answers.py \(policy)")
    #expect(outcome.output == "607 numbers, 0 wrong", "\(outcome.errors)")
  }

  // Red: the test above would pass even if the kernel refused nothing.
  @Test func `Answers that differ from what is explained are noticed`() throws {
    let session = try Session()
    try session.prepareCalls()
    let outcome = try session.run("python3 answers.py compat default | grep -c '; explained as'")
    #expect(try #require(Int(outcome.output)) > 100)
  }

  // Red: a condition of a user's own policy does not mean what it says.
  @Test func `Conditions of every kind hold in the kernel on both sides of their edge`() throws {
    let session = try Session()
    try session.prepareCalls()
    try session.write(
      "mine.policy",
      """
      include default
      errno E2BIG getuid if arg0 < 5
      errno EFBIG getuid if arg1 <= 7 and arg0 != 9
      errno EDOM getgid if arg2 > 0xfffffff0
      errno ERANGE getgid if arg3 >= 12 and arg4 & 0xf0 != 0x30
      errno EMLINK geteuid if arg0:64 > 0x100000000
      errno EROFS geteuid if arg1:64 == 0x500000005
      errno ENOSPC getegid if arg1:64 <= 3 and arg2:64 != 4
      kill getppid if arg0 == 1234
      trap getppid if arg0 == 1235
      log getsid
      """)
    let outcome = try session.run("python3 answers.py ./mine.policy")
    #expect(outcome.output == "607 numbers, 0 wrong", "\(outcome.errors)")
  }

  /// A way into the kernel: what it is, where it was used, and the call that begins it.
  struct Attack: Sendable, CustomTestStringConvertible {
    let name: String
    let references: String
    /// The number and five arguments.
    let call: String
    let answer: String

    init(_ name: String, _ references: String, _ call: String, _ answer: String = "errno 1") {
      self.name = name
      self.references = references
      self.call = call
      self.answer = answer
    }

    var testDescription: String { "\(name) (\(references))" }
  }

  static let attacks = [
    Attack("TIOCSTI", "CVE-2017-5226", "16 0 0x5412 0 0 0"),
    Attack("TIOCSTI with a bit above", "CVE-2019-10063", "16 0 0x100005412 0 0 0"),
    Attack("TIOCLINUX", "CVE-2023-1523", "16 0 0x541c 0 0 0"),
    Attack("TIOCSETD", "CVE-2017-2636, CVE-2023-6546", "16 0 0x5423 0 0 0"),
    Attack("clone(CLONE_NEWUSER)", "CVE-2022-0185, CVE-2024-1086", "56 0x10000011 0 0 0 0"),
    Attack("clone(CLONE_NEWNET)", "CVE-2022-25636", "56 0x40000011 0 0 0 0"),
    Attack("clone with a bit above", "CVE-2022-0185", "56 0xf10000011 0 0 0 0"),
    Attack("unshare(CLONE_NEWUSER)", "CVE-2022-0185, CVE-2023-32233", "272 0x10000000 0 0 0 0"),
    Attack("setns", "CVE-2022-0185", "308 3 0 0 0 0"),
    Attack("clone3", "CVE-2022-0185", "435 0 88 0 0 0", "errno 38"),
    Attack("fsopen", "CVE-2022-0185", "430 0 0 0 0 0"),
    Attack("fsconfig", "CVE-2022-0185", "431 3 1 0 0 0"),
    Attack("mount", "CVE-2021-3493 (overlayfs)", "165 0 0 0 0 0"),
    Attack("keyctl", "CVE-2016-0728", "250 1 0 0 0 0"),
    Attack("add_key", "CVE-2017-15299", "248 0 0 0 0 0"),
    Attack("request_key", "CVE-2017-6951", "249 0 0 0 0 0"),
    Attack("io_uring_setup", "CVE-2021-41073, CVE-2022-29582, CVE-2023-2598", "425 8 0 0 0 0"),
    Attack("io_uring_register", "CVE-2023-2598", "427 3 0 0 0 0"),
    Attack("bpf", "CVE-2020-8835, CVE-2021-3490, CVE-2022-23222", "321 5 0 0 0 0"),
    Attack("perf_event_open", "CVE-2013-2094, CVE-2023-5717", "298 0 0 0 0 0"),
    Attack("userfaultfd", "CVE-2016-6187, CVE-2022-2590", "323 0 0 0 0 0"),
    Attack("ptrace(PTRACE_TRACEME)", "CVE-2019-13272", "101 0 0 0 0 0"),
    Attack("ptrace(PTRACE_ATTACH)", "CVE-2019-13272", "101 16 1 0 0 0"),
    Attack("process_vm_writev", "memory of other processes", "311 1 0 0 0 0"),
    Attack("pidfd_getfd", "descriptors of other processes", "438 3 0 0 0 0"),
    Attack("modify_ldt", "CVE-2015-5157, CVE-2017-17053", "154 1 0 0 0 0"),
    Attack("open_by_handle_at", "CVE-2014-3519", "304 3 0 0 0 0"),
    Attack("kexec_load", "the machine's kernel", "246 0 0 0 0 0"),
    Attack("init_module", "the machine's kernel", "175 0 0 0 0 0"),
    Attack("personality(READ_IMPLIES_EXEC)", "executable data", "135 0x400000 0 0 0 0"),
    Attack("socket(AF_PACKET)", "CVE-2017-7308, CVE-2020-14386", "41 17 3 0 0 0", "errno 97"),
    Attack("socket(AF_VSOCK)", "CVE-2021-26708", "41 40 1 0 0 0", "errno 97"),
    Attack("socket(AF_TIPC)", "CVE-2021-43267", "41 30 1 0 0 0", "errno 97"),
    Attack("socket(AF_RDS)", "CVE-2010-3904", "41 21 5 0 0 0", "errno 97"),
    Attack("socket(AF_KEY)", "CVE-2022-1353", "41 15 3 2 0 0", "errno 97"),
    Attack("socket(AF_ALG)", "CVE-2019-8912", "41 38 5 0 0 0", "errno 97"),
    Attack("socket(AF_CAN)", "CVE-2010-2959", "41 29 3 1 0 0", "errno 97"),
    Attack("socket(AF_BLUETOOTH)", "CVE-2021-3573", "41 31 3 1 0 0", "errno 97"),
    Attack("socket(NETLINK_NETFILTER)", "CVE-2022-32250", "41 16 3 12 0 0", "errno 97"),
    Attack("socket(NETLINK_XFRM)", "CVE-2017-7184", "41 16 3 6 0 0", "errno 97"),
    Attack("socket(SOCK_DCCP)", "CVE-2017-6074", "41 2 6 0 0 0", "errno 94"),
    Attack("socket(IPPROTO_SCTP)", "CVE-2019-8956", "41 2 1 132 0 0", "errno 93"),
    Attack("socket(AF_QIPCRTR)", "no network namespace", "41 42 2 0 0 0", "errno 97"),
    Attack("socket(AF_SMC)", "CVE-2024-49571", "41 43 1 0 0 0", "errno 97"),
    Attack("socket(IPPROTO_SMC)", "CVE-2024-49571", "41 2 1 256 0 0", "errno 93"),
    Attack("socket(IPPROTO_MPTCP)", "CVE-2024-26708", "41 2 1 262 0 0", "errno 93"),
    Attack("socket(IPPROTO_UDPLITE)", "a rare protocol", "41 10 2 136 0 0", "errno 93"),
    Attack("socket(IPPROTO_L2TP)", "CVE-2022-4129", "41 2 2 115 0 0", "errno 93"),
    Attack("socket(SOCK_SEQPACKET) of AF_INET", "SCTP by its type", "41 2 5 0 0 0", "errno 94"),
    Attack("recvmmsg of x32", "CVE-2014-0038", "0x40000219 0 0 0 0 0", "signal 31"),
    Attack(
      "write of x32", "a filter that looks at numbers alone", "0x40000001 1 0 0 0 0",
      "signal 31"),
  ]

  /// What a command could leave on the host, or take from its users.
  ///
  /// 0x9ed is 04755, 0x5ed is 02755, 0x41 is O_CREAT|O_WRONLY and 0x410002 is O_TMPFILE|O_RDWR.
  static let lasting = [
    Attack("chmod", "a set-user-ID file", "90 0 0x9ed 0 0 0"),
    Attack("chmod of a group", "a set-group-ID file", "90 0 0x5ed 0 0 0"),
    Attack("chmod with bits above", "the kernel's type is shorter", "90 0 0xf000009ed 0 0 0"),
    Attack("fchmod", "a set-user-ID file", "91 0 0x9ed 0 0 0"),
    Attack("fchmodat", "a set-user-ID file", "268 0 0 0x9ed 0 0"),
    Attack("fchmodat2", "a set-user-ID file", "452 0 0 0x9ed 0 0"),
    Attack("creat", "a set-user-ID file", "85 0 0x9ed 0 0 0"),
    Attack("mknod", "a set-user-ID file", "133 0 0x89ed 0 0 0"),
    Attack("mknodat", "a set-user-ID file", "259 0 0 0x89ed 0 0"),
    Attack("open", "a set-user-ID file", "2 0 0x41 0x9ed 0 0"),
    Attack("open without a name", "a set-user-ID file", "2 0 0x410002 0x9ed 0 0"),
    Attack("openat", "a set-user-ID file", "257 0 0 0x41 0x9ed 0"),
    Attack("openat without a name", "a set-user-ID file", "257 0 0 0x410002 0x9ed 0"),
    Attack("openat2", "its mode is out of sight", "437 0 0 0 24 0", "errno 38"),
    Attack("io_uring_setup", "its openat is out of sight", "425 8 0 0 0 0"),
    Attack("F_SETLEASE", "others wait", "72 0 1024 1 0 0"),
    Attack("F_SETDELEG", "others wait", "72 0 1040 0 0 0"),
    Attack("io_setup", "the machine's requests", "206 1 0 0 0 0", "errno 38"),
    Attack("prlimit64", "limits of process 1", "302 1 0 0 0 0"),
    Attack("prlimit64 with a bit above", "limits of process 1", "302 0x100000001 0 0 0 0"),
    Attack("sched_setscheduler", "priority of process 1", "144 1 5 0 0 0"),
    Attack("sched_setattr", "priority of process 1", "314 1 0 0 0 0"),
    Attack("sched_setaffinity", "processors of process 1", "203 1 0 0 0 0"),
    Attack("setpriority", "priority of process 1", "141 0 1 0 0 0"),
    Attack("setpriority of a group", "the caller's processes", "141 1 0 0 0 0"),
    Attack("ioprio_set", "priority of process 1", "251 1 1 0 0 0"),
    Attack("ioprio_set of a group", "the caller's processes", "251 2 0 0 0 0"),
  ]

  // Red: under one of the policies a command leaves something on the host, or stalls it.
  @Test(
    "No policy lets a command leave something on the host or stall it",
    arguments: ["default", "desktop", "strict", "compat"])
  func lasting(_ policy: String) throws {
    let session = try Session()
    try session.prepareCalls()
    // A mode counts only where a file may be created; O_DIRECTORY alone leaves the register as it is.
    let harmless = ["2 0 0x10000 0x9ed 0 0", "257 0 0 0x80000 0xfff 0", "90 0 0x1ed 0 0 0"]
    let calls = PolicyTests.lasting.map(\.call) + harmless
    let outcome = try session.run(
      """
      printf '%s\\n' \(calls.map { "'\($0)'" }.joined(separator: " ")) >lines
      nestbox --ro-bind / / --unshare-pid --seccomp 3 --seccomp-policy \(policy) ./calls \
        <lines 3<mark.bpf
      """)
    let expected =
      PolicyTests.lasting.map { "\($0.call) \($0.answer)" } + harmless.map { "\($0) allow" }
    #expect(outcome.lines == expected, "\(outcome.errors)")
  }

  // Red: a program makes a mount by a call that is younger than the policy, as the text denies.
  @Test(
    "The calls that make mounts do not exist under the policy compat",
    arguments: [428, 429, 430, 431, 432, 433, 442, 467])
  func mounts(_ number: Int) throws {
    let session = try Session()
    try session.prepareCalls()
    let outcome = try session.run(
      """
      nestbox --ro-bind / / --unshare-pid --seccomp 3 --seccomp-policy compat ./calls \
        <<<'\(number) 0 0 0 0 0' 3<mark.bpf
      """)
    #expect(outcome.output == "\(number) 0 0 0 0 0 errno 38", "\(outcome.errors)")
  }

  // Red: a launcher inside a sandbox finds no destination, as it relies on a call that is refused.
  @Test func `A launcher works inside the policy desktop, and so does bubblewrap`() throws {
    let outcome = try Session().run(
      """
      for inner in nestbox bwrap; do
        if [ $inner = bwrap ] && ! [ -e /usr/bin/bwrap ]; then echo inside a; continue; fi
        nestbox --dev-bind / / --unshare-all --proc /proc --seccomp-policy desktop \
          $inner --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib \
          --symlink usr/lib64 /lib64 --proc /proc --dev /dev --tmpfs /x --dir /x/a \
          sh -c 'echo inside $(ls /x)'
      done
      nestbox --dev-bind / / --unshare-all --proc /proc --seccomp-policy desktop \
        nestbox --dev-bind / / --tmpfs /mnt --symlink ../mnt/real /mnt/link --dir /mnt/real \
        --ro-bind /etc/passwd /mnt/link/down/passwd sh -c 'head -c 4 /mnt/real/down/passwd'
      """)
    #expect(outcome.lines == ["inside a", "inside a", "root"], "\(outcome.errors)")
  }

  // Red: what a kernel was attacked through is open again.
  @Test(
    "Known ways of attack stop at the policy, and are open without it", arguments: attacks)
  func attack(_ attack: Attack) throws {
    let session = try Session()
    try session.prepareCalls()
    let line = "nestbox --ro-bind / / --unshare-pid --seccomp 3"
    let calls = "./calls <<<'\(attack.call)' 3<mark.bpf"
    let stopped = try session.run("\(line) --seccomp-policy default \(calls)")
    #expect(stopped.output == "\(attack.call) \(attack.answer)", "\(stopped.errors)")
    let open = try session.run("\(line) \(calls)")
    #expect(open.output == "\(attack.call) allow", "\(open.errors)")
  }

  // Red: a 64-bit program passes the filter by the entry of 32-bit ones.
  @Test func `The entry for 32-bit programs is closed, or open on purpose`() throws {
    let session = try Session()
    try session.prepareCalls()
    for (policy, output) in [
      ("default", "int80 signal 31"), ("strict", "int80 signal 31"), ("none", "int80 exit 0"),
      ("desktop", "int80 exit 0"), ("compat", "int80 exit 0"),
    ] {
      // 20 is getpid there, and writev here.
      let outcome = try session.run(
        "nestbox --ro-bind / / --unshare-pid --seccomp-policy \(policy) ./calls --int80 20")
      #expect(outcome.output == output, "\(policy): \(outcome.errors)")
    }
  }

  /// The fixture, and the default files of Podman and Docker, where Debian's packages
  /// golang-github-containers-common and golang-github-docker-docker-dev have them.
  private static let engineFiles = [
    "", "/usr/share/containers/seccomp.json",
    "/usr/share/gocode/src/github.com/docker/docker/profiles/seccomp/default.json",
  ]

  // Red: a command under an engine's policy may make a call that the file refuses, or the reverse.
  @Test("An engine's policy is read as its author meant, call by call", arguments: engineFiles)
  func engine(_ file: String) throws {
    let programs = Workspace.repository.appending(path: "Tests/BehaviourTests/Programs")
    let session = try Session()
    for name in ["engine-policy.py", "engine.json"] {
      try session.write(name, String(contentsOf: programs.appending(path: name), encoding: .utf8))
    }
    if !file.isEmpty, !FileManager.default.fileExists(atPath: file) {
      try Test.cancel("\(file) is missing")
    }
    let outcome = try session.run("python3 engine-policy.py ${1:-./engine.json}", file)
    #expect(
      outcome.output == (file.isEmpty ? "compared 74 300" : "compared 100 300"),
      "\(outcome.output) \(outcome.errors)")
  }

  // Red: what one engine reads is another policy than the one that nestbox holds.
  @Test func `A policy is written for engines and read again`() throws {
    let outcome = try Session().run(
      """
      nestbox --seccomp-export oci strict >strict.json
      nestbox --seccomp-policy ./strict.json sh -c 'unshare -U true 2>/dev/null || echo refused'
      python3 -c 'import json
      d = json.load(open("strict.json")); print(sorted(d), len(d["syscalls"]) > 3)'
      nestbox --seccomp-export bpf strict
      """, isMerged: true)
    #expect(
      outcome.lines == [
        "refused", "['architectures', 'defaultAction', 'defaultErrnoRet', 'syscalls'] True",
        "nestbox: --seccomp-export: expected oci, found bpf",
      ], "\(outcome)")
  }
}
