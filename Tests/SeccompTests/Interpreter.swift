// SPDX-License-Identifier: Apache-2.0
// Classic BPF as the kernel runs it for seccomp, to try programs of architectures that this machine
// is not.

@testable import Seccomp

/// What a filter is shown: struct seccomp_data of seccomp(2).
struct SystemCallData {
  var number: UInt32
  /// AUDIT_ARCH_… of linux/audit.h.
  var architecture: UInt32
  var arguments: [UInt64] = [0, 0, 0, 0, 0, 0]

  /// The 32 bits at `offset`.
  func word(at offset: UInt32) -> UInt32? {
    switch offset {
    case 0: return number
    case 4: return architecture
    case 16..<64 where offset % 4 == 0:
      let argument = arguments[Int(offset - 16) / 8]
      return UInt32(truncatingIfNeeded: offset % 8 == 0 ? argument : argument >> 32)
    default: return nil
    }
  }
}

extension SeccompProgram {
  /// What the program returns for `data`, or nil where it does what a filter cannot.
  func result(for data: SystemCallData) -> UInt32? {
    var accumulator: UInt32 = 0
    var index = 0
    while index < instructions.count {
      let instruction = instructions[index]
      let constant = UInt32(truncatingIfNeeded: instruction >> 32)
      let (yes, no) = (Int(instruction >> 16 & 0xff), Int(instruction >> 24 & 0xff))
      index += 1
      switch instruction & 0xffff {
      case 0x20:
        guard let word = data.word(at: constant) else { return nil }
        accumulator = word
      case 0x54: accumulator &= constant
      case 0x05: index += Int(constant)
      case 0x15: index += accumulator == constant ? yes : no
      case 0x25: index += accumulator > constant ? yes : no
      case 0x35: index += accumulator >= constant ? yes : no
      case 0x45: index += accumulator & constant != 0 ? yes : no
      case 0x06: return constant
      default: return nil
      }
    }
    return nil
  }
}
