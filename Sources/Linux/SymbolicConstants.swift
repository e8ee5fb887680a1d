// SPDX-License-Identifier: Apache-2.0
// Constants of the kernel by name.

internal import CLinux

/// The constants with which a policy compares arguments of system calls.
public enum SymbolicConstants {
  /// The value of the constant `name`; a negative one as the 32 bits of an int.
  ///
  /// Nil if no constant has this name.
  public static func value(of name: String) -> UInt64? {
    all.first { $0.name == name }?.value
  }

  /// Every constant, by subject.
  public static var all: [(name: String, value: UInt64)] {
    var constants: [(name: String, value: UInt64)] = []
    var value: UInt64 = 0
    while let name = unsafe linux_constant(CInt(constants.count), &value) {
      constants.append((unsafe String(cString: name), value))
    }
    return constants
  }
}
