// SPDX-License-Identifier: Apache-2.0
// Entering/ lets a command join a sandbox that runs under a name. The monitor of such a sandbox
// holds its namespaces and its root open, and the terms below in sealed memory; all of that was
// opened before the payload ran, so that nothing that the payload does afterwards (another root,
// something mounted on /proc, links, another /bin/sh) changes what a command enters.
//
// This file: the terms, the conditions under which the sandbox's own command was executed.

internal import Linux
internal import Seccomp
internal import SystemPackage
internal import Text

/// The conditions under which a sandbox executes its command, and every command that enters.
struct EntryTerms: Equatable {
  /// The capabilities of the command.
  var capabilities = Capabilities()
  /// Whether they count only in the sandbox's user namespace.
  var hasUserNamespace = true
  /// The ids that the command takes on, as they are inside; nil for those that the maps give it.
  var user: UInt32?, group: UInt32?
  /// Whether the command has its own session.
  var hasOwnSession = false
  /// What Landlock forbids.
  var landlock: LandlockScopes = [], landlockToTry: LandlockScopes = []
  /// Resource limits, by their numbers.
  var limits: [ResourceLimit] = []
  /// The variables that are kept of the caller's environment; nil for all.
  var keptVariables: [VariablePattern]?
  /// The changes to the environment, in order.
  var environment: [EnvironmentChange] = []
  /// Where the command starts; nil for the caller's directory.
  var workingDirectory: ByteString?
  /// The command to run if none is given.
  var defaultCommand: ByteString?
  /// Filters in the order of installation.
  var filters: [SeccompProgram] = []
  /// The policy's program, which is installed after them.
  var policy: SeccompProgram?
  /// The control group that was made for the sandbox, by its path in the hierarchy.
  var controlGroup: ByteString?
  /// Why no command may enter.
  var obstacle: String?
  /// Facts about the launch, for a report.
  var record = LaunchRecord()

  /// The most bytes of the terms: environments and filters are large.
  static let capacity = 16 << 20

  private static let version: UInt8 = 3
  /// More than a sandbox needs, and more than the kernel accepts.
  private static let longestText = 1 << 20
}

extension EntryTerms: Record {
  private enum Change: UInt8 {
    case set = 1
    case unset, clear, keep, display
  }

  init(from reader: inout RecordReader) throws(MalformedRecord) {
    guard try reader.number(UInt8.self) == EntryTerms.version else { throw MalformedRecord() }
    capabilities = Capabilities(bits: try reader.number())
    hasUserNamespace = try reader.flag()
    user = try reader.optional { reader throws(MalformedRecord) in try reader.number() }
    group = try reader.optional { reader throws(MalformedRecord) in try reader.number() }
    hasOwnSession = try reader.flag()
    landlock = LandlockScopes(rawValue: try reader.number())
    landlockToTry = LandlockScopes(rawValue: try reader.number())
    limits = try reader.list { reader throws(MalformedRecord) in
      ResourceLimit(soft: try reader.number(), hard: try reader.number())
    }
    keptVariables = try reader.optional { reader throws(MalformedRecord) in
      try EntryTerms.patterns(&reader)
    }
    environment = try reader.list { reader throws(MalformedRecord) in
      try EntryTerms.change(&reader)
    }
    workingDirectory = try reader.optional { reader throws(MalformedRecord) in
      try reader.longText(limit: EntryTerms.longestText)
    }
    defaultCommand = try reader.optional { reader throws(MalformedRecord) in
      try reader.longText(limit: EntryTerms.longestText)
    }
    filters = try reader.list { reader throws(MalformedRecord) in
      try EntryTerms.program(&reader)
    }
    policy = try reader.optional { reader throws(MalformedRecord) in
      try EntryTerms.program(&reader)
    }
    controlGroup = try reader.optional { reader throws(MalformedRecord) in
      try reader.longText(limit: EntryTerms.longestText)
    }
    obstacle = try reader.optional { reader throws(MalformedRecord) in
      try reader.longText(limit: EntryTerms.longestText).text
    }
    record = try LaunchRecord(from: &reader)
  }

  func write(to writer: inout RecordWriter) {
    writer.write(EntryTerms.version)
    writer.write(capabilities.bits)
    writer.write(flag: hasUserNamespace)
    writer.write(optional: user) { $0.write($1) }
    writer.write(optional: group) { $0.write($1) }
    writer.write(flag: hasOwnSession)
    writer.write(landlock.rawValue)
    writer.write(landlockToTry.rawValue)
    writer.write(list: limits) { writer, limit in
      writer.write(limit.soft)
      writer.write(limit.hard)
    }
    writer.write(optional: keptVariables) { EntryTerms.write($1, to: &$0) }
    writer.write(list: environment) { EntryTerms.write($1, to: &$0) }
    writer.write(optional: workingDirectory) { $0.write(long: $1) }
    writer.write(optional: defaultCommand) { $0.write(long: $1) }
    writer.write(list: filters) { EntryTerms.write($1, to: &$0) }
    writer.write(optional: policy) { EntryTerms.write($1, to: &$0) }
    writer.write(optional: controlGroup) { $0.write(long: $1) }
    writer.write(optional: obstacle) { $0.write(long: ByteString($1)) }
    record.write(to: &writer)
  }
}

// MARK: - Parts

extension EntryTerms {
  private static func pattern(
    _ reader: inout RecordReader
  ) throws(MalformedRecord) -> VariablePattern {
    VariablePattern(name: try reader.longText(limit: longestText), isPrefix: try reader.flag())
  }

  private static func patterns(
    _ reader: inout RecordReader
  ) throws(MalformedRecord) -> [VariablePattern] {
    try reader.list { reader throws(MalformedRecord) in try pattern(&reader) }
  }

  private static func write(_ patterns: [VariablePattern], to writer: inout RecordWriter) {
    writer.write(list: patterns) { writer, pattern in
      writer.write(long: pattern.name)
      writer.write(flag: pattern.isPrefix)
    }
  }

  private static func change(
    _ reader: inout RecordReader
  ) throws(MalformedRecord) -> EnvironmentChange {
    guard let change = Change(rawValue: try reader.number()) else { throw MalformedRecord() }
    switch change {
    case .set:
      let name = try reader.longText(limit: longestText)
      return .set(name, to: try reader.longText(limit: longestText))
    case .unset: return .unset(try reader.longText(limit: longestText))
    case .clear: return .clear
    case .keep: return .keep(try patterns(&reader))
    case .display: return .display
    }
  }

  private static func write(_ change: EnvironmentChange, to writer: inout RecordWriter) {
    switch change {
    case .set(let name, let value):
      writer.write(Change.set.rawValue)
      writer.write(long: name)
      writer.write(long: value)
    case .unset(let name):
      writer.write(Change.unset.rawValue)
      writer.write(long: name)
    case .clear: writer.write(Change.clear.rawValue)
    case .keep(let patterns):
      writer.write(Change.keep.rawValue)
      write(patterns, to: &writer)
    case .display: writer.write(Change.display.rawValue)
    }
  }

  private static func program(
    _ reader: inout RecordReader
  ) throws(MalformedRecord) -> SeccompProgram {
    let bytes = try reader.longBytes(limit: longestText)
    guard let program = try? SeccompProgram(Array(bytes)) else { throw MalformedRecord() }
    return program
  }

  private static func write(_ program: SeccompProgram, to writer: inout RecordWriter) {
    writer.write(long: program.bytes[...])
  }
}
