// SPDX-License-Identifier: Apache-2.0
// Signals to a running sandbox, and its end.

public import Linux
internal import SystemPackage

extension ProcessFacts {
  /// Sends `signal` to this process, and never to another one that now has its number.
  public func send(_ signal: Signal) throws(SystemCallError) {
    let handle = try ProcessHandle(number)
    // The handle is for the process that had the number a moment ago: the same one, if its start
    // time has not changed.
    _ = try ProcessDirectory.of(self)
    try handle.send(signal)
  }

  /// Whether it still runs; a zombie does not.
  var isRunning: Bool {
    guard let directory = try? ProcessDirectory.of(self),
      let line = try? directory.contents(of: "stat", limit: Bound.stat)
    else { return false }
    return StatLine(line)?.hasEnded == false
  }
}

extension RunningSandbox {
  /// Sends `signal` to the command.
  public func signal(_ signal: Signal) throws(SystemCallError) {
    try (command ?? first).send(signal)
  }

  /// Asks the command to end, and kills everything that is still there after `patience` seconds.
  /// - Parameters:
  ///   - patience: Seconds.
  ///   - look: Looks at all processes.
  /// - Returns: Whether nothing is left.
  /// - Throws: What `look` throws.
  public func stop(
    patience: UInt64, look: () throws(SystemCallError) -> Survey
  ) throws(SystemCallError) -> Bool {
    let commands = commands
    let entries = hiding.filter { $0 != first }
    for command in commands {
      // It may have ended by itself.
      try? command.send(.terminate)
      // A stopped process would not notice.
      try? command.send(.goOn)
    }
    let start = BootClock.seconds
    let patienceForStatuses = 1000
    var commandsEnded: Int?
    var last = processes
    while true {
      var left = try look().sandboxes.first { $0.key == key }?.processes ?? []
      // Once the commands have ended, a kept sandbox waits for this. A process that passes on an entered
      // command's status must end first. It also waits for what that command left behind, so this waits
      // for it `patienceForStatuses` at most.
      if isKept, !commands.contains(where: \.isRunning) {
        let now = MonotonicClock.milliseconds
        let end = commandsEnded ?? now
        commandsEnded = end
        if now - end >= patienceForStatuses || !entries.contains(where: \.isRunning) {
          try? monitor?.send(.terminate)
        }
      }
      // The kernel reuses numbers of namespaces; a sandbox that has the same ones but none of these
      // processes is another one.
      let isSame = left.contains { process in
        last.contains { $0.number == process.number && $0.started == process.started }
      }
      if !isSame { left = [] }
      last = left
      let monitorRuns = tool == .nestbox && monitor?.isRunning == true
      if left.isEmpty, !monitorRuns { return true }
      // Ctrl-Z has stopped the launcher, which has to report the end.
      if left.isEmpty { try? monitor?.send(.goOn) }
      let waited = BootClock.seconds - start
      if waited >= patience { for process in left { try? process.send(.kill) } }
      // What the kernel does not end in that time is stuck in it.
      if waited >= patience + 10 { return false }
      CurrentProcess.sleep(milliseconds: 20)
    }
  }
}
