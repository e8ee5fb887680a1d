// SPDX-License-Identifier: Apache-2.0
// Files of container engines: what they mean, what is refused, and that a written file means the same.

import Linux
import SystemPackage
import Testing
import Text

@testable import Seccomp

@Suite("Policies of container engines")
struct OCITests {
  /// The policy of a file, on a machine with Linux 5.10.
  private func policy(
    _ text: String, _ native: Architecture = .native
  ) throws(PolicyError) -> Policy {
    let oci = try OCIPolicy(.builtIn("file", text), for: native, kernel: [5, 10])
    return Policy(
      name: "file", otherwise: oci.otherwise, foreign: .kill, architectures: oci.architectures,
      rules: oci.rules)
  }

  private func decision(_ call: String, _ policy: Policy) throws -> Decision {
    try policy.decisions(on: policy.architectures[0])[call] ?? Decision(otherwise: policy.otherwise)
  }

  /// Rules, a call, its arguments, and the answer, as libseccomp 2.5.4 and runc give it.
  static let answers: [(String, String, [UInt64], String)] = [
    (#"{"names":["read","nosuchcall"],"action":"SCMP_ACT_ALLOW"}"#, "read", [], "allow"),
    (#"{"name":"read","action":"SCMP_ACT_LOG"}"#, "read", [], "log"),
    (#"{"names":["read"],"action":"SCMP_ACT_ALLOW"}"#, "write", [], "errno ENOSYS"),
    (#"{"names":["read"],"action":"SCMP_ACT_ERRNO"}"#, "read", [], "errno EPERM"),
    (#"{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":5}"#, "read", [], "errno EIO"),
    (#"{"names":["read"],"action":"SCMP_ACT_ERRNO","errno":"EINVAL"}"#, "read", [], "errno EINVAL"),
    (#"{"names":["read"],"action":"SCMP_ACT_KILL"}"#, "read", [], "kill"),
    (#"{"names":["read"],"action":"SCMP_ACT_KILL_THREAD"}"#, "read", [], "kill"),
    (#"{"names":["read"],"action":"SCMP_ACT_TRAP","args":null}"#, "read", [], "trap"),
    // The first rule without conditions.
    (
      #"{"names":["read"],"action":"SCMP_ACT_ALLOW"},{"names":["read"],"action":"SCMP_ACT_KILL"}"#,
      "read", [], "allow"
    ),
    (
      #"{"names":["read"],"action":"SCMP_ACT_KILL"},{"names":["read"],"action":"SCMP_ACT_ALLOW"}"#,
      "read", [], "kill"
    ),
    // A rule without conditions beats those with some.
    (
      #"{"names":["read"],"action":"SCMP_ACT_ALLOW"},"#
        + #"{"names":["read"],"action":"SCMP_ACT_KILL","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}"#,
      "read", [1], "allow"
    ),
    // The strictest where several hold.
    (
      #"{"names":["read"],"action":"SCMP_ACT_KILL","args":[{"index":0,"value":3,"op":"SCMP_CMP_LE"}]},"#
        + #"{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_GE"}]}"#,
      "read", [2], "kill"
    ),
    // All 64 bits.
    (allow("EQ", 1), "read", [1], "allow"), (allow("EQ", 1), "read", [1 << 32 | 1], "errno ENOSYS"),
    (allow("NE", 1), "read", [1 << 32 | 1], "allow"), (allow("NE", 1), "read", [1], "errno ENOSYS"),
    (allow("LT", 2), "read", [1], "allow"), (allow("LT", 2), "read", [2], "errno ENOSYS"),
    (allow("GT", 2), "read", [.max], "allow"), (allow("GE", 0), "read", [0], "allow"),
    (allow("LT", 0), "read", [0], "errno ENOSYS"),
    (allow("MASKED_EQ", 6, two: 2), "read", [3], "allow"),
    (allow("MASKED_EQ", 6, two: 2), "read", [6], "errno ENOSYS"),
    (allow("MASKED_EQ", 0), "read", [6], "allow"),
    (allow("MASKED_EQ", 1, two: 2), "read", [2], "errno ENOSYS"),
    // All comparisons of a rule, but alternatives where two are about one argument.
    (both(0, 1), "read", [1, 2], "allow"), (both(0, 1), "read", [1, 3], "errno ENOSYS"),
    (both(0, 0), "read", [2, 0], "allow"),
    // What depends on capabilities, the machine and the kernel.
    (only("includes", #""caps":["CAP_SYS_ADMIN"]"#), "read", [], "errno ENOSYS"),
    (only("excludes", #""caps":["CAP_SYS_ADMIN"]"#), "read", [], "allow"),
    (only("includes", #""minKernel":"5.10""#), "read", [], "allow"),
    (only("includes", #""minKernel":"5.9""#), "read", [], "allow"),
    (only("includes", #""minKernel":"5.11""#), "read", [], "errno ENOSYS"),
    (only("excludes", #""minKernel":"4.8""#), "read", [], "errno ENOSYS"),
    (only("includes", #""arches":["amd64"]"#), "read", [], "allow"),
    (only("includes", #""arches":["arm64","s390x"]"#), "read", [], "errno ENOSYS"),
    (only("excludes", #""arches":["amd64"]"#), "read", [], "errno ENOSYS"),
    (only("includes", #""caps":[],"arches":[]"#), "read", [], "allow"),
  ]

  private static func allow(_ name: String, _ value: Int, two: Int = 0) -> String {
    #"{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":\#(value),"#
      + #""valueTwo":\#(two),"op":"SCMP_CMP_\#(name)"}]}"#
  }

  private static func both(_ first: Int, _ second: Int) -> String {
    #"{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":\#(first),"value":1,"#
      + #""op":"SCMP_CMP_EQ"},{"index":\#(second),"value":2,"op":"SCMP_CMP_EQ"}]}"#
  }

  private static func only(_ member: String, _ condition: String) -> String {
    #"{"names":["read"],"action":"SCMP_ACT_ALLOW","\#(member)":{\#(condition)}}"#
  }

  // Red: a file means something else than in the engine that it was written for.
  @Test("A file means what engines make of it", arguments: answers)
  func answer(_ rules: String, _ call: String, _ arguments: [UInt64], _ answer: String) throws {
    let machine = try #require(Architecture(named: "x86_64"))
    let policy = try policy(
      #"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"syscalls":[\#(rules)]}"#, machine)
    let arguments = arguments + [UInt64](repeating: 0, count: 6 - arguments.count)
    #expect(try decision(call, policy).action(for: arguments).description == answer)
  }

  // Red: a file makes a terminal do what it likes when nestbox says what is wrong with it.
  @Test(arguments: ["\u{1b}]0;title\u{7}", "{\"a\": \u{9b}2J", "[\u{1b}", "{\"a\":\"\u{1b}"])
  func `A mistake is told without the file's bytes`(_ text: String) {
    do throws(PolicyError) {
      _ = try policy("{" + text)
      Issue.record("it was read")
    } catch {
      let isPlain = error.message.unicodeScalars.allSatisfy {
        $0.properties.generalCategory != .control
      }
      #expect(isPlain && error.message.includes("this is not valid JSON: "), "\(error.message)")
    }
  }

  static let mistakes: [(String, String)] = [
    ("{", "file:1:1: this is not valid JSON: "),
    (#"{"defaultAction":"SCMP_ACT_ALLOW","defaultAction":"SCMP_ACT_KILL"}"#, "file:1:"),
    ("{}", #"file: the member "defaultAction" is missing"#),
    (#"{"defaultaction":"SCMP_ACT_KILL"}"#, "did you mean defaultAction?"),
    (#"{"defaultAction":1}"#, "file: defaultAction: expected a string"),
    (#"{"defaultAction":"SCMP_ACT_NOTIFY"}"#, "nestbox has none"),
    (#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":4096}"#, "up to 4095"),
    (rule(""), #"syscalls[0]: expected "names""#),
    (rule(#""names":["read"]"#), #"syscalls[0]: expected an "action""#),
    (rule(#""names":"read","action":"SCMP_ACT_ALLOW""#), "syscalls[0].names: expected an array"),
    (rule(#""names":[1],"action":"SCMP_ACT_ALLOW""#), "syscalls[0].names[0]: expected a string"),
    (rule(#""names":["read"],"action":"SCMP_ACT_ALOW""#), "syscalls[0].action: expected an action"),
    (
      rule(#""names":["read"],"action":"SCMP_ACT_ERRNO","errno":"EX""#),
      "syscalls[0].errno: expected the name"
    ),
    (
      rule(#""names":["read"],"action":"SCMP_ACT_ALLOW","if":1"#),
      #"syscalls[0]: unknown member if"#
    ),
    (
      rule(#""names":["read"],"action":"SCMP_ACT_ALLOW","excludes":{"users":1}"#),
      "syscalls[0].excludes: unknown"
    ),
    (
      rule(#""names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"five"}"#),
      "minKernel: expected"
    ),
    (
      comparison(#""index":6,"value":1,"op":"SCMP_CMP_EQ""#),
      "syscalls[0].args[0].index: expected a whole number up to 5"
    ),
    (comparison(#""index":0,"value":-1,"op":"SCMP_CMP_EQ""#), "value: expected a whole number"),
    (comparison(#""index":0,"value":1.5,"op":"SCMP_CMP_EQ""#), "value: expected a whole number"),
    (comparison(#""index":0,"value":18446744073709551615,"op":"SCMP_CMP_EQ""#), "not valid JSON"),
    (comparison(#""index":0,"value":1,"op":"SCMP_CMP_IS""#), "op: expected a comparison"),
    (comparison(#""index":0,"value":1"#), #"expected "index", "value" and "op""#),
    (
      #"{"defaultAction":"SCMP_ACT_KILL","architectures":["x86_64"]}"#,
      "architectures[0]: expected an architecture"
    ),
  ]

  private static func rule(_ members: String) -> String {
    #"{"defaultAction":"SCMP_ACT_KILL","syscalls":[{\#(members)}]}"#
  }

  private static func comparison(_ members: String) -> String {
    rule(#""names":["read"],"action":"SCMP_ACT_ALLOW","args":[{\#(members)}]"#)
  }

  // Red: a mistake makes a policy that protects less than its author meant.
  @Test("A mistake in a file is told with its place", arguments: mistakes)
  func mistake(_ text: String, _ part: String) {
    let error = #expect(throws: PolicyError.self) { try policy(text) }
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
  }

  /// Lines of policies with every kind of condition.
  static let policies = [
    "default errno ENOSYS\nallow read write\nkill ptrace\nlog? open if arg1 & 3 == 1\ntrap brk",
    "default errno EPERM\nallow ioctl\nerrno EPERM ioctl if arg1 == TIOCSTI\nerrno EIO ioctl if arg1 == TIOCLINUX",
    "default allow\nerrno EPERM clone if arg0 & CLONE_NEWUSER|CLONE_NEWNET != 0\narch? x86",
    "default kill\nallow socket if arg0 == AF_NETLINK and arg2 == NETLINK_ROUTE\nallow socket if arg0 == AF_UNIX",
    "default errno EPERM\nallow ftruncate\nerrno EFBIG ftruncate if arg1:64 > 0x40000000",
    "default errno EPERM\nallow read if arg2 < 1000\nallow write if arg2 >= 7\nkill write if arg2 <= 100\n"
      + "allow dup if arg0 != 5 and arg0 != 9\nallow close if arg0:64 != 3",
  ]

  /// Whether two policies give the same answer to each call with many arguments.
  private func expectSame(_ policy: Policy, _ text: String) throws {
    let read = try self.policy(text)
    #expect(read.architectures == policy.architectures)
    var generator = SystemRandomNumberGenerator()
    let special: [UInt64] = [
      0, 1, 2, 3, 5, 7, 9, 16, 100, 1000, 0x5412, 0x541c, 1 << 28, 0x4000_0000, .max,
    ]
    for architecture in policy.architectures {
      let (ours, theirs) = (
        try policy.decisions(on: architecture), try read.decisions(on: architecture)
      )
      for call in architecture.calls {
        let (one, two) = (
          ours[call.name] ?? Decision(otherwise: policy.otherwise),
          theirs[call.name] ?? Decision(otherwise: read.otherwise)
        )
        for _ in 0..<(one.clauses.isEmpty ? 1 : 400) {
          let arguments = (0..<6).map { _ -> UInt64 in
            let value = special.randomElement(using: &generator) ?? 0
            return switch Int.random(in: 0..<6, using: &generator) {
            case 0: .random(in: 0 ... .max, using: &generator)
            case 1: value &+ 1
            case 2: value &- 1
            case 3: value | 1 << 32
            default: value
            }
          }
          #expect(
            one.action(for: arguments) == two.action(for: arguments),
            "\(call.name) \(arguments) on \(architecture.name)")
        }
      }
    }
  }

  // Red: a container gets another policy than a sandbox.
  @Test("A written file means the same when it is read", arguments: policies)
  func written(_ lines: String) throws {
    var reader = try PolicyReader()
    try reader.read(.builtIn("lines", lines))
    let policy = try reader.policy("lines")
    try expectSame(policy, try policy.ociText())
  }

  @Test("So do the built-in ones", arguments: BuiltInPolicy.all.map(\.name))
  func builtIn(_ name: String) throws {
    let policy = try PolicyChoice(ByteString(name)).policy(isForOthers: true)
    try expectSame(policy, try policy.ociText())
  }

  // Red: an including policy cannot change a file of an engine.
  @Test func `Lines behind an included file change it`() throws {
    var reader = try PolicyReader()
    try reader.read(
      .builtIn(
        "file",
        #"{"defaultAction":"SCMP_ACT_KILL","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}"#
      ))
    try reader.read(.builtIn("lines", "errno EIO read"))
    #expect(try decision("read", try reader.policy("both")).otherwise == .errno(.ioError))
  }
}
