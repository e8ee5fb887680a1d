// SPDX-License-Identifier: Apache-2.0
// A policy as the command line chooses it.

internal import Linux
public import Text

/// A policy, and changes to it for one run.
public struct PolicyChoice: Equatable, Sendable {
  /// The name of a built-in policy, or the path of a file.
  public var name: ByteString
  /// The changes, in order.
  public var adjustments: [Adjustment] = []

  /// One change of a policy.
  public struct Adjustment: Equatable, Sendable {
    /// The option that asked for it.
    public let option: String
    /// What happens to the calls.
    public let action: SeccompAction
    /// Names of calls and groups, separated by commas.
    public let list: ByteString

    /// Names a change.
    public init(option: String, action: SeccompAction, list: ByteString) {
      self.option = option
      self.action = action
      self.list = list
    }
  }

  /// Whether options allow more than the policy does.
  public var hasAdditions: Bool { adjustments.contains { $0.action == .allow } }

  /// Whether programs for the 32-bit mode of this machine run under the policy.
  public var permits32Bit: Bool {
    guard let policy = try? policy() else { return false }
    return [.allow, .log].contains(policy.foreign)
      || policy.architectures.contains { ["x86", "arm"].contains($0.name) }
  }

  /// Chooses a policy as it is.
  public init(_ name: ByteString) {
    self.name = name
  }

  /// The policy as a file for container engines, "seccomp" of the OCI's runtime-spec.
  /// - Throws: `PolicyError` if the policy cannot be read, or says what such a file cannot say.
  public func ociText() throws(PolicyError) -> String { try policy(isForOthers: true).ociText() }

  /// Reads the policy.
  /// - Parameter isForOthers: Whether another launcher executes the command. A filter cannot tell
  ///   its execve(2) from those of the command.
  /// - Returns: The changed policy.
  /// - Throws: `PolicyError` if it cannot be read or has a mistake.
  public func policy(isForOthers: Bool = false) throws(PolicyError) -> Policy {
    var reader = try PolicyReader(isForOthers: isForOthers)
    let position = Position(file: "--seccomp-policy", line: nil, column: 1)
    try reader.read(try PolicyText.named(name, .builtIn, at: position))
    for adjustment in adjustments {
      try reader.add(adjustment.action, adjustment.list.text, option: adjustment.option)
    }
    return try reader.policy(name.text)
  }

  /// The program, which is compiled in for an unchanged built-in policy and otherwise compiled now.
  ///
  /// - Throws: `PolicyError` if the policy cannot be read, has a mistake or is too long.
  public func program() throws(PolicyError) -> SeccompProgram {
    if adjustments.isEmpty, let policy = BuiltInPolicy.named(name.text) { return policy.compiled }
    return try policy().compiled()
  }

  /// The program for other launchers.
  /// - Throws: `PolicyError` as `program()` does.
  public func programForOthers() throws(PolicyError) -> SeccompProgram {
    let program = try program()
    return program.executesOnce ? try policy(isForOthers: true).compiled() : program
  }
}
