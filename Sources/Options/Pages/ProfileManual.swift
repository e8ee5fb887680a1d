// SPDX-License-Identifier: Apache-2.0
// The manual page nestbox-profile(5).

internal import Linux
internal import Text

/// The manual page on profiles.
public enum ProfileManual {
  /// The whole page.
  public static var page: String {
    var page = Roff(
      "nestbox-profile", section: 5, summary: "options of nestbox in files with names")
    for chapter in opening { page.append(chapter) }
    page.section("LANGUAGE AND PLACES")
    // The same text as in --help profiles.
    page.append(Prose(Section.profiles.introduction))
    page.section("BUILT-IN PROFILES")
    for name in BuiltInProfiles.names {
      page.append(Prose("* `\(name)` -- \(summary(of: name))"))
    }
    page.append(
      Prose(
        "`nestbox --show-profile` NAME prints one, each option with the profile and the line that it "
          + "comes from."))
    for chapter in chapters { page.append(chapter) }
    return page.text
  }

  /// What the profile itself says that it is for.
  private static func summary(of name: String) -> String {
    let summary = (try? Profile.find(ByteString(name), Surroundings()))?.summary ?? ""
    return summary.isEmpty || summary.hasSuffix(".") ? summary : summary + "."
  }

  private static let opening = [
    Chapter(
      title: "DESCRIPTION",
      text: """
        A profile is a list of the options of nestbox(1), one with its operands a line, in a file
        whose name ends in `.profile`. There is no second language: a line means what its words
        mean on the command line. --profile puts the lines in its own place, and options behind it
        refine them.
        """)
  ]

  private static let chapters = [
    Chapter(
      title: "FILES",
      text: """
        * `$XDG_CONFIG_HOME/nestbox/profiles/NAME.profile` -- A profile of the user's; the directory
        is ~/.config where the variable is not set.
        * `/etc/nestbox/profiles/NAME.profile` -- A profile of the machine's.
        """),
    Chapter(
      title: "EXAMPLES",
      text: #"""
        A profile for the compilers of a project, in ~/.config/nestbox/profiles/project.profile:

            # Builds the project, with the cache of its compiler.
            --profile build
            --bind-try "${HOME}/.cache/ccache" "${HOME}/.cache/ccache"
            --setenv CCACHE_DIR "${HOME}/.cache/ccache"

        It is used by its name, and refined on the command line:

            nestbox --profile project make
            nestbox --profile project --profile network git fetch

        What it comes to:

            nestbox --show-profile project
            nestbox --profile project --dry-run make
        """#),
    Chapter(
      title: "SECURITY",
      text: """
        A profile decides what a command may reach, so who can write to it can give away what its
        user can read. A value of a variable never becomes an option or a second word, but it can
        be the name of any file: take care with those that others choose.
        """),
    Chapter(title: "SEE ALSO", text: "nestbox(1), nestbox-policy(5)"),
  ]
}
