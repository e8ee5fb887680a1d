// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox

extension Option {
  static let process: [Option] = [
    Option(
      "--chdir", [.directory], in: .process, "Start the command in DIR",
      "Without it the command starts in the caller's directory if it exists inside, else in "
        + "$HOME, else in /.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in draft.sandbox.workingDirectory = typed.text(0) },
    Option("--setenv", [.variable, .value], in: .process, "Set an environment variable") {
      (draft, typed) throws(UsageError) in
      draft.sandbox.environment.append(.set(try typed.variable(0), to: typed.text(1)))
    },
    Option("--unsetenv", [.variable], in: .process, "Remove an environment variable") {
      (draft, typed) throws(UsageError) in
      draft.sandbox.environment.append(.unset(try typed.variable(0)))
    },
    Option("--clearenv", in: .process, "Remove all environment variables") {
      (draft, _) throws(UsageError) in draft.sandbox.environment.append(.clear)
    },
    Option(
      "--argv0", [.value], in: .process, "Pass VALUE to the command as its name"
    ) { (draft, typed) throws(UsageError) in
      guard draft.sandbox.commandName == nil else { throw UsageError("may be given only once") }
      draft.sandbox.commandName = typed.text(0)
    },
    Option(
      "--new-session", in: .process, "Start the command in a session of its own",
      "It has no terminal then, and cannot push characters into the caller's, as kernels before "
        + "6.2 and some later ones would let it (CVE-2017-5226)."
    ) { (draft, _) throws(UsageError) in draft.sandbox.hasOwnSession = true },
    Option(
      "--as-pid-1", in: .process, "Make the command process 1 itself",
      "Needs --unshare-pid. It has to reap what others leave behind, and the kernel ignores "
        + "signals that it does not handle."
    ) { (draft, _) throws(UsageError) in draft.sandbox.commandIsInit = true },
  ]

  static let security: [Option] = [
    Option(
      "--cap-add", [.capability], in: .security, "Let the command keep the capability CAP",
      "A name as in capabilities(7), in any case, with or without cap_, or ALL. The options are "
        + "worked off in order."
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.capabilities.append(.add(try typed.capabilities(0)))
    },
    Option(
      "--cap-drop", [.capability], in: .security, "Take the capability CAP from the command",
      "Without these options an ordinary user's command has none, and root's keeps all that it "
        + "has where there is no new user namespace."
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.capabilities.append(.drop(try typed.capabilities(0)))
    },
    Option(
      "--seccomp", [.descriptor], in: .security, "Load a compiled seccomp filter from FD",
      "Classic BPF, as seccomp_export_bpf(3) writes it. It is installed last, right before the "
        + "command is executed.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      try draft.addFilter(typed, replacing: true)
    },
    Option(
      "--add-seccomp-fd", [.descriptor], in: .security, "Load one more seccomp filter from FD",
      "Filters are installed in order. Not to be combined with --seccomp."
    ) { (draft, typed) throws(UsageError) in try draft.addFilter(typed, replacing: false) },
  ]

  static let lifetime: [Option] = [
    Option(
      "--die-with-parent", in: .lifetime, "Kill everything inside when the caller ends"
    ) { (draft, _) throws(UsageError) in draft.sandbox.diesWithParent = true },
    Option(
      "--kill-on-exit", in: .lifetime, "Kill everything inside when the command ends",
      "Needs --unshare-pid. Without it, processes in the background live on."
    ) { (draft, _) throws(UsageError) in draft.sandbox.killsOnExit = true },
  ]
}

extension Draft {
  fileprivate mutating func addFilter(
    _ typed: Occurrence, replacing: Bool
  ) throws(UsageError) {
    let source = FilterSource(option: typed.option, descriptor: try typed.descriptor(0))
    if let other = sandbox.filters.first, other.option != source.option {
      throw UsageError("cannot be combined with \(other.option)")
    }
    if replacing { sandbox.filters = [] }
    sandbox.filters.append(source)
  }
}
