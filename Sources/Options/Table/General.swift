// SPDX-License-Identifier: Apache-2.0

internal import Sandbox

extension Option {
  static let general: [Option] = [
    Option(
      "--help", [.topic], in: .general, "Show what to type first, or all about TOPIC",
      """
      TOPIC is an option, with or without its dashes, a section of options, a profile, or a chapter
      of the manual. Without TOPIC, it prints six tasks with lines to type. It ignores the rest of
      the command line. -h is the same as --help.

          nestbox --help ro-bind
          nestbox --help namespaces
      """, traits: .lastIsOptional
    ) { (draft, typed) throws(UsageError) in
      draft.task = .help(topic: typed.words.isEmpty ? nil : typed.text(0))
    },
    Option(
      "--version", in: .general, "Print the version and exit",
      """
      Ignores the rest of the command line. Under the name bwrap it prints the release of bubblewrap
      whose options it understands.
      """
    ) {
      (draft, _) throws(UsageError) in draft.task = .version
    },
    Option(
      "--args", [.descriptor], in: .general, "Read more options from FD, separated by NUL bytes",
      """
      The options replace this one, as if they were typed in its place. They may contain neither a
      command nor --args. nestbox reads FD to its end and closes it. The option may be repeated.
      Other users can see the command line of a process, but not these options.

          printf '%s\\0' --ro-bind / / --unshare-all | nestbox --args 0 true
      """, traits: [.isForCommandLine, .isForEntering]
    ) { (draft, typed) throws(UsageError) in draft.moreArguments = try typed.descriptor(0) },
    Option(
      "--level-prefix", in: .general, "Begin messages with a priority, <3> or <4>, for journald",
      """
      Errors begin with <3> and warnings with <4>, which journald and syslog tools understand. See
      sd-daemon(3).
      """, traits: .isForEntering
    ) { (draft, _) throws(UsageError) in draft.hasLevelPrefix = true },
    Option(
      "--verbose", in: .general, "Report each step of the launch and its time",
      """
      Writes one line for each step to standard error: the milliseconds since the start, in brackets
      those since the step before, and what nestbox did, with the option.
      """, traits: .isForEntering
    ) { (draft, _) throws(UsageError) in draft.isVerbose = true },
    Option(
      "--notify", in: .general, "Show why a launch failed as a notification as well",
      """
      Works only if standard error is not a terminal, as for a program that a menu has started. It
      uses notify-send, kdialog, zenity or xmessage, the first that is installed. --wrap adds it to a
      wrapper that has a menu entry.
      """
    ) { (draft, _) throws(UsageError) in draft.notifies = true },
    Option(
      "--doctor", in: .general, "Say which features work on this machine",
      """
      It tries each feature in a child process, or examines what it cannot try, and says which
      options need it. For a feature that does not work it names the cause and what would make it
      work. The exit status is 0 if the basic sandbox works, and 1 otherwise. On a terminal it uses
      colours, unless NO_COLOR is set. Add --json for a report for programs.
      """
    ) { (draft, _) throws(UsageError) in draft.task = .doctor },
    Option(
      "--dry-run", in: .general, "Print what would be done, and do nothing",
      """
      Prints the command, the namespaces, each operation on the new root and the place that it
      leads to, the environment, the privileges and the descriptors, and warns of settings that
      undo the sandbox. It opens no file and makes nothing, but checks whether the paths that options
      name exist. Add --json for a report for programs.
      """
    ) { (draft, _) throws(UsageError) in draft.task = .dryRun },
    Option(
      "--json", in: .general, "Print the report of another option as JSON",
      """
      It needs an option that prints a report, such as --dry-run, --doctor, --list-profiles,
      --show-profile or --seccomp-explain.
      """, traits: .isForCommandLine
    ) { (draft, _) throws(UsageError) in draft.isJSON = true },
    Option(
      "--generate", [.generated], in: .general, "Print a manual page or a completion script",
      """
      Ignores the rest of the command line. `make install` puts pages and scripts where man(1) and
      the shells look for them; this option is for other ways of installation, and for the scripts,
      which ask for lists.

          nestbox --generate man | man -l -
      """, traits: .isForCommandLine
    ) { (draft, typed) throws(UsageError) in
      draft.task = .generate(try typed.generated(0))
    },
  ]
}
