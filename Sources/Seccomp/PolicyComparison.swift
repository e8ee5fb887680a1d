// SPDX-License-Identifier: Apache-2.0
// Whether a policy permits system calls that another one refuses.

extension Policy {
  /// A call that this policy may permit where `other` refuses it, in words; nil for none.
  ///
  /// Conditions on arguments are not compared: where both policies have different ones, that counts as more.
  /// - Throws: `PolicyError` where a line is about a call that an architecture does not have.
  public func callPermitted(beyond other: Policy) throws(PolicyError) -> String? {
    if foreign.permits, !other.foreign.permits { return "system calls of other architectures" }
    let theirs = try other.explanations()
    for mine in try explanations() {
      guard let known = theirs.first(where: { $0.architecture == mine.architecture }) else {
        if other.foreign.permits { continue }
        return "system calls of \(mine.architecture.name)"
      }
      var decisions: [String: Decision] = [:]
      for (call, decision) in known.calls { decisions[call.name] = decision }
      for (call, decision) in mine.calls {
        let limit = decisions[call.name] ?? Decision(otherwise: other.otherwise)
        if !decision.isWithin(limit) { return "the system call \(call.name)" }
      }
    }
    return otherwise.permits && !other.otherwise.permits
      ? "system calls that no policy knows" : nil
  }
}

extension Decision {
  private var actions: [SeccompAction] { clauses.map(\.action) + [otherwise] }

  /// Whether the call is permitted only if it is by `other`.
  fileprivate func isWithin(_ other: Decision) -> Bool {
    self == other || !actions.contains(where: \.permits) || other.actions.allSatisfy(\.permits)
  }
}

extension SeccompAction {
  /// Whether the kernel carries the call out.
  fileprivate var permits: Bool { self == .allow || self == .log }
}
