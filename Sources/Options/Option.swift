// SPDX-License-Identifier: Apache-2.0
// What an option is. Parser, help, manual and completions all read these and nothing else.

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
  /// What else there is to know, as the manual says it.
  public let discussion: String
  /// What the parser has to know of it.
  let traits: Traits
  /// What it changes.
  ///
  /// It looks at what was typed and at nothing else, and its errors do not name the option: the
  /// parser does.
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

  /// What is special about an option.
  struct Traits: OptionSet {
    let rawValue: Int

    /// Given again, it replaces what was given before, which is worth a warning.
    static let lastWins = Traits(rawValue: 1)
    /// It says something about the option after it.
    static let isModifier = Traits(rawValue: 2)
    /// `--perms` may stand before it.
    static let takesPermissions = Traits(rawValue: 4)
    /// `--size` may stand before it.
    static let takesSize = Traits(rawValue: 8)
    /// `--overlay-src` and `--overlay-opt` may stand before it.
    static let takesOverlayParts = Traits(rawValue: 32)
    /// Its last operand may be left out at the end of the command line.
    static let lastIsOptional = Traits(rawValue: 64)
    /// It is about this one command line and cannot stand in a profile.
    static let isForCommandLine = Traits(rawValue: 128)
    /// Options of another text take its place.
    static let includes = Traits(rawValue: 256)
    /// Its operand is the program that the command line is about.
    static let namesProgram = Traits(rawValue: 512)
  }
}

extension Option {
  /// The one table, in the order of the documentation.
  ///
  /// Its parts are looked through one by one (`named`), as putting them together would cost every
  /// start.
  public static var all: [Option] {
    var all = general + profiles + wrapping + namespaces + joins
    all += binds + patterns + filesystem + overlays
    all += process + security + seccomp + labels
    all += buses + lifetime + channels
    return all
  }

  /// The option called `word`.
  static func named(_ word: ByteString) -> Option? {
    // Written out, so that a table is made only when those before it did not have the name.
    if let option = find(word, binds) ?? find(word, filesystem) { return option }
    if let option = find(word, namespaces) ?? find(word, process) { return option }
    if let option = find(word, general) ?? find(word, lifetime) { return option }
    if let option = find(word, profiles) ?? find(word, joins) { return option }
    if let option = find(word, overlays) ?? find(word, security) { return option }
    if let option = find(word, seccomp) ?? find(word, labels) { return option }
    return find(word, channels) ?? find(word, buses)
      ?? find(word, wrapping) ?? find(word, patterns)
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
