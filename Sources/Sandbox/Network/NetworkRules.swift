// SPDX-License-Identifier: Apache-2.0
// What the command may reach on the network.

public import Network
public import SystemPackage
public import Text

/// The rules of --net-allow and --net-deny, and what --publish names.
public struct NetworkRules: Equatable, Sendable {
  /// What the command may reach.
  public var allowed: [Setting<NetworkRule>] = []
  /// What it may not, whatever else is allowed.
  public var denied: [Setting<NetworkRule>] = []

  /// The ports of the host that lead inside.
  public var published: [Setting<PublishedPort>] = []

  /// The network that the sandbox shares with others.
  public var shared: Setting<ByteString>?
  /// Whether programs see an interface besides lo, and the option that says so.
  public var link: WrittenOption?
  /// Whether they see one if there are rules and the kernel has such interfaces.
  public var triesLink = false
  /// The last --share-net.
  public var share: WrittenOption?
  /// What came after it and cannot be had with the host's network; nil unless it counts.
  public var afterShare: [WrittenOption]?
  /// The registry's directory, where such networks are found.
  public var directory: FilePath = "/"

  /// None.
  public init() {}

  /// Whether programs see a link if the kernel can: without rules, they are rightly told that there is no network.
  var showsTriedLink: Bool { triesLink && !allowed.isEmpty }

  /// Whether an option has added anything.
  public var isUsed: Bool {
    !allowed.isEmpty || !denied.isEmpty || !published.isEmpty || shared != nil
  }

  /// The first option that needs the relay; nil if none does.
  var option: WrittenOption? { allowed.first?.option ?? published.first?.option }

  /// Where programs inside look up names, and the option that says so; nil if it is where the host's do.
  var nameServer: (address: IPAddress, option: WrittenOption)? {
    if let first = allowed.first { return (NameTable.nameServer, first.option) }
    return shared.map { (MemberAddresses.holder, $0.option) }
  }

  /// All of them together.
  var policy: NetworkPolicy {
    NetworkPolicy(allowed: allowed.map(\.value), denied: denied.map(\.value))
  }
}
