// SPDX-License-Identifier: Apache-2.0
// The registry of names: what it writes, and what it believes.

import Linux
import SystemPackage
import Testing
import Text

@testable import Running

@Suite("Registry")
struct RegistryTests {
  // Red: what one nestbox writes another cannot read.
  @Test func `A record is read as it was written`() {
    let record = RegistryRecord(monitor: 4711, started: 987_654_321)
    #expect(RegistryRecord(Array(record.text.utf8)) == record)
    #expect(RegistryRecord(Array((record.text + "later 1\n").utf8)) == record)
  }

  // Red: half a record, or another file, names a process.
  @Test(
    "Anything else is rejected",
    arguments: [
      "", "nestbox-sandbox 1\n", "nestbox-sandbox 1\nmonitor 1\n", "monitor 1\nstarted 2\n",
      "nestbox-sandbox 2\nmonitor 1\nstarted 2\n", "nestbox-sandbox 1\nmonitor -1\nstarted 2\n",
      "nestbox-sandbox 1\nmonitor 99999999999\nstarted 2\n",
      "nestbox-sandbox 1\nmonitor +1\nstarted 2\n", "nestbox-sandbox 1\nmonitor 1\nstarted x\n",
    ])
  func malformed(_ text: String) {
    #expect(RegistryRecord(Array(text.utf8)) == nil)
  }

  // Red: a name leads out of the registry, or cannot be typed.
  @Test func `A name is a file name that can be typed`() {
    for name in ["a", "box", "0", "a.b-c_d", ByteString(String(repeating: "x", count: 64))] {
      #expect(SandboxName.isValid(name))
    }
    for name in [
      "", ".", "..", ".a", "-a", "_a", "a/b", "a b", "a\n", "ä",
      ByteString(String(repeating: "x", count: 65)),
    ] as [ByteString] {
      #expect(!SandboxName.isValid(name))
    }
  }

  // Red: a record is believed whose monitor has ended and whose number another process has.
  @Test func `A process with the monitor's number and another start is not the monitor`() throws {
    let number = CurrentProcess.number
    let line = try ProcessDirectory(number).contents(of: "stat", limit: Bound.stat)
    let started = try #require(StatLine(line)).started
    #expect(RegistryRecord(monitor: number, started: started).isOfRunningMonitor)
    #expect(!RegistryRecord(monitor: number, started: started + 1).isOfRunningMonitor)
  }
}
