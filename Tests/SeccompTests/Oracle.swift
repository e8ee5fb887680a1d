// SPDX-License-Identifier: Apache-2.0
// Filters as libseccomp makes them, which ours have to agree with.

import CLibseccomp
import Foundation

@testable import Seccomp

enum Oracle {
  /// libseccomp's filter for one call, or nil where it cannot say the same.
  ///
  /// It has one action for a call, and another one for the arguments of which no rule holds.
  static func program(
    for call: Architecture.Call, _ decision: Decision, on architecture: Architecture
  ) throws -> SeccompProgram? {
    // It takes every architecture's numbers for those of this machine.
    let number = unsafe seccomp_syscall_resolve_name(call.name)
    guard let first = decision.clauses.first, number != __NR_SCMP_ERROR,
      architecture.name != "x32", !["ipc", "socketcall"].contains(call.name),
      decision.clauses.allSatisfy({ $0.action == first.action && $0.isExpressible })
    else { return nil }
    seccomp_api_set(3)
    let context = unsafe seccomp_init(decision.otherwise.code)
    defer { unsafe seccomp_release(context) }
    let token = unsafe seccomp_arch_resolve_name(architecture.name)
    if token != seccomp_arch_native() {
      unsafe seccomp_arch_add(context, token)
      unsafe seccomp_arch_remove(context, seccomp_arch_native())
    }
    for clause in decision.clauses {
      let tests = clause.comparisons.map(\.libraryTest)
      let status = unsafe seccomp_rule_add_array(
        context, first.action.code, number, UInt32(tests.count), tests)
      // Two lines may say the same, which it refuses.
      guard status == 0 || status == -EEXIST else { return nil }
    }
    guard let file = unsafe tmpfile() else { return nil }
    defer { unsafe fclose(file) }
    guard unsafe seccomp_export_bpf(context, fileno(file)) == 0 else { return nil }
    unsafe rewind(file)
    return try SeccompProgram(readFrom: unsafe fileno(file))
  }
}

extension Decision.Clause {
  /// Whether libseccomp has a test for each comparison, and no argument is looked at twice.
  fileprivate var isExpressible: Bool {
    Set(comparisons.map(\.argument)).count == comparisons.count
      && comparisons.allSatisfy { comparison in
        comparison.relation == .equal || comparison.isWide && comparison.mask == nil
      }
  }
}

extension Comparison {
  /// Only the masked test can pass over the upper half of an argument.
  fileprivate var libraryTest: scmp_arg_cmp {
    let argument = UInt32(argument)
    func plain(_ test: scmp_compare) -> scmp_arg_cmp {
      scmp_arg_cmp(arg: argument, op: test, datum_a: value, datum_b: 0)
    }
    return switch relation {
    case .equal:
      scmp_arg_cmp(
        arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask ?? limit, datum_b: value)
    case .notEqual: plain(SCMP_CMP_NE)
    case .less: plain(SCMP_CMP_LT)
    case .lessOrEqual: plain(SCMP_CMP_LE)
    case .greater: plain(SCMP_CMP_GT)
    case .greaterOrEqual: plain(SCMP_CMP_GE)
    }
  }
}
