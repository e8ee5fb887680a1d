// SPDX-License-Identifier: Apache-2.0
// Compiling and explaining system call policies.

internal import Linux
internal import Sandbox
internal import Seccomp
internal import Text

/// The tasks that use a policy without a command.
enum PolicyTasks {
  /// The program of `choice` in a form that other launchers can use.
  static func compile(_ choice: PolicyChoice?) throws(UsageError) -> [UInt8] {
    let choice = try require(choice)
    return try told { () throws(PolicyError) in try choice.programForOthers() }.bytes
  }

  /// `choice` as container engines read it.
  static func export(_ choice: PolicyChoice?) throws(UsageError) -> String {
    let choice = try require(choice)
    return try told { () throws(PolicyError) in try choice.ociText() }
  }

  /// The answer of `choice` to each call, as a table or as JSON.
  static func explain(_ choice: PolicyChoice?, asJSON: Bool) throws(UsageError) -> String {
    let choice = try require(choice)
    return try told { () throws(PolicyError) in
      let policy = try choice.policy()
      let explanations = try policy.explanations()
      return asJSON ? json(policy, explanations).text : table(policy, explanations)
    }
  }

  /// Throws if a later option removed the policy.
  private static func require(_ choice: PolicyChoice?) throws(UsageError) -> PolicyChoice {
    guard let choice else { throw UsageError("a later option removed the policy") }
    return choice
  }

  /// Reports a mistake in a policy as a mistake of the command line that names it.
  private static func told<Result>(
    _ body: () throws(PolicyError) -> Result
  ) throws(UsageError) -> Result {
    do throws(PolicyError) {
      return try body()
    } catch {
      throw UsageError(error.message)
    }
  }
}

// MARK: - For people

extension PolicyTasks {
  private static func table(_ policy: Policy, _ explanations: [Explanation]) -> String {
    var table = ""
    for explanation in explanations {
      table += "\(policy.name) on \(explanation.architecture.name)\n\n"
      for (call, decision) in explanation.calls {
        let number = String(call.number)
        let label = String(repeating: " ", count: max(0, 4 - number.count)) + number
        table += row(label + " " + call.name, decision)
      }
      table += "\n"
    }
    table += row("every other system call", Decision(otherwise: policy.otherwise))
    table += row("other architectures", Decision(otherwise: policy.foreign))
    return table
  }

  private static let column = 32

  private static func row(_ label: String, _ decision: Decision) -> String {
    var row = ""
    for (index, clause) in decision.clauses.enumerated() {
      let condition = clause.comparisons.map(\.text).joined(separator: " and ")
      row += pad(index == 0 ? label : "") + clause.action.description + " if " + condition + "\n"
    }
    let rest = decision.otherwise.description
    return row + pad(row.isEmpty ? label : "") + rest + (row.isEmpty ? "" : " otherwise") + "\n"
  }

  private static func pad(_ text: String) -> String {
    text + String(repeating: " ", count: max(1, column - text.utf8.count))
  }
}

// MARK: - For programs

extension PolicyTasks {
  private static func json(_ policy: Policy, _ explanations: [Explanation]) -> JSON {
    .object([
      JSON.Member("policy", .string(policy.name)),
      JSON.Member("default", .object(members(policy.otherwise))),
      JSON.Member("foreign", .object(members(policy.foreign))),
      JSON.Member(
        "architectures",
        .array(
          explanations.map { explanation in
            .object([
              JSON.Member("name", .string(explanation.architecture.name)),
              JSON.Member("calls", .array(explanation.calls.map { json($0, $1) })),
            ])
          })),
    ])
  }

  private static func json(_ call: Architecture.Call, _ decision: Decision) -> JSON {
    var members = [
      JSON.Member("number", .number(Int64(call.number))), JSON.Member("name", .string(call.name)),
    ]
    if !decision.clauses.isEmpty {
      members.append(JSON.Member("rules", .array(decision.clauses.map(json))))
    }
    return .object(members + self.members(decision.otherwise))
  }

  private static func json(_ clause: Decision.Clause) -> JSON {
    let conditions = clause.comparisons.map { comparison in
      JSON.object([
        JSON.Member("text", .string(comparison.text)),
        JSON.Member("argument", .number(Int64(comparison.argument))),
        JSON.Member("bits", .number(comparison.isWide ? 64 : 32)),
        JSON.Member("mask", comparison.mask.map { .unsigned($0) } ?? .null),
        JSON.Member("relation", .string(comparison.relation.rawValue)),
        JSON.Member("value", .unsigned(comparison.value)),
      ])
    }
    return .object([JSON.Member("if", .array(conditions))] + members(clause.action))
  }

  private static func members(_ action: SeccompAction) -> [JSON.Member] {
    var members = [JSON.Member("action", .string(action.name))]
    if case .errno(let error) = action {
      members.append(JSON.Member("errno", .optional(ErrorNames.name(of: error))))
    }
    return members
  }
}
