// SPDX-License-Identifier: Apache-2.0

internal import Sandbox

extension Option {
  static let general: [Option] = [
    Option("--help", in: .general, "Print this help and exit") {
      (draft, _) throws(UsageError) in draft.task = .help
    },
    Option("--version", in: .general, "Print the version and exit") {
      (draft, _) throws(UsageError) in draft.task = .version
    },
    Option(
      "--args", [.descriptor], in: .general, "Read more options from FD, separated by NUL bytes",
      "They take the place of this option. They may hold neither a command nor --args. "
        + "The descriptor is read to its end."
    ) { (draft, typed) throws(UsageError) in draft.moreArguments = try typed.descriptor(0) },
    Option(
      "--level-prefix", in: .general, "Begin messages with a priority, <3> or <4>, for journald",
      "Errors begin with <3>, warnings with <4>. See sd-daemon(3)."
    ) { (draft, _) throws(UsageError) in draft.hasLevelPrefix = true },
    Option("--json", in: .general, "Answer in JSON, where an option asks for a report") {
      (draft, _) throws(UsageError) in draft.isJSON = true
    },
  ]
}
