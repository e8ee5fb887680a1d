// SPDX-License-Identifier: Apache-2.0
// How long nestbox waits for its own processes.

/// Bounds on the time that a process of nestbox may take before the one that waits gives it up.
enum Patience {
  /// A bound in milliseconds, which is longer in an executable that checks each access to memory.
  ///
  /// `make memory` tests what such a process finds, and each of its steps takes some ten times as long.
  /// - Parameter plain: The bound of an ordinary executable.
  /// - Returns: The bound of this one.
  static func milliseconds(_ plain: Int) -> Int {
    #if ADDRESS_SANITIZER
      plain * 15
    #else
      plain
    #endif
  }
}
