// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox

extension Option {
  static let profiles: [Option] = [
    Option(
      "--profile", [.profile], in: .profiles, "Take the options of the profile NAME",
      """
      They stand in its place, so that options behind it refine them. NAME is the path of a file
      where it has a slash. The option may be repeated.

          nestbox --profile build --profile network make
      """, traits: .includes
    ) { (draft, typed) throws(UsageError) in draft.moreProfile = typed.text(0) }
  ]
}
