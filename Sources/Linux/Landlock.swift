// SPDX-License-Identifier: Apache-2.0
// Landlock: restrictions that a process places on itself and on its future children.

internal import CLinux
internal import Glibc
internal import SystemPackage

/// Resources outside a Landlock domain that processes inside it cannot reach.
///
/// The corresponding C constants begin with `LANDLOCK_SCOPE_`. See landlock(7).
public struct LandlockScopes: OptionSet, Sendable {
  /// The bits of the C constants.
  public let rawValue: UInt64

  /// The set with these bits.
  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// Abstract Unix sockets: a process cannot connect to one that was made outside.
  ///
  /// The corresponding C constant is `LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET`.
  public static let abstractSockets = LandlockScopes(
    rawValue: UInt64(LINUX_LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET))
  /// Signals: a process cannot send one to a process outside.
  ///
  /// The corresponding C constant is `LANDLOCK_SCOPE_SIGNAL`.
  public static let signals = LandlockScopes(rawValue: UInt64(LINUX_LANDLOCK_SCOPE_SIGNAL))

  /// The first version of the interface with scopes, that of Linux 6.12.
  private static let firstVersion: CInt = 6

  /// Whether the kernel has scopes and lets this process use them; throws if it gives no answer.
  ///
  /// Only a filter around this process can refuse the question.
  public static func areSupported() throws(SystemCallError) -> Bool {
    let version = linux_landlock_version()
    if version == -ENOSYS || version == -EOPNOTSUPP || version == -EPERM { return false }
    return try check(version, "landlock_create_ruleset") >= firstVersion
  }

  /// These restrictions if the kernel has scopes, otherwise none.
  ///
  /// See landlock(7).
  public func whereSupported() throws(SystemCallError) -> LandlockScopes {
    guard !isEmpty else { return self }
    return try LandlockScopes.areSupported() ? self : []
  }

  /// Puts this process and its future children under these restrictions for good.
  ///
  /// Needs `no_new_privs`. See landlock_create_ruleset(2), landlock_restrict_self(2).
  public func restrictProcess() throws(SystemCallError) {
    // Checked first: an older kernel would only say that the argument is invalid.
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
  /// The version of the kernel's interface; nil if the kernel has none.
  public static var version: Int? {
    let version = linux_landlock_version()
    return version > 0 ? Int(version) : nil
  }

  /// Refuses this process, for good, every file by name and, where the kernel can, abstract sockets and
  /// signals; does nothing if the kernel has no Landlock.
  ///
  /// Needs `no_new_privs`. See landlock(7).
  public static func closeFilesIfSupported() throws(SystemCallError) {
    guard let version else { return }
    let ruleset = OwnedDescriptor(
      try check(linux_landlock_create_closed(CInt(version)), "landlock_create_ruleset"))
    try check(linux_landlock_restrict_self(ruleset.rawValue), "landlock_restrict_self")
  }
}
