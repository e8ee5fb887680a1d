// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let profiles: [Option] = [
    Option(
      "--profile", [.profile], in: .profiles, "Apply the options of the profile NAME",
      """
      The profile's options replace this one, so later options refine them. NAME with a slash is the
      path of a file. The option may be repeated.

          nestbox --profile build --profile network make
      """, traits: .includes
    ) { (draft, typed) throws(UsageError) in draft.moreProfile = typed.text(0) },
    Option(
      "--default-command", [.program], in: .profiles, "Run PROGRAM if no command is given",
      """
      For profiles that are made for one program. The last one counts. A command line without any
      option about files still needs a command.

          nestbox --profile shell
      """
    ) { (draft, typed) throws(UsageError) in draft.standardCommand = typed.text(0) },
    Option(
      "--list-profiles", in: .profiles, "List the profiles and what each is for",
      """
      If several profiles have the same name, it lists the one that --profile would take, with its
      file. The description is the profile's first comment. Add --json for a report for programs. No
      command is run.
      """
    ) { (draft, _) throws(UsageError) in draft.task = .listProfiles },
    Option(
      "--show-profile", [.profile], in: .profiles, "Print the options of the profile NAME",
      """
      Prints included profiles in place, with a comment after each option that says where it is
      written. Variables stay unexpanded. The output is itself a profile. Add --json for a report for
      programs. No command is run.

          nestbox --show-profile build
      """
    ) { (draft, typed) throws(UsageError) in draft.task = .showProfile(typed.text(0)) },
  ]
}
