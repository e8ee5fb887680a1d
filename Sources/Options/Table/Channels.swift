// SPDX-License-Identifier: Apache-2.0

internal import Linux
internal import Sandbox

extension Option {
  static let joins: [Option] = [
    Option(
      "--userns", [.descriptor], in: .namespaces, "Use the user namespace FD instead of a new one",
      "Not to be combined with --unshare-user.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in draft.sandbox.joined.user = try typed.descriptor(0) },
    Option(
      "--userns2", [.descriptor], in: .namespaces, "Change to the user namespace FD after set-up",
      "It must lie below the one of --userns.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.joined.secondUser = try typed.descriptor(0)
    },
    Option(
      "--pidns", [.descriptor], in: .namespaces, "Use the pid namespace FD",
      "With --unshare-pid, as the parent of the new one.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in draft.sandbox.joined.pid = try typed.descriptor(0) },
    Option(
      "--netns", [.descriptor], in: .namespaces, "Use the network namespace FD",
      "Not to be combined with --unshare-net.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.joined.network = try typed.descriptor(0)
    },
    Option(
      "--disable-userns", in: .namespaces, "Let no user namespace be made inside",
      "Needs a new user namespace, whose limit of user namespaces is set to 0."
    ) { (draft, _) throws(UsageError) in draft.sandbox.disablesUserNamespaces = true },
    Option(
      "--assert-userns-disabled", in: .namespaces, "Fail if one can be made nevertheless"
    ) { (draft, _) throws(UsageError) in draft.sandbox.assertsNoUserNamespaces = true },
  ]

  static let channels: [Option] = [
    Option(
      "--block-fd", [.descriptor], in: .monitoring, "Execute the command once FD can be read",
      "A byte or the end of file.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.block = try typed.descriptor(0)
    },
    Option(
      "--userns-block-fd", [.descriptor], in: .monitoring,
      "Wait on FD until the caller has written the id maps",
      "The maps of the process that --info-fd names, with newuidmap(1) and newgidmap(1) for "
        + "instance; nestbox writes none.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.mapsWritten = try typed.descriptor(0)
    },
    Option(
      "--info-fd", [.descriptor], in: .monitoring, "Describe the sandbox on FD in JSON",
      "One object with child-pid and the numbers of the new namespaces; then FD is closed.",
      traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.information = try typed.descriptor(0)
    },
    Option(
      "--json-status-fd", [.descriptor], in: .monitoring, "Tell start and end on FD in JSON",
      "A line with what --info-fd says before the command is started, and a line with its "
        + "exit-code when it has ended, if it was executed.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.status = try typed.descriptor(0)
    },
    Option(
      "--sync-fd", [.descriptor], in: .monitoring, "Keep FD open while the sandbox lives",
      "The command does not get it.", traits: .lastWins
    ) { (draft, typed) throws(UsageError) in
      draft.sandbox.channels.sync = try typed.descriptor(0)
    },
    Option(
      "--lock-file", [.directory], in: .monitoring, "Keep the file DIR locked while it lives",
      "A lock for reading, as of fcntl(2); the path is looked up inside."
    ) { (draft, typed) throws(UsageError) in draft.sandbox.lockFiles.append(typed.text(0)) },
  ]

  static let labels: [Option] = [
    Option(
      "--exec-label", [.label], in: .security, "Execute the command in the SELinux context LABEL",
      traits: .lastWins
    ) { (draft, typed) throws(UsageError) in draft.sandbox.executionLabel = typed.text(0) },
    Option(
      "--file-label", [.label], in: .security, "Give what is mounted the SELinux context LABEL",
      traits: .lastWins
    ) { (draft, typed) throws(UsageError) in draft.sandbox.fileLabel = typed.text(0) },
    Option(
      "--not-a-security-boundary", in: .security, "Only warn where a mount cannot be restricted",
      "For sandboxes that are there to tell programs apart and not to hold them."
    ) { (draft, _) throws(UsageError) in draft.sandbox.isNoSecurityBoundary = true },
  ]
}
