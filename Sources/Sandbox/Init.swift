// SPDX-License-Identifier: Apache-2.0
// Process 1 of a new pid namespace: it reaps what others left behind and says how the command
// ended. All signals are blocked in it, and it reads no file and no memory but its own.

internal import Linux

/// A message from init to the monitor: what happened, and the number that goes with it.
enum InitMessage {
  /// The command exists; a descriptor of it comes along.
  static let started: UInt8 = 1
  /// The command exited with a status.
  static let exited: UInt8 = 2
  /// A signal ended the command.
  static let signaled: UInt8 = 3

  /// The message that says how the command ended.
  static func ended(_ termination: Termination) -> [UInt8] {
    switch termination {
    case .exited(let status): [exited, status]
    case .signaled(let signal): [signaled, UInt8(truncatingIfNeeded: signal)]
    }
  }

  /// How the command ended, if `message` says so.
  static func termination(_ message: [UInt8]) -> Termination? {
    guard message.count == 2 else { return nil }
    switch message[0] {
    case exited: return .exited(message[1])
    case signaled: return .signaled(CInt(message[1]))
    default: return nil
    }
  }
}

/// Process 1 of the sandbox.
struct Init: ~Copyable {
  let command: ChildProcess
  let killsOnExit: Bool

  /// Reaps until nothing is left to reap.
  ///
  /// Ending, it takes the whole namespace with it.
  consuming func run(_ privileges: Privileges, _ status: borrowing OwnedDescriptor) -> Never {
    do throws(SystemCallError) {
      try status.send([InitMessage.started, 0], passing: command.descriptor.rawValue)
      // The caller's pipes and terminals above all: who reads from one waits for its last holder.
      try Descriptors.closeAll(except: [status.rawValue])
      try privileges.dropInInit()
    } catch {
      // The command dies with this namespace, and the monitor finds no status.
      CurrentProcess.exit(125)
    }
    while let (pid, termination) = ChildProcess.waitForAny() {
      guard pid == command.pid else { continue }
      // The monitor may be gone, which is no reason to stop.
      try? status.send(InitMessage.ended(termination))
      if killsOnExit { break }
      try? Descriptors.closeAll(except: [])
    }
    CurrentProcess.exit(0)
  }
}
