// SPDX-License-Identifier: Apache-2.0
// Writes a policy as "seccomp" of the OCI's runtime-spec.
//
// A rule there can look at each argument once, with 64 bits or with a mask, and nothing says which of
// two rules with different actions counts. So a decision becomes cases that exclude each other: in a
// case some bits of some arguments are fixed, which one masked comparison for each argument says.

internal import Linux
internal import SystemPackage
internal import Text

extension Policy {
  /// The policy as an OCI file.
  /// - Throws: `PolicyError` where the policy says what such a file cannot say.
  func ociText() throws(PolicyError) -> String {
    guard foreign == .kill else {
      throw PolicyError(
        "\(name): an OCI file cannot say \"foreign \(foreign.description)\"; engines kill there")
    }
    var entries: [(rules: [OCIRule], names: [String])] = []
    var places: [[OCIRule]: Int] = [:]
    var seen: Set<String> = []
    for architecture in architectures {
      let decisions = try decisions(on: architecture)
      for call in architecture.calls where seen.insert(call.name).inserted {
        guard let decision = decisions[call.name] else { continue }
        let rules = try self.rules(decision, of: call.name)
        if rules.isEmpty { continue }
        if let place = places[rules] {
          entries[place].names.append(call.name)
        } else {
          places[rules] = entries.count
          entries.append((rules, [call.name]))
        }
      }
    }
    let calls = entries.flatMap { entry in
      entry.rules.map { $0.json(for: entry.names) }
    }
    return JSON.object(
      Policy.action("defaultAction", "defaultErrnoRet", otherwise)
        + [
          .init(
            "architectures",
            .array(architectures.map { .string("SCMP_ARCH_" + $0.name.uppercased()) })),
          .init("syscalls", .array(calls)),
        ]
    ).text
  }

  fileprivate static func action(
    _ name: String, _ number: String, _ action: SeccompAction
  ) -> [JSON.Member] {
    switch action {
    case .allow: [.init(name, .string("SCMP_ACT_ALLOW"))]
    case .log: [.init(name, .string("SCMP_ACT_LOG"))]
    case .trap: [.init(name, .string("SCMP_ACT_TRAP"))]
    case .kill: [.init(name, .string("SCMP_ACT_KILL_PROCESS"))]
    case .errno(let error):
      [
        .init(name, .string("SCMP_ACT_ERRNO")),
        .init(number, .number(Int64(error.rawValue))),
      ]
    }
  }

  /// The most rules for a call; conditions about many bits may need thousands.
  private static let mostCases = 1024

  /// The rules for a call; none if the default of the file says the same.
  private func rules(_ decision: Decision, of call: String) throws(PolicyError) -> [OCIRule] {
    if let rules = plainRules(decision) { return rules }
    var rules: [OCIRule] = []
    var rest = [Case()]
    // Rules with one action may overlap, so only clauses with another one are taken out before.
    var (base, action) = (rest, decision.clauses.first?.action)
    for clause in decision.clauses {
      if clause.action != action { (base, action) = (rest, clause.action) }
      let cases = Case.all(of: clause.comparisons)
      if clause.action != otherwise {
        for one in base {
          rules += cases.compactMap { one.intersection($0) }.map { OCIRule($0, clause.action) }
        }
      }
      rest = cases.reduce(rest) { rest, one in rest.flatMap { $0.without(one) } }
      guard rest.count + rules.count <= Policy.mostCases else {
        throw PolicyError("\(name): the conditions of \(call) need too many rules of an OCI file")
      }
    }
    if decision.otherwise != otherwise {
      rules += rest.map { OCIRule($0, decision.otherwise) }
    }
    return rules
  }
}

extension Policy {
  /// The rules for a call with one comparison of all bits, which a file can say as it is.
  fileprivate func plainRules(_ decision: Decision) -> [OCIRule]? {
    guard decision.clauses.count == 1, let clause = decision.clauses.first,
      clause.comparisons.count == 1, let comparison = clause.comparisons.first, comparison.isWide,
      comparison.mask == nil
    else { return nil }
    let relation = comparison.relation
    var rules: [OCIRule] = []
    if clause.action != otherwise { rules.append(OCIRule(comparison, relation, clause.action)) }
    if decision.otherwise != otherwise {
      rules.append(OCIRule(comparison, relation.negated, decision.otherwise))
    }
    return rules
  }
}

extension Comparison.Relation {
  fileprivate var negated: Comparison.Relation {
    switch self {
    case .equal: .notEqual
    case .notEqual: .equal
    case .less: .greaterOrEqual
    case .lessOrEqual: .greater
    case .greater: .lessOrEqual
    case .greaterOrEqual: .less
    }
  }

  fileprivate var ociName: String {
    switch self {
    case .equal: "SCMP_CMP_EQ"
    case .notEqual: "SCMP_CMP_NE"
    case .less: "SCMP_CMP_LT"
    case .lessOrEqual: "SCMP_CMP_LE"
    case .greater: "SCMP_CMP_GT"
    case .greaterOrEqual: "SCMP_CMP_GE"
    }
  }
}

/// A rule of an OCI file, for any calls.
private struct OCIRule: Hashable {
  let condition: Case
  /// A comparison in place of the case.
  var plain: Plain?
  let action: SeccompAction

  struct Plain: Hashable {
    let argument: Int
    let relation: Comparison.Relation
    let value: UInt64
  }

  init(_ condition: Case, _ action: SeccompAction) {
    self.condition = condition
    self.action = action
  }

  init(_ comparison: Comparison, _ relation: Comparison.Relation, _ action: SeccompAction) {
    self.init(Case(), action)
    plain = Plain(argument: comparison.argument, relation: relation, value: comparison.value)
  }

  func json(for names: [String]) -> JSON {
    var members: [JSON.Member] = [.init("names", .array(names.map { .string($0) }))]
    members += Policy.action("action", "errnoRet", action)
    let comparisons =
      plain.map { plain in
        [
          JSON.object([
            .init("index", .number(Int64(plain.argument))), .init("value", .unsigned(plain.value)),
            .init("op", .string(plain.relation.ociName)),
          ])
        ]
      } ?? condition.json
    if !comparisons.isEmpty { members.append(.init("args", .array(comparisons))) }
    return .object(members)
  }
}

/// A case: some bits of the six arguments are fixed.
private struct Case: Hashable {
  /// Which bits of each argument are fixed.
  private var masks: [UInt64] = [0, 0, 0, 0, 0, 0]
  /// What they are.
  private var values: [UInt64] = [0, 0, 0, 0, 0, 0]

  /// Every argument.
  init() {}

  private init(_ argument: Int, _ mask: UInt64, _ value: UInt64) {
    masks[argument] = mask
    values[argument] = value & mask
  }

  /// Cases in which all of `comparisons` hold; they exclude each other.
  static func all(of comparisons: [Comparison]) -> [Case] {
    comparisons.reduce([Case()]) { cases, comparison in
      let more = all(of: comparison)
      return cases.flatMap { one in more.compactMap { one.intersection($0) } }
    }
  }

  private static func all(of comparison: Comparison) -> [Case] {
    let argument = comparison.argument
    let limit = comparison.limit
    let mask = (comparison.mask ?? limit) & limit
    let value = comparison.value
    let equal = value & ~mask == 0 ? [Case(argument, mask, value)] : []
    /// The numbers that have the upper bits of `value`, and then one bit the other way.
    func beside(_ isGreater: Bool) -> [Case] {
      (0..<64).reversed().map { UInt64(1) << UInt64($0) }
        .filter { limit & $0 != 0 && (value & $0 == 0) == isGreater }
        .map { bit in Case(argument, limit & ~(bit - 1), value ^ bit) }
    }
    return switch comparison.relation {
    case .equal: equal
    case .notEqual: equal.reduce([Case()]) { rest, one in rest.flatMap { $0.without(one) } }
    case .less: beside(false)
    case .greater: beside(true)
    case .lessOrEqual: beside(false) + equal
    case .greaterOrEqual: beside(true) + equal
    }
  }

  /// The case in which both hold; nil if there is none.
  func intersection(_ other: Case) -> Case? {
    var result = self
    for argument in masks.indices {
      let both = masks[argument] & other.masks[argument]
      guard (values[argument] ^ other.values[argument]) & both == 0 else { return nil }
      result.masks[argument] |= other.masks[argument]
      result.values[argument] |= other.values[argument]
    }
    return result
  }

  /// Cases in which this one holds and `other` does not; they exclude each other.
  func without(_ other: Case) -> [Case] {
    guard intersection(other) != nil else { return [self] }
    var result: [Case] = []
    var rest = self
    for argument in masks.indices {
      for number in (0..<64).reversed() {
        let bit = UInt64(1) << UInt64(number)
        guard other.masks[argument] & ~masks[argument] & bit != 0 else { continue }
        rest.masks[argument] |= bit
        rest.values[argument] |= ~other.values[argument] & bit
        result.append(rest)
        rest.values[argument] ^= bit
      }
    }
    return result
  }

  /// The case as "args".
  var json: [JSON] {
    masks.indices.filter { masks[$0] != 0 }.map { argument in
      let isWhole = masks[argument] == .max
      var members: [JSON.Member] = [
        .init("index", .number(Int64(argument))),
        .init("value", .unsigned(isWhole ? values[argument] : masks[argument])),
      ]
      if !isWhole { members.append(.init("valueTwo", .unsigned(values[argument]))) }
      members.append(.init("op", .string(isWhole ? "SCMP_CMP_EQ" : "SCMP_CMP_MASKED_EQ")))
      return .object(members)
    }
  }
}
