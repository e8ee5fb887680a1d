// SPDX-License-Identifier: Apache-2.0
// What a policy does with each system call.

/// The decisions of a policy for all system calls of one architecture.
public struct Explanation: Sendable {
  /// The architecture.
  public let architecture: Architecture
  /// What happens to each known call, by number.
  public let calls: [(call: Architecture.Call, decision: Decision)]
}

extension Policy {
  /// The decisions for each of the policy's architectures.
  /// - Throws: `PolicyError` where a line is about a call that an architecture does not have.
  public func explanations() throws(PolicyError) -> [Explanation] {
    var explanations: [Explanation] = []
    for architecture in architectures {
      let decisions = try decisions(on: architecture)
      explanations.append(
        Explanation(
          architecture: architecture,
          calls: architecture.calls.map { call in
            (call, decisions[call.name] ?? Decision(clauses: [], otherwise: otherwise))
          }))
    }
    return explanations
  }
}
