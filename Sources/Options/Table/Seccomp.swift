// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Seccomp
internal import SystemPackage
internal import Text

extension Option {
  static let seccomp: [Option] = [
    Option(
      "--seccomp-policy", [.policy], in: .security, "Put the command under the policy POLICY",
      "The name of a built-in policy or the path of a file; seccomp/README.md describes both. It "
        + "takes the place of one that stands before it, and of what was changed in that; none "
        + "stands for no policy at all. It is installed after the filters of --seccomp and "
        + "--add-seccomp-fd; a call has to pass all of them."
    ) { (draft, typed) throws(UsageError) in
      let name = typed.text(0)
      draft.sandbox.policy = name == "none" ? nil : PolicyChoice(name)
    },
    adjustment("--seccomp-allow", .allow, "Allow these calls and groups as well"),
    adjustment("--seccomp-deny", .errno(.notPermitted), "Have these calls and groups fail as well"),
    Option(
      "--seccomp", [.descriptor], in: .security, "Load a compiled seccomp filter from FD",
      """
      Classic BPF, as seccomp_export_bpf(3) writes it, read to the end of the descriptor. It is
      installed last, right before the command is executed, so it need allow nothing but what the
      command does, and execve(2). Not to be combined with --add-seccomp-fd.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      try draft.addFilter(typed, replacing: true)
    },
    Option(
      "--add-seccomp-fd", [.descriptor], in: .security, "Load one more seccomp filter from FD",
      """
      As --seccomp, but it may be repeated: the filters are installed in order, and the strictest
      answer counts. Not to be combined with --seccomp.
      """
    ) { (draft, typed) throws(UsageError) in try draft.addFilter(typed, replacing: false) },
    task(
      "--seccomp-compile", .compilePolicy, "Write the filter that POLICY is to standard output",
      "As --seccomp and the options of other launchers read it. No command is run."),
    task(
      "--seccomp-explain", .explainPolicy, "Print what POLICY does with each system call",
      "In a table, or with --json as JSON. Options behind it that change a policy change what is "
        + "printed. No command is run."),
  ]

  private static func adjustment(
    _ name: String, _ action: SeccompAction, _ summary: String
  ) -> Option {
    Option(
      name, [.calls], in: .security, summary,
      "Names of system calls and groups, separated by commas, as ptrace,@mount. They change the "
        + "policy that --seccomp-policy or a profile before it has chosen, for this run; the last "
        + "option that names a call decides."
    ) { (draft, typed) throws(UsageError) in
      guard draft.sandbox.policy != nil else {
        throw UsageError("needs --seccomp-policy before it")
      }
      draft.sandbox.policy?.adjustments.append(
        PolicyChoice.Adjustment(option: typed.name, action: action, list: typed.text(0)))
    }
  }

  private static func task(
    _ name: String, _ task: Draft.Task, _ summary: String, _ discussion: String
  ) -> Option {
    Option(name, [.policy], in: .security, summary, discussion) {
      (draft, typed) throws(UsageError) in
      draft.task = task
      draft.sandbox.policy = PolicyChoice(typed.text(0))
    }
  }
}

extension Draft {
  fileprivate mutating func addFilter(
    _ typed: Occurrence, replacing: Bool
  ) throws(UsageError) {
    let source = typed.setting(try typed.descriptor(0))
    if let other = sandbox.filters.first, other.option.name != source.option.name {
      throw UsageError("cannot be combined with \(other.option.name)")
    }
    if replacing { sandbox.filters = [] }
    sandbox.filters.append(source)
  }
}
