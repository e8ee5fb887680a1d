// SPDX-License-Identifier: Apache-2.0
// Signals: their numbers, sets of them, the mask, and reading them from a descriptor.

internal import CLinux
internal import Glibc
internal import SystemPackage

/// A signal.
///
/// See signal(7).
@frozen public struct Signal: RawRepresentable, Hashable, Sendable {
  /// The signal's number.
  public let rawValue: CInt

  /// The signal with this number.
  @inlinable public init(rawValue: CInt) { self.rawValue = rawValue }

  // Numbers that Linux has on every architecture that this program is built for. Computed, as a
  // global would have to be initialised first.

  /// The terminal has gone.
  @inlinable public static var hangUp: Signal { Signal(rawValue: 1) }
  /// Ctrl-C.
  @inlinable public static var interrupt: Signal { Signal(rawValue: 2) }
  /// Ctrl-\.
  @inlinable public static var quit: Signal { Signal(rawValue: 3) }
  /// Ends a process, which cannot prevent it.
  @inlinable public static var kill: Signal { Signal(rawValue: 9) }
  /// For programs' own purposes.
  @inlinable public static var user1: Signal { Signal(rawValue: 10) }
  /// For programs' own purposes.
  @inlinable public static var user2: Signal { Signal(rawValue: 12) }
  /// Asks a process to end.
  @inlinable public static var terminate: Signal { Signal(rawValue: 15) }
  /// A child has ended, stopped or continued.
  @inlinable public static var childChanged: Signal { Signal(rawValue: 17) }
  /// Continues a stopped process.
  @inlinable public static var goOn: Signal { Signal(rawValue: 18) }
  /// Stops a process, which cannot prevent it.
  @inlinable public static var stop: Signal { Signal(rawValue: 19) }
  /// Ctrl-Z.
  @inlinable public static var terminalStop: Signal { Signal(rawValue: 20) }
  /// A background process has read from the terminal.
  @inlinable public static var terminalInput: Signal { Signal(rawValue: 21) }
  /// A background process has written to the terminal.
  @inlinable public static var terminalOutput: Signal { Signal(rawValue: 22) }
  /// The terminal's window has another size.
  @inlinable public static var windowChanged: Signal { Signal(rawValue: 28) }
  /// Of no use to programs: nestbox's process 1 learns by it that the monitor has ended.
  @inlinable public static var powerFailure: Signal { Signal(rawValue: 30) }
  /// A system call that a filter refused.
  @inlinable public static var badSystemCall: Signal { Signal(rawValue: 31) }
}

extension Signal {
  /// Signals by their names, without SIG, as they are on every architecture that this program is
  /// built for.
  ///
  /// See signal(7).
  public static let names: [(String, Signal)] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU",
    "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
  ].enumerated().map { ($0.element, Signal(rawValue: CInt($0.offset + 1))) }

  /// The signal with the name or number `name`; nil if there is none.
  public init?(named name: String) {
    if let known = Signal.names.first(where: { $0.0 == name })?.1 {
      self = known
    } else if let number = CInt(name), (1...64).contains(number) {
      self.init(rawValue: number)
    } else {
      return nil
    }
  }
}

/// A set of signals.
///
/// See sigsetops(3).
@frozen public struct SignalSet: OptionSet, Sendable {
  /// The set as the kernel has it: the bit of signal 1 is the lowest.
  public let rawValue: UInt64

  /// The set with these bits.
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The set of one signal.
  @inlinable public init(_ signal: Signal) {
    rawValue = (1...64).contains(signal.rawValue) ? 1 << UInt64(signal.rawValue - 1) : 0
  }

  /// Every signal.
  @inlinable public static var all: SignalSet { SignalSet(rawValue: .max) }

  /// What a process gets for its own mistakes, or sends itself: ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS.
  public static var faults: SignalSet {
    [4, 5, 6, 7, 8, 11, 31].reduce(into: []) { $0.insert(SignalSet(Signal(rawValue: $1))) }
  }

  /// What the keys of a terminal send.
  @inlinable public static var keys: SignalSet {
    [SignalSet(.interrupt), SignalSet(.quit), SignalSet(.terminalStop)]
  }

  /// What a caller may send to a launcher for its command: the signals that end a process unless it
  /// wants otherwise, and those that stop and continue it.
  @inlinable public static var forCommands: SignalSet {
    [
      SignalSet(.hangUp), SignalSet(.interrupt), SignalSet(.quit), SignalSet(.user1),
      SignalSet(.user2), SignalSet(.terminate), SignalSet(.goOn), SignalSet(.terminalStop),
    ]
  }
}

extension SignalSet {
  /// Calls `body` with each of the signals, the lowest number first.
  public func forEach(_ body: (Signal) -> Void) {
    var rest = rawValue
    while rest != 0 {
      body(Signal(rawValue: CInt(rest.trailingZeroBitCount) + 1))
      rest &= rest &- 1
    }
  }
}

/// The mask of blocked signals of this process.
public struct SignalMask: Sendable {
  private let signals: SignalSet

  /// Blocks every signal that a process can block, and returns the mask from before.
  ///
  /// See sigprocmask(2).
  public static func blockAll() throws(SystemCallError) -> SignalMask {
    var old: UInt64 = 0
    try check(unsafe linux_set_mask(SignalSet.all.rawValue, &old), "sigprocmask")
    return SignalMask(signals: SignalSet(rawValue: old))
  }

  /// Blocks exactly these signals.
  public func restore() throws(SystemCallError) {
    try check(linux_set_mask(signals.rawValue, nil), "sigprocmask")
  }
}

/// The signals by which a person or the system asks a process to end, while they wait until it has
/// come to a good place.
///
/// Ctrl-\ still ends it at once.
public struct EndSignals: Sendable {
  private let signals: SignalSet
  private let mask: SignalSet

  /// Has them wait from now on.
  ///
  /// A signal that the caller has this process ignore stays ignored.
  public static func wait() throws(SystemCallError) -> EndSignals {
    var signals: SignalSet = []
    for signal in [Signal.hangUp, .interrupt, .terminate]
    where linux_ignores(signal.rawValue) == 0 {
      signals.insert(SignalSet(signal))
    }
    var mask: UInt64 = 0
    try check(unsafe linux_set_mask(SignalSet.all.rawValue, &mask), "sigprocmask")
    try check(linux_set_mask(mask | signals.rawValue, nil), "sigprocmask")
    return EndSignals(signals: signals, mask: SignalSet(rawValue: mask))
  }

  /// One of them that has come; nil if none has.
  public var first: Signal? {
    var pending: UInt64 = 0
    _ = unsafe linux_pending(&pending)
    var found: Signal?
    signals.intersection(SignalSet(rawValue: pending)).forEach { found = found ?? $0 }
    return found
  }

  /// Has them wait no longer.
  public func end() { _ = linux_set_mask(mask.rawValue, nil) }
}

/// A signal that was read from a descriptor.
public struct ReceivedSignal: Sendable {
  /// The signal.
  public let signal: Signal
  /// Whether the kernel sent it, as for a key typed at a terminal or for its hang-up: it then sent
  /// it to every process of the foreground group.
  public let isFromKernel: Bool
}

/// A descriptor from which this process reads signals.
///
/// See signalfd(2).
public struct SignalDescriptor: ~Copyable {
  private let descriptor: OwnedDescriptor
  private let signals: SignalSet

  /// Makes a descriptor for `signals`, all of which must be blocked.
  public init(_ signals: SignalSet) throws(SystemCallError) {
    self.signals = signals
    descriptor = OwnedDescriptor(try check(linux_signalfd(signals.rawValue), "signalfd"))
  }

  /// The descriptor's number.
  public var rawValue: CInt { descriptor.rawValue }

  /// Unblocks all other signals in this process.
  public borrowing func unblockOthers() throws(SystemCallError) {
    try check(linux_set_mask(signals.rawValue, nil), "sigprocmask")
  }

  /// The next signal, or nil if none is pending.
  public borrowing func next() -> ReceivedSignal? {
    var information = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    guard unsafe read(descriptor.rawValue, &information, size) == size else { return nil }
    return ReceivedSignal(
      signal: Signal(rawValue: CInt(truncatingIfNeeded: information.ssi_signo)),
      isFromKernel: information.ssi_code > 0)
  }
}

/// Process groups.
///
/// See setpgid(2).
public enum ProcessGroup {
  /// The group of this process.
  public static var own: Int32 { getpgrp() }

  /// The group of the process `pid`; nil if there is no such process.
  public static func of(_ pid: Int32) -> Int32? {
    let group = getpgid(pid)
    return group < 0 ? nil : group
  }

  /// Makes this process the leader of a new group.
  public static func begin() throws(SystemCallError) {
    try check(setpgid(0, 0) < 0 ? -errno : 0, "setpgid")
  }

  /// Sends `signal` to every process of `group`.
  public static func send(_ signal: Signal, to group: Int32) {
    if group > 1 { _ = Glibc.kill(-group, signal.rawValue) }
  }
}

/// How this process reacts to signals.
public enum SignalDisposition {
  /// Undoes a caller's choice to ignore SIGCHLD: the kernel would discard the status of children
  /// before this process could read it.
  ///
  /// See sigaction(2), SA_NOCLDWAIT.
  public static func restoreChildReports() {
    signal(SIGCHLD, SIG_DFL)
  }

  /// Makes a write to a pipe without a reader fail with an error, not with a signal.
  ///
  /// See pipe(7).
  public static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  /// Makes a write beyond the limit for file sizes fail with an error, not with a signal.
  ///
  /// See setrlimit(2), RLIMIT_FSIZE.
  public static func ignoreFileSizeLimit() { signal(SIGXFSZ, SIG_IGN) }

  /// Stops this process, and with `all` its whole group, as a key would; returns whether it did, once
  /// the process goes on.
  ///
  /// The kernel stops no group that nobody could continue. See setpgid(2), orphaned process groups.
  public static func stop(by signal: Signal, all: Bool) -> Bool {
    let stops: SignalSet = [
      SignalSet(.terminalStop), SignalSet(.terminalInput), SignalSet(.terminalOutput),
    ]
    let signal = stops.contains(SignalSet(signal)) ? signal : .terminalStop
    Glibc.signal(signal.rawValue, SIG_DFL)
    _ = all ? kill(0, signal.rawValue) : kill(getpid(), signal.rawValue)
    // Where the signal is blocked, it has its effect now.
    var set = sigset_t()
    var old = sigset_t()
    _ = unsafe sigemptyset(&set)
    _ = unsafe sigaddset(&set, signal.rawValue)
    _ = unsafe sigprocmask(SIG_UNBLOCK, &set, &old)
    _ = unsafe sigprocmask(SIG_SETMASK, &old, nil)
    var pending: UInt64 = 0
    _ = unsafe linux_pending(&pending)
    return SignalSet(rawValue: pending).contains(SignalSet(.goOn))
  }

  /// Runs `body`, which signals may end together with this process although they are blocked.
  ///
  /// Those that are pending are dropped: they were meant for a command that has ended. See
  /// sigtimedwait(2).
  public static func whileSignalsEnd<Result>(_ body: () -> Result) -> Result {
    var (set, old) = (sigset_t(), sigset_t())
    var now = timespec()
    _ = unsafe sigemptyset(&set)
    SignalSet.forCommands.forEach { _ = unsafe sigaddset(&set, $0.rawValue) }
    while unsafe sigtimedwait(&set, nil, &now) > 0 {}
    _ = unsafe sigprocmask(SIG_UNBLOCK, &set, &old)
    let result = body()
    _ = unsafe sigprocmask(SIG_SETMASK, &old, nil)
    return result
  }

  /// Ends this process with `signal`, so that the caller sees that signal.
  public static func die(by signal: Signal) -> Never {
    // The command has dumped its own memory, where it was to.
    _ = linux_prctl(PR_SET_DUMPABLE, 0, 0, 0)
    let number = signal.rawValue
    Glibc.signal(number, SIG_DFL)
    var set = sigset_t()
    _ = unsafe sigemptyset(&set)
    _ = unsafe sigaddset(&set, number)
    raise(number)
    _ = unsafe sigprocmask(SIG_UNBLOCK, &set, nil)
    _exit(128 &+ number)
  }
}
