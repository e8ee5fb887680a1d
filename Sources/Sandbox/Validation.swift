// SPDX-License-Identifier: Apache-2.0
// What has to go together, and what cannot.

internal import Linux

/// A mistake in what was typed: one sentence that names the option.
public struct UsageError: Error, Equatable, Sendable {
  /// The sentence.
  public let message: String

  /// Says what is wrong.
  public init(_ message: String) {
    self.message = message
  }
}

extension Sandbox {
  /// Throws where parts of the sandbox contradict each other or ask for what cannot be had.
  public func validate() throws(UsageError) {
    for (isViolated, message) in violations where isViolated { throw UsageError(message) }
    for (option, number) in descriptors where !Descriptors.isOpen(number) {
      throw UsageError("\(option): descriptor \(String(number)) is not open")
    }
  }

  /// Each rule: whether it is broken, and what to say then.
  private var violations: [(Bool, String)] {
    let others = namespaces.others
    let hasPid = others.contains(.pid)
    let hasNewUser =
      joined.user == nil && (namespaces.user != .share || CurrentProcess.identity.user != 0)
    let hasUser = hasNewUser || joined.user != nil
    return [
      (user != nil && !hasUser, "--uid needs --unshare-user or --userns"),
      (group != nil && !hasUser, "--gid needs --unshare-user or --userns"),
      (hostname != nil && !others.contains(.uts), "--hostname needs --unshare-uts"),
      (domainName != nil && !others.contains(.uts), "--domainname needs --unshare-uts"),
      (clocks.monotonic != nil && !others.contains(.time), "--monotonic needs --unshare-time"),
      (clocks.boottime != nil && !others.contains(.time), "--boottime needs --unshare-time"),
      (commandIsInit && !hasPid, "--as-pid-1 needs --unshare-pid"),
      (commandIsInit && !lockFiles.isEmpty, "--as-pid-1 cannot be combined with --lock-file"),
      (commandIsInit && channels.sync != nil, "--as-pid-1 cannot be combined with --sync-fd"),
      (killsOnExit && !hasPid, "--kill-on-exit needs --unshare-pid"),
      (
        joined.user != nil && namespaces.user == .create,
        "--userns cannot be combined with --unshare-user"
      ),
      (
        joined.network != nil && others.contains(.network),
        "--netns cannot be combined with --unshare-net"
      ),
      (disablesUserNamespaces && !hasNewUser, "--disable-userns needs --unshare-user"),
      (
        disablesUserNamespaces && channels.mapsWritten != nil,
        "--disable-userns cannot be combined with --userns-block-fd"
      ),
      (channels.mapsWritten != nil && !hasNewUser, "--userns-block-fd needs --unshare-user"),
      (
        channels.mapsWritten != nil && channels.information == nil,
        "--userns-block-fd needs --info-fd"
      ),
      (
        (executionLabel ?? fileLabel) != nil && !SELinux.isActive,
        "--exec-label and --file-label need SELinux, which is not active here"
      ),
    ]
  }

  /// Whether the command keeps what it takes to undo `--disable-userns`.
  var canRaiseLimits: Bool {
    guard disablesUserNamespaces, let needed = Capabilities(named: "sys_resource") else {
      return false
    }
    return !(capabilities.applied(to: Capabilities()) & needed).isEmpty
  }

  /// The descriptors of the caller's that the sandbox makes use of, with the options that named
  /// them.
  var descriptors: [(option: String, number: CInt)] {
    var named: [(option: String, number: CInt)] = []
    for operation in filesystem {
      if let number = operation.descriptor { named.append((operation.option, number)) }
    }
    for filter in filters { named.append((filter.option, filter.descriptor)) }
    let single: [(option: String, number: CInt?)] = [
      ("--userns", joined.user), ("--userns2", joined.secondUser), ("--pidns", joined.pid),
      ("--netns", joined.network), ("--info-fd", channels.information),
      ("--json-status-fd", channels.status), ("--block-fd", channels.block),
      ("--userns-block-fd", channels.mapsWritten), ("--sync-fd", channels.sync),
    ]
    for (option, number) in single {
      if let number { named.append((option, number)) }
    }
    return named
  }
}
