// SPDX-License-Identifier: Apache-2.0
// Rules of --net-allow and --net-deny, and what they decide together.

import Testing
import Text

@testable import Network

@Suite("Network rules")
struct RuleTests {
  static func address(_ text: String) throws -> IPAddress {
    try #require(IPAddress(text: Array(text.utf8)[...]), "\(text)")
  }

  static func name(_ text: String) throws -> DomainName {
    try #require(DomainName(text: Array(text.utf8)[...]), "\(text)")
  }

  static func policy(_ allowed: String, _ denied: String = "") throws -> NetworkPolicy {
    func rules(_ text: String, denies: Bool) throws -> [NetworkRule] {
      try text.split(separator: " ").map {
        try NetworkRule(ByteString(String($0)), denies: denies)
      }
    }
    return NetworkPolicy(
      allowed: try rules(allowed, denies: false), denied: try rules(denied, denies: true))
  }

  // Red: a rule means another host or port than a person reads.
  @Test(
    "The parts of a rule",
    arguments: [
      ("example.org", "example.org", "80,443"), ("Example.ORG.", "example.org", "80,443"),
      ("example.org:22", "example.org", "22"), ("*.example.org:1-3,9", "*.example.org", "1-3,9"),
      ("example.org/tcp", "example.org", "80,443"), ("example.org:123/udp", "example.org", "123"),
      ("192.0.2.1", "192.0.2.1", "80,443"),
      ("192.0.2.0/24:22/tcp", "192.0.2.0/24", "22"), ("2001:db8::1", "2001:db8::1", "80,443"),
      ("[2001:db8::1]:22", "2001:db8::1", "22"), ("[2001:db8::]/32:22", "2001:db8::/32", "22"),
      ("[2001:db8::/32]", "2001:db8::/32", "80,443"), ("*", "*", "80,443"), ("*:22", "*", "22"),
      ("a_b.example", "a_b.example", "80,443"),
      ("xn--bcher-kva.example", "xn--bcher-kva.example", "80,443"),
    ])
  func parts(_ text: String, _ host: String, _ ports: String) throws {
    let rule = try NetworkRule(ByteString(text), denies: false)
    let shown =
      switch rule.target {
      case .everything: "*"
      case .name(let name): name.text
      case .below(let name): "*." + name.text
      case .addresses(let range): range.text
      }
    #expect(shown == host)
    #expect(
      rule.ports.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
        .joined(separator: ",") == ports)
  }

  // Red: a rule that means something else, or nothing, is accepted.
  @Test(
    "What is no rule is refused",
    arguments: [
      "", ".", "a..b", "a b", "-:1:2", "*example.org", "*.", "**", "a:", "a:0", "a:65536", "a:1-",
      "a:9-1", "a:+1", "a:*/udp", "a:53", "a:1-2000", "a:50-60", "256.1.1.1",
      "1.2.3", "01.2.3.4",
      "192.0.2.1/24", "192.0.2.0/33", "::1", "127.0.0.1", "127.0.0.0/8", "0.0.0.0", "224.0.0.1",
      "localhost", "a.localhost", "bücher.example", "a=b", "a=1.2.3.4:0", "*=1.2.3.4",
      "*.a=1.2.3.4", "1.2.3.4=1.2.3.4", "a@b", "*@10.0.0.0/8", "[::1", "fe80::1%eth0",
      "fe80::1", "[fe80::1]:22", "fe80::/10", "fe80::/64", "a@fe80::/10", "a=fe80::1", "0x7f.1",
      "example.0x1f", "http://example.org", "example.org/path", "user@host",
    ])
  func mistakes(_ text: String) {
    #expect(throws: NetworkRule.Mistake.self) {
      try NetworkRule(ByteString(text), denies: false)
    }
  }

  // Red: a rule is accepted that can lead nowhere, or a wider one that can is refused.
  @Test func `Link-local addresses cannot be allowed, and can be denied`() throws {
    let mistake = #expect(throws: NetworkRule.Mistake.self) {
      try NetworkRule("[fe80::1]:22", denies: false)
    }
    let message =
      "fe80::1 is a link-local address, which no rule can allow: it means a host only together with an "
      + "interface; write another address of the host"
    #expect(mistake?.message == message)
    for text: ByteString in ["fe00::/8", "a@::/0", "169.254.0.0/16"] {
      #expect(throws: Never.self) { try NetworkRule(text, denies: false) }
    }
    for text: ByteString in ["fe80::1", "fe80::/10"] {
      #expect(throws: Never.self) { try NetworkRule(text, denies: true) }
    }
  }

  // Red: a person is told to type --net-host for a host that the caller's localhost is not.
  @Test(
    "Addresses that mean no host, or several, are not called the sandbox's own",
    arguments: [
      ("240.1.2.3", "a reserved"), ("0.1.2.3", "a reserved"), ("224.0.0.0/3", "a reserved"),
      ("224.0.0.0/4", "a multicast"), ("[ff02::1]:1900/udp", "a multicast"),
      ("255.255.255.255", "a broadcast"), ("127.0.0.0/8", "the sandbox's own"),
      ("0.0.0.0", "the sandbox's own"), ("::1", "the sandbox's own"), ("::", "the sandbox's own"),
    ])
  func mistaken(_ text: String, _ expected: String) {
    let mistake = #expect(throws: NetworkRule.Mistake.self) {
      try NetworkRule(ByteString(text), denies: false)
    }
    #expect(mistake?.message.contains(" is " + expected) == true, "\(String(describing: mistake))")
  }

  // Red: a person who mistypes a rule is told what a rule is, and not which one was meant; or a proposal is none.
  @Test(
    "A typing error is answered with a rule",
    arguments: [
      ("a.test:53000/upd", "a.test:53000/udp"), ("a.test:443/UDP", "a.test:443/udp"),
      ("a.test/udp:443", "a.test:443/udp"), ("a.test:80/udp=192.0.2.1", "a.test:80=192.0.2.1/udp"),
      ("/upd", "example.org:443/udp"), ("=localhost:80", "host.nestbox.internal:80=127.0.0.1"),
      ("a.test=localhost:80", "a.test=127.0.0.1:80"), ("=192.0.2.1:80", "api.test=192.0.2.1:80"),
      ("*.x=192.0.2.1", "www.x=192.0.2.1"), ("*@10.0.0.0/8", "api.test@10.0.0.0/8"),
      ("user@a.test:22", "a.test:22"), ("a.test@10.0.0.1:80", "a.test:80@10.0.0.1"),
      ("a.test@", "a.test"), ("*a.test:22", "'*.a.test:22'"), (".a.test", "'*.a.test'"),
      ("10.0.0.1/8", "10.0.0.0/8"), ("10.0.0.1/8:22", "10.0.0.0/8:22"), ("a.test/x", "a.test"),
      ("ssh://git@a.test/x", "a.test:22"), ("http://localhost:3000/", "--net-host 3000"),
      ("127.0.0.1:8080", "--net-host 8080"), ("127.0.0.1:8080/udp", "=127.0.0.1/udp"),
      ("a.test:ssh", "a.test:22"), ("a.test:80:443", "a.test:80,443"), ("a.test:", "a.test"),
      ("[2001:db8::1", "'[2001:db8::1]'"), ("[2001:db8::1]22", "'[2001:db8::1]:22'"),
      ("2001:db8:1:2:3:4:5:6:443", "'[2001:db8:1:2:3:4:5:6]:443'"), (":80", "--net-host 80"),
      ("a,b:22,23", "--net-allow a --net-allow b:22,23"), ("a b", "--net-allow a --net-allow b"),
    ])
  func correction(_ text: String, _ proposal: String) throws {
    let mistake = try #require(
      #expect(throws: NetworkRule.Mistake.self) {
        try NetworkRule(ByteString(text), denies: false)
      })
    #expect(mistake.message.contains(proposal), "\(mistake.message)")
  }

  // Red: a typed port becomes a part of an address that no host has; or addresses as people write them are refused.
  @Test func `An address of IPv6 with what may be a port needs brackets`() throws {
    for text in ["2001:db8::1:443", "2001:db8::1:8080/udp", "a.test=2001:db8::1:8080", "a=::1:80"] {
      for denies in [false, true] where !denies || !text.contains("=") {
        let mistake = #expect(throws: NetworkRule.Mistake.self) {
          try NetworkRule(ByteString(text), denies: denies)
        }
        #expect(mistake?.message.contains("may mean an address alone") == true, "\(text)")
      }
    }
    let own = #expect(throws: NetworkRule.Mistake.self) { try NetworkRule("::1:80", denies: false) }
    #expect(own?.message.contains("--net-host 80") == true)
    for text: ByteString in [
      "2001:db8::1", "2001:db8::5:1", "2001:db8::1:a1", "1:2:3:4:5:6:7:443", "[2001:db8::1:443]",
      "a@2001:db8::10", "a=2001:db8::1",
    ] {
      #expect(throws: Never.self) { try NetworkRule(text, denies: false) }
    }
  }

  // Red: the proposal for a refused datagram leads to another port, or that of a connection to a port of UDP.
  @Test func `A proposal keeps the port behind = of the same transport`() throws {
    let both = try RuleTests.policy("a.test=192.0.2.1:8080 a.test=192.0.2.2:5353/udp")
    let name = try RuleTests.name("a.test")
    #expect(both.pinText(of: name, for: Port(99, .udp)) == "192.0.2.2:5353")
    #expect(both.pinText(of: name, for: Port(99)) == "192.0.2.1:8080")
    let datagrams = try RuleTests.policy("a.test=192.0.2.2:5353/udp")
    #expect(datagrams.pinText(of: name, for: Port(99, .udp)) == "192.0.2.2:5353")
    #expect(datagrams.pinText(of: name, for: Port(99)) == "192.0.2.2")
    let place = both.pinText(of: name, for: Port(99, .udp))
    let text = Refusal(.port, "a.test", port: Port(99, .udp), address: place).text
    #expect(text.hasSuffix("add --net-allow a.test:99=192.0.2.2:5353/udp"), "\(text)")
    #expect(Refusal(.unnamed, "2001:db8::5:10", port: Port(443)).text.hasSuffix("[2001:db8::5:10]"))
  }

  // Red: a rule that denies leaves ports open that it does not name.
  @Test func `A rule that denies means all ports unless it names some`() throws {
    #expect(try NetworkRule("a", denies: true).ports.isEmpty)
    #expect(try NetworkRule("a:*", denies: true).ports.isEmpty)
    #expect(try NetworkRule("a:22", denies: true).ports == [22...22])
    #expect(throws: NetworkRule.Mistake.self) { try NetworkRule("a=192.0.2.1", denies: true) }
  }

  // Red: the command reaches what no rule names, or what a rule denies.
  @Test(
    "Where a connection to a name may lead",
    arguments: [
      ("example.org", "", "example.org", 443, "resolved"),
      ("example.org", "", "example.org", 22, "port"),
      ("example.org", "", "www.example.org", 443, "unnamed"),
      ("*.example.org", "", "a.b.example.org", 443, "resolved"),
      ("*.example.org", "", "example.org", 443, "unnamed"),
      ("*.example.org", "", "badexample.org", 443, "unnamed"),
      ("*", "", "any.example", 443, "resolved"),
      ("*", "*.example.org", "www.example.org", 443, "denied"),
      ("*", "*.example.org", "example.org", 443, "resolved"),
      ("* example.org:25", "*:25", "example.org", 25, "denied"),
      ("example.org", "example.org:80", "example.org", 443, "resolved"),
      ("192.0.2.1", "", "example.org", 443, "unnamed"),
      ("example.org:*", "", "example.org", 22, "resolved"),
      ("example.org:*", "example.org:22", "example.org", 22, "denied"),
      ("*:* example.org", "", "example.org", 22, "resolved"),
      ("a.test:*=192.0.2.1", "", "a.test", 22, "192.0.2.1:22"),
      ("a.test=192.0.2.1:8080", "", "a.test", 8080, "192.0.2.1:8080"),
      ("a.test=192.0.2.1:8080", "", "a.test", 80, "port"),
      ("a.test:80=192.0.2.1:8080", "", "a.test", 80, "192.0.2.1:8080"),
      ("a.test=192.0.2.1", "", "a.test", 443, "192.0.2.1:443"),
      ("a.test=192.0.2.1", "192.0.2.0/24", "a.test", 443, "denied"),
    ])
  func destinations(
    _ allowed: String, _ denied: String, _ name: String, _ port: UInt16, _ expected: String
  ) throws {
    let policy = try RuleTests.policy(allowed, denied)
    let shown =
      switch policy.destination(of: try RuleTests.name(name), port: Port(port)) {
      case .resolved: "resolved"
      case .pinned(let address, let port): "\(address.text):\(port)"
      case .refused(let reason): "\(reason)"
      }
    #expect(shown == expected)
  }

  // Red: a kernel without a packet filter leaves more ports open than rules name, or fewer.
  @Test func `Without a socket for all ports, rules that are tried are left out`() throws {
    func rule(_ text: ByteString, isTried: Bool = false) throws -> NetworkRule {
      try NetworkRule(text, denies: false, isTried: isTried)
    }
    let named = try rule("*:22,80")
    let tried = try rule("*:*", isTried: true)
    let policy = NetworkPolicy(allowed: [named, tried], denied: [])
    #expect(policy.servesAllPorts && policy.listeners.isEmpty)
    let rest = try #require(policy.withoutAllPorts)
    #expect(!rest.servesAllPorts && rest.listeners.map(\.port) == [Port(22), Port(80)])
    #expect(
      try NetworkPolicy(allowed: [named, tried, rule("*:*")], denied: []).withoutAllPorts == nil)
    #expect(try rule("*:*") != tried)
  }

  // Red: a name of an attacker leads into the local network, or to this machine.
  @Test(
    "To which addresses a name may lead",
    arguments: [
      ("a.test", "", "93.184.216.34", false, ""), ("a.test", "", "2606:4700::1", false, ""),
      ("a.test", "", "198.18.0.1", false, ""),
      ("a.test", "", "93.184.216.34", true, "privateAddress"),
    ]
      + [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "100.64.0.1", "169.254.169.254", "172.31.0.1",
        "192.0.0.1",
        "192.168.1.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fc00::1", "fd00::1", "fe80::1",
        "ff02::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1",
        "2002:7f00:1::", "2002:c0a8:101::1", "2001:0:4136:e378:8000:63bf:80ff:fffe",
      ].map { ("a.test", "", $0, false, "privateAddress") }
      + [
        ("a.test@10.0.0.0/8", "", "10.1.2.3", false, ""),
        ("a.test@10.0.0.0/8", "", "192.168.1.1", false, "privateAddress"),
        ("b.test@10.0.0.0/8 a.test", "", "10.1.2.3", false, "privateAddress"),
        ("a.test@127.0.0.1", "", "127.0.0.1", false, ""),
        ("a.test 10.0.0.0/8", "", "10.1.2.3", false, ""),
        ("a.test 0.0.0.0/0", "", "127.0.0.1", false, "privateAddress"),
        ("a.test 0.0.0.0/0", "", "10.0.0.1", false, ""),
        ("a.test 10.0.0.0/8:22", "", "10.1.2.3", false, "privateAddress"),
        ("a.test", "93.184.0.0/16", "93.184.216.34", false, "denied"),
        ("a.test@10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", false, "denied"),
        // Where the network translates them, these are 93.184.216.34.
        ("a.test", "93.184.0.0/16", "64:ff9b::5db8:d822", false, "denied"),
        ("a.test", "93.184.216.34", "2002:5db8:d822::1", false, "denied"),
        ("a.test", "93.184.0.0/16", "64:ff9b::5db9:1", false, ""),
      ])
  func addresses(
    _ allowed: String, _ denied: String, _ address: String, _ isOwn: Bool, _ expected: String
  ) throws {
    let reason = try RuleTests.policy(allowed, denied).refusal(
      of: RuleTests.address(address), port: Port(443), for: RuleTests.name("a.test"), isOwn: isOwn)
    #expect(reason.map { "\($0)" } ?? "" == expected)
  }

  // Red: an address that no rule names is reached by its number.
  @Test(
    "To which literal addresses the command may connect",
    arguments: [
      ("192.0.2.0/24", "", "192.0.2.7", 443, ""), ("192.0.2.0/24", "", "192.0.3.7", 443, "unnamed"),
      ("192.0.2.0/24", "", "192.0.2.7", 22, "port"), ("10.0.0.0/8", "", "10.0.0.1", 80, ""),
      ("*", "", "93.184.216.34", 443, ""), ("*", "", "10.0.0.1", 443, "privateAddress"),
      ("*", "", "127.0.0.1", 443, "unnamed"), ("0.0.0.0/0", "", "127.0.0.1", 443, "unnamed"),
      ("::/0", "", "::1", 443, "unnamed"), ("*", "93.184.0.0/16", "93.184.216.34", 443, "denied"),
      ("a.test", "", "93.184.216.34", 443, "unnamed"),
    ])
  func literals(
    _ allowed: String, _ denied: String, _ address: String, _ port: UInt16, _ expected: String
  ) throws {
    let reason = try RuleTests.policy(allowed, denied).refusal(
      of: RuleTests.address(address), port: Port(port), isOwn: false)
    #expect(reason.map { "\($0)" } ?? "" == expected)
  }

  // Red: a rule for streams lets datagrams pass, or one that denies leaves them.
  @Test func `A rule is about streams unless it says otherwise, and one that denies about both`()
    throws
  {
    let policy = try RuleTests.policy("a.test b.test:443/udp *:53000", "b.test:443/tcp c.test")
    func verdict(_ name: String, _ port: Port) throws -> String {
      "\(policy.destination(of: try RuleTests.name(name), port: port))"
    }
    #expect(try verdict("a.test", Port(443)) == "resolved")
    #expect(try verdict("a.test", Port(443, .udp)).contains("port"))
    #expect(try verdict("b.test", Port(443, .udp)) == "resolved")
    #expect(try verdict("b.test", Port(443)).contains("denied"))
    #expect(try verdict("c.test", Port(53000, .udp)).contains("denied"))
    #expect(policy.listeners.map(\.port.text) == ["80", "443", "53000", "443/udp"])
  }

  // Red: a name is looked up outside although no rule names it: that carries data out.
  @Test func `Only names of rules are looked up`() throws {
    let policy = try RuleTests.policy("a.test *.b.test", "c.b.test d.b.test:80")
    let reasons = try ["a.test", "x.a.test", "b.test", "x.b.test", "c.b.test", "d.b.test"].map {
      policy.refusal(ofLookup: try RuleTests.name($0))
    }
    #expect(reasons == [nil, .unnamed, .unnamed, nil, .denied, nil])
  }

  // Red: the command cannot serve on a port of its own localhost that a rule names for a host.
  @Test func `Ports from 1024 on are taken only at the addresses of names`() throws {
    let policy = try RuleTests.policy("a.test:80,8080 b.test:8080 *.c.test:9090")
    let listeners = policy.listeners
    #expect(listeners.map(\.port.number) == [80, 8080, 9090])
    #expect(listeners.map { $0.names?.map(\.text) } == [nil, ["a.test", "b.test"], nil])
  }

  // Red: a port has two listeners, which cannot be, or the command reaches none of them.
  @Test func `Each port has one listener, and all ports together one`() throws {
    let ports = try RuleTests.policy("a.test:81-83,80 b.test:82 c.test:83-84,82").listeners
    #expect(ports.map(\.port.number) == [80, 81, 82, 83, 84])
    let all = try RuleTests.policy("a.test:* b.test:22 c.test:443/udp")
    #expect(all.servesAllPorts)
    #expect(all.listeners.map(\.port.text) == ["443/udp"])
  }

  // Red: a server is reached from other machines although nobody asked for that.
  @Test(
    "The parts of a published port",
    arguments: [
      ("8080", "127.0.0.1:8080 8080 true"), ("8080:80", "127.0.0.1:8080 80 true"),
      ("127.0.0.1:8080", "127.0.0.1:8080 8080 true"), ("0.0.0.0:8080:80", "0.0.0.0:8080 80 false"),
      ("[::1]:8080:80", "[::1]:8080 80 true"), ("[::]:1/tcp", "[::]:1 1 false"),
      ("80/udp", "127.0.0.1:80 80/udp true"), ("0.0.0.0:1:2/udp", "0.0.0.0:1 2/udp false"),
      ("", ""), (":80", ""), ("80:", ""), ("1:2:3", ""), ("1.2.3:80", ""),
      ("::1:80", ""), ("[::1]80", ""), ("[::1]", ""), ("[::1]:", ""), ("0", ""), ("a.b:80", ""),
    ])
  func published(_ text: String, _ expected: String) {
    let port = try? PublishedPort(ByteString(text))
    #expect(port.map { "\($0.text) \($0.insideText) \($0.isLocal)" } ?? "" == expected)
  }

  // Red: programs that keep addresses reach another host.
  @Test func `A name keeps its address, and no two have the same`() throws {
    var one = NameTable([])
    var other = NameTable(try ["x.test", "y.test"].map(RuleTests.name))
    let first = try #require(try one.addresses(of: RuleTests.name("a.test")))
    #expect(try other.addresses(of: RuleTests.name("a.test"))?.v4 == first.v4)
    #expect(one.name(of: first.v4)?.text == "a.test")
    #expect(one.name(of: first.v6)?.text == "a.test")
    #expect(one.name(of: try RuleTests.address("198.18.0.53")) == nil)
    var seen: Set<String> = []
    var count = 0
    for index in 0..<20_000 {
      guard let addresses = one.addresses(of: try RuleTests.name("n\(index).test")) else {
        continue
      }
      count += 1
      #expect(NameTable.pool.contains(addresses.v4) && NameTable.poolV6.contains(addresses.v6))
      #expect(seen.insert(addresses.v4.text).inserted)
    }
    #expect(count == NameTable.mostNames - 1)
  }

  // Red: an address is taken for another, or is shown as one that cannot be typed.
  @Test(
    "Addresses are read and shown",
    arguments: [
      ("192.0.2.1", "192.0.2.1"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("::", "::"),
      ("::1", "::1"),
      ("1::", "1::"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("::ffff:192.0.2.1", "192.0.2.1"),
      ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
      ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
    ])
  func text(_ text: String, _ shown: String) throws {
    #expect(try RuleTests.address(text).text == shown)
  }

  @Test(
    "What is no address is none",
    arguments: [
      "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", "1.2.3.+4", "1.2.3.04", "1.2.3.256", ":", ":::",
      "1:2",
      "::1::", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8:9", "12345::", "g::", ":1::", "1::2:",
      "::1.2.3",
      "1:2:3:4:5:6:7:1.2.3.4", "::%1",
    ])
  func noAddress(_ text: String) { #expect(IPAddress(text: Array(text.utf8)[...]) == nil) }

  // Red: a relay that a payload took over drives the terminal of the caller.
  @Test func `A notice of a refusal is read back, and nothing else is`() throws {
    let notices = [
      Refusal(.unnamed, "a.test"), Refusal(.port, "a.test", port: Port(22)),
      Refusal(.privateAddress, "a.test", port: Port(80, .udp), address: "127.0.0.1"),
      Refusal(.port, "a.test", port: Port(80), address: "127.0.0.1:8080"),
      Refusal(.port, "host.nestbox.internal", port: Port(22), address: "127.0.0.1"),
      Refusal(.unanswered, "a.test", port: Port(80), address: "[::2]:80"),
      Refusal(.port, "192.0.2.1", port: Port(53, .udp)),
      Refusal(.nameServersSilent, "a.test"), Refusal(.nameServersFailed, "a.test"),
      Refusal(.full, "a.test", port: Port(80)), Refusal(.full, "a.test"),
      Refusal(.fullPublished, "127.0.0.1", port: Port(5000)),
      Refusal(.privateAddress, "a.test", port: Port(80), address: "fe80::1"),
      Refusal(.privateAddress, "fe80::1", port: Port(80)),
      Refusal(.privateAddress, "192.168.1.1", port: Port(80)),
      Refusal(.unnamed, "240.1.2.3", port: Port(80)),
      Refusal(.unnamed, "0.1.2.3", port: Port(80)),
      Refusal(.unnamed, "224.0.0.1", port: Port(1900, .udp)),
      Refusal(.unnamed, "ff02::1", port: Port(1900, .udp)),
      Refusal(.unnamed, "255.255.255.255", port: Port(1900, .udp)),
      Refusal(.broadcast, "192.168.1.255", port: Port(1900, .udp)),
      Refusal(.privateAddress, "a.test", port: Port(80), address: "240.1.2.3"),
    ]
    for notice in notices { #expect(Refusal(notice.bytes) == notice) }
    for bytes: [UInt8] in [
      [], [1, 0, 0, 0], [99, 0, 0, 0, 0], [1, 9, 0, 0, 0], [1, 0, 0, 0, 2, 97],
      [1, 0, 0, 0, 1, 27],
      [1, 0, 0, 0, 1, 10],
    ] {
      #expect(Refusal(bytes) == nil)
    }
    #expect(
      notices.map(\.text) == [
        "the command could not reach a.test; to allow it, add --net-allow a.test",
        "the command could not reach a.test:22; to allow it, add --net-allow a.test:22",
        "the command could not reach a.test:80/udp, as the name leads to 127.0.0.1, a private address "
          + "or one of this machine; to allow it, add --net-allow a.test:80@127.0.0.1/udp",
        "the command could not reach a.test:80; to allow it, add "
          + "--net-allow a.test:80=127.0.0.1:8080",
        "the command could not reach host.nestbox.internal:22; to allow it, add --net-host 22",
        "the rules let the command reach a.test:80, but nothing answers at [::2]:80 outside",
        "the command could not reach 192.0.2.1:53/udp: nestbox answers look-ups itself, and no rule leads to "
          + "another name server",
        "the command could not look up a.test: the host's name servers, which /etc/resolv.conf names, did not answer",
        "the command could not look up a.test: the host's name servers, which /etc/resolv.conf names, answered "
          + "with an error",
        "nestbox has reset connections, such as one to a.test:80: it leads at most 1024 at a time, and fewer if "
          + "`ulimit -Hn` is low",
        "the command looked up more than 16384 names in one run, such as a.test; nestbox has no address for more",
        "nestbox has reset connections to published ports, such as one to port 5000 inside: it leads at most 64 of "
          + "these at a time",
        "the command could not reach a.test:80, as the name leads to fe80::1, a link-local address, which no rule "
          + "can allow: it means a host only together with an interface",
        "the command could not reach [fe80::1]:80, a link-local address, which no rule can allow: it means a host "
          + "only together with an interface",
        "the command could not reach 192.168.1.1:80, a private address or one of this machine; to allow it, add "
          + "--net-allow 192.168.1.1",
        "the command could not reach 240.1.2.3:80, a reserved address, which no rule can allow: no host has it",
        "the command could not reach 0.1.2.3:80, a reserved address, which no rule can allow: no host has it",
        "the command could not reach 224.0.0.1:1900/udp, a multicast address, which no rule can allow: it means "
          + "several hosts",
        "the command could not reach [ff02::1]:1900/udp, a multicast address, which no rule can allow: it means "
          + "several hosts",
        "the command could not reach 255.255.255.255:1900/udp, a broadcast address, which no rule can allow: it "
          + "means several hosts",
        "the command could not reach 192.168.1.255:1900/udp, a broadcast address, which no rule can allow: it "
          + "means several hosts",
        // A rule can lead a name there.
        "the command could not reach a.test:80, as the name leads to 240.1.2.3, a private address or one of this "
          + "machine; to allow it, add --net-allow a.test@240.1.2.3",
      ])
  }
}
