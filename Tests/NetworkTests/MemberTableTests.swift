// SPDX-License-Identifier: Apache-2.0
// The members of a network between sandboxes, and the messages of its holder.

import Testing
import Text

@testable import Network

@Suite("Members of a network")
struct MemberTableTests {
  private static func add(_ name: String, to table: inout MemberTable) -> String {
    switch table.add(ByteString(name), launcher: 1) {
    case .success(let address): address.text
    case .failure(let refusal): "\(refusal)"
    }
  }

  // Red: two members have one name or address, or a member that returns has another one.
  @Test func `Each member has an address, which follows from its name`() throws {
    var (table, other) = (MemberTable(), MemberTable())
    let web = Self.add("web", to: &table)
    #expect(Self.add("web", to: &table) == "isTaken")
    #expect(Self.add("WEB", to: &table) == "isTaken")
    #expect(Self.add("a..b", to: &table) == "isNoHostName")
    #expect(Self.add("localhost", to: &table) == "isNoHostName")
    #expect(Self.add("", to: &table) == "10.77.0.2" && Self.add("", to: &table) == "10.77.0.3")
    _ = Self.add("api", to: &other)
    #expect(Self.add("web", to: &other) == web)
    table.remove(try #require(table.members.first).address)
    #expect(Self.add("Web", to: &table) == web)
  }

  // Red: a launch gets the address of one that has just ended, waits for the kernel to remove that one's link, and
  // takes the link of processes that outlive it.
  @Test func `Members without a name do not get an address again at once`() throws {
    var table = MemberTable()
    var addresses: Set<String> = []
    for _ in 0..<65_533 {
      addresses.insert(Self.add("", to: &table))
      table.remove(try #require(table.members.first).address)
    }
    #expect(addresses.count == 65_533)
    #expect(Self.add("", to: &table) == "10.77.0.2")
  }

  // Red: a member gets the network's, the holder's or another member's address; or there is no end to them.
  @Test func `Addresses differ, up to the most that a bridge takes`() {
    var table = MemberTable()
    for number in 0..<MemberTable.most {
      _ = table.add(number % 3 == 0 ? "" : ByteString("m\(number)"), launcher: 1)
    }
    let addresses = Set(table.members.map(\.address.text))
    #expect(addresses.count == MemberTable.most)
    #expect(
      addresses.isDisjoint(with: ["10.77.0.0", "10.77.0.1", "10.77.255.255"])
        && addresses.allSatisfy { $0.hasPrefix("10.77.") })
    #expect(Self.add("last", to: &table) == "isFull")
  }

  // Red: what a launcher asks is taken for something else, or a list is read beyond its end.
  @Test func `Messages are read as they were written, and others are refused`() throws {
    for request in [MemberMessage.Request.join("web"), .join(""), .list] {
      #expect(MemberMessage.request(MemberMessage.bytes(request)) == request)
    }
    for bytes in [[], [0], [3], [1] + [UInt8](repeating: 97, count: 65)] as [[UInt8]] {
      #expect(MemberMessage.request(bytes) == nil)
    }
    var table = MemberTable()
    for name in ["web", "", "api"] { _ = table.add(ByteString(name), launcher: 4_000_000) }
    let bytes = MemberMessage.bytes(table.members)
    #expect(MemberMessage.members(bytes) == table.members)
    for count in bytes.indices {
      let read = MemberMessage.members(Array(bytes[..<count]))
      #expect(read == Array(table.members.prefix(read.count)) && read.count < 3)
    }
    #expect(MemberMessage.answer([1]) == .failure(.isTaken))
    #expect(MemberMessage.answer([]) == nil && MemberMessage.answer([9]) == nil)
    // An address that is none of the network's.
    #expect(MemberMessage.answer([0, 192, 0, 2, 1]) == nil)
  }
}
