// SPDX-License-Identifier: Apache-2.0
// Working a program out for each architecture and number, as far as it does not depend on
// arguments.

/// What is left of a program, for each architecture and each range of numbers.
struct Specialized {
  /// The architectures that the program knows, and what it does with their numbers.
  var architectures: [(token: UInt32, ranges: [Range])] = []
  /// What it does with the others.
  var others: [Range] = []

  /// Numbers from `first` on, up to the next range.
  struct Range {
    let first: UInt32
    let residue: Int
  }
}

/// Runs a program as far as it does not depend on arguments.
struct Specializer {
  private let instructions: [Instruction]
  private(set) var residues = Residues()

  init(_ instructions: [UInt64]) {
    self.instructions = instructions.map(Instruction.init)
  }

  /// What is left of the program; nil where it has an instruction that is not understood.
  mutating func specialized() -> Specialized? {
    var specialized = Specialized()
    let constants = Set(instructions.filter { $0.code != InstructionCode.answer }.map(\.constant))
    let tokens = constants.filter { comparesArchitecture($0) }.sorted()
    for token in tokens {
      guard let ranges = ranges(token, constants) else { return nil }
      specialized.architectures.append((token, ranges))
    }
    // Any that the program has no constant for.
    let other = (UInt32(1)...).first { !constants.contains($0) } ?? 0
    guard let ranges = ranges(other, constants) else { return nil }
    specialized.others = ranges
    return specialized
  }

  /// Whether the program compares the architecture with `constant`.
  private func comparesArchitecture(_ constant: UInt32) -> Bool {
    var isArchitecture = false
    for instruction in instructions {
      if instruction.code == InstructionCode.load {
        isArchitecture = instruction.constant == InstructionCode.architecture
      } else if isArchitecture, instruction.code == InstructionCode.jumpIfEqual,
        instruction.constant == constant
      {
        return true
      }
    }
    return false
  }

  private mutating func ranges(
    _ architecture: UInt32, _ constants: Set<UInt32>
  ) -> [Specialized.Range]? {
    // What a program does with numbers can change at those only that it compares with.
    let bounds = Set(constants.flatMap { [$0, $0 &+ 1] } + [0]).sorted()
    var ranges: [Specialized.Range] = []
    for first in bounds {
      var run = Run(instructions: instructions, number: first, architecture: architecture)
      guard let residue = run.residue(&residues) else { return nil }
      if ranges.last?.residue != residue {
        ranges.append(Specialized.Range(first: first, residue: residue))
      }
    }
    return ranges
  }
}

/// A run of a program for one architecture and number.
private struct Run {
  let instructions: [Instruction]
  let number: UInt32
  let architecture: UInt32
  /// What is left from an instruction on where it does not matter what was loaded before: many
  /// ways lead to each of the later filters.
  private var found: [Int: Int] = [:]

  init(instructions: [Instruction], number: UInt32, architecture: UInt32) {
    self.instructions = instructions
    self.number = number
    self.architecture = architecture
  }

  /// Where a run ends, or can be followed no further by itself.
  private enum Halt {
    /// With an answer.
    case answer(UInt32)
    /// With a look at an argument, after which it goes on at an instruction.
    case load(UInt32, mask: UInt32, Int)
    /// With a comparison of what was loaded before.
    case test(Instruction, yes: Int, no: Int)

    /// Where it goes on.
    var targets: [Int] {
      switch self {
      case .answer: []
      case .load(_, _, let next): [next]
      case .test(_, let yes, let no): [yes, no]
      }
    }
  }

  /// What is left of the program; nil where it has an instruction that is not understood.
  ///
  /// Jumps lead forward alone, so this comes to an end. The way is kept in a list and not on the
  /// stack, as a policy may have thousands of conditions on one call.
  mutating func residue(_ residues: inout Residues) -> Int? {
    guard let first = halt(from: 0) else { return nil }
    var way = [(start: 0, halt: first)]
    while let (start, halt) = way.last {
      let missing = halt.targets.filter { found[$0] == nil }
      for target in missing {
        guard let next = self.halt(from: target) else { return nil }
        way.append((target, next))
      }
      guard missing.isEmpty else { continue }
      found[start] = residue(of: halt, &residues)
      way.removeLast()
    }
    return found[0]
  }

  /// What is left at `halt`, where it is known for all that come after.
  private func residue(of halt: Halt, _ residues: inout Residues) -> Int? {
    switch halt {
    case .answer(let value): return residues.number(of: .answer(value))
    case .load(let offset, let mask, let next):
      guard let rest = found[next] else { return nil }
      // What is not looked at need not be loaded.
      guard case .test = residues.all[rest] else { return rest }
      return residues.number(of: .load(offset, mask: mask, rest))
    case .test(let instruction, let yes, let no):
      guard let yes = found[yes], let no = found[no] else { return nil }
      guard yes != no else { return yes }
      return residues.number(of: .test(instruction.code, instruction.constant, yes: yes, no: no))
    }
  }

  /// Follows the program from `start` on, where an argument is in the accumulator; nil where it
  /// has an instruction that is not understood.
  private func halt(from start: Int) -> Halt? {
    var index = start
    var known: UInt32?
    while instructions.indices.contains(index) {
      let instruction = instructions[index]
      index += 1
      switch instruction.code {
      case InstructionCode.answer: return .answer(instruction.constant)
      case InstructionCode.jump: index += Int(instruction.constant)
      case InstructionCode.and:
        // Of an argument, it was taken care of when that was loaded.
        guard let value = known else { return nil }
        known = value & instruction.constant
      case InstructionCode.load:
        switch instruction.constant {
        case InstructionCode.number: known = number
        case InstructionCode.architecture: known = architecture
        default: return load(instruction.constant, at: index)
        }
      case InstructionCode.jumpIfEqual, InstructionCode.jumpIfGreater,
        InstructionCode.jumpIfGreaterOrEqual, InstructionCode.jumpIfBits:
        guard let value = known else {
          return .test(instruction, yes: index + instruction.yes, no: index + instruction.no)
        }
        index +=
          InstructionCode.holds(instruction.code, value, instruction.constant)
          ? instruction.yes : instruction.no
      default: return nil
      }
    }
    return nil
  }

  private func load(_ offset: UInt32, at start: Int) -> Halt {
    var (index, mask) = (start, UInt32.max)
    while instructions.indices.contains(index), instructions[index].code == InstructionCode.and {
      mask &= instructions[index].constant
      index += 1
    }
    return .load(offset, mask: mask, index)
  }
}
