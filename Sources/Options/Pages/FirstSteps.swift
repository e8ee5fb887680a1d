// SPDX-License-Identifier: Apache-2.0
// The first screen: six tasks with a line to type for each.

/// A new user's first steps.
public enum FirstSteps {
  /// The tasks and their lines.
  public static let all: [(task: String, line: String)] = [
    ("Run something", "nestbox ls -a"),
    ("Give it a file", "nestbox --read letter.txt cat letter.txt"),
    ("Give it the network", "nestbox --profile network curl https://example.org"),
    ("Start a desktop program", "nestbox --profile desktop firefox"),
    ("Build in this directory", "nestbox --profile build make"),
    ("See what would happen", "nestbox --dry-run ls -a"),
  ]

  /// The screen, for a program of that name.
  public static func page(_ name: String) -> String {
    var page = PlainText()
    page.line("")
    page.fill(
      "Runs COMMAND in a sandbox. Without options, COMMAND sees the system read-only, an empty home "
        + "directory, no network and no other processes.")
    page.line("")
    for (task, line) in all {
      page.line("  \(task):")
      page.line("      " + line)
    }
    page.line("")
    page.fill(
      "--help TOPIC explains an option (--help bind), a profile (--help network) or a section: "
        + Section.allCases.map(\.topic).joined(separator: ", ")
        + ". --help options lists all options; nestbox(1) is the manual.")
    return Help.usage(name) + page.text
  }
}
