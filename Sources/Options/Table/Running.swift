// SPDX-License-Identifier: Apache-2.0

internal import Sandbox

extension Option {
  static let running: [Option] = [
    Option(
      "--list", in: .running, "List the sandboxes of this user that are running",
      """
      A line a sandbox: its name, or -, the number of its first process, how long ago that started,
      how many processes it has, its network, the program that made it, and its command. Sandboxes
      of bubblewrap, flatpak, podman and others are listed as well: all processes with namespaces of
      their own. NETWORK is host for the caller's own network namespace, none for one that has
      nothing but the loopback interface, shared for one that several sandboxes are in, and own for
      any other. Where standard output is a terminal, lines are cut at its width. With --json for
      programs.
      """
    ) { (draft, _) throws(UsageError) in draft.task = .list },
    Option(
      "--inspect", [.sandbox], in: .running, "Print all there is to know of a running sandbox",
      """
      SANDBOX is a name, or the number of one of its processes or of its monitor. The report shows
      each namespace as /proc/PID/ns names it and who else is in it, how ids are mapped, processes,
      privileges, mounts and how full those in memory are, addresses, limits and control groups.
      With --json for programs.

          nestbox --inspect 4711
      """
    ) { (draft, typed) throws(UsageError) in draft.task = .inspect(typed.text(0)) },
  ]
}
