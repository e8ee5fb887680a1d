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

  private var violations: [(Bool, String)] {
    let others = namespaces.others
    let hasPid = others.contains(.pid)
    let hasUser =
      namespaces.user == .create || namespaces.user == .createWhereSupported
      || CurrentProcess.identity.user != 0
    return [
      (command.isEmpty, "no command was given"),
      (user != nil && !hasUser, "--uid needs --unshare-user"),
      (group != nil && !hasUser, "--gid needs --unshare-user"),
      (hostname != nil && !others.contains(.uts), "--hostname needs --unshare-uts"),
      (domainName != nil && !others.contains(.uts), "--domainname needs --unshare-uts"),
      (
        clocks.monotonic != nil && !others.contains(.time), "--monotonic needs --unshare-time"
      ),
      (clocks.boottime != nil && !others.contains(.time), "--boottime needs --unshare-time"),
      (commandIsInit && !hasPid, "--as-pid-1 needs --unshare-pid"),
      (killsOnExit && !hasPid, "--kill-on-exit needs --unshare-pid"),
    ]
  }

  /// The descriptors of the caller's that the sandbox makes use of, with the options that named
  /// them.
  var descriptors: [(option: String, number: CInt)] {
    var named: [(option: String, number: CInt)] = []
    for operation in filesystem {
      if let number = operation.descriptor { named.append((operation.option, number)) }
    }
    for filter in filters { named.append((filter.option, filter.descriptor)) }
    return named
  }
}
