// SPDX-License-Identifier: Apache-2.0
// Why a command gets no terminal of its own.

internal import Linux
internal import SystemPackage
internal import Text

extension Cause {
  static let terminals: [Cause] = [
    Cause([.openTerminal, .mountDevices], [.noSpace]) { failure in
      guard let use = failure.machine.terminals, use.isUp else { return nil }
      return Diagnosis(
        "this machine has as many pseudo-terminals as the sysctl kernel.pty.max allows "
          + "(\(String(use.most)))", remedy: use.remedy)
    },
    Cause([.openTerminal], [.noSpace]) { failure in
      Diagnosis(
        "the devpts on /dev/pts has as many terminals as its mount option max allows",
        remedy: failure.adding(["--dev", "/dev"]))
    },
    Cause([.openTerminal], [.noSuchFileOrDirectory]) { failure in
      guard !CurrentProcess.exists("/dev/ptmx") else { return nil }
      return Diagnosis(
        "the host has no /dev/ptmx, which opens terminals",
        remedy: failure.adding(["--dev", "/dev"]))
    },
  ]
}

/// How many pseudo-terminals a machine has.
///
/// See pty(7), and devpts in the kernel's documentation.
public struct TerminalUse {
  /// How many exist.
  public let number: Int64
  /// How many may exist.
  public let most: Int64
  /// How many of these a devpts in a container or sandbox cannot have.
  private let reserve: Int64

  fileprivate init(_ number: Int64, of most: Int64, reserve: Int64) {
    (self.number, self.most, self.reserve) = (number, most, reserve)
  }

  /// Whether a sandbox can have no more.
  public var isUp: Bool { number >= most - reserve }

  /// What allows more.
  public var remedy: Remedy { .asRoot("sysctl -w kernel.pty.max=\(String(2 * most))") }
}

extension Machine {
  /// How many pseudo-terminals exist; nil if the kernel does not tell.
  public var terminals: TerminalUse? {
    guard let number = sysctl("kernel.pty.nr"), let most = sysctl("kernel.pty.max") else {
      return nil
    }
    return TerminalUse(number, of: most, reserve: sysctl("kernel.pty.reserve") ?? 0)
  }
}
