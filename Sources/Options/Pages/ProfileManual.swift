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
        "`nestbox --show-profile` NAME prints one, each option with its profile and line."))
    for chapter in chapters { page.append(chapter) }
    return page.text
  }

  /// What the built-in profile says about itself.
  private static func summary(of name: String) -> String {
    let summary = Profile.builtIn(ByteString(name))?.summary ?? ""
    return summary.isEmpty || summary.hasSuffix(".") ? summary : summary + "."
  }

  private static let opening = [
    Chapter(
      title: "DESCRIPTION",
      text: """
        A profile is a list of options of nestbox(1), one with its operands on each line, in a file
        with a name that ends in `.profile`. A line means what its words mean on the command line.
        --profile applies the lines in its own place, and later options refine them.
        """)
  ]

  private static let chapters = [
    Chapter(
      title: "FILES",
      text: """
        * `$XDG_CONFIG_HOME/nestbox/profiles/NAME.profile` -- A profile of the user; if the variable
        is not set, ~/.config takes its place.
        * `/etc/nestbox/profiles/NAME.profile` -- A profile of the machine.
        """),
    Chapter(
      title: "EXAMPLES",
      text: #"""
        A profile for the compilers of a project, in ~/.config/nestbox/profiles/project.profile:

            # Builds the project, with the cache of its compiler.
            --profile build
            --bind-try "${HOME}/.cache/ccache" "${HOME}/.cache/ccache"
            --setenv CCACHE_DIR "${HOME}/.cache/ccache"

        Use it by its name, and refine it on the command line:

            nestbox --profile project make
            nestbox --profile project --profile network git fetch

        Print what it does:

            nestbox --show-profile project
            nestbox --profile project --dry-run make
        """#),
    Chapter(
      title: "SECURITY",
      text: """
        A profile decides what a command may reach. If others can write to it, they can show the
        command every file that its user can read. The value of a variable never becomes an option or
        a second word, but it can name any file: be careful with variables that others set.
        """),
    Chapter(title: "SEE ALSO", text: "nestbox(1), nestbox-policy(5)"),
  ]
}
