// SPDX-License-Identifier: Apache-2.0
// Capabilities, through libcap, whose table gives their names and numbers.

internal import CLibcap
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
  public static var all: Capabilities {
    Capabilities(bits: UInt64.max >> UInt64(64 - Int(count)))
  }

  /// How many there are: the number that libcap found, but at least as many as the oldest supported
  /// kernel has.
  ///
  /// If a prctl(2) fails, libcap takes that for the last capability, and nobody would drop the
  /// rest.
  private static var count: CInt { max(cap_max_bits(), CAP_LAST_CAP + 1) }

  /// The capability `name`, with or without the prefix `cap_`, in any case; nil if libcap knows
  /// none.
  ///
  /// See cap_from_name(3).
  public init?(named name: String) {
    let name = name.lowercased()
    let full = name.hasPrefix("cap_") ? name : "cap_" + name
    var value: cap_value_t = 0
    guard unsafe full.withCString({ unsafe cap_from_name($0, &value) }) == 0 else { return nil }
    bits = 1 << UInt64(value)
  }

  /// The names of the set's members, as `cap_net_raw`.
  public var names: [String] {
    var names: [String] = []
    forEachNumber { number in
      guard let name = unsafe cap_to_name(number) else { return }
      names.append(unsafe String(cString: name))
      unsafe cap_free(name)
    }
    return names
  }

  /// The names of all capabilities that libcap knows; the running kernel may know fewer.
  ///
  /// See cap_to_name(3).
  public static var known: [String] {
    // libcap writes the number of a capability that has no name.
    Capabilities(bits: .max).names.filter { $0.hasPrefix("cap_") }
  }

  /// Calls `body` with the number of each member, the lowest first.
  private func forEachNumber<Failure: Error>(
    _ body: (cap_value_t) throws(Failure) -> Void
  ) throws(Failure) {
    var rest = bits
    while rest != 0 {
      try body(cap_value_t(rest.trailingZeroBitCount))
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
  /// See cap_get_proc(3).
  public static func permitted() throws(SystemCallError) -> Capabilities {
    guard let state = unsafe cap_get_proc() else {
      throw SystemCallError(call: "cap_get_proc", errno: Errno(rawValue: errno))
    }
    defer { unsafe cap_free(UnsafeMutableRawPointer(state)) }
    var bits: UInt64 = 0
    for number in 0..<count {
      var flag = CAP_CLEAR
      if unsafe cap_get_flag(state, number, CAP_PERMITTED, &flag) == 0, flag == CAP_SET {
        bits |= 1 << UInt64(number)
      }
    }
    return Capabilities(bits: bits)
  }

  /// Bounds the capabilities that this process and its children can ever gain to `kept`.
  ///
  /// Needs CAP_SETPCAP. See cap_drop_bound(3).
  public static func bound(to kept: Capabilities) throws(SystemCallError) {
    try Capabilities.all.subtracting(kept).forEachNumber { number throws(SystemCallError) in
      if cap_drop_bound(number) < 0 {
        throw SystemCallError(call: "cap_drop_bound", errno: Errno(rawValue: errno))
      }
    }
  }

  /// Makes `permitted`, `effective` and `inheritable` the process's sets.
  ///
  /// A capability that is not both permitted and inheritable also leaves the ambient set.
  ///
  /// See cap_set_proc(3), capabilities(7).
  public static func set(
    permitted: Capabilities, effective: Capabilities, inheritable: Capabilities
  ) throws(SystemCallError) {
    guard let state = unsafe cap_init() else {
      throw SystemCallError(call: "cap_init", errno: Errno(rawValue: errno))
    }
    defer { unsafe cap_free(UnsafeMutableRawPointer(state)) }
    try unsafe permitted.add(to: state, CAP_PERMITTED)
    try unsafe effective.add(to: state, CAP_EFFECTIVE)
    try unsafe inheritable.add(to: state, CAP_INHERITABLE)
    if unsafe cap_set_proc(state) < 0 {
      throw SystemCallError(call: "cap_set_proc", errno: Errno(rawValue: errno))
    }
  }

  /// Adds the members to one of the sets of `state`.
  ///
  /// See cap_set_flag(3).
  @unsafe private func add(to state: cap_t, _ flag: cap_flag_t) throws(SystemCallError) {
    try forEachNumber { number throws(SystemCallError) in
      var number = number
      if unsafe cap_set_flag(state, flag, 1, &number, CAP_SET) < 0 {
        throw SystemCallError(call: "cap_set_flag", errno: Errno(rawValue: errno))
      }
    }
  }

  /// Adds the members to the ambient set, which survives an exec even if the user id is not 0.
  ///
  /// See cap_set_ambient(3).
  public func raiseAmbient() throws(SystemCallError) {
    try forEachNumber { number throws(SystemCallError) in
      if cap_set_ambient(number, CAP_SET) < 0 {
        throw SystemCallError(call: "cap_set_ambient", errno: Errno(rawValue: errno))
      }
    }
  }
}
