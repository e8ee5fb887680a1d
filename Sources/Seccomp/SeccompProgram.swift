// SPDX-License-Identifier: Apache-2.0
// A compiled filter of system calls.

public import Linux
internal import Text

/// Why a compiled filter cannot be used.
public enum SeccompError: Error, Equatable, Sendable {
  /// It could not be read.
  case unreadable(SystemCallError)
  /// It has this many bytes, which are not whole instructions, or none, or too many.
  case malformed(size: Int)
}

/// A program of classic BPF instructions, as `seccomp_export_bpf` writes it.
///
/// See seccomp(2).
public struct SeccompProgram: Equatable, Sendable {
  /// The instructions, each as its eight bytes lie in memory: struct sock_filter.
  public let instructions: [UInt64]

  /// The most instructions that the kernel takes (BPF_MAXINSNS).
  static let maximum = 4096

  /// Takes over compiled instructions.
  init(instructions: [UInt64]) {
    self.instructions = instructions
  }

  /// Takes over compiled instructions as bytes.
  public init(_ bytes: [UInt8]) throws(SeccompError) {
    guard !bytes.isEmpty, bytes.count % 8 == 0, bytes.count <= SeccompProgram.maximum * 8
    else { throw .malformed(size: bytes.count) }
    instructions = stride(from: 0, to: bytes.count, by: 8).map { start in
      var instruction: UInt64 = 0
      for index in 0..<8 { instruction |= UInt64(bytes[start + index]) << UInt64(8 * index) }
      return UInt64(littleEndian: instruction)
    }
  }

  /// Reads the program from an open descriptor to its end.
  public init(readFrom descriptor: CInt) throws(SeccompError) {
    let bytes: [UInt8]
    do throws(SystemCallError) {
      bytes = try Descriptors.contents(of: descriptor)
    } catch {
      throw .unreadable(error)
    }
    try self.init(bytes)
  }

  /// The program as the bytes that the kernel and other launchers take.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(instructions.count * 8)
    for instruction in instructions {
      for shift in 0..<8 {
        bytes.append(UInt8(truncatingIfNeeded: instruction >> UInt64(8 * shift)))
      }
    }
    return bytes
  }

  /// Puts the calling process and its children under the program.
  public func install() throws(SystemCallError) {
    try CurrentProcess.installFilter(instructions)
  }
}

extension SeccompProgram {
  /// The placeholder in a program for the word that the launcher passes on executing the command:
  /// "nestbox1" in ASCII; nothing else uses either half.
  static let placeholder: UInt64 = 0x6e65_7374_626f_7831

  /// Whether programs are executed only by a process that passes that word.
  public var executesOnce: Bool {
    instructions.contains {
      SeccompProgram.isComparison($0, with: UInt32(truncatingIfNeeded: SeccompProgram.placeholder))
    }
  }

  /// The program for a launch in which `word` is passed; nil where one half of it would not be
  /// looked at.
  public func executingOnce(with word: UInt64) -> SeccompProgram? {
    var isComplete = true
    var sealed = instructions
    for shift in [UInt64(0), 32] {
      let half = UInt32(truncatingIfNeeded: SeccompProgram.placeholder >> shift)
      let places = sealed.indices.filter { SeccompProgram.isComparison(sealed[$0], with: half) }
      isComplete = isComplete && !places.isEmpty
      for index in places {
        sealed[index] = sealed[index] & 0xffff_ffff | (word >> shift & 0xffff_ffff) << 32
      }
    }
    return isComplete ? SeccompProgram(instructions: sealed) : nil
  }

  /// Whether an instruction is BPF_JMP | BPF_JEQ | BPF_K with `constant`.
  private static func isComparison(_ instruction: UInt64, with constant: UInt32) -> Bool {
    instruction & 0xffff == 0x15 && instruction >> 32 == UInt64(constant)
  }
}
