// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Text

extension Option {
  static let watching: [Option] = [
    Option(
      "--explain", in: .monitoring, "Say at the end what the sandbox kept from the command",
      """
      For each thing that the command looked for and did not get, although it would outside: a line
      with the thing, the programs that looked for it, and the option that would give it to them, or
      what speaks against that. A thing is a file that is not shown, a place that is read-only, an
      address without a network, a system call that the policy refuses, or a capability. The command
      stays in its sandbox, and runs slower meanwhile. Everything inside is killed when the command
      ends, as with --kill-on-exit. The report goes to standard error; with --json it is one line
      for programs. It needs --unshare-pid, and cannot watch where another program already does:
      under an outer --explain, and in some containers.

          nestbox --explain cat /srv/data
      """
    ) { (draft, typed) throws(UsageError) in draft.sandbox.explain = typed.option },
    Option(
      "--learn", [.learnedFile], in: .monitoring, "Write a profile with what the command used",
      """
      The command runs in the sandbox of this line, under the default profile if there is no other,
      and is watched as with --explain. If it succeeds, nestbox writes FILE: a profile with the
      protection of this line, and of the files that it shows only those that the command used. /usr
      and its like are shown whole, as updates change files there, and so are directories that were
      listed or of which many files were used. The profile never shows more than this line. Secrets,
      and what the command looked for and did not get, become comments with the reason.

      If FILE exists, its lines stay, and those are added that this run needs. Read FILE before you
      use it, above all if you do not trust the command: what it used is what FILE gives it. The
      command must not be able to change FILE. With --shrink, nestbox then leaves out what the command
      can do without; with --json, the report is one line for programs.

          nestbox --learn ./tool.profile --tmp-home tool --version
      """, traits: .isForCommandLine
    ) { (draft, typed) throws(UsageError) in
      try draft.begin(typed, verifies: false)
    },
    Option(
      "--verify", [.learnedFile], in: .monitoring, "Say whether the profile FILE is enough",
      """
      The command runs under exactly that profile, and is watched as with --explain. At the end
      nestbox says what the sandbox kept from it, other than what a comment of FILE names, and which
      lines of FILE about files the run did not use. The status is the command's. No other option
      about the sandbox goes with it. With --shrink, lines that the command can do without become
      comments; with --json, the report is one line for programs.
      """, traits: .isForCommandLine
    ) { (draft, typed) throws(UsageError) in
      try draft.begin(typed, verifies: true)
    },
    Option(
      "--shrink", in: .monitoring, "Make lines of a learned profile comments that are not needed",
      """
      Goes with --learn or --verify. The command runs again, without input and without a terminal,
      once with the whole profile and then each time without some of the lines that show files or
      permit something. Lines stay out if its status and its output are the same without them. If its
      output differs from run to run anyway, only the status counts. What the command does, it does in
      each of these runs. Lines that restrict the command always stay.

          nestbox --learn ./tool.profile --shrink tool --version
      """, traits: .isForCommandLine
    ) { (draft, _) throws(UsageError) in draft.shrinks = true },
  ]
}

extension Draft {
  /// Has the launch learn or verify the profile in the file that an option names.
  fileprivate mutating func begin(_ typed: Occurrence, verifies: Bool) throws(UsageError) {
    guard lesson == nil else {
      throw UsageError(
        predicate: "cannot be combined with another --learn or --verify; type a line for each")
    }
    let file = try typed.ownFile(0)
    // A pipe could be read once, and a device would be replaced.
    if let open = try? OwnedDescriptor.open(file.path, .location),
      (try? open.isRegularFile()) == false
    {
      throw UsageError("\(file.quoted) is not a regular file; name another file")
    }
    lesson = Lesson(file, typed.option, verifies: verifies)
    sandbox.explain = typed.option
    sandbox.learning = .profile
    guard verifies else { return }
    // With a slash, it is the path of a file.
    let isPath = file.bytes.contains(UInt8(ascii: "/"))
    let path = isPath ? file : ByteString("./").appending(file)
    if !isPath, (try? FileFacts(at: path.path)) == nil {
      throw UsageError("there is no profile \(file.quoted) in the working directory")
    }
    sandbox.learning = .verification(path)
    moreProfile = path
  }
}
