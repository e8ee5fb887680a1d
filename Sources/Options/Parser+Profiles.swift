// SPDX-License-Identifier: Apache-2.0
// Options from profiles: each line is one option, which applies where the profile was named.

public import Sandbox
public import Text

extension Parser {
  /// How deep profiles may include each other.
  private static let maximumDepth = 16

  /// Reads the options of a profile in place of the option that named it at `origin`.
  mutating func parseProfile(
    _ profile: Profile, from origin: Origin = .commandLine
  ) throws(UsageError) {
    if open.contains(where: { $0.identity == profile.identity }) {
      let names = (open + [profile]).map(\.name.quoted).joined(separator: " → ")
      throw UsageError("--profile: a profile includes itself: \(names)").at(origin)
    }
    // A profile that several others include is applied once.
    guard !taken.contains(where: { $0.identity == profile.identity }) else { return }
    guard open.count < Parser.maximumDepth else {
      let depth = String(Parser.maximumDepth)
      throw UsageError("--profile: profiles include each other more than \(depth) deep").at(origin)
    }
    taken.append((profile.name, profile.identity))
    open.append(profile)
    let variables = ProfileVariables(
      surroundings: surroundings, command: command, path: profile.path, found: project)
    for index in profile.lines.indices {
      try parseLine(profile.lines[index], variables, profile.origin(index + 1))
    }
    draft.sandbox.examinedDirectories += variables.examined.paths
    do throws(UsageError) {
      try requireNoModifier(before: nil)
    } catch {
      let last = profile.lines.lastIndex { !$0.isEmpty } ?? 0
      throw error.at(profile.origin(last + 1))
    }
    open.removeLast()
  }

  /// Reads a profile with this text in the place of the file `path`, and a command behind it.
  public mutating func parse(
    _ text: [UInt8], as path: ByteString, _ command: [ByteString]
  ) throws(UsageError) {
    typed = command[...]
    try parseProfile(Profile(text, as: path))
    draft.sandbox.command = command
  }

  private mutating func parseLine(
    _ line: ArraySlice<UInt8>, _ variables: ProfileVariables, _ origin: Origin
  ) throws(UsageError) {
    var reader = LineReader(line, variables)
    var words: [ByteString] = []
    do throws(UsageError) {
      while let word = try reader.next() { words.append(word) }
    } catch {
      throw error.at(origin, column: reader.mistakeColumn)
    }
    guard let word = words.first else { return }
    let option: Option
    do throws(UsageError) {
      option = try Parser.option(word, words.dropFirst(), draft)
      if option.traits.contains(.isForCommandLine) {
        throw UsageError("\(option.name): not allowed in a profile")
      }
      try requireNoModifier(before: option)
    } catch {
      throw error.at(origin)
    }
    let occurrence = Occurrence(name: option.name, origin: origin, words: words.dropFirst())
    record?.line = (reader.written, reader.used)
    // An included profile names its own lines.
    if option.traits.contains(.includes) { return try apply(option, occurrence) }
    let task = draft.task
    do throws(UsageError) {
      try apply(option, occurrence)
      if draft.task != task { throw UsageError("\(option.name): not allowed in a profile") }
    } catch {
      throw error.at(origin)
    }
  }

  /// The option on a line of a profile.
  private static func option(
    _ word: ByteString, _ operands: ArraySlice<ByteString>, _ draft: Draft
  ) throws(UsageError) -> Option {
    guard word.bytes.first == UInt8(ascii: "-"), word != end else {
      throw UsageError("expected an option at the start of the line, found \(word.quoted)")
    }
    guard let option = Option.named(word) else { throw unknown(word) }
    try require(operands.prefix(option.operands.count), of: option, draft)
    if operands.count > option.operands.count {
      let extra = operands[operands.startIndex + option.operands.count]
      throw UsageError("\(option.name): unexpected \(extra.quoted) at the end of the line")
    }
    return option
  }

  /// The command at the end of the command line, found without applying the options before it.
  private var command: ArraySlice<ByteString> {
    var rest = typed
    while let word = rest.first, word.bytes.first == UInt8(ascii: "-") {
      rest = rest.dropFirst()
      if word == Parser.end { break }
      guard let option = Option.named(word) else { return [] }
      if option.traits.contains(.namesProgram) { return rest.prefix(1) }
      rest = rest.dropFirst(option.operands.count)
    }
    return rest
  }
}
