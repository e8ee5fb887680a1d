// SPDX-License-Identifier: Apache-2.0
// Options that show a person's own files. They add to the default profile.

internal import Sandbox
internal import Text

extension Option {
  static let files: [Option] = [
    Option(
      "--read", [.hostPath], in: .files, "Show the file or directory PATH, read-only",
      """
      PATH keeps its place. A relative PATH begins in the caller's directory, and `~/` in the
      caller's home directory. If a link is on the way, the command sees both the link and its
      target, each at its own place.

          nestbox --read letter.txt wc letter.txt
      """
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .show(try typed.nonemptyPath(0), access: .readOnly))
    },
    Option(
      "--write", [.hostPath], in: .files, "Show the file or directory PATH, writable",
      """
      As --read, but the command can change it. PATH must exist: a program that writes a new file
      needs the directory for it.

          mkdir -p out
          nestbox --read in.txt --write out cp in.txt out/
      """
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .show(try typed.nonemptyPath(0), access: .readWrite))
    },
    pattern(
      "--read-glob", in: .files, "Show what matches PATTERN, read-only",
      """
      As --read for each file and directory that matches, with the links on the way. PATTERN begins
      with / and means what it means to --ro-bind-glob. It is not an error if nothing matches.

          nestbox --read-glob '/etc/*release' ls /etc
      """
    ) { .show($0, access: .readOnly) },
    arguments(
      "--read-arguments", .readOnly, "Show the files that the command's arguments name, read-only",
      """
      As --read for each argument that is the path of an existing file or directory, or its URL, such
      as file:///home/joe/a%20letter. So a wrapper shows the file that a file manager opens. The
      value of an option such as --file=PATH counts as well. nestbox leaves out the home directory,
      those above it and those that all users share.

          nestbox --read-arguments wc letter.txt
      """),
    arguments(
      "--write-arguments", .readWrite, "The same, and writable",
      """
      As --read-arguments, but the command can change the files.
      """),
    Option(
      "--home", [.hostDirectory], in: .files, "Keep the home directory of the sandbox in DIR",
      """
      The command sees DIR as its home directory, $HOME, and can write to it. If DIR is missing,
      nestbox makes it, with access for you alone. If an option of a profile gave the command an
      empty home directory, DIR takes its place, so that files which that profile shows in the home
      directory stay visible.

          nestbox --home ~/.local/share/boxes/tool sh -c 'date >>~/log; cat ~/log'
      """
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .home(try typed.nonemptyPath(0)))
    },
    Option(
      "--tmp-home", in: .files, "Show your home directory without secrets, discard changes",
      """
      Programs find your settings. What they write is kept in memory and gone when the sandbox ends.
      Known places of keys, passwords, tokens, cookies, mail and typed lines, such as ~/.ssh,
      ~/.gnupg, ~/.aws, ~/.mozilla and ~/.bash_history, are empty: nestbox follows links to them, and
      variables such as GNUPGHOME and XDG_CONFIG_HOME. Hide a secret in another place by --hide. It is an
      error if something is mounted below the home directory.

          nestbox --tmp-home sh -c 'echo umask 077 >>~/.profile; tail -n 1 ~/.profile'
      """
    ) { (draft, typed) throws(UsageError) in draft.add(typed, .temporaryHome) },
    Option(
      "--hide", [.hidden], in: .files, "Hide the files that match PATTERN",
      """
      It applies to files that any option shows, before or after it. It covers a directory with an
      empty one and anything else with an empty file, both read-only. In PATTERN * matches any part of
      a name, ? one byte, [a-z] one of these bytes, and ** any number of directories. A PATTERN
      without a slash, and one that begins with **/, matches in every directory but those of the
      system (/usr, /opt, /etc, /proc and their like); another one begins in the caller's directory, with
      `~/` in the home directory, or with / at the root.

      If nestbox cannot search a directory, or finds more than 50000, it is an error. Files that are
      made or replaced later are not hidden; hide their directory instead.

          nestbox --profile build --hide .env --hide '*.pem' --hide config/keys ls -A
      """
    ) { (draft, typed) throws(UsageError) in
      guard let pattern = HiddenPattern(typed.text(0)) else {
        throw UsageError("expected the name of a file or a pattern, found \(typed.text(0).quoted)")
      }
      draft.add(typed, .hide(pattern))
    },
  ]
  private static func arguments(
    _ name: String, _ access: FilesystemOperation.Access, _ summary: String, _ discussion: String
  ) -> Option {
    Option(name, in: .files, summary, discussion) { (draft, typed) throws(UsageError) in
      draft.add(typed, .arguments(access: access))
    }
  }
}
