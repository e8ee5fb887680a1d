// SPDX-License-Identifier: Apache-2.0
// The manual page nestbox(1): chapters of text, and among them the option table.

/// A chapter of a manual page.
public struct Chapter: Sendable {
  /// Its heading.
  public let title: String
  /// What it says, in the notation of `Prose`.
  let text: String

  /// Its name as a word of the command line.
  public var topic: String {
    title.lowercased().split(separator: " ").joined(separator: "-")
  }

  /// The placeholders in its text.
  static let operands = [
    "COMMAND", "OPTION", "ARG", "PREFIX", "NAME", "FD", "UID", "PID", "KIND", "ACTION",
    "CALL", "CONDITION",
  ]

  /// Its paragraphs.
  var prose: Prose { Prose(text, operands: Chapter.operands) }
}

/// The manual page of the program.
public enum Manual {
  /// The whole page.
  public static var page: String {
    var page = Roff("nestbox", section: 1, summary: "run a command in a sandbox")
    for chapter in opening { page.append(chapter) }
    page.section("OPTIONS")
    page.append(Prose(options, operands: Chapter.operands))
    for section in Section.allCases {
      page.part(section.rawValue)
      page.append(Prose(section.introduction))
      for option in Option.all where option.section == section {
        page.append(option)
      }
    }
    for chapter in chapters { page.append(chapter) }
    return page.text
  }
}

extension Roff {
  /// Appends a chapter.
  mutating func append(_ chapter: Chapter) {
    section(chapter.title)
    append(chapter.prose)
  }
}
