// SPDX-License-Identifier: Apache-2.0

import Testing
import Text

@testable import Sandbox

/// What the kernel says in the files of control groups.
@Suite struct GroupTextTests {
  private func number(_ text: String) -> Int64? { GroupText.number(Array(text.utf8)) }

  @Test("A file with one number")
  func oneNumber() {
    #expect(number("0\n") == 0)
    #expect(number("33554432\n") == 33_554_432)
    #expect(number("9223372036854775807\n") == .max)
    for text in [
      "", "\n", "max\n", "-1\n", "1 2\n", "9223372036854775808\n", "99999999999999999999\n", "0x10",
      "1\0",
    ] {
      #expect(number(text) == nil, "\(text)")
    }
  }

  @Test("A number by its key")
  func byKey() {
    let text = Array("low 0\noom 2\noom_kill 3\noom_group_kill 1\noom_kill 9\n".utf8)
    #expect(GroupText.number(of: "oom_kill", in: text) == 3)
    #expect(GroupText.number(of: "oom", in: text) == 2)
    #expect(GroupText.number(of: "kill", in: text) == nil)
    #expect(GroupText.number(of: "oom_kill", in: Array("oom_kill\noom_kill x\n".utf8)) == nil)
  }

  @Test("Bytes of all devices together")
  func sums() {
    let text = Array("8:0 rbytes=10 wbytes=4096 rios=1\n8:16 rbytes=5 wbytes=0 rios=1\n".utf8)
    #expect(GroupText.sum(of: "rbytes", in: text) == 15)
    #expect(GroupText.sum(of: "wbytes", in: text) == 4096)
    #expect(GroupText.sum(of: "rbytes", in: []) == 0)
    let largest = "8:0 rbytes=9223372036854775807\n"
    #expect(GroupText.sum(of: "rbytes", in: Array((largest + "8:1 rbytes=1\n").utf8)) == nil)
    #expect(GroupText.sum(of: "rbytes", in: Array("8:0 rbytes=-1\n".utf8)) == nil)
  }

  @Test("The path in the unified hierarchy, beside the older ones")
  func paths() {
    let text = Array("9:name=systemd:/a\n4:memory:/b\n0::/user.slice/c\n".utf8)
    #expect(GroupText.path(in: text) == "/user.slice/c")
    #expect(GroupText.path(in: Array("4:memory:/b\n".utf8)) == nil)
    #expect(GroupText.path(in: []) == nil)
  }

  // Red: a sandbox's view of the control groups stays writable, or the whole table is parsed for each
  // launch.
  @Test func `Mounts of control groups in the new root are found, and read-only ones told apart`() {
    let table = """
      20 1 0:20 / / rw,relatime - ext4 /dev/vda rw
      21 20 0:21 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup rw
      30 20 0:30 / /proc/new rw - tmpfs tmpfs rw
      31 30 0:31 / /proc/new/a\040-\040cgroup2 rw - tmpfs tmpfs rw
      32 30 0:32 / /proc/new/one ro,nosuid shared:1 - cgroup2 cgroup rw
      33 30 0:33 / /proc/new/two rw,ro shared:1 - cgroup cgroup rw,cpu
      """
    let lines = GroupText.lines(in: Array(table.utf8), below: 30)
    #expect(lines.count == 4)
    #expect(lines.map(GroupText.isOfGroups) == [false, false, true, true])
    #expect(lines.map(GroupText.isReadOnly) == [false, false, true, false])
    #expect(GroupText.lines(in: Array(table.utf8), below: 3) == [])
  }

  // Red: systemd does not understand the call, and closes the connection.
  @Test func `The call for a scope is aligned as D-Bus has it`() {
    let call = ScopeRequest.call(name: "nestbox-1-a.scope", process: 258)
    #expect(call.count.isMultiple(of: 8))
    #expect(call.starts(with: [0x6c, 1, 0, 1]))
    // What follows the fields is as long as the beginning says, and the number is in it.
    let fields = Int(call[12]) + Int(call[13]) << 8
    let body = Int(call[4]) + Int(call[5]) << 8
    #expect(call.count == 16 + (fields + 7) / 8 * 8 + body)
    #expect(call.indices.contains { call[$0...].starts(with: [4, 0, 0, 0, 2, 1, 0, 0]) })
    #expect(
      ScopeRequest.greeting(user: 1000) == Array("\0AUTH EXTERNAL 31303030\r\nBEGIN\r\n".utf8))
  }

  // Red: a signal of systemd's is taken for the answer, or the answer is missed where it arrives in
  // pieces.
  @Test func `The answer is found behind signals, whatever pieces it arrives in`() {
    let signal: [UInt8] =
      [0x6c, 4, 1, 1, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 9, 9, 0, 0, 0, 0, 0, 0, 7, 7, 7]
    func answer(_ kind: UInt8) -> [UInt8] { [0x6c, kind, 1, 1] + [UInt8](repeating: 0, count: 12) }
    let cases: [(UInt8, ScopeAnswers.Outcome)] = [(2, .agreed), (3, .refused)]
    for (kind, expected) in cases {
      var answers = ScopeAnswers()
      var outcome: ScopeAnswers.Outcome?
      for byte in Array("OK 0123\r\n".utf8) + signal + answer(kind) {
        #expect(outcome == nil)
        answers.bytes.append(byte)
        outcome = answers.next()
      }
      #expect(outcome == expected)
    }
    var answers = ScopeAnswers()
    answers.bytes = Array("REJECTED EXTERNAL\r\n".utf8)
    #expect(answers.next() == .refused)
    answers = ScopeAnswers()
    answers.bytes = Array("OK 0\r\n".utf8) + [UInt8](repeating: 0x42, count: 16)
    #expect(answers.next() == .unclear)
  }
}
