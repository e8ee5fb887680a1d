// SPDX-License-Identifier: Apache-2.0
// The texts of --help.

internal import Text

/// The pages that the command line can ask for.
public enum Help {
  /// How the command line is built, on one line.
  public static func usage(_ name: String) -> String {
    "usage: \(name) [OPTIONS...] [--] COMMAND [ARGS...]\n"
  }

  /// Every option with its summary, section by section.
  public static func page(_ name: String) -> String {
    var page = PlainText()
    page.line("\nRuns COMMAND in a sandbox that shows only what the options name.")
    for section in Section.allCases {
      page.line("")
      page.append(overview(section))
    }
    page.line("")
    page.fill(
      "--help OPTION explains an option, --help PROFILE a profile and --help SECTION a section: "
        + Section.allCases.map(\.topic).joined(separator: ", ") + ".")
    page.line("")
    page.fill(
      "The manual page nestbox(1) contains everything; --help also shows its chapters: "
        + Manual.chapters.map(\.topic).joined(separator: ", ") + ".")
    return usage(name) + page.text
  }

  /// The text on a topic.
  public static func page(on topic: Topic) -> String {
    var page = PlainText()
    switch topic {
    case .options: return Help.page("nestbox")
    case .profile(let profile): page.describe(profile)
    case .option(let option):
      page.describe(option)
      page.line("")
      page.line("See also --help \(option.section.topic).")
    case .section(let section):
      page.line(section.rawValue)
      if !section.introduction.isEmpty {
        page.line("")
        page.append(Prose(section.introduction))
      }
      for option in Option.all where option.section == section {
        page.line("")
        page.describe(option)
      }
    case .chapter(let chapter):
      page.line(chapter.title)
      page.line("")
      page.append(chapter.prose)
    }
    return page.text
  }

  /// The heading of a section and a line or two for each of its options.
  static func overview(_ section: Section) -> String {
    var text = section.rawValue + ":\n"
    for option in Option.all where option.section == section {
      let lines = PlainText.lines(
        option.summary.split(separator: " ").map(String.init), width: PlainText.width - column)
      let left = "  " + option.synopsis
      var gap = left.count + 1 < column ? String(repeating: " ", count: column - left.count) : "\n"
      text += left
      for line in lines {
        if gap == "\n" { gap += String(repeating: " ", count: column) }
        text += gap + line
        gap = "\n"
      }
      text += "\n"
    }
    return text
  }

  /// Where summaries begin.
  private static let column = 28
}

extension PlainText {
  /// Appends text that is already formatted.
  fileprivate mutating func append(_ lines: String) {
    for line in lines.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      self.line(String(line))
    }
  }

  /// Appends what a profile is for and what it consists of.
  fileprivate mutating func describe(_ profile: Profile) {
    line("The profile " + profile.name.quoted)
    line("")
    for comment in profile.introduction { line(comment) }
    line("")
    line("    nestbox --profile \(profile.name.quotedForShell) COMMAND")
    line("")
    line("Its options; --show-profile prints those of included profiles as well:")
    line("")
    for option in profile.options { line("    " + option) }
  }

  /// Appends the text on an option.
  fileprivate mutating func describe(_ option: Option) {
    line(option.synopsis)
    indent += 4
    append(option.prose)
    indent -= 4
  }
}
