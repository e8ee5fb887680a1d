// SPDX-License-Identifier: Apache-2.0
// What the kernel writes in /proc, with what a hostile process can put into it.

import Linux
import Testing
import Text

@testable import Running

@Suite("Reading /proc")
struct ReadingTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  // Red: a process that calls itself `a) S 1` names its own parent and its own age.
  @Test func `The name in a stat line cannot pose as its fields`() throws {
    let fields = "S 42 1 1 0 -1 4194560 9 8 7 6 30 12 0 0 20 0 3 0 987654 1000 77"
    for name in ["sh", "a) S 1 (b", "two\nlines", "", "((("] {
      let line = try #require(StatLine(bytes("77 (\(name)) \(fields)\n")))
      #expect(line.name == ByteString(name))
      #expect(line.parent == 42 && line.started == 987_654)
      #expect(line.processorTime == 42 && line.threads == 3)
    }
    #expect(StatLine(bytes("77 sh S 42")) == nil)
    #expect(StatLine(bytes("77 (sh) S")) == nil)
    #expect(StatLine([]) == nil)
  }

  // Red: of two lines with one name the process's own is believed.
  @Test func `The first line of a name counts in a status`() {
    let status = StatusLines(
      bytes(
        "Name:\ta\\nUid:\\t0\nUid:\t1000\t1000\t1000\t1000\nNSpid:\t5\t1\nCapEff:\t0000000000200000\nUid:\t0\n"
      ))
    #expect(status.number("Uid") == 1000)
    #expect(status.words(of: "NSpid").map { String(decoding: $0, as: UTF8.self) } == ["5", "1"])
    #expect(status.capabilities("CapEff")?.names == ["cap_sys_admin"])
    #expect(status.number("Missing") == nil)
  }

  // Red: namespaces are told apart by something else than their numbers.
  @Test func `The number of a namespace is what its link has between brackets`() {
    #expect(NamespaceNumbers.number(in: "net:[4026532196]") == 4_026_532_196)
    for link in ["net:4026532196", "net:[x]", "net:[1", "", "/dev/null"] {
      #expect(NamespaceNumbers.number(in: ByteString(link)) == nil)
    }
  }

  // Red: a namespace that holds a network device looks as if it had none.
  @Test func `Interfaces and addresses are found`() {
    let devices = """
      Inter-|   Receive                                                |  Transmit
       face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets
          lo:       0       0    0    0    0     0          0         0        0       0
      a:b\u{1b}:       0       0    0    0    0     0          0         0        0       0

      """
    #expect(NetworkFacts.interfaces(bytes(devices)) == ["lo", "a:b\u{1b}"])
    let tree = """
      Main:
        +-- 0.0.0.0/0 3 0 5
           |-- 10.0.2.0
              /24 link UNICAST
           |-- 10.0.2.15
              /32 host LOCAL
           |-- 10.0.2.255
              /32 link BROADCAST
      Local:
           |-- 10.0.2.15
              /32 host LOCAL

      """
    #expect(NetworkFacts.addresses(tree: bytes(tree)) == ["10.0.2.15"])
    #expect(!NetworkFacts.hasRelay(tree: bytes(tree)))
    #expect(
      NetworkFacts.hasRelay(tree: bytes("     |-- 198.18.0.0\n        /15 host LOCAL\n")))
    let list = """
      00000000000000000000000000000001 01 80 10 80       lo
      fe80000000000000505400fffe123456 02 40 20 80     eth0
      20010db8000000000001000000000001 02 40 20 80     eth0
      20010db8000100020003000400050006 02 40 20 80     eth0
      short 02 40 20 80     eth0

      """
    #expect(
      NetworkFacts.addresses(listV6: bytes(list)) == [
        "::1", "fe80::5054:ff:fe12:3456", "2001:db8::1:0:0:1", "2001:db8:1:2:3:4:5:6",
      ])
  }

  // Red: a limit or an id is read from the wrong column.
  @Test func `Maps, limits and control groups are read by their columns`() {
    #expect(
      IdentityMaps.lines(
        bytes("         0       1000          1\n         1     100000      65536\n"))
        == [
          .init(inside: 0, outside: 1000, count: 1),
          .init(inside: 1, outside: 100_000, count: 65_536),
        ])
    let limits = """
      Limit                     Soft Limit           Hard Limit           Units     
      Max cpu time              unlimited            unlimited            seconds   
      Max open files            1024                 20000                files     
      Max nice priority         0                    0                    

      """
    #expect(
      ResourceLimit.table(bytes(limits)) == [
        .init(name: "Max cpu time", soft: nil, hard: nil, unit: "seconds"),
        .init(name: "Max open files", soft: 1024, hard: 20_000, unit: "files"),
        .init(name: "Max nice priority", soft: 0, hard: 0, unit: ""),
      ])
    #expect(
      ControlGroup.list(bytes("4:memory:/a:b\n0::/user.slice\nx\n")) == [
        .init(controllers: "memory", path: "/a:b"), .init(controllers: "", path: "/user.slice"),
      ])
  }
}
