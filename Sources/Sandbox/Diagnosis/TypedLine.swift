// SPDX-License-Identifier: Apache-2.0
// The line that was typed, and how remedies change it.

public import Text

/// A line that somebody typed, word by word, from which a remedy makes the line to type next.
public struct TypedLine {
  /// The words, the program's name first.
  private(set) var words: [ByteString]
  /// How many of them are the command.
  private var commandCount: Int

  /// - Parameters:
  ///   - words: The words.
  ///   - command: The command, as it is run.
  ///   - hasBegun: Whether a review may have begun: then the same line needs another name for its own.
  public init(_ words: [ByteString], command: [ByteString], hasBegun: Bool = true) {
    self.words = words
    // A profile may have named the command.
    commandCount = words.suffix(command.count).elementsEqual(command) ? command.count : 0
    while hasBegun, let index = place(of: "--review-name"), index + 1 < end {
      self.words.removeSubrange(index...(index + 1))
    }
  }

  /// Where options end.
  private var end: Int {
    let command = words.count - commandCount
    return command > 1 && words[command - 1] == "--" ? command - 1 : command
  }

  /// Adds options before the command, or before the words of an option.
  mutating func insert(_ options: [ByteString], at index: Int? = nil) {
    // The parser refuses a directory that is shown writable behind a review in it.
    let review = options.contains("--write") ? place(of: "--review") : nil
    words.insert(contentsOf: options, at: index ?? review ?? end)
  }

  /// Where an option first stands.
  private func place(of option: ByteString) -> Int? {
    words.prefix(end).dropFirst().firstIndex(of: option)
  }

  /// Puts another command at the end.
  mutating func replaceCommand(with command: [ByteString]) {
    words.removeLast(commandCount)
    words += command
    commandCount = command.count
  }

  /// Where `part` stands among the options; nil if it was not typed.
  func index(of part: [ByteString]) -> Int? {
    guard end >= part.count + 1 else { return nil }
    return (1...(end - part.count)).last { words[$0..<($0 + part.count)].elementsEqual(part) }
  }

  /// Replaces `part`; returns whether it was typed.
  mutating func replace(_ part: [ByteString], with other: [ByteString]) -> Bool {
    guard let index = index(of: part) else { return false }
    words.replaceSubrange(index..<(index + part.count), with: other)
    return true
  }

  /// Gives an option another name wherever it was typed; returns whether it was.
  mutating func rename(_ option: ByteString, to other: ByteString) -> Bool {
    let places = words.indices.prefix(end).dropFirst().filter { words[$0] == option }
    for index in places { words[index] = other }
    return !places.isEmpty
  }

  /// Puts `other` in the place of the first of these options, which take one operand each, and removes
  /// the rest of them.
  public mutating func replace(all options: [ByteString], with other: [ByteString]) {
    var (index, other) = (1, other)
    while index + 1 < end {
      guard options.contains(words[index]) else {
        index += 1
        continue
      }
      words.replaceSubrange(index...(index + 1), with: other)
      index += other.count
      other = []
    }
  }

  /// The line for a shell.
  public var text: String { words.map(\.quotedForShell).joined(separator: " ") }
}
