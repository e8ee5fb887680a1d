// SPDX-License-Identifier: Apache-2.0
// What can be said about a command that was executed and then failed because of the sandbox.

public import Linux
internal import SystemPackage

extension ResolvedSandbox {
  /// One line about the end of the command, where the sandbox caused it.
  public func explanation(of termination: Termination) -> String? {
    guard ResolvedSandbox.isWorthALook(termination) else { return nil }
    if case .signaled = termination {
      guard !sandbox.filters.isEmpty || policy != nil else { return nil }
      return
        "the seccomp filter ended the command (SIGSYS): the kernel's log names the system call "
        + "(journalctl -k --grep SECCOMP)"
        + (policy == nil ? "" : ", and --seccomp-explain lists what the policy does with each")
    }
    return LibrarySearch.explanation(of: plan())
  }

  /// Whether a command that ended like this may have failed because of the sandbox: ld.so(8) exits
  /// with 127 where it finds a library nowhere.
  static func isWorthALook(_ termination: Termination) -> Bool {
    termination == .exited(127) || termination == .signaled(.badSystemCall)
  }
}
