// SPDX-License-Identifier: Apache-2.0
// --pty: the command has a terminal of its own, and the monitor carries keys and output between
// that and the caller's terminal.
//
// The caller's terminal is raw while the launcher is in its foreground: each key goes inside, where
// the other terminal makes signals, lines and echo of it. Whenever the launcher stops or ends, the
// caller's terminal gets its settings back. In the background the launcher passes output on, and
// neither reads nor changes the caller's terminal.
//
// The payload decides when it reads and how much it writes, so nothing here waits for it. Output is
// read only when the last piece has been passed on. Keys that the command does not read are kept up
// to a limit, so that Ctrl-C is seen behind them. The monitor holds the command's terminal open
// too: otherwise a payload that closes it would make each wait return at once.
//
// Two launchers in one pipeline have the same terminal and the same foreground group. One of them
// changes the settings and reads the keys: the one that holds a lock on the terminal. If only output
// goes there, as in a pager, the launcher waits a moment for one whose input it is.

internal import Linux
internal import Text

/// The connection between the caller's terminal and the command's.
final class TerminalRelay {
  private let master: OwnedDescriptor
  private var terminal: OwnedDescriptor
  /// Whether the command's terminal cannot be used any more.
  private var isOutputOver = false
  /// The caller's terminal as it gets its settings, and as it shows output.
  private let (outer, display): (CInt, CInt)
  /// The same, open once more, so that no call on it waits; not open if that is impossible.
  private let reading: OwnedDescriptor
  private let writing: OwnedDescriptor
  /// Whether the output of the caller's terminal still needs processing, for other programs.
  private let sharesOutput: Bool
  /// The settings of the caller's terminal; nil if it has them.
  private var settings: TerminalSettings?
  /// Gives the settings back if this process is killed.
  private var keeper: TerminalKeeper?
  private var isRunning = false
  /// Whether another launcher may come first, whose standard input is the terminal.
  private var isSecond: Bool
  /// What was typed and not passed on, and what was written.
  private var keys: [UInt8] = []
  private var output: [UInt8] = []
  /// Whether no more keys can come.
  private var isInputOver = false
  /// Wakes the monitor in the background, to see whether it is in front.
  private var timer = OwnedDescriptor.none
  private var places: (master: Int?, input: Int?, output: Int?, timer: Int?)

  /// How many keys are kept that the command does not read: a long paste.
  private static let mostKeys = 2 << 20
  /// How much output is passed on after the end: more than the kernel keeps for a terminal.
  private static let mostOutputAtEnd = 1 << 20
  /// How often the launcher looks whether it is in front: shells do not tell, in milliseconds.
  private static let pause: Int64 = 250
  /// How much can be written to a terminal that is ready without a wait.
  private static let readyRoom = 64

  /// Connects `terminals`, standard descriptors of the caller, to the terminal of `master`.
  init(
    _ master: consuming OwnedDescriptor, _ terminals: StandardTerminals
  ) throws(SystemCallError) {
    terminal = try PseudoTerminal.terminal(of: master)
    self.master = master
    (outer, display) = (terminals.input, terminals.output)
    sharesOutput = !terminals.contains(1)
    isSecond = !terminals.contains(0)
    reading = Terminal.openedAgain(outer, forWriting: false) ?? .none
    writing = Terminal.openedAgain(display, forWriting: true) ?? .none
  }

  /// Whether the launcher is in the foreground of the caller's terminal.
  private var isInFront: Bool { StandardTerminals.isInFront(outer) }

  /// Takes the lock on the caller's terminal; false if another launcher has it.
  private func takeKeys() -> Bool {
    guard reading.isOpen else { return true }
    return (try? reading.becomesOnlyHolder()) ?? true
  }

  /// Leaves the keys to others.
  private func leaveKeys() {
    settings = nil
    keeper.take()?.end()
    if reading.isOpen { reading.unlock() }
  }
}

// MARK: - The caller's terminal

extension TerminalRelay {
  /// Begins, or continues after a stop.
  func goOn() {
    isRunning = true
    if isSecond {
      isSecond = false
      return watchForeground()
    }
    guard isInFront, settings != nil || takeKeys(),
      let present = settings ?? TerminalSettings(of: outer)
    else {
      if !isInputOver { watchForeground() }
      return
    }
    settings = present
    let raw = [false, true].map { present.raw(keepsOutput: sharesOutput, keepsSignals: $0) }
    if keeper == nil { keeper = try? TerminalKeeper.start(outer, present, from: raw) }
    if !raw[0].apply(to: outer) { isInputOver = true }
    takeSize()
  }

  private func watchForeground() {
    do throws(SystemCallError) {
      if !timer.isOpen { timer = try Timer.make() }
      try Timer.start(timer.rawValue, milliseconds: TerminalRelay.pause)
    } catch {
      // It goes on with the next signal.
    }
  }

  /// Gives the command's terminal the size of the caller's.
  func takeSize() { Terminal.copySize(of: display, to: master.rawValue) }

  /// Gives the caller's terminal its settings back; in the background they are the shell's affair.
  func giveBack() {
    isRunning = false
    // What was ready before a stop may not be ready after it.
    places = (nil, nil, nil, nil)
    if let settings, isInFront { settings.restore(on: outer) }
    leaveKeys()
  }

  /// Stops the launcher and its group, as the command was stopped.
  ///
  /// Returns false if the command should continue, because no shell could continue it.
  func stop(by signal: Signal, _ signals: borrowing SignalDescriptor) -> Bool {
    passRest(until: signals)
    let wasInFront = isInFront
    giveBack()
    if SignalDisposition.stop(by: signal, all: wasInFront) { return true }
    goOn()
    return signal == .stop
  }

  /// Ends: what the command has written arrives, and the caller's terminal is as it was.
  func end(_ signals: borrowing SignalDescriptor) {
    passRest(until: signals)
    giveBack()
  }

  /// Passes on what was written so far; a signal that asks the launcher to end also ends the wait
  /// for a terminal that takes no more.
  private func passRest(until signals: borrowing SignalDescriptor) {
    var set = PollSet()
    var left = TerminalRelay.mostOutputAtEnd
    var hasWaited = false
    while left > 0 {
      if output.isEmpty { left -= readOutput() }
      if output.isEmpty { return }
      if !hasWaited, !Descriptors.canWrite(display) {
        hasWaited = true
        makeKeysSignals()
      }
      set.removeAll()
      let ready = set.add(display, .output)
      let typed = set.add(signals.rawValue, .input)
      guard (try? set.wait(isLong: false)) != nil else { return }
      if let typed, set.isReady(typed) {
        while let received = signals.next() {
          switch received.signal {
          case .hangUp, .interrupt, .quit, .terminate: return
          default: break
          }
        }
      }
      if let ready, set.isReady(ready), !writeOutput() { return }
    }
  }

  /// Lets Ctrl-C end the wait for a terminal that takes no more output.
  private func makeKeysSignals() {
    guard let settings, isInFront else { return }
    _ = settings.raw(keepsOutput: sharesOutput, keepsSignals: true).apply(to: outer)
  }
}

// MARK: - Carrying

extension TerminalRelay {
  /// Adds what it waits for now.
  func add(to set: inout PollSet) {
    guard isRunning else { return }
    var interest: PollSet.Interest = output.isEmpty ? .input : []
    if !keys.isEmpty { interest.insert(.output) }
    let isIdle = interest.isEmpty || isOutputOver
    places.master = isIdle ? nil : set.add(master.rawValue, interest)
    places.output = output.isEmpty ? nil : set.add(display, .output)
    let isReading = settings != nil && !isInputOver && keys.count < TerminalRelay.mostKeys
    places.input = isReading ? set.add(outer, .input) : nil
    places.timer = settings == nil && timer.isOpen ? set.add(timer.rawValue, .input) : nil
  }

  /// Handles what is ready; returns false if the caller's terminal has gone.
  func handle(_ set: borrowing PollSet) -> Bool {
    if isReady(places.timer, set) { goOn() }
    if isReady(places.input, set) { readKeys() }
    if isReady(places.master, set) {
      writeKeys()
      if output.isEmpty { _ = readOutput() }
    }
    return isReady(places.output, set) ? writeOutput() : true
  }

  private func isReady(_ place: Int?, _ set: borrowing PollSet) -> Bool {
    place.map { set.isReady($0) } ?? false
  }

  private func readKeys() {
    // A shell may have taken the terminal; the kernel would stop this process for reading.
    guard isInFront else {
      leaveKeys()
      return watchForeground()
    }
    let known = keys.count
    let source = reading.isOpen ? reading.rawValue : outer
    if case .ended = Descriptors.readOnce(source, to: &keys) {
      if isInFront { return isInputOver = true }
      // A shell has just taken it.
      leaveKeys()
      return watchForeground()
    }
    if known > 0 { discardBeforeSignal(from: known) }
    writeKeys()
  }

  /// Discards what waits before a key that makes a signal, as a terminal does: the command does not
  /// read, and would not get the signal.
  private func discardBeforeSignal(from first: Int) {
    guard let settings = TerminalSettings(of: terminal.rawValue),
      let place = keys[first...].lastIndex(where: { settings.isSignal($0) })
    else { return }
    keys.removeSubrange(..<place)
    PseudoTerminal.discardInput(of: master.rawValue, terminal.rawValue)
  }

  private func writeKeys() {
    guard !keys.isEmpty else { return }
    if case .bytes(let count) = Descriptors.writeOnce(keys[...], to: master.rawValue) {
      keys.removeSubrange(..<count)
    }
  }

  /// Reads a piece of output; returns how much.
  private func readOutput() -> Int {
    switch Descriptors.readOnce(master.rawValue, to: &output) {
    case .bytes(let count): return count
    case .nothing: return 0
    case .ended:
      reopen()
      return 0
    }
  }

  /// Opens the command's terminal again, which the command has hung up.
  ///
  /// Only a command with CAP_SYS_TTY_CONFIG of the host can do that. See vhangup(2).
  private func reopen() {
    terminal = (try? PseudoTerminal.terminal(of: master)) ?? .none
    isOutputOver = !terminal.isOpen
  }

  /// Writes what the caller's terminal takes; returns false if that has gone.
  private func writeOutput() -> Bool {
    let piece = writing.isOpen ? output[...] : output.prefix(TerminalRelay.readyRoom)
    let target = writing.isOpen ? writing.rawValue : display
    switch Descriptors.writeOnce(piece, to: target) {
    case .bytes(let count): output.removeSubrange(..<count)
    case .nothing: break
    case .ended: return false
    }
    return true
  }
}

/// The caller's standard descriptors in whose place the command gets a terminal of its own.
struct StandardTerminals: Equatable {
  private let numbers: UInt8

  /// None.
  static let none = StandardTerminals(numbers: 0)

  private init(numbers: UInt8) { self.numbers = numbers }

  /// Those that are terminals.
  static func find() -> StandardTerminals {
    var numbers: UInt8 = 0
    for number in CInt(0)...2 where Terminal.isOne(number) { numbers |= 1 << UInt8(number) }
    return StandardTerminals(numbers: numbers)
  }

  /// Whether the launcher is in the foreground of the terminal `number`, or `number` is not the
  /// terminal of its session.
  static func isInFront(_ number: CInt) -> Bool {
    Terminal.foreground(number).map { $0 == ProcessGroup.own } ?? true
  }

  var isEmpty: Bool { numbers == 0 }

  func contains(_ number: CInt) -> Bool { numbers & 1 << UInt8(clamping: number) != 0 }

  /// All of them.
  var all: [CInt] { (CInt(0)...2).filter { contains($0) } }

  /// Where keys are read.
  var input: CInt { contains(0) ? 0 : contains(1) ? 1 : 2 }

  /// Where output is shown.
  var output: CInt { contains(1) ? 1 : contains(2) ? 2 : 0 }
}
