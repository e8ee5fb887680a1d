// SPDX-License-Identifier: Apache-2.0
// What the log of the proxy of the buses says that a command called and did not get.

import Testing
import Text

@testable import Sandbox

@Suite("The log of the proxy of the buses")
struct BusLogTests {
  private func read(_ log: String) -> [BusLog.Name] {
    var (whole, parts) = (BusLog(), BusLog())
    let bytes = Array(log.utf8)
    let names = whole.names(in: bytes[...]) + whole.lastName()
    // However it arrives.
    var others: [BusLog.Name] = []
    for index in bytes.indices { others += parts.names(in: bytes[index...index]) }
    #expect(others + parts.lastName() == names)
    return names
  }

  // Red: a call that was refused counts as made, or the last call is lost.
  @Test func `Calls and refusals are told apart`() {
    let names = read(
      """
      C1: -> org.freedesktop.DBus call org.freedesktop.DBus.Hello at /org/freedesktop/DBus
      B1: <- org.freedesktop.DBus return from C1
      C2: -> org.example.One call org.example.Test.Note at /org/example
      B3: <- :1.7 return from C2
      C4: -> org.example.Two call org.example.Test.Note at /org/example
      *HIDDEN* (ping)
      Filtering message due to arg0 org.example.Three, policy: 0 (required 3)
      C5: -> :1.7 call org.example.Test.Note at /org/example
      C6: -> org.example.Four call org.example.Test.Note at /org/example

      """)
    #expect(
      names == [
        BusLog.Name(kind: .calledBusName, text: "org.example.One"),
        BusLog.Name(kind: .busName, text: "talk org.example.Two"),
        BusLog.Name(kind: .busName, text: "own org.example.Three"),
        BusLog.Name(kind: .calledBusName, text: ""),
        BusLog.Name(kind: .calledBusName, text: "org.example.Four"),
      ])
  }

  // Red: a signal that the proxy let in does not count, or one that it kept out does.
  @Test func `Signals of connections count if they came in`() {
    let kept = "B5: <- :1.7 signal org.example.I.Changed at /\n*FILTERED IN*\n"
    #expect(read(kept).isEmpty)
    let passed = "B5: <- :1.7 signal org.example.I.Changed at /\nB6: <- :1.8 return from C3\n"
    #expect(read(passed) == [BusLog.Name(kind: .calledBusName, text: "")])
  }

  // Red: a payload has something called a name that is none.
  @Test func `Only names of services are taken`() {
    for name in ["org", "a b.c", "org.exämple", "--share-net", "org.freedesktop.DBus"] {
      #expect(read("C2: -> \(name) call I.M at /\nC3: -> x\n").isEmpty, "\(name)")
    }
  }
}
