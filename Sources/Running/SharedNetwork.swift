// SPDX-License-Identifier: Apache-2.0
// Networks that sandboxes share (--network), as their holders list them.

internal import Linux
public import Text

/// A network that sandboxes share.
public struct SharedNetwork: Equatable, Sendable {
  /// A sandbox in it.
  public struct Member: Equatable, Sendable {
    /// The name of the sandbox; empty if it has none.
    public let name: ByteString
    /// Its address there.
    public let address: String
    /// The process that launched it.
    public let launcher: Int32

    /// States a member.
    public init(name: ByteString, address: String, launcher: Int32) {
      (self.name, self.address, self.launcher) = (name, address, launcher)
    }
  }

  /// Its name.
  public let name: ByteString
  /// The sandboxes in it.
  public let members: [Member]

  /// States a network.
  public init(name: ByteString, members: [Member]) {
    (self.name, self.members) = (name, members)
  }
}

/// Where a sandbox is in a network.
public struct NetworkPlace: Equatable, Sendable {
  /// The network's name.
  public let network: ByteString
  /// The sandbox's address there.
  public let address: String
}

extension SandboxList {
  /// Adds the networks, and the place of each sandbox in them.
  public mutating func add(_ networks: [SharedNetwork]) {
    self.networks = networks
    for index in entries.indices {
      guard let monitor = entries[index].sandbox.monitor?.number else { continue }
      for network in networks {
        guard let member = network.members.first(where: { $0.launcher == monitor }) else {
          continue
        }
        entries[index].place = NetworkPlace(network: network.name, address: member.address)
      }
    }
  }

  /// The networks for people, after an empty line: a line a member.
  func networkText(width: Int?) -> String {
    if networks.isEmpty { return "" }
    let rows = networks.flatMap { network in
      network.members.map { member in
        [
          network.name.quoted, member.address, member.name.isEmpty ? "-" : member.name.quoted,
          String(member.launcher),
        ]
      }
    }
    return "\n"
      + SandboxList.table([["NETWORK", "ADDRESS", "MEMBER", "LAUNCHER"]] + rows, width: width)
  }
}

extension SharedNetwork {
  /// For people, a line a member.
  var lines: [String] {
    members.map { member in
      let name = member.name.isEmpty ? "a sandbox without a name" : member.name.quoted
      return "member of \(self.name.quoted): \(name), \(ByteString(member.address).quoted)"
    }
  }

  /// For programs.
  var json: JSON {
    .object([
      .init("name", .bytes(name)),
      .init(
        "members",
        .array(
          members.map { member in
            .object([
              .init("name", member.name.isEmpty ? .null : .bytes(member.name)),
              .init("address", .string(member.address)),
              .init("launcher", .number(Int64(member.launcher))),
            ])
          })),
    ])
  }
}
