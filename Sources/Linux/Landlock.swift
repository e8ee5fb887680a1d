// SPDX-License-Identifier: Apache-2.0
// Landlock: restrictions that a process puts on itself and on all that it starts.

internal import CLinux
internal import Glibc
internal import SystemPackage

/// What processes under Landlock cannot reach of those that are not.
///
/// The corresponding C constants begin with `LANDLOCK_SCOPE_`. See landlock(7).
public struct LandlockScopes: OptionSet, Sendable {
  /// The bits of the C constants.
  public let rawValue: UInt64

  /// The set with these bits.
  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// Abstract Unix sockets that were made outside cannot be connected to.
  ///
  /// The corresponding C constant is `LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET`.
  public static let abstractSockets = LandlockScopes(
    rawValue: UInt64(LINUX_LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET))
  /// Processes outside cannot be sent signals.
  ///
  /// The corresponding C constant is `LANDLOCK_SCOPE_SIGNAL`.
  public static let signals = LandlockScopes(rawValue: UInt64(LINUX_LANDLOCK_SCOPE_SIGNAL))

  /// The first version of the interface that has scopes, of Linux 6.12.
  private static let firstVersion: CInt = 6

  /// Whether the kernel has scopes at all; an error where that cannot be told.
  private static func areSupported() throws(SystemCallError) -> Bool {
    let version = linux_landlock_version()
    if version == -ENOSYS || version == -EOPNOTSUPP { return false }
    return try check(version, "landlock_create_ruleset") >= firstVersion
  }

  /// These restrictions where the kernel has scopes, and none elsewhere.
  ///
  /// See landlock(7).
  public func whereSupported() throws(SystemCallError) -> LandlockScopes {
    guard !isEmpty else { return self }
    return try LandlockScopes.areSupported() ? self : []
  }

  /// Puts this process, and all that it starts, under these restrictions for good.
  ///
  /// Needs `no_new_privs`. See landlock_create_ruleset(2), landlock_restrict_self(2).
  public func restrictProcess() throws(SystemCallError) {
    // Asked for first: an older kernel would call the argument invalid, which says less.
    let version = try check(linux_landlock_version(), "landlock_create_ruleset")
    guard version >= LandlockScopes.firstVersion else {
      throw SystemCallError(call: "landlock_create_ruleset", errno: .notSupported)
    }
    let ruleset = OwnedDescriptor(
      try check(linux_landlock_create_scope(rawValue), "landlock_create_ruleset"))
    try check(linux_landlock_restrict_self(ruleset.rawValue), "landlock_restrict_self")
  }
}

/// Landlock as such.
///
/// See landlock(7).
public enum Landlock {
  /// The version of the kernel's interface; nil where there is none.
  public static var version: Int? {
    let version = linux_landlock_version()
    return version > 0 ? Int(version) : nil
  }
}
