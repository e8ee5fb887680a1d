// SPDX-License-Identifier: Apache-2.0
// A compiled filter of system calls.

public import Linux

/// What is wrong with a compiled filter.
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
  /// The instructions, eight bytes each.
  public let instructions: [UInt8]

  /// The most instructions that the kernel takes (BPF_MAXINSNS).
  static let maximum = 4096

  /// Takes over compiled instructions.
  public init(_ instructions: [UInt8]) throws(SeccompError) {
    guard !instructions.isEmpty, instructions.count % 8 == 0,
      instructions.count <= SeccompProgram.maximum * 8
    else { throw .malformed(size: instructions.count) }
    self.instructions = instructions
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

  /// Puts the calling process and its children under the program.
  public func install() throws(SystemCallError) {
    try CurrentProcess.installFilter(instructions)
  }
}
