// SPDX-License-Identifier: Apache-2.0
// The part of libseccomp that makes filters.

internal import CLibseccomp
internal import Glibc
internal import Linux
internal import SystemPackage
internal import Text

/// A filter of one architecture in the making.
///
/// See seccomp_init(3).
@safe struct FilterContext: ~Copyable {
  private let context: scmp_filter_ctx

  private init(otherwise: FilterResult) throws(SystemCallError) {
    // The actions that it accepts would otherwise be those of the kernel that runs now, and a
    // filter is compiled for others as well.
    seccomp_api_set(FilterContext.interface)
    guard let context = unsafe seccomp_init(otherwise.code) else {
      throw SystemCallError(call: "seccomp_init", errno: .noMemory)
    }
    unsafe self.context = unsafe context
  }

  /// A filter without rules.
  ///
  /// It tells the calls of `architecture` apart. `otherwise` is what it returns for those of which
  /// no rule holds, and `foreign` for calls of other architectures.
  static func make(
    _ architecture: Architecture, otherwise: FilterResult, foreign: FilterResult
  ) throws(SystemCallError) -> FilterContext {
    let filter = try FilterContext(otherwise: otherwise)
    try filter.choose(architecture)
    try filter.set(SCMP_FLTATR_ACT_BADARCH, foreign.code)
    // A search tree rather than a list.
    try filter.set(SCMP_FLTATR_CTL_OPTIMIZE, 2)
    return filter
  }

  private borrowing func choose(_ architecture: Architecture) throws(SystemCallError) {
    let native = seccomp_arch_native()
    guard architecture.token != native else { return }
    try check(unsafe seccomp_arch_add(context, architecture.token), "seccomp_arch_add")
    try check(unsafe seccomp_arch_remove(context, native), "seccomp_arch_remove")
  }

  /// KILL_PROCESS and LOG.
  ///
  /// See seccomp_api_set(3).
  private static let interface: UInt32 = 3

  private borrowing func set(
    _ attribute: scmp_filter_attr, _ value: UInt32
  ) throws(SystemCallError) {
    try check(unsafe seccomp_attr_set(context, attribute, value), "seccomp_attr_set")
  }

  deinit { unsafe seccomp_release(context) }

  /// Adds what is returned for the call `name`, where `test` holds if there is one.
  borrowing func add(
    _ result: FilterResult, for name: String, where test: FilterTest? = nil
  ) throws(SystemCallError) {
    // Whatever architecture the filter is for, its rules have the numbers of this machine's.
    let number = unsafe name.withCString { unsafe seccomp_syscall_resolve_name($0) }
    let argument = test.map { test in
      scmp_arg_cmp(
        arg: UInt32(test.argument), op: test.comparison, datum_a: test.first, datum_b: test.second)
    }
    // Not the exact form of it, which refuses arguments of calls that a multiplexer carries out.
    let status = unsafe withUnsafePointer(to: argument ?? scmp_arg_cmp()) { arguments in
      unsafe seccomp_rule_add_array(
        context, result.code, number, test == nil ? 0 : 1, test == nil ? nil : arguments)
    }
    try check(status, "seccomp_rule_add_array")
  }

  /// The filter as a program.
  consuming func program() throws(SystemCallError) -> SeccompProgram {
    let file = try OwnedDescriptor.temporaryFile()
    try check(unsafe seccomp_export_bpf(context, file.rawValue), "seccomp_export_bpf")
    try file.rewind()
    do throws(SeccompError) {
      return try SeccompProgram(readFrom: file.rawValue)
    } catch {
      throw SystemCallError(call: "seccomp_export_bpf", errno: .fileTooLarge)
    }
  }

  private borrowing func check(_ status: CInt, _ call: String) throws(SystemCallError) {
    if status < 0 { throw SystemCallError(call: call, errno: Errno(rawValue: -status)) }
  }
}

/// One test of an argument.
///
/// See seccomp_rule_add(3), SCMP_CMP_MASKED_EQ and the others.
struct FilterTest: Hashable {
  let argument: Int
  let comparison: scmp_compare
  let first: UInt64
  var second: UInt64 = 0
}

/// What a filter returns for a call.
///
/// See seccomp(2), SECCOMP_RET_KILL_PROCESS and the others.
enum FilterResult: Hashable {
  /// What happens to the call.
  case action(SeccompAction)
  /// That another filter decides, which is put behind this one.
  case filter(Int)
  /// What happens to all calls that there is no rule for. Not the action itself, as libseccomp
  /// takes no rule that says the same.
  case otherwise

  /// What marks the number of a filter: an action that policies do not have.
  static let marker: UInt32 = 0x7ff0_0000
  /// How many filters can be told apart by the lower half of what a program returns.
  static let maximumFilters = 0xffff

  /// The value that the program returns.
  var code: UInt32 {
    switch self {
    case .action(.allow): 0x7fff_0000
    case .action(.log): 0x7ffc_0000
    case .action(.errno(let error)): 0x0005_0000 | UInt32(error.rawValue)
    case .action(.trap): 0x0003_0000
    case .action(.kill): 0x8000_0000
    case .otherwise: FilterResult.marker | 0xffff
    case .filter(let index): FilterResult.marker | UInt32(index)
    }
  }
}
