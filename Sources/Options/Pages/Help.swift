// SPDX-License-Identifier: Apache-2.0
// The text of --help.

/// The pages that the command line can ask for.
public enum Help {
  /// How the command line is built, on one line.
  public static func usage(_ name: String) -> String {
    "usage: \(name) [OPTIONS...] [--] COMMAND [ARGS...]\n"
  }

  /// Every option with its summary, section by section.
  public static func page(_ name: String) -> String {
    var page = usage(name)
    page += "\nRun COMMAND in a sandbox that shows it nothing but what the options name.\n"
    for section in Section.allCases {
      page += "\n\(section.rawValue):\n"
      for option in Option.all where option.section == section { page += line(option) }
    }
    return page
  }

  private static let column = 30

  private static func line(_ option: Option) -> String {
    let words = ([option.name] + option.operands.map(\.name)).joined(separator: " ")
    let left = "  " + words
    let gap =
      left.count < column
      ? String(repeating: " ", count: column - left.count)
      : "\n" + String(repeating: " ", count: column)
    return left + gap + option.summary + "\n"
  }
}
