// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Running
internal import Sandbox
internal import Text

extension Option {
  /// Those that belong to a launch.
  static let reviewedLaunches: [Option] = [
    Option(
      "--review", [.hostDirectory], in: .review, "Show DIR writable, and hold its changes back",
      """
      DIR is shown at its own place, as --write shows it; a path that begins with ~/ means your home
      directory. The command reads it as it is on the host and writes what it likes, but the host's
      DIR stays as it is. If another option shows DIR writable, such as a profile's, the review takes
      its place, and what later options protect in DIR stays protected. Can be repeated: one review
      then holds several directories.

      When the command has ended, the review waits, and nestbox says on standard error what to type; if
      nothing was changed, nothing is kept. If the
      launcher is killed, or Ctrl-C ends its comparison, nothing is lost. What the command writes is on
      the disk when nestbox returns; its own fsync(2) does nothing. nestbox refuses mounts below DIR,
      and the command cannot change files of other users.

          nestbox --profile build --review . make install
      """
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .review(try typed.nonemptyPath(0), nil))
    },
    Option(
      "--review-name", [.name], in: .review, "Call the review NAME",
      """
      NAME is as for --name. Without the option, the name is the directory's with the time.
      """, traits: [.lastWins, .isForCommandLine]
    ) { (draft, typed) throws(UsageError) in
      guard SandboxName.isValid(typed.text(0)) else {
        throw UsageError(
          "\(typed.text(0).quoted) cannot be the name of a review: \(SandboxName.rule)")
      }
      draft.reviewName = typed.setting(typed.text(0))
    },
    Option(
      "--review-store", [.hostDirectory], in: .review, "Keep reviews in DIR",
      """
      DIR must be yours and have mode 0700; nestbox makes it if it does not exist. No link that the
      command could replace may lead to it. Give the option
      again with --reviews, --changes, --apply, --discard and --resume.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in draft.reviewStore = try typed.nonemptyPath(0) },
    Option(
      "--resume", [.review], in: .review, "Go on with the changes of REVIEW",
      """
      As --review, with the directories and the layers of a review that waits.

          nestbox --profile build --resume proj-20260102-030405 make test
      """, traits: [.lastWins, .isForCommandLine]
    ) { (draft, typed) throws(UsageError) in
      draft.resumedReview = typed.setting(typed.text(0))
    },
  ]

  static let reviews: [Option] = [
    Option(
      "--reviews", in: .review, "List the reviews that wait",
      """
      Prints a line for each: its name, its age, the number of its changes, whether its sandbox still
      runs, and its directories. Add --json for a report for programs.
      """
    ) { (draft, _) throws(UsageError) in draft.task = .reviews },
    Option(
      "--changes", [.review], in: .review, "Show what REVIEW would change",
      """
      Lists what is added, changed, removed or renamed, new types, permissions and times. First come
      files that deserve a look: conflicts, which are files that the host has changed or removed since
      the review began; files that git, make, editors or shells execute later, new executables, set-id bits, links
      that lead out of the directory. A name that would look like more than a name is quoted. A file counts as renamed if a removed
      one has the same content. Add --diff for the text that changes, and --json for a report for
      programs. On a terminal the report goes through a pager ($PAGER, or less).
      Paths after REVIEW choose changes, as after --apply.

      If only one review waits, REVIEW can be left out, with --apply and --discard as well.

          nestbox --changes --diff
      """, traits: .lastIsOptional
    ) { (draft, typed) throws(UsageError) in try draft.choose(.changes(typed.review)) },
    Option(
      "--diff", in: .review, "Show the text that changes",
      """
      For --changes: a unified diff, by git or else by diff. Files of more than 1 MiB are only named.
      """
    ) { (draft, _) throws(UsageError) in draft.showsDifferences = true },
    Option(
      "--apply", [.review], in: .review, "Make the changes of REVIEW in the directory",
      """
      Paths after it choose changes, each with all below; without one all are applied. They are
      written as --changes writes them: as with git, they begin at the working directory where this
      lies in the directory under review, and otherwise at that directory, whose own path, such as
      `.`, is the change of its permissions alone. Each file appears whole or not at all. Set-id bits, devices and
      sockets are never applied, nor are owners, extended attributes and the times of directories.

      A file that the host has changed or removed since the review began, by anything other than --apply, is
      a conflict, which --changes marks: nestbox names it and leaves it, unless --overwrite is given. What only you
      have changed stays as it is. If you remove a file or
      replace a directory by another one while the command runs, nestbox cannot always tell. The exit status is 1 if a change was left. If --apply is
      interrupted, run it again. When all changes are applied, the review is removed.

          nestbox --apply proj-20260102-030405 src Makefile
          nestbox --apply -- src Makefile
      """, traits: .lastIsOptional
    ) { (draft, typed) throws(UsageError) in try draft.choose(.apply(typed.review)) },
    Option(
      "--discard", [.review], in: .review, "Forget the changes of REVIEW",
      """
      Paths after it choose changes, as after --apply; without one the review is removed.
      """, traits: .lastIsOptional
    ) { (draft, typed) throws(UsageError) in try draft.choose(.discard(typed.review)) },
  ]
}
