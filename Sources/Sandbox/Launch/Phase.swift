// SPDX-License-Identifier: Apache-2.0
// How far a launch has come, and which messages the monitor accepts meanwhile: only those that can
// come next, because the child, and init after it, run next to a hostile process.

internal import Linux

/// How far a launch has come, as the monitor sees it.
enum Phase: Equatable {
  /// The child is setting up; it will continue as another process this many times.
  case settingUp(movesLeft: Int)
  /// The child has ended, and its successor has not reported yet.
  case between(movesLeft: Int)
  /// The command was executed.
  case running
  /// The command has ended like this, or there was none, and the sandbox is kept.
  case kept(Termination)
  /// The command has ended like this, no other process lives on, and init is about to end.
  case ending(Termination)
  /// The child has given the launch up without a report; its end is still to come.
  case dying

  /// Whether the launch may still fail.
  var isLaunching: Bool {
    switch self {
    case .settingUp, .between: true
    case .running, .kept, .ending, .dying: false
    }
  }

  /// Whether the command was executed.
  var wasExecuted: Bool {
    switch self {
    case .running, .kept, .ending: true
    case .settingUp, .between, .dying: false
    }
  }

  /// Whether the child can be waited for.
  var hasChild: Bool {
    if case .between = self { false } else { true }
  }

  /// The phase after the child continues as another process; nil if it may not.
  var afterMove: Phase? {
    switch self {
    case .settingUp(let moves) where moves > 0, .between(let moves) where moves > 0:
      .settingUp(movesLeft: moves - 1)
    default: nil
    }
  }

  /// Whether `message` is possible in this phase.
  ///
  /// One after the other: a pair of both has a type that the runtime would have to make.
  func permits(_ message: SetupMessage) -> Bool {
    switch message {
    case .hasMoved: return afterMove != nil
    // Init reports last what all have used.
    case .haveUsed: return wasExecuted
    default: break
    }
    switch self {
    // Nobody is left to speak.
    case .between, .ending: return false
    // Init alone is left.
    case .kept: if case .hasFailed = message { return true } else { return false }
    case .settingUp, .running, .dying: break
    }
    let isRunning = if case .running = self { true } else { false }
    switch message {
    case .isDescribed, .isReady, .isHeld, .hasTerminal: return isLaunching
    // The child waits for no answer: the monitor may read before that the command was executed.
    case .hasAdvised, .hasReopened, .hasTimedOut, .willDiscard: return isLaunching || isRunning
    // Then the child creates and removes nothing on the host.
    case .hasLeft, .isCreating: return !isRunning
    case .hasStopped, .wasTyped: return isRunning
    case .hasSettled, .hasStarted, .hasEnded, .hasEndedAlone, .hasFailed: return true
    case .hasMoved, .haveUsed: return false
    }
  }
}
