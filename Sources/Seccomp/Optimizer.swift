// SPDX-License-Identifier: Apache-2.0
// From a program to a shorter one that does the same.
//
// The kernel checks, translates and tries a program whenever it is installed, at the start of every
// command, so its length is paid for again and again. A program of libseccomp compares the number
// of a call with each number that it has a rule for, and linked filters ask anew for architecture
// and number. Here the program is worked out for each architecture and number beforehand; what is
// left of it are decisions about arguments. Numbers that lie side by side and come out the same are
// then told from others by their bounds, with a search tree.

/// What is left of a program where architecture and number are known: a step, and the numbers of
/// those after it.
private enum Residue: Hashable {
  /// An answer.
  case answer(UInt32)
  /// A look at 32 bits of the arguments, of which those of the mask count.
  case load(UInt32, mask: UInt32, Int)
  /// A comparison of what was loaded, by the instruction's own code.
  case test(UInt16, UInt32, yes: Int, no: Int)
}

/// Steps, each kept once, so that two numbers are the same where what is done is the same.
private struct Residues {
  private(set) var all: [Residue] = []
  private var numbers: [Residue: Int] = [:]

  mutating func number(of residue: Residue) -> Int {
    if let number = numbers[residue] { return number }
    all.append(residue)
    numbers[residue] = all.count - 1
    return all.count - 1
  }
}

extension SeccompProgram {
  /// A program that returns the same for every call and is as short as is known here; the program
  /// itself where it has instructions that libseccomp does not write.
  func optimized() -> SeccompProgram {
    var specializer = Specializer(instructions)
    guard let specialized = specializer.specialized() else { return self }
    var writer = Writer(specializer.residues)
    let shorter = SeccompProgram(instructions: writer.write(specialized))
    return shorter.instructions.count < instructions.count ? shorter : self
  }
}

/// The instructions that libseccomp writes, of linux/bpf_common.h.
private enum Code {
  static let load: UInt16 = 0x20
  static let and: UInt16 = 0x54
  static let jump: UInt16 = 0x05
  static let jumpIfEqual: UInt16 = 0x15
  static let jumpIfGreater: UInt16 = 0x25
  static let jumpIfGreaterOrEqual: UInt16 = 0x35
  static let jumpIfBits: UInt16 = 0x45
  static let answer: UInt16 = 0x06
  /// Where the number and the architecture lie in struct seccomp_data.
  static let number: UInt32 = 0
  static let architecture: UInt32 = 4

  static func holds(_ code: UInt16, _ value: UInt32, _ constant: UInt32) -> Bool {
    switch code {
    case jumpIfEqual: value == constant
    case jumpIfGreater: value > constant
    case jumpIfGreaterOrEqual: value >= constant
    default: value & constant != 0
    }
  }
}

/// One instruction, taken apart.
private struct Instruction {
  let code: UInt16
  let yes: Int
  let no: Int
  let constant: UInt32

  init(_ bits: UInt64) {
    code = UInt16(truncatingIfNeeded: bits)
    yes = Int(bits >> 16 & 0xff)
    no = Int(bits >> 24 & 0xff)
    constant = UInt32(truncatingIfNeeded: bits >> 32)
  }
}

/// What is left of a program, for each architecture and each range of numbers.
private struct Specialized {
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

// MARK: - Working out

/// Runs a program as far as it does not depend on arguments.
private struct Specializer {
  private let instructions: [Instruction]
  private(set) var residues = Residues()

  init(_ instructions: [UInt64]) {
    self.instructions = instructions.map(Instruction.init)
  }

  /// What is left of the program; nil where it has an instruction that is not understood.
  mutating func specialized() -> Specialized? {
    var specialized = Specialized()
    let constants = Set(instructions.filter { $0.code != Code.answer }.map(\.constant))
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
      if instruction.code == Code.load {
        isArchitecture = instruction.constant == Code.architecture
      } else if isArchitecture, instruction.code == Code.jumpIfEqual,
        instruction.constant == constant
      {
        return true
      }
    }
    return false
  }

  private mutating func ranges(_ architecture: UInt32, _ constants: Set<UInt32>) -> [Specialized
    .Range]?
  {
    // What a program does with numbers can change at those only that it compares with.
    let bounds = Set(constants.flatMap { [$0, $0 &+ 1] } + [0]).sorted()
    var ranges: [Specialized.Range] = []
    for first in bounds {
      var run = Run(instructions: instructions, number: first, architecture: architecture)
      guard let residue = run.residue(at: 0, known: nil, &residues) else { return nil }
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

  /// What is left from the instruction at `start` on, where `known` is in the accumulator, or nil
  /// where that was loaded from an argument.
  mutating func residue(at start: Int, known: UInt32?, _ residues: inout Residues) -> Int? {
    if known == nil, let residue = found[start] { return residue }
    let residue = follow(from: start, known: known, &residues)
    if known == nil { found[start] = residue }
    return residue
  }

  private mutating func follow(
    from start: Int, known: UInt32?, _ residues: inout Residues
  ) -> Int? {
    var (index, known) = (start, known)
    while instructions.indices.contains(index) {
      let instruction = instructions[index]
      index += 1
      switch instruction.code {
      case Code.answer: return residues.number(of: .answer(instruction.constant))
      case Code.jump: index += Int(instruction.constant)
      case Code.and:
        // Of an argument, it was taken care of when that was loaded.
        guard let value = known else { return nil }
        known = value & instruction.constant
      case Code.load:
        switch instruction.constant {
        case Code.number: known = number
        case Code.architecture: known = architecture
        default: return load(instruction.constant, at: index, &residues)
        }
      case Code.jumpIfEqual, Code.jumpIfGreater, Code.jumpIfGreaterOrEqual, Code.jumpIfBits:
        guard let value = known else { return test(instruction, at: index, &residues) }
        index +=
          Code.holds(instruction.code, value, instruction.constant)
          ? instruction.yes : instruction.no
      default: return nil
      }
    }
    return nil
  }

  private mutating func load(
    _ offset: UInt32, at start: Int, _ residues: inout Residues
  ) -> Int? {
    var (index, mask) = (start, UInt32.max)
    while instructions.indices.contains(index), instructions[index].code == Code.and {
      mask &= instructions[index].constant
      index += 1
    }
    guard let rest = residue(at: index, known: nil, &residues) else { return nil }
    // What is not looked at need not be loaded.
    guard case .test = residues.all[rest] else { return rest }
    return residues.number(of: .load(offset, mask: mask, rest))
  }

  private mutating func test(
    _ instruction: Instruction, at index: Int, _ residues: inout Residues
  ) -> Int? {
    guard let yes = residue(at: index + instruction.yes, known: nil, &residues),
      let no = residue(at: index + instruction.no, known: nil, &residues)
    else { return nil }
    guard yes != no else { return yes }
    return residues.number(of: .test(instruction.code, instruction.constant, yes: yes, no: no))
  }
}

// MARK: - Writing

/// Writes a program from its end to its beginning, so that what is jumped to is there already.
private struct Writer {
  /// The last instruction first.
  private var reversed: [UInt64] = []
  private let residues: Residues
  private var places: [Int: Int] = [:]

  init(_ residues: Residues) {
    self.residues = residues
  }

  /// The distance that the two targets of a comparison can have.
  private static let reach = 255

  mutating func write(_ program: Specialized) -> [UInt64] {
    var next = search(program.others[...])
    for (token, ranges) in program.architectures.reversed() {
      let match = search(ranges[...], loading: true)
      next = branch(Code.jumpIfEqual, token, yes: match, no: next)
    }
    append(Code.load, Code.architecture)
    return reversed.reversed()
  }

  /// Writes the search for a number's range.
  /// - Returns: The place of its first instruction.
  private mutating func search(
    _ ranges: ArraySlice<Specialized.Range>, loading: Bool = false
  ) -> Int {
    let start = tree(ranges)
    guard loading else { return start }
    jump(to: start)
    return append(Code.load, Code.number)
  }

  private mutating func tree(_ ranges: ArraySlice<Specialized.Range>) -> Int {
    guard ranges.count > 1 else { return place(ranges[ranges.startIndex].residue) }
    let middle = ranges.startIndex + ranges.count / 2
    let above = tree(ranges[middle...])
    let below = tree(ranges[..<middle])
    return branch(Code.jumpIfGreaterOrEqual, ranges[middle].first, yes: above, no: below)
  }

  /// The place of `residue`, which is written where it is not there or too far away.
  private mutating func place(_ residue: Int) -> Int {
    if let place = places[residue], reversed.count - place < Writer.reach - 8 { return place }
    let place =
      switch residues.all[residue] {
      case .answer(let value): append(Code.answer, value)
      case .test(let code, let constant, let yes, let no):
        branch(code, constant, yes: self.place(yes), no: self.place(no))
      case .load(let offset, let mask, let rest): load(offset, mask, rest)
      }
    places[residue] = place
    return place
  }

  private mutating func load(_ offset: UInt32, _ mask: UInt32, _ rest: Int) -> Int {
    jump(to: place(rest))
    if mask != UInt32.max { append(Code.and, mask) }
    return append(Code.load, offset)
  }

  /// Writes a jump, unless what was written last is what it would lead to.
  private mutating func jump(to place: Int) {
    let distance = reversed.count - place - 1
    if distance > 0 { append(Code.jump, UInt32(distance)) }
  }

  private mutating func branch(_ code: UInt16, _ constant: UInt32, yes: Int, no: Int) -> Int {
    let (yes, no) = (near(yes), near(no))
    // The second jump may have moved the first target away by one.
    let distances = (reversed.count - yes - 1, reversed.count - no - 1)
    return append(code, constant, yes: distances.0, no: distances.1)
  }

  /// A place in reach that leads to `place`.
  private mutating func near(_ place: Int) -> Int {
    let distance = reversed.count - place - 1
    // With room for the second target's jump.
    guard distance > Writer.reach - 1 else { return place }
    return append(Code.jump, UInt32(distance))
  }

  @discardableResult private mutating func append(
    _ code: UInt16, _ constant: UInt32, yes: Int = 0, no: Int = 0
  ) -> Int {
    reversed.append(
      UInt64(code) | UInt64(yes) << 16 | UInt64(no) << 24 | UInt64(constant) << 32)
    return reversed.count - 1
  }
}
