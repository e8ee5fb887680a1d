// SPDX-License-Identifier: Apache-2.0
// The module Seccomp turns policies of system calls into programs for the kernel: it reads a
// policy's text, compiles it, and explains what it does with each call. Libseccomp gives the names
// and numbers of the calls. The built-in policies are compiled beforehand (Generated/).
//
// This file: a policy as a value, lines about system calls. Of the lines that name a call, the last
// one that applies decides.

internal import Linux
public import SystemPackage
internal import Text

/// What happens to a system call.
public enum SeccompAction: Hashable, Sendable {
  /// The kernel carries it out.
  case allow
  /// The kernel carries it out and notes it in its log.
  case log
  /// It fails, and nothing else happens.
  case errno(Errno)
  /// The thread that made it gets SIGSYS, which it may catch.
  case trap
  /// The process that made it ends by SIGSYS.
  case kill

  /// The word that policies have for it.
  public var name: String {
    switch self {
    case .allow: "allow"
    case .log: "log"
    case .errno: "errno"
    case .trap: "trap"
    case .kill: "kill"
    }
  }

  /// The words of a policy for it, as `errno EPERM`.
  public var description: String {
    guard case .errno(let error) = self else { return name }
    return "errno " + (ErrorNames.name(of: error) ?? String(error.rawValue))
  }
}

/// A policy: it says what happens to every system call.
public struct Policy: Sendable {
  /// The name or path that the user typed.
  public let name: String
  /// What happens to calls that no line names.
  public internal(set) var otherwise: SeccompAction
  /// What happens to calls of other architectures.
  public internal(set) var foreign: SeccompAction
  /// The architectures that it covers, the machine's own first.
  public internal(set) var architectures: [Architecture]
  /// The lines; later ones override earlier ones.
  var rules: [Rule]
}

/// A line about system calls.
struct Rule: Sendable {
  let action: SeccompAction
  let targets: [Target]
  /// The line applies if all of these hold.
  let comparisons: [Comparison]

  /// What a line names.
  enum Target: Sendable {
    /// A call. If it may be missing, the line ignores it on architectures without it.
    case call(String, mayBeMissing: Bool, Position)
    /// Every known call.
    case known
  }
}

/// A comparison of one argument.
public struct Comparison: Equatable, Sendable {
  /// The number of the argument, 0 to 5.
  public let argument: Int
  /// Whether all 64 bits count; otherwise the lower 32 do, which is all that the kernel reads of
  /// an int.
  public let isWide: Bool
  /// The bits to compare, if not all.
  public let mask: UInt64?
  /// How.
  public let relation: Relation
  /// With what.
  public let value: UInt64
  /// The comparison as it was written.
  public let text: String

  /// A relation of two unsigned numbers.
  public enum Relation: String, CaseIterable, Sendable {
    /// Both are the same.
    case equal = "=="
    /// They differ.
    case notEqual = "!="
    /// The argument is less.
    case less = "<"
    /// The argument is not greater.
    case lessOrEqual = "<="
    /// The argument is greater.
    case greater = ">"
    /// The argument is not less.
    case greaterOrEqual = ">="
  }

  /// The largest number that the argument can be.
  var limit: UInt64 { isWide ? UInt64.max : UInt64(UInt32.max) }

  /// Whether it is true of no argument, or of every one.
  var isConstant: Bool {
    switch relation {
    case .equal, .notEqual: value & ~(mask ?? limit) != 0 || mask == 0
    case .less, .greaterOrEqual: value == 0
    case .greater, .lessOrEqual: value >= limit
    }
  }

  /// Whether it is true of `argument`.
  public func holds(for argument: UInt64) -> Bool {
    let argument = argument & (mask ?? limit) & limit
    return switch relation {
    case .equal: argument == value
    case .notEqual: argument != value
    case .less: argument < value
    case .lessOrEqual: argument <= value
    case .greater: argument > value
    case .greaterOrEqual: argument >= value
    }
  }
}

/// What happens to one system call of one architecture.
public struct Decision: Equatable, Sendable {
  /// The clauses in order; the first that holds decides.
  public let clauses: [Clause]
  /// What happens if none holds.
  public let otherwise: SeccompAction

  init(clauses: [Clause], otherwise: SeccompAction) {
    self.clauses = clauses
    self.otherwise = otherwise
  }

  /// The same for all arguments.
  public init(otherwise: SeccompAction) {
    self.init(clauses: [], otherwise: otherwise)
  }

  /// An action for some arguments only.
  public struct Clause: Equatable, Sendable {
    /// The clause holds if all of these do.
    public let comparisons: [Comparison]
    /// What happens then.
    public let action: SeccompAction
  }

  /// The decision for a call with these arguments.
  public func action(for arguments: [UInt64]) -> SeccompAction {
    let clause = clauses.first { clause in
      clause.comparisons.allSatisfy { $0.holds(for: arguments[$0.argument]) }
    }
    return clause?.action ?? otherwise
  }
}

extension Policy {
  /// The decisions for all system calls of `architecture` that a line names.
  /// - Throws: `PolicyError` if a line names a call that the architecture does not have.
  func decisions(on architecture: Architecture) throws(PolicyError) -> [String: Decision] {
    var decisions: [String: (clauses: [Decision.Clause], otherwise: SeccompAction)] = [:]
    let calls = Set(architecture.calls.map(\.name))
    for rule in rules {
      for name in try rule.names(among: calls, of: architecture, among: architectures) {
        if rule.comparisons.isEmpty {
          decisions[name] = ([], rule.action)
        } else {
          // The latest line comes first.
          let clause = Decision.Clause(comparisons: rule.comparisons, action: rule.action)
          decisions[name, default: ([], otherwise)].clauses.insert(clause, at: 0)
        }
      }
    }
    return decisions.mapValues { clauses, otherwise in
      // Clauses at the end that change nothing are left out.
      let last = clauses.lastIndex { $0.action != otherwise }
      return Decision(
        clauses: last.map { Array(clauses[...$0]) } ?? [], otherwise: otherwise)
    }
  }
}

extension Rule {
  /// The names among `calls`, those of `architecture`, that the line covers.
  ///
  /// Another one of the policy's architectures may have a call that this one lacks, as 32-bit programs
  /// have socketcall.
  fileprivate func names(
    among calls: Set<String>, of architecture: Architecture, among all: [Architecture]
  ) throws(PolicyError) -> [String] {
    var names: [String] = []
    for target in targets {
      switch target {
      case .known: names += calls
      case .call(let name, let mayBeMissing, let position):
        if calls.contains(name) {
          names.append(name)
        } else if !mayBeMissing, !all.contains(where: { $0.has(name) }) {
          throw PolicyError(
            position,
            "\(architecture.name) has no system call \"\(name)\"; to skip it, begin the line "
              + "with \(action.name)?")
        }
      }
    }
    return names
  }
}

extension Architecture {
  fileprivate func has(_ name: String) -> Bool { calls.contains { $0.name == name } }
}
