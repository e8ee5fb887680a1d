// SPDX-License-Identifier: Apache-2.0
// Options for message buses: what they allow, and which rules are invalid.

import Linux
import Sandbox
import Testing

@testable import Options
import Text

@Suite("D-Bus options")
struct BusTests {
  // Red: a rule allows another thing than was typed, or on the other bus.
  @Test func `Rules reach their bus in the order in which they were typed`() throws {
    let buses = try parse(
      "--dbus-talk", "org.example.One", "--dbus-system-own", "org.example.*", "--dbus-see",
      "org.example.Two", "--dbus-call", "org.example.One=org.example.Face.*@/path/*"
    ).sandbox.buses
    var session = BusAccess(option: WrittenOption("--dbus-talk"))
    session.rules = [
      BusRule(.talk, "org.example.One"), BusRule(.see, "org.example.Two"),
      BusRule(.call, "org.example.One=org.example.Face.*@/path/*"),
    ]
    var system = BusAccess(option: WrittenOption("--dbus-system-own"))
    system.rules = [BusRule(.own, "org.example.*")]
    #expect(buses.session == session)
    #expect(buses.system == system)
  }

  // Red: a bus without a rule can't be had, or a sandbox without an option for it has one.
  @Test func `A bus can be shown without a rule`() throws {
    #expect(try parse().sandbox.buses == Buses())
    let buses = try parse("--dbus-session", "--dbus-session").sandbox.buses
    #expect(buses.session == BusAccess(option: WrittenOption("--dbus-session")))
    #expect(buses.system == nil)
  }

  // Red: a rule of the documented form is refused.
  @Test(
    "Names and rules that the proxy accepts are accepted",
    arguments: [
      ("--dbus-talk", "org.example"), ("--dbus-own", "org.example-1.*"),
      ("--dbus-call", "org.a.b=*"), ("--dbus-call", "org.a.b=@/"), ("--dbus-call", "org.a=@/*"),
      ("--dbus-call", "org.a.*=org.a.Face.member@/a/b_1"),
      ("--dbus-system-broadcast", "org.a.b=org.a.*"),
    ])
  func acceptance(_ option: String, _ word: String) throws {
    #expect(throws: Never.self) { try parse(ByteString(option), ByteString(word)) }
  }

  // Red: the proxy reads something else than was meant, or ends without a message.
  @Test(
    "Names and rules that the proxy would misread are refused",
    arguments: [
      ("--dbus-talk", ""), ("--dbus-talk", "*"), ("--dbus-talk", "org"), ("--dbus-talk", "org.*"),
      ("--dbus-talk", "org..a"), ("--dbus-talk", "org.1a"), ("--dbus-talk", ":1.2"),
      ("--dbus-talk", "org.a.*.b"), ("--dbus-talk", "org.a=*"), ("--dbus-own", "org.a b"),
      ("--dbus-call", "org.a.b"), ("--dbus-call", "org.a.b="), ("--dbus-call", "org.a.b=member"),
      ("--dbus-call", "org.a.b=a.member"), ("--dbus-call", "org.a.b=*@"),
      ("--dbus-call", "org.a.b=*@path"), ("--dbus-call", "org.a.b=*@/a//b"),
      ("--dbus-call", "org.a.b=*@/a*"), ("--dbus-call", "=*"),
    ])
  func refusal(_ option: String, _ word: String) throws {
    #expect(throws: UsageError.self) { try parse(ByteString(option), ByteString(word)) }
  }
}
