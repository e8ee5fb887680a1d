// SPDX-License-Identifier: Apache-2.0
// Messages of DNS, byte by byte.

import TestSupport
import Testing
import Text

@testable import Network

@Suite("DNS messages")
struct DNSTests {
  /// A question as programs send it.
  static func question(
    _ labels: [String], type: UInt16 = 1, kind: UInt16 = 1, flags: UInt16 = 0x0100,
    counts: [UInt8] = [1, 0, 0, 0], tail: [UInt8] = []
  ) -> [UInt8] {
    var bytes: [UInt8] = [0x12, 0x34, UInt8(flags >> 8), UInt8(flags & 0xff)]
    for count in counts { bytes += [0, count] }
    for label in labels { bytes += [UInt8(label.utf8.count)] + Array(label.utf8) }
    return bytes + [0, UInt8(type >> 8), UInt8(type & 0xff), UInt8(kind >> 8), UInt8(kind & 0xff)]
      + tail
  }

  /// The options that a modern program sends: up to 1232 bytes.
  static let options: [UInt8] = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]

  static func read(_ bytes: [UInt8]) -> String {
    switch DNSQuestion.read(bytes[...]) {
    case .ignored: "ignored"
    case .rejected(let answer): "rejected \(answer[3] & 0xf)"
    case .question(let question): "\(question.name?.text ?? "no name") \(question.type)"
    }
  }

  // Red: a program gets no answer or a wrong one, or the relay answers answers for ever.
  @Test(
    "Questions are read, and other messages are refused",
    arguments: [
      (question(["www", "example", "org"]), "www.example.org 1"),
      (question(["WWW", "Example", "org"], type: 28), "www.example.org 28"),
      (question(["a"], type: 65), "a 65"), (question([]), "no name 1"),
      (question(["a.b"]), "no name 1"), (question(["a b"]), "no name 1"),
      (question([String(repeating: "a", count: 63)]), String(repeating: "a", count: 63) + " 1"),
      (question([String(repeating: "a", count: 64)]), "rejected 1"),
      (question([String](repeating: String(repeating: "a", count: 63), count: 4)), "rejected 1"),
      (question(["a"], flags: 0x8100), "ignored"), (question(["a"], flags: 0x2000), "rejected 4"),
      (question(["a"], kind: 3), "rejected 4"),
      (question(["a"], counts: [2, 0, 0, 0]), "rejected 1"),
      (question(["a"], counts: [0, 0, 0, 0]), "rejected 1"),
      (question(["a"], counts: [1, 1, 0, 0]), "rejected 1"),
      (question(["a"], counts: [1, 0, 0, 1]), "rejected 1"),
      (question(["a"], counts: [1, 0, 0, 1], tail: options), "a 1"),
      ([], "ignored"), ([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0], "ignored"),
      (Array(question(["a"]).dropLast()), "rejected 1"),
      // A reference to itself.
      ([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1], "rejected 1"),
    ])
  func reading(_ bytes: [UInt8], _ expected: String) { #expect(DNSTests.read(bytes) == expected) }

  // Red: a label can be longer than DNS messages have them, and takes the length for a reference.
  @Test func `Capitals do not hide a label that is too long`() {
    for letter in ["a", "A"] {
      for (count, isName) in [(63, true), (64, false)] {
        let name = String(repeating: letter, count: count) + ".example"
        #expect((DomainName(text: Array(name.utf8)[...]) != nil) == isName, "\(name)")
      }
    }
  }

  // Red: a name that no host has is logged as another one, or ends the line of the log.
  @Test(
    "Names that no host has are told in printable characters",
    arguments: [
      (["www", "Example"], "www.Example"), ([], "."), (["a.b", "c"], #"a\.b.c"#),
      (["a b\n", #"\"#], #"a\032b\010.\\"#), (["\0\u{7f}é"], #"\000\127\195\169"#),
    ])
  func texts(_ labels: [String], _ expected: String) throws {
    #expect(try DNSTests.asked(DNSTests.question(labels)).text == expected)
  }

  private static func asked(_ bytes: [UInt8]) throws -> DNSQuestion {
    guard case .question(let question) = DNSQuestion.read(bytes[...]) else {
      throw Failure("\(bytes)")
    }
    return question
  }

  // Red: a program that compares the question, as all that vary its letters do, drops the answer.
  @Test func `An answer repeats the question byte for byte`() throws {
    let bytes = DNSTests.question(["wWw", "ExAmple"])
    let answer = try DNSTests.asked(bytes).answer([IPAddress(v4: 0xc612_0101)])
    #expect(
      answer == [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] + bytes[12...]
        + [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 18, 1, 1])
  }

  // Red: people who ask with dig do not learn why a name is missing.
  @Test func `An answer has options only if the question has`() throws {
    let plain = try DNSTests.asked(DNSTests.question(["a"])).answer(.noName, prohibition: "no")
    #expect(plain.count == 12 + 7 && plain[3] & 0xf == 3 && plain[11] == 0)
    let bytes = DNSTests.question(["a"], counts: [1, 0, 0, 1], tail: DNSTests.options)
    let answer = try DNSTests.asked(bytes).answer(.noName, prohibition: "no")
    #expect(answer[11] == 1)
    #expect(
      Array(answer[19...]) == [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 8, 0, 15, 0, 4, 0, 18]
        + Array("no".utf8))
  }

  /// An answer of a name server to `query`, with these records.
  private static func response(
    to query: DNSQuery, _ records: [[UInt8]], code: UInt8 = 0,
    edit: (inout [UInt8]) -> Void = { _ in }
  ) -> [UInt8] {
    let question = query.bytes[12..<(query.bytes.count - 11)]
    var bytes: [UInt8] =
      [
        query.bytes[0], query.bytes[1], 0x81, 0x80 | code, 0, 1, 0, UInt8(records.count), 0, 0, 0,
        0,
      ]
      + question + records.flatMap { $0 }
    edit(&bytes)
    return bytes
  }

  private static func record(_ type: UInt8, _ data: [UInt8], lifetime: UInt8 = 30) -> [UInt8] {
    [0xc0, 12, 0, type, 0, 1, 0, 0, 0, lifetime, 0, UInt8(data.count)] + data
  }

  // Red: a forged or cut answer sends the command elsewhere.
  @Test func `Answers of name servers are read if they are answers to the question`() throws {
    let query = DNSQuery(0xabcd, try RuleTests.name("www.example.org"), DNSType.a, hasOptions: true)
    let (alias, address) = (DNSTests.record(5, [1, 97, 0]), DNSTests.record(1, [192, 0, 2, 1]))
    func read(_ bytes: [UInt8]) -> DNSQuery.Answer? { query.answer(bytes[...]) }
    let good = DNSTests.response(
      to: query, [alias, address, DNSTests.record(28, [UInt8](repeating: 1, count: 16))])
    #expect(read(good)?.addresses.map(\.text) == ["192.0.2.1"])
    #expect(read(good)?.lifetime == 30)
    #expect(read(DNSTests.response(to: query, [], code: 3))?.code == .noName)
    #expect(read(DNSTests.response(to: query, [], code: 2))?.code == .failed)
    #expect(read(DNSTests.response(to: query, [], code: 5))?.code == .failed)
    #expect(read(DNSTests.response(to: query, [address]) { $0[0] ^= 1 }) == nil)
    #expect(read(DNSTests.response(to: query, [address]) { $0[2] = 1 }) == nil)
    #expect(read(DNSTests.response(to: query, [address]) { $0[13] = 120 }) == nil)
    #expect(read(DNSTests.response(to: query, [address]) { $0[13] = 87 })?.addresses.count == 1)
    #expect(
      read(DNSTests.response(to: query, [address]) { $0.removeLast() })?.addresses.isEmpty == true)
    let many = [[UInt8]](repeating: address, count: 200)
    #expect(read(DNSTests.response(to: query, many))?.addresses.count == 32)
  }

  // Red: bytes that a payload or a name server chose end the relay.
  @Test func `No bytes are too much for the readers`() throws {
    var chance = Chance(seed: 7)
    let query = DNSQuery(1, try RuleTests.name("a.test"), DNSType.aaaa, hasOptions: true)
    let seeds = [
      DNSTests.question(["a", "test"], counts: [1, 0, 0, 1], tail: DNSTests.options),
      DNSTests.response(to: query, [DNSTests.record(28, [UInt8](repeating: 1, count: 16))]),
    ]
    for _ in 0..<20_000 {
      var bytes = chance.pick(seeds)
      for _ in 0..<Int.random(in: 0...4, using: &chance) where !bytes.isEmpty {
        let index = Int.random(in: 0..<bytes.count, using: &chance)
        switch Int.random(in: 0...2, using: &chance) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &chance)
        case 1: bytes.remove(at: index)
        default: bytes.removeLast(bytes.count - index)
        }
      }
      if case .question(let question) = DNSQuestion.read(bytes[...]) {
        #expect(question.answer(.noName, prohibition: "x").count < 512)
      }
      _ = query.answer(bytes[...])
    }
  }

  // Red: names that the host knows are not found inside.
  @Test func `The host's settings are read as the C library reads them`() throws {
    let settings = ResolverSettings(
      hosts: Array(
        "127.0.0.1 localhost # here\n192.0.2.1\tOne two\n192.0.2.2 one\nfe80::1%eth0 x\nbad one\n"
          .utf8),
      configuration: Array(
        "# a\nnameserver 192.0.2.53 \nnameserver fe80::1%2\nsearch a.test b.test\noptions edns0 ndots:2\nnameserver ::1\n"
          .utf8))
    #expect(
      settings.addresses(of: try RuleTests.name("one")).map(\.text) == ["192.0.2.1", "192.0.2.2"])
    #expect(settings.servers.map(\.text) == ["192.0.2.53", "::1"])
    #expect(
      settings.candidates(for: try RuleTests.name("x.y")).map(\.text) == [
        "x.y.a.test", "x.y.b.test", "x.y",
      ])
    #expect(settings.candidates(for: try RuleTests.name("x.y.z")).map(\.text) == ["x.y.z"])
    #expect(ResolverSettings(hosts: [], configuration: []).servers.map(\.text) == ["127.0.0.1"])
  }
}
