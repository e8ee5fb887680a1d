// SPDX-License-Identifier: Apache-2.0
// All resource limits of this process, to be given to another one.

/// A limit of a resource.
///
/// See getrlimit(2).
public struct ResourceLimit: Equatable, Sendable {
  /// What the kernel enforces, and how far the process may raise that.
  public var soft: UInt64, hard: UInt64

  /// States a limit.
  public init(soft: UInt64, hard: UInt64) { (self.soft, self.hard) = (soft, hard) }
}

/// The resource limits of this process, in the order of their numbers.
public enum ResourceLimits {
  /// The limits of this process.
  public static func current() throws(SystemCallError) -> [ResourceLimit] {
    try current(of: 0)
  }

  /// The limits of the process `number`, whose user is this one's; 0 stands for this process.
  public static func current(of number: Int32) throws(SystemCallError) -> [ResourceLimit] {
    var limits: [ResourceLimit] = []
    for resource in Resource.all {
      let (soft, hard) = try resource.limits(of: number)
      limits.append(ResourceLimit(soft: soft, hard: hard))
    }
    return limits
  }

  /// Gives this process `limits`; one that it may not raise stays as it is.
  public static func set(_ limits: [ResourceLimit]) throws(SystemCallError) {
    for (resource, wanted) in zip(Resource.all, limits) {
      let hard = min(wanted.hard, try resource.limits().hard)
      try resource.limit(soft: min(wanted.soft, hard), hard: hard)
    }
  }
}
