// SPDX-License-Identifier: Apache-2.0
// Which message buses the command may reach, and what it may do on them.

internal import Linux
public import Text

/// The message buses shown inside, each through a proxy that passes only allowed messages.
public struct Buses: Equatable, Sendable {
  /// The user's bus.
  public var session: BusAccess?
  /// The machine's bus.
  public var system: BusAccess?
  /// Starts the command without a bus that does not exist or cannot be filtered.
  public var optional: WrittenOption?

  /// None.
  public init() {}

  /// Whether the command starts without a bus that does not exist or cannot be filtered.
  var isOptional: Bool { optional != nil }

  /// Whether none is shown.
  var isEmpty: Bool { session == nil && system == nil }

  /// Those that are shown, in order.
  var shown: [(bus: Bus, access: BusAccess)] {
    [(Bus.session, session), (Bus.system, system)].compactMap { bus, access in
      access.map { (bus, $0) }
    }
  }
}

/// What a bus allows; without a rule, only talking to the bus itself.
public struct BusAccess: Equatable, Sendable {
  /// The first option that asked for the bus.
  public var option: WrittenOption
  /// What else is allowed.
  public var rules: [BusRule] = []

  /// Allows talking to the bus itself.
  public init(option: WrittenOption) {
    self.option = option
  }
}

/// Something that is allowed on a bus.
///
/// See xdg-dbus-proxy(1).
public struct BusRule: Equatable, Sendable {
  /// What the rule allows.
  public var policy: Policy
  /// A name, or a name, `=` and a rule for messages.
  public var pattern: ByteString

  /// What a rule allows, by the word that the proxy has for it.
  public enum Policy: String, CaseIterable, Sendable {
    /// Knowing that a name exists.
    case see
    /// Sending to a name, and hearing its signals.
    case talk
    /// Taking a name.
    case own
    /// Some calls to a name.
    case call
    /// Some signals of a name.
    case broadcast
  }

  /// Allows something.
  public init(_ policy: Policy, _ pattern: ByteString) {
    self.policy = policy
    self.pattern = pattern
  }
}

/// A bus that every machine or session has at most one of.
enum Bus: String {
  case session, system

  /// The variable that holds its address.
  ///
  /// See the D-Bus specification, "Well-known Message Bus Instances".
  var variable: ByteString {
    switch self {
    case .session: "DBUS_SESSION_BUS_ADDRESS"
    case .system: "DBUS_SYSTEM_BUS_ADDRESS"
    }
  }

  /// The option that lets the command call a name on it.
  var talkOption: ByteString {
    switch self {
    case .session: "--dbus-talk"
    case .system: "--dbus-system-talk"
    }
  }

  /// Where its socket is by custom, for the user `user`.
  func path(for user: UInt32) -> String {
    switch self {
    case .session: "/run/user/\(String(user))/bus"
    case .system: "/run/dbus/system_bus_socket"
    }
  }
}
