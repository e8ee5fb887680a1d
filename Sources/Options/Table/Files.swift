// SPDX-License-Identifier: Apache-2.0
// Options that show a person's own files. They add to the default profile.

internal import Sandbox
internal import Text

extension Option {
  static let files: [Option] = [
    Option(
      "--read", [.hostPath], in: .files, "Show the file or directory PATH, read-only",
      """
      At its own place. A relative PATH begins in the caller's directory, and `~/` in the caller's
      home directory. If a link is on the way, the command sees the link, and what it leads to at
      its own place as well.

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
    Option(
      "--home", [.hostDirectory], in: .files, "Keep the home directory of the sandbox in DIR",
      """
      The command sees DIR as its home directory, $HOME, and can write to it. nestbox makes DIR if
      it is missing, for you alone. If an option of a profile gave the command an empty home
      directory, DIR takes its place, so that files which that profile shows in the home directory
      stay visible.

          nestbox --home ~/.local/share/boxes/tool sh -c 'date >>~/log; cat ~/log'
      """
    ) { (draft, typed) throws(UsageError) in
      draft.add(typed, .home(try typed.nonemptyPath(0)))
    },
  ]
}
