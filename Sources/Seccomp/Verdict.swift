// SPDX-License-Identifier: Apache-2.0
// Runs a program as the kernel does. Where calls are watched, the kernel asks the watcher in place
// of giving the policy's answer, so the watcher works that answer out.

public import Linux
public import SystemPackage

/// What a policy says about one call.
public enum Verdict: Equatable, Sendable {
  /// The call is carried out.
  case permits
  /// It fails with this error.
  case refuses(Errno)
}

extension SeccompProgram {
  /// What the program says about `call`.
  ///
  /// Anything that is not plainly a permission is a refusal.
  public func verdict(on call: CallData) -> Verdict {
    guard let answer = answer(to: call) else { return .refuses(.notPermitted) }
    switch answer & 0xffff_0000 {
    case SeccompAction.allow.code, SeccompAction.log.code: return .permits
    // The kernel cuts larger numbers to the largest error.
    case 0x0005_0000: return .refuses(Errno(rawValue: CInt(min(answer & 0xffff, 4095))))
    default: return .refuses(.notPermitted)
    }
  }

  /// What the program returns for `call`; nil where it has an instruction that nestbox never writes,
  /// or no end.
  ///
  /// Jumps only go forward, so it ends. See linux/Documentation/networking/filter.rst.
  package func answer(to call: CallData) -> UInt32? {
    var accumulator: UInt32 = 0
    var index = 0
    while index < instructions.count {
      let instruction = instructions[index]
      let constant = UInt32(truncatingIfNeeded: instruction >> 32)
      let (yes, no) = (Int(instruction >> 16 & 0xff), Int(instruction >> 24 & 0xff))
      index += 1
      switch UInt16(truncatingIfNeeded: instruction) {
      case InstructionCode.load:
        guard let word = call.word(at: constant) else { return nil }
        accumulator = word
      case InstructionCode.and: accumulator &= constant
      case InstructionCode.jump: index += Int(constant)
      case InstructionCode.jumpIfEqual: index += accumulator == constant ? yes : no
      case InstructionCode.jumpIfGreater: index += accumulator > constant ? yes : no
      case InstructionCode.jumpIfGreaterOrEqual: index += accumulator >= constant ? yes : no
      case InstructionCode.jumpIfBits: index += accumulator & constant != 0 ? yes : no
      case InstructionCode.answer: return constant
      default: return nil
      }
    }
    return nil
  }
}

extension CallData {
  /// The flags of unshare(2) and clone(2) for new namespaces.
  static let newNamespaces: UInt32 = 0x7e02_0080
  private static let newUserNamespace: UInt64 = 0x1000_0000

  /// Whether the first argument asks for a new user namespace.
  public var asksForUserNamespace: Bool { arguments[0] & CallData.newUserNamespace != 0 }

  /// Whether the first argument asks for new namespaces, and for no user namespace, which would give the
  /// capability for the others.
  public var asksForNamespaces: Bool {
    arguments[0] & UInt64(CallData.newNamespaces) != 0 && !asksForUserNamespace
  }

  /// The 32 bits at `offset` of struct seccomp_data; nil for those that no program of nestbox reads.
  fileprivate func word(at offset: UInt32) -> UInt32? {
    switch offset {
    case InstructionCode.number: return number
    case InstructionCode.architecture: return architecture
    case 16..<64 where offset % 4 == 0:
      let argument = arguments[Int(offset - 16) / 8]
      return UInt32(truncatingIfNeeded: offset % 8 == 0 ? argument : argument >> 32)
    default: return nil
    }
  }
}

extension SeccompProgram {
  /// Whether the program hands calls to a tracer or a listener, or answers in a way that is not
  /// understood: a younger listener would be asked in their place.
  public var asksOthers: Bool {
    instructions.contains { instruction in
      let code = UInt16(truncatingIfNeeded: instruction)
      let action = UInt32(truncatingIfNeeded: instruction >> 32) & 0xffff_0000
      return code == 0x16
        || code == InstructionCode.answer && (action == WatchList.notify || action == 0x7ff0_0000)
    }
  }
}
