// SPDX-License-Identifier: Apache-2.0
// The texts of --help.

/// The pages that the command line can ask for.
public enum Help {
  /// How the command line is built, on one line.
  public static func usage(_ name: String) -> String {
    "usage: \(name) [OPTIONS...] [--] COMMAND [ARGS...]\n"
  }

  /// Every option with its summary, section by section.
  public static func page(_ name: String) -> String {
    var page = PlainText()
    page.line("\nRun COMMAND in a sandbox that shows it nothing but what the options name.")
    for section in Section.allCases {
      page.line("")
      page.append(overview(section))
    }
    page.line("")
    page.fill(
      "--help OPTION tells all about an option, --help SECTION about a section:".words
        + (Section.allCases.map(\.topic).joined(separator: ", ") + ".").words)
    page.line("")
    page.fill(
      "The manual page nestbox(1) has it all, and --help shows its other parts as well:".words
        + (Manual.chapters.map(\.topic).joined(separator: ", ") + ".").words)
    return usage(name) + page.text
  }

  /// All there is to say on a topic.
  public static func page(on topic: Topic) -> String {
    var page = PlainText()
    switch topic {
    case .option(let option):
      page.describe(option)
      page.line("")
      page.line("One of the options of --help \(option.section.topic).")
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
      let lines = PlainText.lines(option.summary.words, width: PlainText.width - column)
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
  /// Appends a text that is set already.
  fileprivate mutating func append(_ lines: String) {
    for line in lines.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      self.line(String(line))
    }
  }

  /// Appends what there is to know of an option.
  fileprivate mutating func describe(_ option: Option) {
    line(option.synopsis)
    indent += 4
    append(option.prose)
    indent -= 4
  }
}

extension String {
  /// The parts between spaces.
  fileprivate var words: [String] { split(separator: " ").map(String.init) }
}
