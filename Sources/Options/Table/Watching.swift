// SPDX-License-Identifier: Apache-2.0

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
    ) { (draft, typed) throws(UsageError) in draft.sandbox.explain = typed.option }
  ]
}
