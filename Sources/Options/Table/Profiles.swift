// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let profiles: [Option] = [
    Option(
      "--profile", [.profile], in: .profiles, "Take the options of the profile NAME",
      """
      They stand in its place, so that options behind it refine them. NAME is the path of a file
      where it has a slash. The option may be repeated.

          nestbox --profile build --profile network make
      """, traits: .includes
    ) { (draft, typed) throws(UsageError) in draft.moreProfile = typed.text(0) },
    Option(
      "--default-command", [.program], in: .profiles, "Run PROGRAM where no command is named",
      """
      For profiles that are made for one program, so that it need not be named each time. The last
      one counts. A command line without any option about files still needs a command.

          nestbox --profile shell
      """
    ) { (draft, typed) throws(UsageError) in draft.standardCommand = typed.text(0) },
    Option(
      "--list-profiles", in: .profiles, "List the profiles there are, and what they are for",
      """
      Of several with the same name only the one that is taken is listed, with its file. What it is
      for is its first comment. With --json, for programs. No command is run.
      """
    ) { (draft, _) throws(UsageError) in draft.task = .listProfiles },
    Option(
      "--show-profile", [.profile], in: .profiles, "Print the options of the profile NAME",
      """
      With those of the profiles that it includes in their place, and behind each where it is
      written. Variables are left as they are. The output is a profile itself. With --json, for
      programs. No command is run.

          nestbox --show-profile build
      """
    ) { (draft, typed) throws(UsageError) in draft.task = .showProfile(typed.text(0)) },
  ]
}
