// SPDX-License-Identifier: Apache-2.0
// The interfaces and addresses of a network namespace, as /proc/PID/net lists them.

internal import Linux
internal import Network
public import Text

/// What a network namespace holds.
public struct NetworkFacts: Equatable, Sendable {
  /// The names of its interfaces.
  public var interfaces: [ByteString] = []
  /// Its own addresses.
  public var addresses: [String] = []
  /// Whether names have addresses there that lead to nestbox's relay.
  public var hasRelay = false

  /// Holds nothing.
  public init() {}

  /// Whether it leads only to the sandbox itself.
  public var isLoopbackAlone: Bool { interfaces.allSatisfy { $0 == "lo" } }

  /// Reads the view of a process; nil if that cannot be read.
  init?(of process: borrowing ProcessDirectory) {
    func table(_ name: ByteString, _ process: borrowing ProcessDirectory) -> [UInt8]? {
      try? process.contents(of: name.path, limit: Bound.networkTable)
    }
    guard let devices = table("net/dev", process) else { return nil }
    interfaces = NetworkFacts.interfaces(devices)
    let tree = table("net/fib_trie", process) ?? []
    hasRelay = NetworkFacts.hasRelay(tree: tree)
    addresses =
      NetworkFacts.addresses(tree: tree)
      + NetworkFacts.addresses(listV6: table("net/if_inet6", process) ?? [])
  }

  /// The names in /proc/net/dev: two lines of headings, then a line an interface.
  public static func interfaces(_ table: [UInt8]) -> [ByteString] {
    table.split(separator: UInt8(ascii: "\n")).dropFirst(2).compactMap { line in
      // A name may hold a colon, but neither blanks nor more than 15 bytes.
      guard let start = line.firstIndex(where: { $0 != UInt8(ascii: " ") }) else { return nil }
      let word = line[start...].prefix { $0 != UInt8(ascii: " ") }
      guard let colon = word.lastIndex(of: UInt8(ascii: ":")) else { return nil }
      return ByteString(word[..<colon])
    }
  }

  /// The local addresses in /proc/net/fib_trie: each is followed by a line `/32 host LOCAL`.
  public static func addresses(tree: [UInt8]) -> [String] { locals(tree, length: "/32") }

  /// Whether the same table leads the addresses that stand for names to the relay.
  public static func hasRelay(tree: [UInt8]) -> Bool {
    locals(tree, length: "/15").contains { NameTable.pool.text == $0 + "/15" }
  }

  /// What the table calls local, of networks with this length.
  private static func locals(_ tree: [UInt8], length: String) -> [String] {
    var addresses: [String] = []
    var last = ""
    for line in tree.split(separator: UInt8(ascii: "\n")) {
      let words = line.split(separator: UInt8(ascii: " "))
        .map { String(decoding: $0, as: UTF8.self) }
      if words.first == "|--", words.count == 2 { last = words[1] }
      if words == [length, "host", "LOCAL"], !last.isEmpty, !addresses.contains(last) {
        addresses.append(last)
      }
    }
    return addresses
  }

  /// The addresses in /proc/net/if_inet6: 32 hexadecimal digits at the beginning of each line.
  public static func addresses(listV6: [UInt8]) -> [String] {
    listV6.split(separator: UInt8(ascii: "\n")).compactMap { line in
      guard let word = line.split(separator: UInt8(ascii: " ")).first, word.count == 32 else {
        return nil
      }
      var groups: [UInt16] = []
      for start in stride(from: word.startIndex, to: word.endIndex, by: 4) {
        let digits = String(decoding: word[start..<(start + 4)], as: UTF8.self)
        guard let group = UInt16(digits, radix: 16) else { return nil }
        groups.append(group)
      }
      return text(ofV6: groups)
    }
  }

  /// The address as RFC 5952 writes it: the longest run of zeros, of two at least, as `::`.
  private static func text(ofV6 groups: [UInt16]) -> String {
    var best = 0..<0
    var start = 0
    while start < groups.count {
      let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
      if end - start > max(best.count, 1) { best = start..<end }
      start = max(end, start) + 1
    }
    let words = { (part: ArraySlice<UInt16>) in
      part.map { String($0, radix: 16) }.joined(separator: ":")
    }
    if best.isEmpty { return words(groups[...]) }
    return words(groups[..<best.lowerBound]) + "::" + words(groups[best.upperBound...])
  }
}
