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
enum Residue: Hashable {
  /// An answer.
  case answer(UInt32)
  /// A look at 32 bits of the arguments, of which those of the mask count.
  case load(UInt32, mask: UInt32, Int)
  /// A comparison of what was loaded, by the instruction's own code.
  case test(UInt16, UInt32, yes: Int, no: Int)
}

/// Steps, each kept once, so that two numbers are the same where what is done is the same.
struct Residues {
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
    var writer = ProgramWriter(specializer.residues)
    let shorter = SeccompProgram(instructions: writer.write(specialized))
    return shorter.instructions.count < instructions.count ? shorter : self
  }
}

/// The instructions that libseccomp writes, of linux/bpf_common.h.
enum InstructionCode {
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
struct Instruction {
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
