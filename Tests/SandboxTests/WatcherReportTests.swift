// SPDX-License-Identifier: Apache-2.0
// Whether a watcher's report is all there, and which addresses for datagrams are in it.

import Testing
import Text

@testable import Sandbox

@Suite("The watcher's report")
struct WatcherReportTests {
  // Red: if the watcher dies while it writes, what it did not come to counts as not used.
  @Test func `Half of a report is none`() {
    let lines: [ByteString] = ["", "/a", "6", "7", "\n"]
    let report = Watcher.report(lines)
    #expect(Watcher.lines(in: report) == lines)
    for count in report.indices { #expect(Watcher.lines(in: Array(report[..<count])) == nil) }
    #expect(Watcher.lines(in: report + [0]) == nil)
    #expect(Watcher.lines(in: Watcher.report([])) == [])
  }

  /// Which of the notes are told, after these calls: the process, the address, and whether something is sent.
  private func told(_ calls: [(Int32, ByteString, Bool)]) -> [ByteString] {
    var observations = Observations()
    for (process, address, isSent) in calls {
      observations.note(.address, address, by: "", process: process, isSent: isSent)
    }
    return observations.all.filter { !observations.isTriedByTCP($0) }.map(\.subject)
  }

  // Red: UDP is recommended to who never used it, or not to who did.
  @Test func `A socket for datagrams that only looks for a way is not told`() {
    let (udp, tcp): (ByteString, ByteString) = ("192.0.2.1 port 443/udp", "192.0.2.1 port 443")
    #expect(told([(1, udp, false), (1, "192.0.2.2 port 443", false)]) == ["192.0.2.2 port 443"])
    #expect(told([(1, udp, false), (1, tcp, false)]) == [tcp])
    // Something is sent, at once or later.
    #expect(told([(1, udp, true), (1, tcp, false)]) == [udp, tcp])
    #expect(told([(1, udp, false), (1, tcp, false), (1, udp, true)]) == [udp, tcp])
    // Another port, another process.
    #expect(told([(1, udp, false), (1, "192.0.2.1 port 80", false)]).first == udp)
    #expect(told([(1, udp, false), (2, tcp, false)]) == [udp, tcp])
    #expect(told([(1, udp, false), (1, tcp, false), (2, udp, false)]) == [udp, tcp])
    #expect(told([(1, udp, false), (1, tcp, false), (2, udp, false), (2, tcp, false)]) == [tcp])
  }
}
