// SPDX-License-Identifier: Apache-2.0
// The sandboxes that are attacked.

import TestSupport

/// A way to make a sandbox.
enum Box: String, CaseIterable, Sendable {
  case system, desktop, processOne, userZero, shared, session, noUserNamespaces
  case tracer, capable, byRoot, byRootAsUser, untrusted
  case desktopPolicy, compatPolicy

  /// The options; `$system`, `$bare` and `$work` are the scene's (Support/Hostile.swift).
  var options: String {
    switch self {
    // All that the host has, to be read.
    case .system: "--unshare-all \(Box.everything)"
    // As a wrapper of a desktop program has it.
    case .desktop: "--unshare-all --share-net --die-with-parent \(Box.little)"
    case .processOne: "--unshare-all --as-pid-1 \(Box.everything)"
    case .userZero: "--unshare-all --uid 0 --gid 0 \(Box.little)"
    // Nothing but what an ordinary user gets without asking: user and mount namespace.
    case .shared: Box.everything
    case .session: "--unshare-all --new-session \(Box.everything)"
    case .noUserNamespaces: "--unshare-user --unshare-all --disable-userns \(Box.everything)"
    case .tracer: "--unshare-all --cap-add CAP_SYS_PTRACE \(Box.little)"
    case .capable: "--unshare-all --cap-add ALL \(Box.little)"
    case .byRoot: "--unshare-all --cap-drop ALL \(Box.everything)"
    case .byRootAsUser: "--unshare-user --unshare-all \(Box.little)"
    // What an unknown program gets.
    case .untrusted:
      """
      --profile untrusted "${kept[@]}" --ro-bind "$tools" "$tools" --ro-bind "$H/data" "$H/data" \
        "${work[@]}"
      """
    case .desktopPolicy: "--unshare-all --seccomp-policy desktop \(Box.everything)"
    case .compatPolicy: "--unshare-all --seccomp-policy compat \(Box.everything)"
    }
  }

  private static let everything = #""${system[@]}" "${work[@]}""#
  private static let little = #""${bare[@]}" "${work[@]}""#

  /// Who starts it.
  var user: User { self == .byRoot || self == .byRootAsUser ? .root : .ordinary }
}
