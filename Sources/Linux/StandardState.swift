// SPDX-License-Identifier: Apache-2.0
// What a monitor changes of its process and a command would inherit: kept and restored where one
// process begins a launch after another that has failed.

internal import CLinux
internal import Glibc

/// The standard descriptors of this process, and what it does about signals.
public struct StandardState {
  /// Copies of the descriptors 0, 1 and 2, which this process must keep open.
  public let descriptors: [CInt]
  private let brokenPipes: (@convention(c) (CInt) -> Void)?
  private let stops: (@convention(c) (CInt) -> Void)?

  /// Keeps the present state.
  public init() {
    descriptors = (CInt(0)...2).map { linux_fcntl($0, F_DUPFD_CLOEXEC, 3) }.filter { $0 >= 0 }
    brokenPipes = signal(SIGPIPE, SIG_DFL)
    signal(SIGPIPE, brokenPipes)
    stops = signal(SIGTTOU, SIG_DFL)
    signal(SIGTTOU, stops)
  }

  /// Restores it, and closes the copies.
  public func restore() {
    for (number, copy) in descriptors.enumerated() {
      dup2(copy, CInt(truncatingIfNeeded: number))
      close(copy)
    }
    signal(SIGPIPE, brokenPipes)
    signal(SIGTTOU, stops)
  }
}
