// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox
internal import Seccomp
internal import SystemPackage
internal import Text

extension Option {
  static let seccomp: [Option] = [
    Option(
      "--seccomp-policy", [.policy], in: .security, "Restrict system calls by the policy POLICY",
      "The name of a built-in policy or the path of a file, also one of Docker or Podman; see nestbox-policy(5). It replaces an "
        + "earlier policy and the changes made to that; the name none means no policy. It is "
        + "installed after the filters of --seccomp and --add-seccomp-fd; a call must pass all of "
        + "them. With --enter, it applies to a command in a sandbox that has no policy of nestbox.",
      traits: .isForEntering
    ) { (draft, typed) throws(UsageError) in
      let name = typed.text(0)
      draft.sandbox.policy = name == "none" ? nil : PolicyChoice(name)
    },
    adjustment("--seccomp-allow", .allow, "Allow these system calls and groups as well"),
    adjustment(
      "--seccomp-deny", .errno(.notPermitted), "Refuse these system calls and groups as well"),
    Option(
      "--seccomp", [.descriptor], in: .security, "Load a compiled seccomp filter from FD",
      """
      FD contains classic BPF, as seccomp_export_bpf(3) writes it; nestbox reads it to its end. It
      installs the filter last, right before it executes the command, so the filter needs to allow
      only execve(2) and the command's own calls. Cannot be combined with --add-seccomp-fd.
      """, traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      try draft.addFilter(typed, replacing: true)
    },
    Option(
      "--add-seccomp-fd", [.descriptor], in: .security,
      "Load another compiled seccomp filter from FD",
      """
      As --seccomp, but the option may be repeated: nestbox installs the filters in order, and the
      strictest answer counts. Cannot be combined with --seccomp.
      """
    ) { (draft, typed) throws(UsageError) in try draft.addFilter(typed, replacing: false) },
    task(
      "--seccomp-compile", .compilePolicy, "Write the compiled POLICY to standard output",
      "The output suits --seccomp and the options of other launchers. No command is run."),
    task(
      "--seccomp-explain", .explainPolicy, "Print what POLICY does with each system call",
      "Prints a table, or JSON with --json. Later options that change the policy change the output. "
        + "No command is run."),
    Option(
      "--seccomp-export", [Operand(name: "FORMAT", kind: .text), .policy], in: .security,
      "Write POLICY in the format of other programs",
      """
      FORMAT is oci: the JSON that Docker and Podman take with --security-opt seccomp=FILE. Later
      options that change the policy change the output. No command is run.

          nestbox --seccomp-export oci strict
      """
    ) { (draft, typed) throws(UsageError) in
      guard typed.text(0) == "oci" else {
        throw UsageError("expected oci, found \(typed.text(0).quoted)")
      }
      draft.task = .exportPolicy
      draft.sandbox.policy = PolicyChoice(typed.text(1))
    },
  ]

  private static func adjustment(
    _ name: String, _ action: SeccompAction, _ summary: String
  ) -> Option {
    Option(
      name, [.calls], in: .security, summary,
      "LIST is names of system calls and groups, separated by commas, such as ptrace,@mount. They "
        + "change, for this run, the policy that an earlier --seccomp-policy or profile chose; the "
        + "last option that names a call decides.",
      traits: .isForEntering
    ) { (draft, typed) throws(UsageError) in
      guard draft.sandbox.policy != nil else {
        throw UsageError(predicate: "needs --seccomp-policy before it")
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
      throw UsageError(predicate: "cannot be combined with \(other.option.name)")
    }
    if replacing { sandbox.filters = [] }
    sandbox.filters.append(source)
  }
}
