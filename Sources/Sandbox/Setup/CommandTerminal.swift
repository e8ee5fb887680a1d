// SPDX-License-Identifier: Apache-2.0
// --pty, in the child: it opens the command's terminal, passes the master to the monitor, and makes
// it the terminal of a new session.

internal import Linux
internal import SystemPackage
internal import Text

extension Setup {
  /// Passes the master of the command's terminal to the monitor and returns the terminal; without a
  /// master, the terminal is one of the host's devpts.
  borrowing func passTerminal(_ made: consuming OwnedDescriptor?) throws(LaunchError) -> CInt {
    let made = made?.release() ?? -1
    let terminal = try doing(.openTerminal, option: plan.sandbox.terminal) {
      () throws(SystemCallError) -> CInt in
      let master = made >= 0 ? OwnedDescriptor(made) : try PseudoTerminal.open()
      let terminal = try PseudoTerminal.terminal(of: master)
      let (input, output) = (plan.terminals.input, plan.terminals.output)
      // In the background they are the shell's, which may edit a line at this moment.
      if StandardTerminals.isInFront(input) {
        TerminalSettings(of: input)?.set(on: terminal.rawValue)
      }
      Terminal.copySize(of: output, to: terminal.rawValue)
      try status.send(SetupMessage.hasTerminal.bytes, passing: master.rawValue)
      return terminal.release()
    }
    try waitForMonitor()
    return terminal
  }

  /// The command's terminal in the place of the caller's.
  borrowing func replacements(by terminal: CInt) -> [StandardDescriptors.Replacement] {
    plan.terminals.all.map {
      StandardDescriptors.Replacement(number: $0, descriptor: terminal)
    }
  }
}

extension LaunchPlan {
  /// Begins a session with `terminal` as its terminal.
  func takeTerminal(_ terminal: CInt) throws(LaunchError) {
    try doing(.openTerminal, option: sandbox.terminal) { () throws(SystemCallError) in
      try CurrentProcess.beginSession()
      try Terminal.take(terminal)
    }
  }
}

extension Command {
  /// Makes this process the foreground job of its terminal; without an init it leads the session.
  func takeTerminal(_ initProcess: Int32?) throws(LaunchError) {
    guard initProcess != nil else { return try plan.takeTerminal(terminal) }
    try doing(.openTerminal, option: plan.sandbox.terminal) { () throws(SystemCallError) in
      try ProcessGroup.begin()
      Terminal.setForegroundWhileBlocked(terminal, to: ProcessGroup.own)
    }
  }
}
