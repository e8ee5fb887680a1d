// SPDX-License-Identifier: Apache-2.0
// A process that gives the caller's terminal its settings back if the monitor is killed: nothing runs
// in a killed process, and a shell without line editing would leave the terminal raw.

internal import Linux

/// A process beside the monitor, for as long as that holds the terminal raw.
struct TerminalKeeper: ~Copyable {
  private let process: ChildProcess

  /// Starts it for `terminal`, which gets `settings` back.
  ///
  /// If it has others than `raw`, those of the monitor, a shell or another program has taken it, and
  /// it is left alone.
  static func start(
    _ terminal: CInt, _ settings: TerminalSettings, from raw: [TerminalSettings]
  ) throws(SystemCallError) -> TerminalKeeper {
    let monitor = try ChildProcess.openCurrent()
    guard let process = try ChildProcess.clone() else {
      run(monitor.rawValue, terminal, settings, raw)
    }
    return TerminalKeeper(process: process)
  }

  private init(process: consuming ChildProcess) { self.process = process }

  /// Ends it, because the monitor has given the terminal back itself.
  consuming func end() {
    // If it cannot be killed, it ends after the monitor, and finds a terminal that is not raw.
    guard (try? process.descriptor.send(.kill)) != nil else { return }
    _ = try? process.wait()
  }

  private static func run(
    _ monitor: CInt, _ terminal: CInt, _ settings: TerminalSettings, _ raw: [TerminalSettings]
  ) -> Never {
    var kept = DescriptorSet()
    kept.insert(monitor)
    kept.insert(terminal)
    // Signals for the monitor's group do not end it, and the kernel lets a process change its terminal
    // from the background if it blocks the signal for that.
    guard (try? SignalMask.blockAll()) != nil,
      (try? Descriptors.closeAll(except: kept)) != nil,
      (try? Descriptors.waitForInput(monitor, milliseconds: -1)) == true
    else { CurrentProcess.exit(0) }
    if let present = TerminalSettings(of: terminal), raw.contains(where: { $0.isSame(as: present) })
    {
      settings.set(on: terminal)
    }
    CurrentProcess.exit(0)
  }
}
