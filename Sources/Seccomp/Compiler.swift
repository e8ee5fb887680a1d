// SPDX-License-Identifier: Apache-2.0
// From a policy to a program.
//
// A filter of libseccomp gives each call one action where a rule holds, and one that is the same
// for all calls where none does. A policy says more: several actions for one call, in an order,
// and something else for the remaining arguments. So it becomes several filters, which are linked
// into one program. The first of an architecture decides what the number alone decides, and leaves
// each of the other calls to a filter of its own, which looks at one comparison and leaves the rest
// to the next.

internal import CLibseccomp
internal import Linux
internal import SystemPackage
internal import Text

extension Policy {
  /// The program that does what the policy says.
  /// - Throws: `PolicyError` where a line is about a call that an architecture does not have, or
  ///   the program would be longer than the kernel takes.
  func compiled() throws(PolicyError) -> SeccompProgram {
    var linker = Linker()
    for (index, architecture) in architectures.enumerated() {
      let isLast = index == architectures.count - 1
      let decisions = try decisions(on: architecture)
      // Its arguments have 64 bits, and libseccomp looks at 32 of them.
      if architecture.name == "x32", decisions.values.contains(where: \.isWide) {
        throw PolicyError("\(name): conditions on 64 bits can't be compiled for x32")
      }
      let filters = decisions.values.reduce(1) { $0 + $1.steps(from: 0, architecture).count }
      guard linker.count + filters <= FilterResult.maximumFilters else {
        throw PolicyError("\(name): it has more conditions than can be compiled")
      }
      do throws(SystemCallError) {
        try linker.add(
          decisions, on: architecture, otherwise: otherwise, foreign: isLast ? foreign : nil)
      } catch {
        throw PolicyError("\(name): libseccomp can't compile it: \(error.call): \(error.reason)")
      }
    }
    let program = linker.linked(otherwise: otherwise).optimized()
    guard program.instructions.count <= SeccompProgram.maximum else {
      throw PolicyError(
        "\(name): it has \(String(program.instructions.count)) instructions; the kernel takes "
          + String(SeccompProgram.maximum))
    }
    return program
  }
}

/// Filters that leave calls to each other, on their way to one program.
private struct Linker {
  private var filters: [SeccompProgram?] = []

  /// How many there are.
  var count: Int { filters.count }

  /// Adds the filters of an architecture.
  ///
  /// Where `foreign` is nil, what is behind them looks at the calls of other architectures.
  mutating func add(
    _ decisions: [String: Decision], on architecture: Architecture, otherwise: SeccompAction,
    foreign: SeccompAction?
  ) throws(SystemCallError) {
    let first = filters.count
    filters.append(nil)
    var results: [(name: String, result: FilterResult)] = []
    for (name, decision) in decisions.sorted(by: { $0.key < $1.key }) {
      results.append((name, try add(decision, for: name, on: architecture)))
    }
    let context = try FilterContext.make(
      architecture, otherwise: .otherwise,
      foreign: foreign.map { .action($0) } ?? .filter(filters.count))
    // libseccomp adds to the rule of a call one for the multiplexer that carries it out. What the
    // policy says of that itself has to stand behind it, to count alone, and to be said at all.
    let multiplexers = architecture.multiplexers
    for (name, result) in results
    where result != .action(otherwise) && !multiplexers.contains(name) {
      try context.add(result, for: name)
    }
    for name in multiplexers {
      let result = results.first { $0.name == name }?.result ?? .action(otherwise)
      try context.add(result, for: name)
    }
    filters[first] = try context.program()
  }

  /// Adds the filters that decide about one call, each behind those that leave it to them.
  /// - Returns: What the filter before them has to return.
  private mutating func add(
    _ decision: Decision, for name: String, on architecture: Architecture
  ) throws(SystemCallError) -> FilterResult {
    let steps = decision.steps(from: filters.count, architecture)
    for step in steps {
      let context = try FilterContext.make(
        architecture, otherwise: step.otherwise, foreign: .action(.kill))
      for test in step.tests { try context.add(step.result, for: name, where: test) }
      filters.append(try context.program())
    }
    return steps.isEmpty ? .action(decision.otherwise) : .filter(filters.count - steps.count)
  }

  /// All filters one behind the other; to leave a call to another one is a jump.
  func linked(otherwise: SeccompAction) -> SeccompProgram {
    var starts: [Int] = []
    var count = 0
    for filter in filters {
      starts.append(count)
      count += filter?.instructions.count ?? 0
    }
    var linked: [UInt64] = []
    linked.reserveCapacity(count)
    for filter in filters {
      for instruction in filter?.instructions ?? [] {
        let value = UInt32(truncatingIfNeeded: instruction >> 32)
        let isReturn = instruction & 0xffff == Linker.returnConstant
        if isReturn, value == FilterResult.otherwise.code {
          let code = FilterResult.action(otherwise).code
          linked.append(Linker.returnConstant | UInt64(code) << 32)
        } else if isReturn, value & 0xffff_0000 == FilterResult.marker {
          let distance = starts[Int(value & 0xffff)] - linked.count - 1
          linked.append(Linker.jump | UInt64(distance) << 32)
        } else {
          linked.append(instruction)
        }
      }
    }
    return SeccompProgram(instructions: linked)
  }

  /// BPF_RET | BPF_K and BPF_JMP | BPF_JA of linux/bpf_common.h; the latter goes forward only, and
  /// as far as it likes.
  private static let returnConstant: UInt64 = 0x06
  private static let jump: UInt64 = 0x05
}

/// A filter that looks at one call and one comparison.
private struct Step {
  /// What is tested of the argument.
  let tests: [FilterTest]
  /// What is returned where one of the tests holds.
  let result: FilterResult
  /// What is returned where none does.
  let otherwise: FilterResult
}

extension Decision {
  /// Whether more than 32 bits of an argument count.
  fileprivate var isWide: Bool {
    clauses.contains { $0.comparisons.contains(where: \.isWide) }
  }

  /// The filters that decide, the first of which will have the number `start`.
  fileprivate func steps(from start: Int, _ architecture: Architecture) -> [Step] {
    var steps: [Step] = []
    let clauses = mergedClauses(architecture)
    for (index, clause) in clauses.enumerated() {
      // Where the clause does not hold, the next one is looked at.
      let end = start + steps.count + clause.stages.count
      let next: FilterResult =
        index == clauses.count - 1 ? .action(otherwise) : .filter(end)
      for (position, stage) in clause.stages.enumerated() {
        let success: FilterResult =
          position == clause.stages.count - 1
          ? .action(clause.action) : .filter(start + steps.count + 1)
        steps.append(
          stage.isNegated
            ? Step(tests: stage.tests, result: next, otherwise: success)
            : Step(tests: stage.tests, result: success, otherwise: next))
      }
    }
    return steps
  }

  /// The clauses, of which neighbours that do the same for other values of one argument are one.
  private func mergedClauses(_ architecture: Architecture) -> [MergedClause] {
    var merged: [MergedClause] = []
    for clause in clauses {
      let clause = MergedClause(
        stages: clause.comparisons.map { $0.stage(on: architecture) }, action: clause.action)
      if let last = merged.last, last.action == clause.action, let argument = last.argument,
        argument == clause.argument
      {
        let known = last.stages[0].tests
        merged[merged.count - 1].stages[0].tests +=
          clause.stages[0].tests.filter { !known.contains($0) }
      } else {
        merged.append(clause)
      }
    }
    return merged
  }
}

/// Clauses that are looked at together.
private struct MergedClause {
  /// In each of these one test has to hold, or none where it is negated.
  var stages: [(tests: [FilterTest], isNegated: Bool)]
  let action: SeccompAction

  /// The one argument that is looked at, if there is no more to it.
  var argument: Int? {
    stages.count == 1 && !stages[0].isNegated ? stages[0].tests.first?.argument : nil
  }
}

extension Comparison {
  /// Whether it holds where none of its tests does.
  fileprivate var isNegated: Bool {
    switch relation {
    case .equal, .less, .lessOrEqual: false
    case .notEqual, .greater, .greaterOrEqual: true
    }
  }

  /// The tests of which one has to hold, or none where it is negated.
  ///
  /// Of libseccomp's tests only the masked one can pass over the upper half of an argument. A
  /// number is less than another where both begin alike, and then has a 0 bit for a 1 bit.
  fileprivate var tests: [FilterTest] {
    let isInclusive = relation == .lessOrEqual || relation == .greater
    switch relation {
    case .equal, .notEqual:
      return [test(mask ?? limit, value)]
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      let bound = isInclusive ? value + 1 : value
      return (0..<(isWide ? 64 : 32)).filter { bound >> UInt64($0) & 1 == 1 }.map { bit in
        let mask = limit & ~((1 << UInt64(bit)) - 1)
        return test(mask, bound & mask & ~(1 << UInt64(bit)))
      }
    }
  }

  /// The tests as `architecture` needs them, and whether the comparison holds where none does.
  ///
  /// Where arguments have 32 bits the upper half is 0, which libseccomp does not look at: what is
  /// known of it is taken care of here.
  fileprivate func stage(on architecture: Architecture) -> (tests: [FilterTest], isNegated: Bool) {
    guard isWide, architecture.hasNarrowArguments else { return (tests, isNegated) }
    var narrow: [FilterTest] = []
    for test in tests where (test.first & test.second) >> 32 == 0 {
      let (mask, value) = (test.first & 0xffff_ffff, test.second & 0xffff_ffff)
      // One that always holds: no test at all says the same of the opposite.
      if mask == 0 { return ([], !isNegated) }
      narrow.append(self.test(mask, value))
    }
    return (narrow, isNegated)
  }

  private func test(_ mask: UInt64, _ value: UInt64) -> FilterTest {
    FilterTest(argument: argument, comparison: SCMP_CMP_MASKED_EQ, first: mask, second: value)
  }
}
