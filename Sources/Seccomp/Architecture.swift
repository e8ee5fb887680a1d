// SPDX-License-Identifier: Apache-2.0
// Architectures and their system calls: names and numbers, which libseccomp knows.

internal import CLibseccomp
internal import Glibc

/// An architecture: a way into the kernel with its own numbers of system calls.
public struct Architecture: Hashable, Sendable {
  /// Its name, as libseccomp has it.
  public let name: String
  /// What libseccomp calls it.
  ///
  /// See seccomp_arch_add(3).
  private let libraryToken: UInt32

  /// The architecture called `name`, or nil where libseccomp does not know it.
  public init?(named name: String) {
    guard Architecture.names.contains(name) else { return nil }
    self.init(known: name)
    guard libraryToken != 0 else { return nil }
  }

  private init(known name: String) {
    self.name = name
    libraryToken = unsafe name.withCString { unsafe seccomp_arch_resolve_name($0) }
  }

  /// What the kernel calls it when it runs a program: AUDIT_ARCH_… of linux/audit.h.
  var token: UInt32 {
    // x32 has the name of x86_64, and a bit in its numbers.
    name == "x32" ? Architecture(known: "x86_64").libraryToken : libraryToken
  }

  /// The bit that is set in all numbers of x32.
  static let x32Bit: UInt32 = 0x4000_0000

  /// The architecture that this program runs on.
  public static var native: Architecture {
    #if arch(x86_64)
      Architecture(known: "x86_64")
    #elseif arch(arm64)
      Architecture(known: "aarch64")
    #else
      #error("the name that libseccomp has for this architecture is missing here")
    #endif
  }

  /// Those that a policy may name: the two that there are built-in policies for, and the others
  /// that the same kernels accept.
  public static let names = ["x86_64", "x86", "x32", "aarch64", "arm"]

  /// The architectures whose programs this one's kernel runs, itself included.
  var accompanies: [String] {
    switch name {
    case "x86_64": ["x86_64", "x86", "x32"]
    case "aarch64": ["aarch64", "arm"]
    default: [name]
    }
  }

  /// Whether its system calls take arguments of 32 bits.
  var hasNarrowArguments: Bool { name == "x86" || name == "arm" }

  /// A system call.
  public struct Call: Equatable, Sendable {
    /// Its name, without a prefix.
    public let name: String
    /// Its number.
    public let number: Int
  }

  /// Every known system call of it, by number.
  public var calls: [Call] {
    let known: [Call] = ranges.flatMap { range in
      range.compactMap { number in
        guard
          let text = unsafe seccomp_syscall_resolve_num_arch(libraryToken, CInt(number))
        else { return nil }
        defer { unsafe free(text) }
        return Call(name: unsafe String(cString: text), number: number)
      }
    }
    let names = Set(known.map(\.name))
    let younger = Architecture.younger.enumerated().map { index, name in
      let bit = self.name == "x32" ? Int(Architecture.x32Bit) : 0
      return Call(name: name, number: bit + Architecture.firstYounger + index)
    }
    return (known + younger.filter { !names.contains($0.name) }).sorted { $0.number < $1.number }
  }

  /// The number of the call `name`, which libseccomp or the list below knows; nil where this
  /// architecture lacks it.
  func number(of name: StaticString) -> UInt32? {
    let number = unsafe UnsafeRawPointer(name.utf8Start).withMemoryRebound(
      to: CChar.self, capacity: name.utf8CodeUnitCount + 1
    ) { unsafe seccomp_syscall_resolve_name_arch(libraryToken, $0) }
    // A negative number stands for a call of another architecture.
    if number >= 0 { return UInt32(number) }
    let bit = self.name == "x32" ? Int(Architecture.x32Bit) : 0
    let index = Architecture.younger.firstIndex { $0.utf8.elementsEqual(name.description.utf8) }
    return index.map { UInt32(bit + Architecture.firstYounger + $0) }
  }

  /// The name of the call `number` on the architecture with this token; nil where nobody knows it.
  public static func callName(_ number: UInt32, token: UInt32) -> String? {
    if let number = CInt(exactly: number),
      let text = unsafe seccomp_syscall_resolve_num_arch(token, number)
    {
      defer { unsafe free(text) }
      return unsafe String(cString: text)
    }
    let index = Int(number & ~x32Bit) - firstYounger
    return younger.indices.contains(index) ? younger[index] : nil
  }

  /// Calls that libseccomp may not know yet, up to Linux 7.0.
  ///
  /// Since Linux 5.1 a new call has the same number everywhere; these begin with `firstYounger`.
  private static let younger = [
    "cachestat", "fchmodat2", "map_shadow_stack", "futex_wake", "futex_wait", "futex_requeue",
    "statmount", "listmount", "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules",
    "mseal", "setxattrat", "getxattrat", "listxattrat", "removexattrat", "open_tree_attr",
    "file_getattr", "file_setattr", "listns", "rseq_slice_yield",
  ]
  private static let firstYounger = 451

  /// Where its numbers lie.
  private var ranges: [Range<Int>] {
    switch name {
    case "x32": [0x4000_0000..<0x4000_0400]
    // The second range is that of the calls which only ARM has.
    case "arm": [0..<1024, 0xf_0000..<0xf_0010]
    default: [0..<1024]
    }
  }

  /// Whether there is a call of that name on any architecture.
  static func isKnown(_ name: String) -> Bool {
    let number = unsafe name.withCString { unsafe seccomp_syscall_resolve_name($0) }
    return number != __NR_SCMP_ERROR || younger.contains(name)
  }
}
