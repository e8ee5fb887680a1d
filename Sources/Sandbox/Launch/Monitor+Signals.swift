// SPDX-License-Identifier: Apache-2.0
// What the caller or a key sends: it is passed on to the command, or ends a launch that has none.

internal import Linux

extension Monitor {
  /// Passes on all signals that have come.
  mutating func forwardSignals() {
    while let received = signals.next() {
      // A key typed at the terminal reached the command as well, if it is of the same session and
      // there is one.
      if received.isFromKernel && !plan.sandbox.hasOwnSession && !phase.isLaunching { continue }
      forward(received.signal)
    }
  }

  private mutating func forward(_ signal: Signal) {
    if phase.isLaunching {
      // What had stopped the launch with this process is over.
      if signal == .goOn { return }
      abort(signal)
    }
    // Where it fails the command has just ended, and its status is on the way.
    if command != nil {
      try? command?.send(signal)
    } else if plan.hasInit {
      pending.insert(SignalSet(signal))
    } else {
      try? child.descriptor.send(signal)
    }
  }

  /// Sends what came before there was a command.
  mutating func sendPending() {
    pending.forEach { signal in try? command?.send(signal) }
    pending = []
  }

  /// Ends a launch that has no command yet which could do something about a signal.
  private mutating func abort(_ signal: Signal) -> Never {
    endAll()
    SignalDisposition.die(by: signal)
  }
}
