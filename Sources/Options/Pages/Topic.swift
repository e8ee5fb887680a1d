// SPDX-License-Identifier: Apache-2.0
// What --help can be asked for.

internal import Linux
public import Text

/// Something that there is a text on.
public enum Topic: Sendable {
  /// An option.
  case option(Option)
  /// A group of options.
  case section(Section)
  /// A chapter of the manual.
  case chapter(Chapter)

  /// What `word` asks for: an option with or without its dashes, a section, or a chapter of the
  /// manual, in any spelling; nil where there is nothing of that name.
  public init?(_ word: ByteString) {
    let wanted = Topic.key(word.text)
    if !word.bytes.starts(with: "--".utf8) {
      if let section = Section.allCases.first(where: { Topic.key($0.rawValue) == wanted }) {
        self = .section(section)
        return
      }
      if let chapter = Manual.chapters.first(where: { Topic.key($0.title) == wanted }) {
        self = .chapter(chapter)
        return
      }
    }
    guard !wanted.isEmpty, let option = Option.all.first(where: { Topic.key($0.name) == wanted })
    else { return nil }
    self = .option(option)
  }

  /// Every word that asks for something.
  public static var names: [String] {
    Section.allCases.map(\.topic) + Manual.chapters.map(\.topic) + Option.all.map(\.name)
  }

  /// What spellings of a name have in common: letters and digits.
  private static func key(_ name: String) -> [UInt8] {
    name.lowercased().utf8.filter { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
  }
}

extension Section {
  /// Its name as a word of the command line.
  public var topic: String {
    rawValue.lowercased().split(separator: " ").joined(separator: "-")
  }
}
