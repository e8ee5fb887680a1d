// SPDX-License-Identifier: Apache-2.0
// Compiles a policy: decisions about system calls become the steps of a program.
//
// For each architecture and each number a policy has a decision: an action, or conditions on
// arguments with an action each. Here every decision becomes a chain of steps, and equal chains
// become one. Neighbouring numbers with the same chain form a range, which the program finds with a
// search tree (ProgramWriter.swift). The kernel checks and translates a program each time a command
// starts under it, so every launch pays for its length.

internal import Linux
internal import SystemPackage

extension Policy {
  /// The program that does what the policy says.
  /// - Throws: `PolicyError` where a line names a call that an architecture does not have, or the
  ///   program would be longer than the kernel accepts.
  func compiled() throws(PolicyError) -> SeccompProgram {
    var steps = Steps()
    var dispatch = Dispatch(foreign: steps.number(of: .answer(foreign.code)))
    let otherwise = steps.number(of: .answer(otherwise.code))
    for architecture in architectures {
      let decisions = try decisions(on: architecture)
      var numbers: [UInt32: Int] = [:]
      for call in architecture.calls {
        guard let decision = decisions[call.name] else { continue }
        numbers[UInt32(call.number)] = steps.number(
          of: decision, hasNarrowArguments: architecture.hasNarrowArguments)
      }
      dispatch.add(architecture, numbers, otherwise: otherwise)
    }
    var writer = ProgramWriter(steps)
    let program = SeccompProgram(instructions: writer.write(dispatch))
    guard program.instructions.count <= SeccompProgram.maximum else {
      throw PolicyError(
        "\(name): the policy needs \(String(program.instructions.count)) instructions; the kernel "
          + "accepts \(String(SeccompProgram.maximum))")
    }
    return program
  }
}

extension SeccompAction {
  /// What a program returns for it.
  ///
  /// See seccomp(2), SECCOMP_RET_KILL_PROCESS and the others.
  var code: UInt32 {
    switch self {
    case .allow: 0x7fff_0000
    case .log: 0x7ffc_0000
    case .errno(let error): 0x0005_0000 | UInt32(error.rawValue)
    case .trap: 0x0003_0000
    case .kill: 0x8000_0000
    }
  }
}

/// The steps that a program takes for each architecture and number.
struct Dispatch {
  /// Numbers from `first` up to the next range.
  struct Range {
    let first: UInt32
    let step: Int
  }

  /// The architectures by the kernel's names for them, each with ranges that cover all numbers.
  private(set) var architectures: [(token: UInt32, ranges: [Range])] = []
  /// The step for all other architectures.
  let foreign: Int
  private var numbers: [UInt32: [UInt32: Int]] = [:]
  /// From which number on which step is taken where no call has the number.
  private var defaults: [UInt32: [Range]] = [:]

  init(foreign: Int) {
    self.foreign = foreign
  }

  /// Adds the steps for the calls of an architecture, and `otherwise` for its other numbers.
  mutating func add(_ architecture: Architecture, _ calls: [UInt32: Int], otherwise: Int) {
    let token = architecture.token
    defaults[token] = [Range(first: 0, step: otherwise)]
    if architecture.name == "x86_64" {
      // Numbers with this bit are those of x32, unless the policy is about that as well. -1 is the
      // number by which a tracer has a call skipped.
      defaults[token]? += [
        Range(first: Architecture.x32Bit, step: foreign), Range(first: UInt32.max, step: otherwise),
      ]
    }
    numbers[token, default: [:]].merge(calls) { $1 }
    if let index = architectures.firstIndex(where: { $0.token == token }) {
      architectures[index].ranges = ranges(token)
    } else {
      architectures.append((token, ranges(token)))
    }
  }

  private func ranges(_ token: UInt32) -> [Range] {
    let calls = numbers[token] ?? [:]
    let defaults = defaults[token] ?? []
    // The step can change at each of these.
    let bounds = Set(calls.keys.flatMap { [$0, $0 + 1] } + defaults.map(\.first)).sorted()
    var ranges: [Range] = []
    for first in bounds {
      let step = calls[first] ?? defaults.last { $0.first <= first }?.step ?? foreign
      if ranges.last?.step != step { ranges.append(Range(first: first, step: step)) }
    }
    return ranges
  }
}
