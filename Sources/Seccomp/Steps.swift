// SPDX-License-Identifier: Apache-2.0
// What a program does about a call once it knows architecture and number.

/// A step, which names the steps after it by number.
enum Step: Hashable {
  /// The program answers.
  case answer(UInt32)
  /// It loads 32 bits of the call's data and keeps those of the mask.
  case load(UInt32, mask: UInt32, Int)
  /// It compares what it loaded, by the code of the instruction.
  case test(UInt16, UInt32, yes: Int, no: Int)
}

/// Steps, each kept once: the same number means that the program does the same.
struct Steps {
  private(set) var all: [Step] = []
  private var numbers: [Step: Int] = [:]

  mutating func number(of step: Step) -> Int {
    if let number = numbers[step] { return number }
    all.append(step)
    numbers[step] = all.count - 1
    return all.count - 1
  }

  /// The first of the steps that decide about a call.
  ///
  /// Where arguments have 32 bits, `hasNarrowArguments`, their upper halves are 0.
  mutating func number(of decision: Decision, hasNarrowArguments: Bool) -> Int {
    // From the end to the beginning, as each step names those after it.
    var next = number(of: .answer(decision.otherwise.code))
    for clause in decision.clauses.reversed() {
      var success = number(of: .answer(clause.action.code))
      for comparison in clause.comparisons.reversed() {
        let halves = Halves(of: comparison, hasNarrowArguments: hasNarrowArguments)
        success = test(comparison, halves, yes: success, no: next)
      }
      next = success
    }
    return next
  }

  private mutating func test(
    _ comparison: Comparison, _ halves: Halves, yes: Int, no: Int
  ) -> Int {
    switch comparison.relation {
    case .equal: equal(halves, yes: yes, no: no)
    case .notEqual: equal(halves, yes: no, no: yes)
    case .greater: ordered(InstructionCode.jumpIfGreater, halves, yes: yes, no: no)
    case .greaterOrEqual: ordered(InstructionCode.jumpIfGreaterOrEqual, halves, yes: yes, no: no)
    // The negation of the two before, because the instruction set lacks these.
    case .less: ordered(InstructionCode.jumpIfGreaterOrEqual, halves, yes: no, no: yes)
    case .lessOrEqual: ordered(InstructionCode.jumpIfGreater, halves, yes: no, no: yes)
    }
  }

  private mutating func equal(_ halves: Halves, yes: Int, no: Int) -> Int {
    var next = yes
    for half in halves.all where half.mask != 0 { next = equal(half, yes: next, no: no) }
    return next
  }

  private mutating func equal(_ half: Halves.Half, yes: Int, no: Int) -> Int {
    // Bits that are all clear, or one that is set, need no separate mask.
    if half.mask != UInt32.max, half.value == 0 {
      return look(half, InstructionCode.jumpIfBits, half.mask, yes: no, no: yes)
    }
    if half.value == half.mask, half.mask.nonzeroBitCount == 1 {
      return look(half, InstructionCode.jumpIfBits, half.mask, yes: yes, no: no)
    }
    return look(half, InstructionCode.jumpIfEqual, half.value, mask: half.mask, yes: yes, no: no)
  }

  /// Compares with `code`: the upper half decides unless both are equal.
  private mutating func ordered(_ code: UInt16, _ halves: Halves, yes: Int, no: Int) -> Int {
    let low = look(halves.low, code, halves.low.value, yes: yes, no: no)
    guard let high = halves.high else { return low }
    let rest = look(high, InstructionCode.jumpIfGreater, high.value, yes: yes, no: no)
    return look(high, InstructionCode.jumpIfEqual, high.value, yes: low, no: rest)
  }

  /// Loads half an argument and tests it.
  private mutating func look(
    _ half: Halves.Half, _ code: UInt16, _ constant: UInt32, mask: UInt32 = UInt32.max, yes: Int,
    no: Int
  ) -> Int {
    if half.isZero { return InstructionCode.holds(code, 0, constant) ? yes : no }
    guard yes != no else { return yes }
    // What comes after and loads the same finds it loaded.
    func loaded(_ next: Int) -> Int {
      if case .load(half.offset, mask, let rest) = all[next] { rest } else { next }
    }
    let test = number(of: .test(code, constant, yes: loaded(yes), no: loaded(no)))
    return number(of: .load(half.offset, mask: mask, test))
  }
}

/// An argument as a program sees it: in two halves; a narrow comparison looks at one of them.
private struct Halves {
  struct Half {
    /// Where it lies in struct seccomp_data, on the little-endian machines that there are.
    let offset: UInt32
    let mask: UInt32
    let value: UInt32
    /// Whether it is 0 in every call.
    var isZero = false
  }

  let low: Half
  let high: Half?

  init(of comparison: Comparison, hasNarrowArguments: Bool) {
    let mask = comparison.mask ?? comparison.limit
    let offset = 16 + 8 * UInt32(comparison.argument)
    low = Half(
      offset: offset, mask: UInt32(truncatingIfNeeded: mask),
      value: UInt32(truncatingIfNeeded: comparison.value))
    guard comparison.isWide else {
      high = nil
      return
    }
    high = Half(
      offset: offset + 4, mask: UInt32(mask >> 32), value: UInt32(comparison.value >> 32),
      isZero: hasNarrowArguments)
  }

  /// The lower half first, as steps are made from the last to the first.
  var all: [Half] { [low] + (high.map { [$0] } ?? []) }
}

/// The instructions of linux/bpf_common.h that programs are made of.
enum InstructionCode {
  static let load: UInt16 = 0x20
  static let and: UInt16 = 0x54
  static let jump: UInt16 = 0x05
  static let jumpIfEqual: UInt16 = 0x15
  static let jumpIfGreater: UInt16 = 0x25
  static let jumpIfGreaterOrEqual: UInt16 = 0x35
  static let jumpIfBits: UInt16 = 0x45
  static let answer: UInt16 = 0x06
  /// Where number and architecture lie in struct seccomp_data.
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
