// SPDX-License-Identifier: Apache-2.0
// The module Options is the command line as text: the table of all options, the parser that turns
// words, --args and profiles into a draft of a sandbox, and the pages made from the table: help,
// manuals and completions. It launches nothing and prints nothing.
//
// This file: an option. Parser, help, manual and completions are made from options alone.

internal import Linux
internal import Sandbox
internal import Text

/// One option of the command line.
public struct Option: Sendable {
  /// The option as it is typed.
  public let name: String
  /// The words that follow it.
  public let operands: [Operand]
  /// Where help and manual list it.
  public let section: Section
  /// What it does, in a few words.
  public let summary: String
  /// The rest, as the manual says it.
  public let discussion: String
  /// What the parser must know about it.
  let traits: Traits
  /// Applies the option to a draft.
  ///
  /// It looks only at what was typed. Its errors do not name the option; the parser adds that.
  let apply: @Sendable (inout Draft, Occurrence) throws(UsageError) -> Void

  init(
    _ name: String, _ operands: [Operand] = [], in section: Section, _ summary: String,
    _ discussion: String = "", traits: Traits = [],
    apply: @escaping @Sendable (inout Draft, Occurrence) throws(UsageError) -> Void
  ) {
    self.name = name
    self.operands = operands
    self.section = section
    self.summary = summary
    self.discussion = discussion
    self.traits = traits
    self.apply = apply
  }

  /// Special properties of an option.
  struct Traits: OptionSet {
    let rawValue: Int

    /// Given again, it replaces the earlier one, with a warning.
    static let lastWins = Traits(rawValue: 1)
    /// It modifies the option after it.
    static let isModifier = Traits(rawValue: 2)
    /// `--perms` may stand before it.
    static let takesPermissions = Traits(rawValue: 4)
    /// `--size` may stand before it.
    static let takesSize = Traits(rawValue: 8)
    /// `--overlay-src` and `--overlay-opt` may stand before it.
    static let takesOverlayParts = Traits(rawValue: 32)
    /// Its last operand may be left out at the end of the command line, and where it is a name, in
    /// front of another option.
    static let lastIsOptional = Traits(rawValue: 64)
    /// It concerns one command line and is not allowed in a profile.
    static let isForCommandLine = Traits(rawValue: 128)
    /// The options of another text replace it.
    static let includes = Traits(rawValue: 256)
    /// Its operand is the program that the command line runs.
    static let namesProgram = Traits(rawValue: 512)
    /// It also goes with `--enter`.
    static let isForEntering = Traits(rawValue: 1024)
    /// It takes back the rules about the network of profiles before it.
    static let takesRulesBack = Traits(rawValue: 2048)
  }
}

extension Option {
  /// Calls `body` with the parts of the option table, one after the other, until it answers.
  ///
  /// This is the one list of the parts. A part is made when it is first used, which costs time: so
  /// the parts with the options typed most often come first, and a start makes only those up to
  /// the options of its command line.
  private static func first<Result>(_ body: ([Option]) -> Result?) -> Result? {
    if let result = body(binds) ?? body(filesystem) ?? body(namespaces) ?? body(process) {
      return result
    }
    if let result = body(lifetime) ?? body(limits) ?? body(general) ?? body(profiles) ?? body(files)
    {
      return result
    }
    if let result = body(reviewedLaunches) { return result }
    if let result = body(joins) ?? body(overlays) ?? body(security) ?? body(seccomp) ?? body(labels)
    {
      return result
    }
    if let result = body(network) { return result }
    return body(channels) ?? body(buses) ?? body(wrapping) ?? body(patterns)
      ?? body(running) ?? body(reviews) ?? body(watching)
  }

  /// The whole table.
  public static var all: [Option] {
    var all: [Option] = []
    _ = first { part -> Option? in
      all += part
      return nil
    }
    return all
  }

  /// The option called `word`.
  static func named(_ word: ByteString) -> Option? {
    first { find(word, $0) } ?? (word == "-h" ? named("--help") : nil)
  }

  /// The words of `rest` that this option takes, without an optional name or path where another option follows.
  func operands(in rest: ArraySlice<ByteString>) -> ArraySlice<ByteString> {
    let words = rest.prefix(operands.count)
    let kind = operands.last?.kind
    guard traits.contains(.lastIsOptional), kind == .review || kind == .hostPath,
      words.last?.bytes.first == UInt8(ascii: "-")
    else { return words }
    return words.dropLast()
  }

  private static func find(_ word: ByteString, _ table: [Option]) -> Option? {
    let wanted = word.bytes
    for index in table.indices
    where table[index].name.utf8.count == wanted.count
      && table[index].name.utf8.elementsEqual(wanted)
    {
      return table[index]
    }
    return nil
  }
}
