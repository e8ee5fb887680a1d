// SPDX-License-Identifier: Apache-2.0
// How the host finds addresses: hosts(5) and resolv.conf(5).

public import Text

/// The host's resolver settings.
public struct ResolverSettings: Sendable {
  /// The lines of the file hosts, a name each.
  private var hosts: [(name: DomainName, address: IPAddress)] = []
  /// The name servers, in order.
  public private(set) var servers: [IPAddress] = []
  /// The domains in which names with few dots are looked up.
  public private(set) var search: [DomainName] = []
  /// How many dots a name has that is looked up as it is.
  public private(set) var dots = 1

  private static let mostServers = 3
  private static let mostDomains = 6
  private static let mostHosts = 65_536

  /// Reads both files.
  public init(hosts: [UInt8], configuration: [UInt8]) {
    for line in ResolverSettings.lines(hosts) {
      // Zones of links, such as %eth0, are left out, as no rule can name them.
      guard let address = IPAddress(text: line[0]) else { continue }
      for word in line.dropFirst() {
        guard let name = DomainName(text: word), self.hosts.count < ResolverSettings.mostHosts
        else { continue }
        self.hosts.append((name, address))
      }
    }
    for line in ResolverSettings.lines(configuration) {
      switch ByteString(line[0]).text {
      case "nameserver":
        if line.count > 1, servers.count < ResolverSettings.mostServers,
          let address = IPAddress(text: line[1])
        {
          servers.append(address)
        }
      case "search", "domain":
        // The last one counts.
        search = line.dropFirst().prefix(ResolverSettings.mostDomains).compactMap {
          DomainName(text: $0)
        }
      case "options":
        for word in line.dropFirst() where word.starts(with: Array("ndots:".utf8)) {
          if let number = UInt32(decimal: word.dropFirst(6)) { dots = Int(min(number, 15)) }
        }
      default: break
      }
    }
    // As the C library does.
    if servers.isEmpty { servers = [IPAddress(v4: 127 << 24 | 1)] }
  }

  /// The words of each line that has any.
  private static func lines(_ text: [UInt8]) -> [[ArraySlice<UInt8>]] {
    text.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let end = line.firstIndex { $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: ";") }
      let words = line[..<(end ?? line.endIndex)].split {
        $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r")
      }
      return words.isEmpty ? nil : words
    }
  }

  /// The addresses that the file hosts has for `name`.
  public func addresses(of name: DomainName) -> [IPAddress] {
    hosts.filter { $0.name == name }.map(\.address)
  }

  /// The names to ask for, in order, when a program asks for `name`.
  public func candidates(for name: DomainName) -> [DomainName] {
    guard name.dots < dots else { return [name] }
    return search.compactMap { name.within($0) } + [name]
  }
}
