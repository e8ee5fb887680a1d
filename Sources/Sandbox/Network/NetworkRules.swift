// SPDX-License-Identifier: Apache-2.0
// What the command may reach on the network.

public import Network

/// The rules of --net-allow and --net-deny, and what --publish names.
public struct NetworkRules: Equatable, Sendable {
  /// What the command may reach.
  public var allowed: [Setting<NetworkRule>] = []
  /// What it may not, whatever else is allowed.
  public var denied: [Setting<NetworkRule>] = []

  /// The ports of the host that lead inside.
  public var published: [Setting<PublishedPort>] = []

  /// None.
  public init() {}

  /// Whether an option has added anything.
  var isUsed: Bool { !allowed.isEmpty || !denied.isEmpty || !published.isEmpty }

  /// The first option that needs the relay; nil if none does.
  var option: WrittenOption? { allowed.first?.option ?? published.first?.option }

  /// All of them together.
  var policy: NetworkPolicy {
    NetworkPolicy(allowed: allowed.map(\.value), denied: denied.map(\.value))
  }
}
