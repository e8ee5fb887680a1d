// SPDX-License-Identifier: Apache-2.0
// Reads the text of a policy, line by line. nestbox-policy(5) describes the language.

internal import Linux
internal import SystemPackage
internal import Text

/// Reads the lines of a policy and of those that it includes.
struct PolicyReader {
  private var otherwise: SeccompAction?
  private var foreign = SeccompAction.kill
  private let library: PolicyLibrary
  /// Whether another launcher executes the command, without the word that a filter could check.
  private let isForOthers: Bool
  private var architectures: [Architecture]
  private var rules: [Rule] = []
  private var groups: [String: [Rule.Target]] = [:]
  /// The files that are being read, the innermost one last.
  private var open: [PolicyText] = []

  private static let maximumDepth = 16

  /// A reader that knows the groups of `library`, of policies for programs of `architecture`.
  init(
    _ library: PolicyLibrary = .builtIn, for architecture: Architecture = .native,
    isForOthers: Bool = false
  ) throws(PolicyError) {
    self.library = library
    self.isForOthers = isForOthers
    architectures = [architecture]
    try read(library.groups)
  }

  /// Reads the lines of `text`.
  mutating func read(_ text: PolicyText) throws(PolicyError) {
    if OCIPolicy.isOne(text.content) {
      return add(try OCIPolicy(text, for: architectures[0], kernel: KernelRelease.numbers))
    }
    open.append(text)
    var number = 0
    // A carriage return is a blank; with the newline behind it, it would be one character.
    for line in text.content.unicodeScalars.split(
      separator: "\n", omittingEmptySubsequences: false)
    {
      number += 1
      var words = try Words(String(line), text.name, number)
      guard !words.isEmpty else { continue }
      try readLine(&words)
      if !words.isEmpty { throw .expected("the end of the line", words.next) }
    }
    open.removeLast()
  }

  /// Adds what the file of a container engine says; lines behind it may change that.
  private mutating func add(_ policy: OCIPolicy) {
    otherwise = policy.otherwise
    for architecture in policy.architectures where !architectures.contains(architecture) {
      architectures.append(architecture)
    }
    rules += policy.rules
  }

  /// Adds the line that `option` means: `action` for the calls and groups of a list.
  mutating func add(
    _ action: SeccompAction, _ list: String, option: String
  ) throws(PolicyError) {
    var targets: [Rule.Target] = []
    for name in list.split(separator: ",", omittingEmptySubsequences: false) {
      let position = Position(file: option, line: nil, column: 1)
      let word = Word(text: String(name), position: position)
      targets += try self.targets(word, isTolerant: false)
    }
    rules.append(Rule(action: action, targets: targets, comparisons: []))
  }

  /// What has been read, as the policy `name`.
  func policy(_ name: String) throws(PolicyError) -> Policy {
    guard let otherwise else {
      throw PolicyError("\(name): a line \"default ACTION\" is missing")
    }
    return Policy(
      name: name, otherwise: otherwise, foreign: foreign, architectures: architectures,
      rules: rules)
  }
}

// MARK: - Lines

extension PolicyReader {
  private static let directives = ["default", "foreign", "arch", "include", "group", "exec"]
  private static let actions = ["allow", "log", "errno", "trap", "kill"]

  private mutating func readLine(_ words: inout Words) throws(PolicyError) {
    let first = words.take()
    switch first.text {
    case "default": otherwise = try action(words.take(), &words)
    case "foreign": foreign = try action(words.take(), &words)
    case "arch": try readArchitectures(&words, isTolerant: false)
    case "arch?": try readArchitectures(&words, isTolerant: true)
    case "include": try readInclude(&words)
    case "exec": try readExecution(&words)
    case "group": try readGroup(&words, isTolerant: false)
    case "group?": try readGroup(&words, isTolerant: true)
    default: try readRule(first, &words)
    }
  }

  private mutating func readArchitectures(
    _ words: inout Words, isTolerant: Bool
  ) throws(PolicyError) {
    repeat {
      let word = words.take()
      guard let architecture = Architecture(named: word.text) else {
        throw .expected(
          "an architecture (\(Architecture.names.joined(separator: ", ")))", word,
          among: Architecture.names)
      }
      guard architectures[0].accompanies.contains(architecture.name) else {
        if isTolerant { continue }
        throw PolicyError(
          word.position,
          "\(architectures[0].name) machines do not run programs of "
            + "\(architecture.name); arch? skips it")
      }
      if !architectures.contains(architecture) { architectures.append(architecture) }
    } while !words.isEmpty
  }

  private mutating func readInclude(_ words: inout Words) throws(PolicyError) {
    let word = words.take()
    guard !word.text.isEmpty else { throw .expected("a policy or a file", word) }
    let text = try PolicyText.named(
      ByteString(word.text), from: open.last, library, at: word.position)
    // By what was opened, as a file may have many names.
    guard !open.contains(where: { $0.identity == text.identity }) else {
      throw PolicyError(word.position, "\(word.description) includes itself")
    }
    guard open.count < PolicyReader.maximumDepth else {
      throw PolicyError(word.position, "policies include each other too deeply")
    }
    try read(text)
  }

  private mutating func readGroup(
    _ words: inout Words, isTolerant: Bool
  ) throws(PolicyError) {
    let name = words.take()
    guard name.text.hasPrefix("@"), name.text.count > 1 else {
      throw .expected("the name of a group, as @name", name)
    }
    guard name.text != PolicyReader.known else {
      throw PolicyError(name.position, "@known already means every call")
    }
    var members: [Rule.Target] = []
    while !words.isEmpty { members += try targets(words.take(), isTolerant: isTolerant) }
    // A group serves all architectures, even if some lack a call.
    groups[name.text, default: []] += members.map { target in
      guard case .call(let name, _, let position) = target else { return target }
      return .call(name, mayBeMissing: true, position)
    }
  }

  /// Reads `exec once`: only a process that knows a word, the launcher, executes a program.
  ///
  /// A filter cannot count. But execve(2) has three arguments and the filter sees six: the last one
  /// holds a word that is random in each launch, and the kernel clears registers on exec.
  private mutating func readExecution(_ words: inout Words) throws(PolicyError) {
    let word = words.take()
    guard word.text == "once" else { throw .expected("once", word, among: ["once"]) }
    let calls = ["execve", "execveat"].map { name in
      Rule.Target.call(name, mayBeMissing: true, word.position)
    }
    let comparison = Comparison(
      argument: 5, isWide: true, mask: nil, relation: .equal, value: SeccompProgram.placeholder,
      text: "it executes the command")
    rules.append(Rule(action: .errno(.notPermitted), targets: calls, comparisons: []))
    rules.append(
      Rule(
        action: .allow, targets: [calls[0]], comparisons: isForOthers ? [] : [comparison]))
  }

  private mutating func readRule(
    _ first: Word, _ words: inout Words
  ) throws(PolicyError) {
    let isTolerant = first.text.hasSuffix("?")
    let name = isTolerant ? String(first.text.dropLast()) : first.text
    guard PolicyReader.actions.contains(name) else {
      let all = PolicyReader.actions + PolicyReader.directives
      throw .expected(
        "an action (\(PolicyReader.actions.joined(separator: ", "))) or a directive "
          + "(\(PolicyReader.directives.joined(separator: ", ")))", first, among: all)
    }
    let action = try action(Word(text: name, position: first.position), &words)
    var targets: [Rule.Target] = []
    repeat {
      targets += try self.targets(words.take(), isTolerant: isTolerant)
    } while !words.isEmpty && words.next.text != "if"
    var comparisons: [Comparison] = []
    if words.take("if") {
      repeat { comparisons.append(try comparison(&words)) } while words.take("and")
    }
    rules.append(Rule(action: action, targets: targets, comparisons: comparisons))
  }

  private func action(_ word: Word, _ words: inout Words) throws(PolicyError) -> SeccompAction {
    switch word.text {
    case "allow": return .allow
    case "log": return .log
    case "trap": return .trap
    case "kill": return .kill
    case "errno":
      let name = words.take()
      guard let error = ErrorNames.error(named: name.text) else {
        throw .expected(
          "the name of an error, as EPERM", name, among: ErrorNames.all.map(\.name))
      }
      return .errno(error)
    default:
      throw .expected(
        "an action (\(PolicyReader.actions.joined(separator: ", ")))", word,
        among: PolicyReader.actions)
    }
  }
}

// MARK: - System calls and groups

extension PolicyReader {
  private static let known = "@known"

  /// The calls that `word` names: one, or those of a group.
  private func targets(_ word: Word, isTolerant: Bool) throws(PolicyError) -> [Rule.Target] {
    if word.text == PolicyReader.known { return [.known] }
    if word.text.hasPrefix("@") {
      guard let group = groups[word.text] else {
        throw PolicyError(
          word.position,
          "there is no group \(word.description)"
            + PolicyError.suggestion(
              for: word.text, among: groups.keys.sorted() + [PolicyReader.known]))
      }
      return group
    }
    guard let first = word.text.unicodeScalars.first, ("a"..."z").contains(first) || first == "_"
    else { throw .expected("a system call or a @group", word) }
    if Architecture.isKnown(word.text) {
      return [.call(word.text, mayBeMissing: isTolerant, word.position)]
    }
    if isTolerant { return [] }
    throw PolicyError(
      word.position,
      "unknown system call \(word.description)"
        + PolicyError.suggestion(
          for: word.text, among: architectures.flatMap { $0.calls.map(\.name) }))
  }

  /// The names of the groups.
  var groupNames: [String] { groups.keys.sorted() + [PolicyReader.known] }

  /// The names of the calls in the group `name`.
  func members(of name: String) -> [String] {
    (groups[name] ?? []).compactMap { target in
      guard case .call(let name, _, _) = target else { return nil }
      return name
    }
  }
}

// MARK: - Conditions

extension PolicyReader {
  private func comparison(_ words: inout Words) throws(PolicyError) -> Comparison {
    let start = words
    let (argument, isWide) = try argument(words.take())
    let limit = isWide ? UInt64.max : UInt64(UInt32.max)
    var mask: UInt64?
    if words.take("&") { mask = try value(&words, limit) }
    let word = words.take()
    let relations = Comparison.Relation.allCases.map(\.rawValue)
    guard let relation = Comparison.Relation(rawValue: word.text) else {
      throw .expected("a comparison (\(relations.joined(separator: " ")))", word)
    }
    guard mask == nil || relation == .equal || relation == .notEqual else {
      throw .expected("== or != after a mask", word)
    }
    let value = try value(&words, limit)
    let comparison = Comparison(
      argument: argument, isWide: isWide, mask: mask, relation: relation, value: value,
      text: start.text(before: words))
    // It must be a mistake, and would protect nothing.
    guard !comparison.isConstant else {
      throw PolicyError(word.position, "this comparison has the same result for every argument")
    }
    return comparison
  }

  private func argument(_ word: Word) throws(PolicyError) -> (Int, isWide: Bool) {
    for number in 0...5 {
      if word.text == "arg\(String(number))" { return (number, false) }
      if word.text == "arg\(String(number)):64" { return (number, true) }
    }
    throw .expected("an argument, arg0 to arg5, or arg0:64 to arg5:64 for all of its bits", word)
  }

  /// Numbers and constants, joined by `|`.
  private func value(_ words: inout Words, _ limit: UInt64) throws(PolicyError) -> UInt64 {
    var value: UInt64 = 0
    repeat {
      let word = words.take()
      guard let part = PolicyReader.number(word.text) ?? SymbolicConstants.value(of: word.text)
      else {
        throw .expected(
          "a number or a constant", word, among: SymbolicConstants.all.map(\.name))
      }
      guard part <= limit else {
        throw PolicyError(
          word.position,
          "\(word.description) does not fit into the 32 bits that are compared; "
            + "argN:64 compares all 64")
      }
      value |= part
    } while words.take("|")
    return value
  }

  private static func number(_ text: String) -> UInt64? {
    // Unlike Swift's own reading, this one accepts no sign.
    guard let first = text.unicodeScalars.first, ("0"..."9").contains(first) else { return nil }
    if text.hasPrefix("0x") || text.hasPrefix("0X") {
      return UInt64(text.dropFirst(2), radix: 16)
    }
    if text.hasPrefix("0"), text.utf8.count > 1 { return UInt64(text.dropFirst(), radix: 8) }
    return UInt64(text)
  }
}
