// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let wrapping: [Option] = [
    Option(
      "--wrap", [.program], in: .wrapping, "Write a script that starts PROGRAM in this sandbox",
      """
      nestbox searches for a name in PATH and skips wrappers there, so a wrapper may have the
      program's own name and come first in PATH. The script goes to standard output. nestbox starts
      no sandbox, but reports mistakes in the options.

          nestbox --wrap firefox --profile browser --output ~/.local/bin/ --desktop-file
      """, traits: [.isForCommandLine, .namesProgram]
    ) { (draft, _) throws(UsageError) in draft.task = .wrap },
    Option(
      "--output", [.hostFile], in: .wrapping, "Write the script to PATH instead of standard output",
      """
      nestbox makes the script executable, and makes missing directories. If PATH is a directory or
      ends in a slash, the script gets the program's name there. If the file exists and --wrap did
      not write it, it is an error.
      """, traits: .isForCommandLine
    ) { (draft, typed) throws(UsageError) in draft.needsWrap(typed) },
    Option(
      "--desktop-file", [.hostFile], in: .wrapping, "Write a menu entry that starts the script",
      """
      The new entry overrides that of the program. nestbox searches for the program's entry in
      $XDG_DATA_HOME and $XDG_DATA_DIRS: by the last part of PATH, by the program's name, or as the
      only entry that starts the program. In Exec and TryExec it puts the script in the program's
      place. It leaves out the key DBusActivatable, and actions that start another program, which it
      reports. If PATH is a directory, the entry keeps its name; without PATH it goes to
      ~/.local/share/applications. Needs --output.
      """, traits: [.isForCommandLine, .lastIsOptional]
    ) { (draft, typed) throws(UsageError) in draft.needsWrap(typed) },
    Option(
      "--overwrite", in: .wrapping, "Replace files even if --wrap did not write them",
      """
      It applies to --output and --desktop-file. Files that --wrap wrote are always replaced. With
      --apply it also replaces or removes files that the host has changed since the review began.
      """, traits: .isForCommandLine
    ) { (draft, _) throws(UsageError) in draft.overwritesConflicts = true },
  ]
}

extension Draft {
  fileprivate mutating func needsWrap(_ typed: Occurrence) {
    if optionOfWrapper == nil { optionOfWrapper = typed.name }
  }
}
