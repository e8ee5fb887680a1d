// SPDX-License-Identifier: Apache-2.0
// Capabilities: their names, and those of this process.

internal import CLinux
internal import Glibc
internal import SystemPackage

/// A set of capabilities.
///
/// See capabilities(7).
public struct Capabilities: Hashable, Sendable {
  /// One bit a capability, at its number.
  public var bits: UInt64

  /// The set with these bits.
  public init(bits: UInt64 = 0) {
    self.bits = bits
  }

  /// Whether the set has no members.
  public var isEmpty: Bool { bits == 0 }

  /// Every capability that the running kernel knows.
  ///
  /// See prctl(2), PR_CAPBSET_READ.
  public static var all: Capabilities {
    var count = oldestKernelsCount
    while count < 64, linux_prctl(PR_CAPBSET_READ, CUnsignedLong(count), 0, 0) >= 0 { count += 1 }
    return Capabilities(bits: UInt64.max >> UInt64(64 - count))
  }

  /// How many the oldest supported kernel has, Linux 5.12.
  private static var oldestKernelsCount: Int { 41 }

  /// The capability `name`, with or without the prefix `cap_`, in any case; nil if there is none.
  public init?(named name: String) {
    let name = name.lowercased()
    let known = Capabilities.known
    guard let number = known.firstIndex(where: { $0 == name || $0 == "cap_" + name }) else {
      return nil
    }
    bits = 1 << UInt64(number)
  }

  /// The names of the set's members, as `cap_net_raw`; the number of one that is newer.
  public var names: [String] {
    let known = Capabilities.known
    var names: [String] = []
    forEachNumber { number in names.append(number < known.count ? known[number] : String(number)) }
    return names
  }

  /// The names of all capabilities up to Linux 6.18, each at its number; the running kernel may know
  /// fewer.
  ///
  /// See linux/capability.h.
  public static var known: [String] {
    [
      "cap_chown", "cap_dac_override", "cap_dac_read_search", "cap_fowner", "cap_fsetid",
      "cap_kill", "cap_setgid", "cap_setuid", "cap_setpcap", "cap_linux_immutable",
      "cap_net_bind_service", "cap_net_broadcast", "cap_net_admin", "cap_net_raw", "cap_ipc_lock",
      "cap_ipc_owner", "cap_sys_module", "cap_sys_rawio", "cap_sys_chroot", "cap_sys_ptrace",
      "cap_sys_pacct", "cap_sys_admin", "cap_sys_boot", "cap_sys_nice", "cap_sys_resource",
      "cap_sys_time", "cap_sys_tty_config", "cap_mknod", "cap_lease", "cap_audit_write",
      "cap_audit_control", "cap_setfcap", "cap_mac_override", "cap_mac_admin", "cap_syslog",
      "cap_wake_alarm", "cap_block_suspend", "cap_audit_read", "cap_perfmon", "cap_bpf",
      "cap_checkpoint_restore",
    ]
  }

  /// Calls `body` with the number of each member, the lowest first.
  private func forEachNumber<Failure: Error>(
    _ body: (Int) throws(Failure) -> Void
  ) throws(Failure) {
    var rest = bits
    while rest != 0 {
      try body(rest.trailingZeroBitCount)
      rest &= rest - 1
    }
  }

  /// The members of either set.
  public static func | (left: Capabilities, right: Capabilities) -> Capabilities {
    Capabilities(bits: left.bits | right.bits)
  }

  /// The members of both sets.
  public static func & (left: Capabilities, right: Capabilities) -> Capabilities {
    Capabilities(bits: left.bits & right.bits)
  }

  /// Whether the capability `name` is in the set.
  public func contains(_ name: String) -> Bool {
    guard !isEmpty, let capability = Capabilities(named: name) else { return false }
    return !(self & capability).isEmpty
  }

  /// The members that are not in `other`.
  public func subtracting(_ other: Capabilities) -> Capabilities {
    Capabilities(bits: bits & ~other.bits)
  }
}

/// The capabilities of this process.
extension Capabilities {
  /// The permitted set.
  ///
  /// See capget(2).
  public static func permitted() throws(SystemCallError) -> Capabilities {
    var bits: UInt64 = 0
    try unsafe check(linux_capget(&bits), "capget")
    return Capabilities(bits: bits)
  }

  /// Bounds the capabilities that this process and its children can ever gain to `kept`.
  ///
  /// Needs CAP_SETPCAP. See prctl(2), PR_CAPBSET_DROP.
  public static func bound(to kept: Capabilities) throws(SystemCallError) {
    for number in 0..<64 where kept.bits & 1 << UInt64(number) == 0 {
      let result = linux_prctl(PR_CAPBSET_DROP, CUnsignedLong(number), 0, 0)
      // The kernel has no more than these.
      if result == -EINVAL, number >= oldestKernelsCount { break }
      try check(result, "prctl(PR_CAPBSET_DROP)")
    }
  }

  /// Makes `permitted`, `effective` and `inheritable` the process's sets.
  ///
  /// A capability that is not both permitted and inheritable also leaves the ambient set.
  ///
  /// See capset(2), capabilities(7).
  public static func set(
    permitted: Capabilities, effective: Capabilities, inheritable: Capabilities
  ) throws(SystemCallError) {
    try check(linux_capset(permitted.bits, effective.bits, inheritable.bits), "capset")
  }

  /// Adds the members to the ambient set, which survives an exec even if the user id is not 0.
  ///
  /// See prctl(2), PR_CAP_AMBIENT.
  public func raiseAmbient() throws(SystemCallError) {
    try forEachNumber { number throws(SystemCallError) in
      try check(
        linux_prctl(PR_CAP_AMBIENT, CUnsignedLong(PR_CAP_AMBIENT_RAISE), CUnsignedLong(number), 0),
        "prctl(PR_CAP_AMBIENT)")
    }
  }
}
