// SPDX-License-Identifier: Apache-2.0
// What an option is. Parser, help, manual and completions all read these and nothing else.

internal import Linux
internal import Sandbox

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
    /// It says something about an overlay to come.
    static let describesOverlay = Traits(rawValue: 16)
    /// `--overlay-src` and `--overlay-opt` may stand before it.
    static let takesOverlayParts = Traits(rawValue: 32)
  }
}

/// A word that an option takes.
public struct Operand: Equatable, Sendable {
  /// What it is called in the help.
  public let name: String
  /// What it is, for completions.
  public let kind: Kind

  /// What a word can be.
  public enum Kind: Equatable, Sendable {
    case hostPath, sandboxPath, hostDirectory, descriptor, number, text, variable, capability
  }

  static let source = Operand(name: "SRC", kind: .hostPath)
  static let destination = Operand(name: "DEST", kind: .sandboxPath)
  static let directory = Operand(name: "DIR", kind: .sandboxPath)
  static let descriptor = Operand(name: "FD", kind: .descriptor)
  static let seconds = Operand(name: "SECONDS", kind: .number)
  static let octal = Operand(name: "OCTAL", kind: .number)
  static let bytes = Operand(name: "BYTES", kind: .number)
  static let variable = Operand(name: "VAR", kind: .variable)
  static let value = Operand(name: "VALUE", kind: .text)
  static let name = Operand(name: "NAME", kind: .text)
  static let target = Operand(name: "TARGET", kind: .text)
  static let capability = Operand(name: "CAP", kind: .capability)
  static let mountOption = Operand(name: "OPTION", kind: .text)
  static let upper = Operand(name: "RWSRC", kind: .hostDirectory)
  static let work = Operand(name: "WORKDIR", kind: .hostDirectory)
  static let label = Operand(name: "LABEL", kind: .text)
  static let user = Operand(name: "UID", kind: .number)
  static let group = Operand(name: "GID", kind: .number)
}

/// A group of options in help and manual, in this order.
public enum Section: String, CaseIterable, Sendable {
  case general = "General"
  case namespaces = "Namespaces"
  case filesystem = "File system"
  case process = "Environment and process"
  case security = "Privileges"
  case lifetime = "Lifetime"
  case monitoring = "Monitoring"
}

extension Option {
  /// The one table, in the order of the documentation.
  public static let all: [Option] =
    general + namespaces + joins + binds + filesystem + overlays + process + security + labels
    + lifetime + channels
}
