// SPDX-License-Identifier: Apache-2.0
// The topics of --help.

internal import Linux
public import Text

/// Something that --help explains.
public enum Topic: Sendable {
  /// The list of all options.
  case options
  /// An option.
  case option(Option)
  /// A group of options.
  case section(Section)
  /// A chapter of the manual.
  case chapter(Chapter)
  /// A profile.
  case profile(Profile)

  /// The topic that `word` names: a section, a chapter of the manual, in any spelling, a profile, or an option
  /// with or without its dashes; nil if there is none.
  public init?(_ word: ByteString, _ surroundings: Surroundings = Surroundings()) {
    let wanted = Topic.key(word.text)
    if !word.bytes.starts(with: "--".utf8) {
      if wanted == Topic.key("options") {
        self = .options
        return
      }
      if let section = Section.allCases.first(where: { Topic.key($0.rawValue) == wanted }) {
        self = .section(section)
        return
      }
      if let chapter = Manual.chapters.first(where: { Topic.key($0.title) == wanted }) {
        self = .chapter(chapter)
        return
      }
      if !word.bytes.contains(UInt8(ascii: "/")),
        let profile = try? Profile.find(word, surroundings)
      {
        self = .profile(profile)
        return
      }
    }
    guard !wanted.isEmpty, let option = Option.all.first(where: { Topic.key($0.name) == wanted })
    else { return nil }
    self = .option(option)
  }

  /// Every topic.
  public static func names(_ surroundings: Surroundings) -> [String] {
    let names =
      ["options"] + Section.allCases.map(\.topic) + Manual.chapters.map(\.topic)
      + Option.all.map(\.name)
    let profiles = Profile.all(surroundings).map(\.name.text)
    return names + profiles.filter { !names.contains($0) }
  }

  /// The common form of a name's spellings: letters and digits.
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
