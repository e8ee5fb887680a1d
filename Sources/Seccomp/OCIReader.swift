// SPDX-License-Identifier: Apache-2.0
// Policies as container engines write them: "seccomp" of the OCI's runtime-spec, and what the default
// files of Docker and Podman add to that. They mean what runc and libseccomp make of them: a rule
// without conditions beats those that have some, and the first of several counts. Where conditions
// with different actions overlap, libseccomp's answer depends on its sorting; here the strictest one
// counts.

internal import Linux
internal import SystemPackage
internal import Text

/// A policy of an OCI file.
struct OCIPolicy {
  let otherwise: SeccompAction
  let architectures: [Architecture]
  /// In the order that lines of a policy have: later ones override earlier ones.
  let rules: [Rule]

  /// Whether a text is JSON rather than lines of a policy.
  static func isOne(_ content: String) -> Bool {
    content.utf8.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == UInt8(ascii: "{")
  }
}

extension OCIPolicy {
  /// Reads a file for a machine.
  /// - Parameters:
  ///   - text: The file.
  ///   - native: The machine's architecture.
  ///   - kernel: The machine's release of Linux.
  /// - Throws: `PolicyError` at the first mistake.
  init(
    _ text: PolicyText, for native: Architecture, kernel: [Int]
  ) throws(PolicyError) {
    let top = try JSONNode(text.content, of: text.name).members([
      "defaultAction", "defaultErrnoRet", "defaultErrno", "architectures", "archMap", "flags",
      "listenerPath", "listenerMetadata", "syscalls",
    ])
    guard let action = top["defaultAction"] else {
      throw PolicyError("\(text.name): the member \"defaultAction\" is missing")
    }
    otherwise = try OCIPolicy.action(
      action, number: top["defaultErrnoRet"], name: top["defaultErrno"])
    architectures = try OCIPolicy.architectures(top, native)
    var found: [(rule: Rule, isFirst: Bool)] = []
    let machine = Machine(native: native, kernel: kernel)
    var isBare: Set<String> = []
    for entry in try top["syscalls"]?.elements() ?? [] {
      for rule in try OCIPolicy.rules(entry, on: machine) where rule.action != otherwise {
        var rule = rule
        if rule.comparisons.isEmpty {
          // The first one of a call without conditions counts.
          let targets = rule.targets.filter { isBare.insert($0.name).inserted }
          rule = Rule(action: rule.action, targets: targets, comparisons: [])
        }
        found.append((rule, rule.comparisons.isEmpty))
      }
    }
    let conditional = found.filter { !$0.isFirst }.map(\.rule)
    rules =
      conditional.sorted { $0.action.severity < $1.action.severity }
      + found.filter(\.isFirst).map(\.rule)
  }

  /// What rules may depend on.
  private struct Machine {
    let native: Architecture
    let kernel: [Int]

    /// The name that Go has for the architecture.
    var name: String { native.name == "x86_64" ? "amd64" : "arm64" }
  }

  // MARK: Architectures

  private static func architectures(
    _ top: [String: JSONNode], _ native: Architecture
  ) throws(PolicyError) -> [Architecture] {
    var result = [native]
    func add(_ node: JSONNode) throws(PolicyError) {
      let text = try node.text()
      guard text.hasPrefix("SCMP_ARCH_") else {
        throw node.mistake("expected an architecture, as SCMP_ARCH_X86_64")
      }
      let name = text.dropFirst("SCMP_ARCH_".count).lowercased()
      // Those of other machines are no concern of this one.
      if native.accompanies.contains(name), let architecture = Architecture(named: name),
        !result.contains(architecture)
      {
        result.append(architecture)
      }
    }
    for node in try top["architectures"]?.elements() ?? [] { try add(node) }
    for node in try top["archMap"]?.elements() ?? [] {
      let members = try node.members(["architecture", "subArchitectures"])
      guard try members["architecture"]?.text() == "SCMP_ARCH_\(native.name.uppercased())" else {
        continue
      }
      for node in try members["subArchitectures"]?.elements() ?? [] { try add(node) }
    }
    return result
  }

  // MARK: Rules

  private static func rules(_ entry: JSONNode, on machine: Machine) throws(PolicyError) -> [Rule] {
    let members = try entry.members([
      "name", "names", "action", "errnoRet", "errno", "args", "comment", "includes", "excludes",
    ])
    var names = try members["names"]?.texts() ?? []
    if let name = members["name"] { names.append(try name.text()) }
    guard !names.isEmpty else { throw entry.mistake("expected \"names\" of system calls") }
    guard let word = members["action"] else { throw entry.mistake("expected an \"action\"") }
    let action = try action(word, number: members["errnoRet"], name: members["errno"])
    let conditions = try comparisons(members["args"])
    if let node = members["includes"], try !isMet(node, machine, whereAny: false) { return [] }
    if let node = members["excludes"], try isMet(node, machine, whereAny: true) { return [] }
    let position = Position(file: entry.file, line: nil, column: 1)
    // As runc, skip what the machine does not know.
    let targets = names.filter(Architecture.isKnown).map { name in
      Rule.Target.call(name, mayBeMissing: true, position)
    }
    guard let conditions else { return [] }
    return conditions.map { Rule(action: action, targets: targets, comparisons: $0) }
  }

  /// Whether the command's capabilities, the machine and the kernel are those of a filter.
  ///
  /// A command is taken for one without capabilities, which is what an ordinary user's has.
  private static func isMet(
    _ node: JSONNode, _ machine: Machine, whereAny: Bool
  ) throws(PolicyError) -> Bool {
    let members = try node.members(["caps", "arches", "minKernel"])
    var answers: [Bool] = []
    if let caps = try members["caps"]?.texts(), !caps.isEmpty { answers.append(false) }
    if let arches = try members["arches"]?.texts(), !arches.isEmpty {
      answers.append(arches.contains(machine.name))
    }
    if let least = members["minKernel"] {
      let text = try least.text()
      let numbers = text.split(separator: ".").map { Int($0) }
      guard numbers.count == 2, let major = numbers[0], let minor = numbers[1] else {
        throw least.mistake("expected a release of Linux, as \"4.8\"")
      }
      answers.append(!machine.kernel.lexicographicallyPrecedes([major, minor]))
    }
    return whereAny ? answers.contains(true) : !answers.contains(false)
  }

  /// The conditions under which a rule holds, each one of several comparisons; nil if it never does.
  private static func comparisons(_ node: JSONNode?) throws(PolicyError) -> [[Comparison]]? {
    var all: [Comparison] = []
    var isNever = false
    let nodes = try node?.elements() ?? []
    for node in nodes {
      let comparison = try comparison(node)
      if let isTrue = comparison.constant {
        if !isTrue { isNever = true }
      } else {
        all.append(comparison)
      }
    }
    // As runc, take comparisons for alternatives if two of them are about one argument.
    if Set(all.map(\.argument)).count < all.count { return all.map { [$0] } }
    return isNever ? nil : [all]
  }

  private static let relations: [String: Comparison.Relation] = [
    "SCMP_CMP_NE": .notEqual, "SCMP_CMP_LT": .less, "SCMP_CMP_LE": .lessOrEqual,
    "SCMP_CMP_EQ": .equal, "SCMP_CMP_GE": .greaterOrEqual, "SCMP_CMP_GT": .greater,
    "SCMP_CMP_MASKED_EQ": .equal,
  ]

  private static func comparison(_ node: JSONNode) throws(PolicyError) -> Comparison {
    let members = try node.members(["index", "value", "valueTwo", "op"])
    guard let index = members["index"], let value = members["value"], let word = members["op"]
    else { throw node.mistake("expected \"index\", \"value\" and \"op\"") }
    let name = try word.text()
    guard let relation = relations[name] else {
      throw word.mistake(
        "expected a comparison, as SCMP_CMP_EQ, found \(ByteString(name).quoted)"
          + PolicyError.suggestion(for: name, among: relations.keys.sorted()))
    }
    let argument = Int(try index.number(atMost: 5))
    let first = try value.number()
    let second = try members["valueTwo"]?.number() ?? 0
    let isMasked = name == "SCMP_CMP_MASKED_EQ"
    let number = isMasked ? second : first
    let mask = isMasked ? first : nil
    let text =
      "arg\(String(argument)):64 \(mask.map { "& \(String($0)) " } ?? "")\(relation.rawValue) "
      + String(number)
    return Comparison(
      argument: argument, isWide: true, mask: mask, relation: relation, value: number, text: text)
  }

  // MARK: Actions

  private static let largestErrno: UInt64 = 4095

  private static func action(
    _ node: JSONNode, number: JSONNode?, name: JSONNode?
  ) throws(PolicyError) -> SeccompAction {
    let word = try node.text()
    switch word {
    case "SCMP_ACT_ALLOW": return .allow
    case "SCMP_ACT_LOG": return .log
    case "SCMP_ACT_TRAP": return .trap
    // The whole process ends, also where a thread alone was meant to.
    case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS": return .kill
    case "SCMP_ACT_ERRNO":
      if let number {
        return .errno(Errno(rawValue: CInt(try number.number(atMost: largestErrno))))
      }
      guard let name else { return .errno(.notPermitted) }
      guard let errno = ErrorNames.error(named: try name.text()) else {
        throw name.mistake("expected the name of an error, as EPERM")
      }
      return .errno(errno)
    case "SCMP_ACT_TRACE", "SCMP_ACT_NOTIFY":
      throw node.mistake("\(word) needs another program that decides; nestbox has none")
    default:
      throw node.mistake(
        "expected an action, as SCMP_ACT_ERRNO, found \(ByteString(word).quoted)")
    }
  }
}

extension SeccompAction {
  /// A number that is higher for a stricter action.
  fileprivate var severity: Int {
    switch self {
    case .allow: 0
    case .log: 1
    case .errno: 2
    case .trap: 3
    case .kill: 4
    }
  }
}

extension Rule.Target {
  fileprivate var name: String {
    switch self {
    case .call(let name, _, _): name
    case .known: "@known"
    }
  }
}

extension Comparison {
  /// The result, if it is the same for every argument.
  fileprivate var constant: Bool? {
    guard isConstant else { return nil }
    return switch relation {
    // Of no bit: 0 is 0. Bits outside the mask are never set.
    case .equal: value & ~(mask ?? limit) == 0
    case .notEqual: value & ~(mask ?? limit) != 0
    case .less, .greater: false
    case .lessOrEqual, .greaterOrEqual: true
    }
  }
}
