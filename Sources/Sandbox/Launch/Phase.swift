// SPDX-License-Identifier: Apache-2.0
// How far a launch has come, and what the monitor believes of its child meanwhile: nothing but what
// the next step can be. The child, and init after it, are next to a hostile process.

internal import Linux

/// How far a launch has come, as the monitor sees it.
enum Phase: Equatable {
  /// The child is on its way to the command; so many times it will go on as another process.
  case settingUp(movesLeft: Int)
  /// The child has ended, and the process that goes on in its place has not yet spoken.
  case between(movesLeft: Int)
  /// The command was executed.
  case running
  /// The command has ended like this, nothing lives on after it, and init is about to end.
  case ending(Termination)
  /// The child has ended the launch without a word; its end is still to come.
  case dying

  /// Whether it is not known yet what becomes of the launch.
  var isLaunching: Bool {
    switch self {
    case .settingUp, .between: true
    case .running, .ending, .dying: false
    }
  }

  /// Whether the command was executed.
  var wasExecuted: Bool {
    switch self {
    case .running, .ending: true
    case .settingUp, .between, .dying: false
    }
  }

  /// Whether the child can be waited for.
  var hasChild: Bool {
    if case .between = self { false } else { true }
  }

  /// The phase after the child has gone on as another process; nil where it may not.
  var afterMove: Phase? {
    switch self {
    case .settingUp(let moves) where moves > 0, .between(let moves) where moves > 0:
      .settingUp(movesLeft: moves - 1)
    default: nil
    }
  }

  /// Whether `message` can be meant.
  func permits(_ message: SetupMessage) -> Bool {
    switch (self, message) {
    case (_, .hasMoved): afterMove != nil
    // Nobody is left to speak.
    case (.between, _), (.ending, _): false
    case (_, .isDescribed), (_, .isReady): isLaunching
    // Nothing is made on the host any more, nor taken back.
    case (.running, .hasLeft): false
    case (_, .hasStopped), (_, .wasTyped): self == .running
    case (_, .hasLeft), (_, .hasSettled), (_, .hasStarted), (_, .hasEnded), (_, .hasFailed): true
    }
  }
}
