// SPDX-License-Identifier: Apache-2.0
// What the completions of all shells have in common.

internal import Linux

/// How the words for a kind of operand are found.
struct Completion {
  /// Where they come from, all of these.
  let sources: [Source]
  /// Whether several make one operand, with commas between them.
  var isList = false

  /// Where words come from.
  enum Source: Equatable {
    case files, directories, programs, descriptors, variables
    /// The words themselves.
    case words([String])
    /// A list that the program prints: it knows what it supports and what the user has added since
    /// the script was written.
    case list(Generated)
  }
}

extension Operand.Kind {
  /// How its words are found.
  var completion: Completion {
    switch self {
    case .hostPath, .sandboxPath: Completion(sources: [.files])
    case .hostDirectory, .sandboxDirectory: Completion(sources: [.directories])
    case .descriptor: Completion(sources: [.descriptors])
    case .number, .text, .time: Completion(sources: [])
    case .variable: Completion(sources: [.variables])
    case .variables: Completion(sources: [.variables], isList: true)
    case .capability: Completion(sources: [.list(.capabilities)])
    case .generated: Completion(sources: [.words(Generated.allCases.map(\.rawValue))])
    case .topic: Completion(sources: [.list(.topics)])
    case .program: Completion(sources: [.programs])
    case .profile: Completion(sources: [.list(.profiles), .files])
    case .policy: Completion(sources: [.list(.policies), .files])
    case .calls: Completion(sources: [.list(.systemCalls)], isList: true)
    case .signal: Completion(sources: [.words(Signal.names.map(\.0))])
    case .resource: Completion(sources: [.words(Resource.all.map { $0.name + "=" })])
    case .sandbox: Completion(sources: [.list(.sandboxes)])
    case .review: Completion(sources: [.list(.reviews)])
    case .scopes: Completion(sources: [.words(["abstract-unix", "signal"])], isList: true)
    }
  }
}

extension Option {
  /// Whether repeating it is useful.
  var canBeRepeated: Bool { !operands.isEmpty && !traits.contains(.lastWins) }

  /// The options that have operands, those with the same kinds together.
  static var byKinds: [OptionGroup] {
    var groups: [OptionGroup] = []
    for option in all where !option.operands.isEmpty {
      let kinds = option.operands.map(\.kind)
      if let index = groups.firstIndex(where: { $0.kinds == kinds }) {
        groups[index].names.append(option.name)
      } else {
        groups.append(OptionGroup(kinds: kinds, names: [option.name]))
      }
    }
    return groups
  }

  /// All kinds of operands, of any option.
  static var kinds: [Operand.Kind] {
    let used = Set(all.flatMap { $0.operands.map(\.kind) })
    return Operand.Kind.allCases.filter { used.contains($0) }
  }
}

/// A shell's completion script: what differs between shells.
///
/// `script` goes through the option table once for all shells, in this order.
protocol CompletionScript {
  static var generated: Generated { get }
  /// A first line that the shell wants.
  static var firstLine: String? { get }
  /// The beginning of the function that finds the kinds of words that an option takes.
  static var kindsOpening: String { get }
  /// Appends the case of that function for some options.
  static func appendKinds(of group: OptionGroup, to script: inout Script)
  /// The end of that function, and the functions that the next one calls.
  static var kindsEnd: String { get }
  /// The beginning of the function that completes an operand.
  static var operandOpening: String { get }
  /// The command that offers the words of `source`; with `isList`, several with commas between them.
  static func offering(_ source: Completion.Source, isList: Bool) -> String
  /// The case of that function for the kind of operand called `kind`.
  static func operand(_ kind: String, _ commands: [String]) -> String
  /// The end of that function.
  static var operandEnd: String { get }
  /// Appends the function that completes options. Those in `once` are offered only once.
  static func appendOptions(once: [Option], often: [Option], to script: inout Script)
  /// The function that finds out what the word at the cursor is.
  static var rest: String { get }
}

extension CompletionScript {
  static var firstLine: String? { nil }

  /// The script.
  static var script: String {
    var script = Script(generated, firstLine: firstLine)
    script.append(kindsOpening)
    for group in Option.byKinds { appendKinds(of: group, to: &script) }
    script.append(kindsEnd)
    script.append(operandOpening)
    for kind in Option.kinds {
      let completion = kind.completion
      let commands = completion.sources.map { offering($0, isList: completion.isList) }
      script.append(operand(kind.rawValue, commands))
    }
    script.append(operandEnd)
    let all = Option.all
    appendOptions(
      once: all.filter { !$0.canBeRepeated }, often: all.filter(\.canBeRepeated), to: &script)
    script.append(rest)
    return script.text
  }
}

/// A script that is written line by line.
struct Script {
  private(set) var text: String

  /// Begins with the lines that each of them has.
  init(_ kind: Generated, firstLine: String? = nil) {
    text = firstLine.map { $0 + "\n" } ?? ""
    text += """
      # SPDX-License-Identifier: Apache-2.0
      # Written by nestbox --generate \(kind.rawValue); change Sources/Options there.

      """
  }

  /// Appends lines as they are.
  mutating func append(_ lines: String) {
    text += lines + "\n"
  }

  /// `text` with some of its characters replaced.
  static func escape(_ text: String, _ replacement: (Character) -> String?) -> String {
    text.map { replacement($0) ?? String($0) }.joined()
  }

  /// Appends words after `start`, as many in a line as fit.
  mutating func fill(
    _ words: [String], from start: String, to end: String, next: String,
    between separator: String = " ", continued: String = ""
  ) {
    var line = start
    for (index, word) in words.enumerated() {
      let isLast = index == words.count - 1
      let piece = word + (isLast ? end : separator)
      if line.count + piece.count > 96, line != start {
        text += line.trimmed + continued + "\n"
        line = next
      }
      line += piece
    }
    text += line + "\n"
  }
}

/// Options with the same kinds of operands.
struct OptionGroup {
  let kinds: [Operand.Kind]
  var names: [String]

  /// The kinds as words of a script.
  var words: String { kinds.map(\.rawValue).joined(separator: " ") }
}

extension String {
  /// Without the spaces at its end.
  fileprivate var trimmed: String { String(reversed().drop { $0 == " " }.reversed()) }
}
