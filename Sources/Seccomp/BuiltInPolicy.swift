// SPDX-License-Identifier: Apache-2.0
// The policies of `seccomp/`, compiled in.

/// A built-in policy: its text, and the program compiled from it.
public struct BuiltInPolicy: Sendable {
  /// Its name.
  public let name: String
  /// Its text.
  let text: StaticString
  /// The program, for the machine's own architecture.
  let program: @Sendable () -> [UInt64]

  /// The one called `name`, or nil where there is none.
  public static func named(_ name: String) -> BuiltInPolicy? {
    all.first { $0.name == name }
  }

  /// The program.
  public var compiled: SeccompProgram { SeccompProgram(instructions: program()) }
}
