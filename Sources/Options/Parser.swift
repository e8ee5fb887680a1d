// SPDX-License-Identifier: Apache-2.0
// From words to a draft.

public import Linux
public import Sandbox

/// Reads a command line.
public struct Parser: Sendable {
  /// What has been read so far; after an error, what stands before the mistake.
  public private(set) var draft = Draft()
  private var isNested = false

  /// A parser at the beginning of a command line.
  public init() {}

  /// Reads options up to the command and takes the rest for it.
  public mutating func parse(_ words: [ByteString]) throws(UsageError) {
    let rest = try parseOptions(words[...])
    if draft.task?.endsParsing == true { return }
    try requireNoModifier(before: nil)
    if draft.isJSON, draft.task?.hasJSON != true {
      throw UsageError("--json needs an option that asks for a report")
    }
    draft.sandbox.command = Array(rest)
  }

  /// Reads options and answers what comes after them.
  private mutating func parseOptions(
    _ words: ArraySlice<ByteString>
  ) throws(UsageError) -> ArraySlice<ByteString> {
    var rest = words
    while let word = rest.first, word.bytes.first == UInt8(ascii: "-"),
      draft.task?.endsParsing != true
    {
      rest = rest.dropFirst()
      if word == Parser.end { return rest }
      guard let option = Option.named(word) else {
        throw UsageError(Suggestion.unknownOption(word))
      }
      let operands = rest.prefix(option.operands.count)
      let isComplete =
        operands.count == option.operands.count
        || option.traits.contains(.lastIsOptional)
          && operands.count == option.operands.count - 1
      guard isComplete else {
        let missing = option.operands[operands.count].name
        throw UsageError("\(option.name): \(missing) is missing")
      }
      rest = rest.dropFirst(operands.count)
      try apply(option, Occurrence(option: option.name, words: operands))
    }
    return rest
  }

  private static let end: ByteString = "--"

  private mutating func apply(
    _ option: Option, _ occurrence: Occurrence
  ) throws(UsageError) {
    try requireNoModifier(before: option)
    if option.traits.contains(.lastWins) {
      if draft.given.contains(option.name) {
        draft.warnings.append("Only the last \(option.name) option will take effect")
      } else {
        draft.given.append(option.name)
      }
    }
    do throws(UsageError) {
      try option.apply(&draft, occurrence)
    } catch {
      throw UsageError("\(option.name): \(error.message)")
    }
    if let descriptor = draft.moreArguments.take() { try parseNested(descriptor) }
  }

  /// Throws where `--perms` or `--size` stands before something that it says nothing about.
  private func requireNoModifier(before option: Option?) throws(UsageError) {
    if let option, option.traits.contains(.isModifier) { return }
    let traits = option?.traits ?? []
    if draft.permissions != nil && !traits.contains(.takesPermissions) {
      throw UsageError("--perms must be followed by an option that creates a file or directory")
    }
    if !draft.overlaySources.isEmpty || !draft.overlayOptions.isEmpty,
      !traits.contains(.takesOverlayParts)
    {
      throw UsageError(
        "--overlay-src and --overlay-opt must be followed by --overlay, --tmp-overlay or "
          + "--ro-overlay")
    }
    if draft.size != nil && !traits.contains(.takesSize) {
      throw UsageError("--size must be followed by --tmpfs")
    }
  }

  /// Reads more options from a descriptor, each ended by a NUL, the last one not necessarily.
  private mutating func parseNested(_ descriptor: CInt) throws(UsageError) {
    guard !isNested else { throw UsageError("--args: not allowed in the data of --args") }
    var bytes: [UInt8]
    do throws(SystemCallError) {
      bytes = try Descriptors.contents(of: descriptor)
      Descriptors.close(descriptor)
    } catch {
      throw UsageError("--args: can't read descriptor \(String(descriptor)): \(error.reason)")
    }
    if bytes.last == 0 { bytes.removeLast() }
    guard !bytes.isEmpty else { return }
    let words = bytes.split(separator: 0, omittingEmptySubsequences: false).map { ByteString($0) }
    isNested = true
    let rest = try parseOptions(words[...])
    isNested = false
    if let word = rest.first {
      throw UsageError("--args: \(word.quoted) in the data is not an option")
    }
  }
}
