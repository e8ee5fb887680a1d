// SPDX-License-Identifier: Apache-2.0

internal import Sandbox

extension Option {
  static let general: [Option] = [
    Option(
      "--help", [.topic], in: .general, "Print this help, or all there is to say on TOPIC",
      """
      TOPIC is an option, with or without its dashes, or a part of the manual, and may be left
      out. Nothing after it is looked at.

          nestbox --help ro-bind
          nestbox --help namespaces
      """, traits: .lastIsOptional
    ) { (draft, typed) throws(UsageError) in
      draft.task = .help(topic: typed.words.isEmpty ? nil : typed.text(0))
    },
    Option(
      "--version", in: .general, "Print the version and exit",
      """
      Nothing after it is looked at. Under the name bwrap it is bubblewrap's release whose options
      are understood.
      """
    ) {
      (draft, _) throws(UsageError) in draft.task = .version
    },
    Option(
      "--args", [.descriptor], in: .general, "Read more options from FD, separated by NUL bytes",
      """
      They take the place of this option, as if they were typed there. They may hold neither a
      command nor --args. The descriptor is read to its end and closed, and the option may be
      repeated. Other users see the command line of a process, but not what comes this way.

          printf '%s\\0' --ro-bind / / --unshare-all | nestbox --args 0 true
      """, traits: .isForCommandLine
    ) { (draft, typed) throws(UsageError) in draft.moreArguments = try typed.descriptor(0) },
    Option(
      "--level-prefix", in: .general, "Begin messages with a priority, <3> or <4>, for journald",
      """
      Errors begin with <3>, warnings with <4>, and journald and syslog tools sort them by it. See
      sd-daemon(3).
      """
    ) { (draft, _) throws(UsageError) in draft.hasLevelPrefix = true },
    Option(
      "--verbose", in: .general, "Tell each step of the launch as it is done, and its time",
      """
      On standard error, a line a step: the milliseconds since the beginning, in brackets those
      since the step before, and what was done, with the option and its words.
      """
    ) { (draft, _) throws(UsageError) in draft.isVerbose = true },
    Option(
      "--doctor", in: .general, "Say which features work on this machine",
      """
      Each is tried in a child, or looked at where it cannot be tried; of what does not work the
      cause is named and what would make it work. The exit status is 0 where the basic sandbox
      works, and 1 where it does not. Colours are used on a terminal, unless NO_COLOR is set.
      With --json for programs.
      """
    ) { (draft, _) throws(UsageError) in draft.task = .doctor },
    Option(
      "--dry-run", in: .general, "Print what would be done, and do nothing",
      """
      The command, the namespaces, each operation on the new root with where it leads, the
      environment, the privileges and the descriptors; and warnings of what undoes the sandbox. No
      file is opened and nothing is made, but the places that options name are looked at, to say
      what is missing. With --json for programs.
      """
    ) { (draft, _) throws(UsageError) in draft.task = .dryRun },
    Option(
      "--json", in: .general, "Answer in JSON, where an option asks for a report",
      """
      The report is then an object for programs. Without an option that asks for a report it is an
      error.
      """, traits: .isForCommandLine
    ) { (draft, _) throws(UsageError) in draft.isJSON = true },
    Option(
      "--generate", [.generated], in: .general, "Print a manual page or a completion script",
      """
      Nothing after it is looked at. `make install` puts pages and scripts where man(1) and the
      shells look for them; this option is for other ways of installation, and for the scripts
      themselves, which ask for lists.

          nestbox --generate man | man -l -
      """, traits: .isForCommandLine
    ) { (draft, typed) throws(UsageError) in
      draft.task = .generate(try typed.generated(0))
    },
  ]
}
