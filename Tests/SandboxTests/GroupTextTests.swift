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
}
