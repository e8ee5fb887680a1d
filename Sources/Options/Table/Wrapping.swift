// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let wrapping: [Option] = [
    Option(
      "--wrap", [.program], in: .wrapping, "Write a script that starts PROGRAM in this sandbox",
      """
      A name is looked for in PATH, where scripts of this kind are passed over: the script may have
      the program's own name and be found before it. The script goes to standard output. No sandbox
      is started, but mistakes in the options are found.

          nestbox --wrap xclock --profile desktop --output ~/.local/bin/ --desktop-file
      """, traits: [.isForCommandLine, .namesProgram]
    ) { (draft, _) throws(UsageError) in draft.task = .wrap },
    Option(
      "--output", [.hostFile], in: .wrapping, "Write the script to PATH instead of standard output",
      """
      It is made executable. Where PATH is a directory or ends in a slash, the script gets the
      program's name in it. Missing directories are made. A file that --wrap has not written is an
      error.
      """, traits: .isForCommandLine
    ) { (draft, typed) throws(UsageError) in draft.needsWrap(typed) },
    Option(
      "--desktop-file", [.hostFile], in: .wrapping, "Write a menu entry that starts the script",
      """
      It overrides the entry of the program, which is looked for in $XDG_DATA_HOME and
      $XDG_DATA_DIRS: by the last part of PATH, by the program's name, or as the only one that
      starts the program. In each Exec and in TryExec the script takes the program's place; an action
      that starts another program is left out, which nestbox says; DBusActivatable is left out. All
      else is kept. If PATH is a directory, the name is kept as well; PATH may be left out for
      ~/.local/share/applications. Needs --output.
      """, traits: [.isForCommandLine, .lastIsOptional]
    ) { (draft, typed) throws(UsageError) in draft.needsWrap(typed) },
    Option(
      "--overwrite", in: .wrapping, "Replace files that --wrap has not written as well",
      """
      It holds for --output and --desktop-file. What --wrap wrote before is replaced in any case.
      """, traits: .isForCommandLine
    ) { (draft, typed) throws(UsageError) in draft.needsWrap(typed) },
  ]
}

extension Draft {
  fileprivate mutating func needsWrap(_ typed: Occurrence) {
    if optionOfWrapper == nil { optionOfWrapper = typed.name }
  }
}
