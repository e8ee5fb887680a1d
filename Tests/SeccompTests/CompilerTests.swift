// SPDX-License-Identifier: Apache-2.0
// Programs do what policies say, for every call and on both sides of every condition.

import Linux
import Testing

@testable import Seccomp
import Text

/// The policy of `text`, for programs of `architecture`.
func policy(_ text: String, for architecture: String = "x86_64") throws -> Policy {
  var reader = try PolicyReader(for: #require(Architecture(named: architecture)))
  try reader.read(.builtIn("test", text))
  return try reader.policy("test")
}

/// Compares what `policy` decides with what its program returns, and with what libseccomp's filters
/// return where it can say the same.
private func compare(_ policy: Policy) throws {
  let program = try policy.compiled()
  for explanation in try policy.explanations() {
    for (call, decision) in explanation.calls {
      let oracle = try Oracle.program(for: call, decision, on: explanation.architecture)
      for arguments in decision.edges {
        let data = SystemCallData(
          number: UInt32(call.number), architecture: explanation.architecture.auditNumber,
          arguments: arguments)
        let expected = decision.action(for: arguments).code
        let comment: Comment = "\(explanation.architecture.name) \(call.name) \(arguments)"
        #expect(program.result(for: data) == expected, comment)
        if let oracle { #expect(oracle.result(for: data) == expected, comment) }
      }
    }
    // Numbers that nothing has a name for; those of x32 are x86_64's with one more bit.
    for number in [UInt32(500), 1023] where explanation.architecture.name != "x32" {
      let data = SystemCallData(
        number: number, architecture: explanation.architecture.auditNumber)
      #expect(program.result(for: data) == policy.otherwise.code, "\(number)")
    }
  }
  // What no architecture of the policy's has: s390x.
  let foreign = SystemCallData(number: 1, architecture: 0x8000_0016)
  #expect(program.result(for: foreign) == policy.foreign.code)
}

@Suite("Conditions on 64 bits")
struct WideConditionTests {
  // Red: where arguments have 32 bits, a condition on 64 looks at half of what it says.
  @Test(
    "A condition on 32 bits ignores the upper half of the argument",
    arguments: [
      "arg1:64 == 0x100000001", "arg1:64 != 0x100000001", "arg1:64 < 0x100000000",
      "arg1:64 <= 0xffffffff", "arg1:64 > 0xffffffff", "arg1:64 >= 0x100000000", "arg1:64 > 5",
      "arg1:64 < 0x180000005", "arg1:64 & 0xf0000000f == 1", "arg1:64 & 0xf00000000 == 0",
    ])
  func narrow(_ condition: String) throws {
    let policy = try policy("default allow\narch x86 x32\nerrno EPERM fchmod if \(condition)")
    let program = try policy.compiled()
    for explanation in try policy.explanations() {
      let isNarrow = explanation.architecture.name == "x86"
      for (call, decision) in explanation.calls {
        for value: UInt64 in [0, 1, 5, 6, 0xffff_ffff, 1 << 32, 1 << 32 | 1, 3 << 31 | 5, 7 << 33]
        where !isNarrow || value >> 32 == 0 {
          let arguments = [0, value, 0, 0, 0, 0]
          let data = SystemCallData(
            number: UInt32(call.number), architecture: explanation.architecture.auditNumber,
            arguments: arguments)
          let expected = decision.action(for: arguments).code
          #expect(
            program.result(for: data) == expected, "\(explanation.architecture.name) \(value)")
        }
      }
    }
  }
}

extension Decision {
  /// Arguments on both sides of every comparison, and with upper halves that do not matter.
  var edges: [[UInt64]] {
    var edges: [[UInt64]] = [[0, 0, 0, 0, 0, 0], [UInt64](repeating: UInt64.max, count: 6)]
    for clause in clauses {
      var satisfied = [UInt64](repeating: 0, count: 6)
      for comparison in clause.comparisons {
        satisfied[comparison.argument] = comparison.values.first { comparison.holds(for: $0) } ?? 0
      }
      edges.append(satisfied)
      for comparison in clause.comparisons {
        for value in comparison.values {
          var arguments = satisfied
          arguments[comparison.argument] = value
          edges.append(arguments)
          arguments[comparison.argument] = value | 0xdead_beef_0000_0000
          edges.append(arguments)
        }
      }
    }
    return edges
  }
}

extension Comparison {
  /// Values at its edge and around it.
  fileprivate var values: [UInt64] {
    let bits = (0..<64).map { value ^ (1 << UInt64($0)) }
    return [value, value &+ 1, value &- 1, 0, 1, mask ?? 0, ~(mask ?? 0), UInt64.max] + bits
  }
}

extension Architecture {
  /// AUDIT_ARCH_… of linux/audit.h; that of x32 is that of x86_64.
  fileprivate var auditNumber: UInt32 {
    switch name {
    case "x86": 0x4000_0003
    case "aarch64": 0xc000_00b7
    case "arm": 0x4000_0028
    default: 0xc000_003e
    }
  }
}

@Suite("Compiled policies")
struct CompilerTests {
  // Red: a built-in policy does something else than its text and --seccomp-explain say.
  @Test(
    "A built-in policy's program decides as its text does",
    arguments: BuiltInPolicy.all.map(\.name), ["x86_64", "aarch64"])
  func builtIn(_ name: String, _ architecture: String) throws {
    try compare(try policy("include \(name)\n", for: architecture))
  }

  // Red: a condition is weaker than it reads, or a later line does not override an earlier one.
  @Test(
    "Conditions hold on their side of the edge",
    arguments: [
      "allow read if arg0 == 5", "allow read if arg0 != 5", "allow read if arg0 < 5",
      "allow read if arg0 <= 5", "allow read if arg0 > 5", "allow read if arg0 >= 5",
      "allow read if arg0 < 0x80000001", "allow read if arg0 > 0xfffffffe",
      "allow read if arg2:64 == 0x100000005", "allow read if arg2:64 != 0x100000005",
      "allow read if arg2:64 < 0x1200000000", "allow read if arg2:64 <= 0x1200000000",
      "allow read if arg2:64 > 0x1200000000", "allow read if arg2:64 >= 0x1200000000",
      "allow read if arg2:64 > 0xfffffffffffffffe",
      "allow read if arg1 & 0xf0 == 0x50", "allow read if arg1 & 0xf0 != 0x50",
      "allow read if arg1:64 & 0xff00000000 == 0x1200000000",
      "allow read if arg0 == 1 and arg1 == 2 and arg2 != 3",
      "allow read if arg0 > 3 and arg0 < 9", "allow read if arg0 != 3 and arg0 != 4",
      "allow read if arg0 == 1\nallow read if arg0 == 2\nallow read if arg1 == 3",
      "allow read\nerrno E2BIG read if arg0 == 1\nerrno EIO read if arg1 == 2\nkill read if arg2 > 9",
      "allow read if arg0 == 1\nerrno EIO read if arg0 == 1",
      "errno EIO read if arg0 == 1\nallow read",
      "allow read\nerrno EPERM read\nlog read if arg0 == 7\ntrap read if arg5 == 7",
      "allow @basic-io if arg0 == 0\nerrno EIO @signal if arg5 == 77",
      "errno EPERM @known\nallow read if arg0 == AT_FDCWD",
      "allow read if arg0 & CLONE_NEWUSER|CLONE_NEWNS != 0",
    ])
  func condition(_ lines: String) throws {
    try compare(try policy("default errno ENOSYS\n" + lines))
    try compare(try policy("default allow\nforeign errno ENOSYS\n" + lines))
  }

  // Red: calls of a second architecture are decided by the first one's numbers.
  @Test(
    "Each architecture has its own numbers",
    arguments: [
      "arch x86", "arch x32", "arch x86 x32", "arch x86\nallow? socketcall ipc",
      "arch x86\nerrno? EIO socketcall ipc",
    ])
  func architectures(_ line: String) throws {
    let rules = """
      default errno ENOSYS
      foreign trap
      allow? read open openat2 socket bind semget msgrcv
      errno? EACCES socket if arg0 != AF_UNIX
      """
    try compare(try policy(rules + "\n" + line))
  }

  // Red: what others know as a group means something else here, or a call can be named by no group.
  @Test func `Every system call is in a group`() throws {
    var reader = try PolicyReader()
    try reader.read(.builtIn("test", "default allow"))
    let grouped = Set(reader.groupNames.flatMap { reader.members(of: $0) })
    for name in Architecture.names {
      let calls = try #require(Architecture(named: name)).calls.map(\.name)
      #expect(calls.filter { !grouped.contains($0) } == [], "\(name)")
    }
  }

  // Red: programs are longer than they need be, which every launch pays for.
  @Test("A built-in program is short", arguments: BuiltInPolicy.all.map(\.name))
  func length(_ name: String) throws {
    let program = try #require(BuiltInPolicy.named(name)).compiled
    #expect(program.instructions.count < (name == "desktop" ? 1400 : 800))
  }

  // Red: the kernel refuses the program only when the command starts.
  @Test func `A policy that becomes too long is refused`() throws {
    let lines = (0..<1100).map { "errno EIO ioctl if arg1 == \($0) and arg2 != \($0)\n" }
    let policy = try policy("default allow\n" + lines.joined())
    #expect(throws: PolicyError.self) { try policy.compiled() }
  }
}
