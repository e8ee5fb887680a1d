// SPDX-License-Identifier: Apache-2.0
// Architectures and their system calls, as libseccomp knows them.

internal import CLibseccomp
internal import Glibc

/// The release of libseccomp that this program is linked with.
///
/// See seccomp_version(3).
var libseccompVersion: String {
  guard let version = unsafe seccomp_version()?.pointee else { return "" }
  return "\(String(version.major)).\(String(version.minor)).\(String(version.micro))"
}

/// An architecture as seccomp tells them apart: a way into the kernel with numbers of its own.
public struct Architecture: Hashable, Sendable {
  /// Its name, as libseccomp has it.
  public let name: String
  /// AUDIT_ARCH_… of it.
  ///
  /// See seccomp_arch_add(3).
  let token: UInt32

  /// The architecture called `name`, or nil where libseccomp does not know it.
  public init?(named name: String) {
    let token = unsafe name.withCString { unsafe seccomp_arch_resolve_name($0) }
    guard token != 0, Architecture.names.contains(name) else { return nil }
    self.name = name
    self.token = token
  }

  private init(known name: String) {
    self.name = name
    token = unsafe name.withCString { unsafe seccomp_arch_resolve_name($0) }
  }

  /// The one that this program runs on.
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

  /// The names of those whose programs a kernel of this one runs, itself among them.
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

  /// Every system call that libseccomp knows of it, by number.
  public var calls: [Call] {
    ranges.flatMap { range in
      range.compactMap { number in
        guard let text = unsafe seccomp_syscall_resolve_num_arch(token, CInt(number)) else {
          return nil
        }
        defer { unsafe free(text) }
        return Call(name: unsafe String(cString: text), number: number)
      }
    }
  }

  /// Where its numbers lie.
  private var ranges: [Range<Int>] {
    switch name {
    case "x32": [0x4000_0000..<0x4000_0400]
    // The second range is that of the calls which only ARM has.
    case "arm": [0..<1024, 0xf_0000..<0xf_0010]
    default: [0..<1024]
    }
  }

  /// The calls that carry out others, chosen by an argument, which older programs make in place of
  /// those.
  ///
  /// See socketcall(2), ipc(2).
  var multiplexers: [String] { name == "x86" ? ["ipc", "socketcall"] : [] }

  /// Whether libseccomp knows a call of that name on any architecture.
  static func isKnown(_ name: String) -> Bool {
    unsafe name.withCString { unsafe seccomp_syscall_resolve_name($0) } != __NR_SCMP_ERROR
  }
}
