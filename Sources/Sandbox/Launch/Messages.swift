// SPDX-License-Identifier: Apache-2.0
// What the child, and later init, tell the monitor: short messages over a socket that keeps them
// apart and can pass a descriptor.

internal import Linux
internal import SystemPackage
internal import Text

/// A message to the monitor.
enum SetupMessage: Equatable {
  /// The child continues as another process, and passes its descriptor; it waits for an answer.
  case hasMoved
  /// The namespaces have these numbers, for callers that want to know; the child waits for an
  /// answer.
  case isDescribed([UInt64])
  /// Helpers can enter the namespaces; the child waits for an answer.
  case isReady
  /// The command exists; a descriptor of it comes along.
  case hasStarted
  /// This signal has stopped the command.
  case hasStopped(Signal)
  /// For a key, the terminal has sent this signal to the group of init and the command.
  case wasTyped(Signal)
  /// The command's time is up, and init has ended it, as the monitor has not.
  case hasTimedOut
  /// The command has ended, and whether it was the last process inside.
  case hasEnded(Termination, wasLast: Bool)
  /// The command has ended, no other process is left, and this is what all have used, if the monitor
  /// wants to know. No message follows.
  case hasEndedAlone(Termination, ResourceUse?)
  /// The launch begins to create something in a directory of the host (true), or has created nothing
  /// (false).
  case isCreating(Bool)
  /// The launch has created something in a directory of the host. If `isElsewhere` is true, the
  /// directory's descriptor comes along; otherwise it is the previous message's directory.
  case hasLeft(ByteString, FileKind, stamp: UInt64, isElsewhere: Bool)
  /// What was created so far stays.
  case hasSettled
  /// The launch has printed a line that gives the command more.
  case hasAdvised
  /// The working directory is in memory, and has so many entries before the command is executed; its
  /// descriptor comes along.
  case willDiscard(entries: UInt16)
  /// This is what the processes have used that init has reaped.
  case haveUsed(ResourceUse)
  /// The command gets the standard descriptor with this number as another open file, which comes
  /// along: the caller's position in the file follows it.
  case hasReopened(UInt8)
  /// The monitor holds this for those who enter the sandbox; a descriptor comes along. After the
  /// last place the child waits for an answer.
  case isHeld(place: UInt8)
  /// The command has a terminal, whose master comes along; the child waits for an answer.
  case hasTerminal
  /// Init could not go on, and has ended the command.
  case hasFailed(SystemCallError)

  /// The most bytes of a message: the longest name and the fields before it.
  static let capacity = 13 + longestName

  private static let longestName = 255
  private static let longestCall = 64
  /// More than there are kinds of namespaces.
  private static let mostNumbers = 16
}

/// The bytes of the monitor's answers.
enum SetupAnswer {
  /// The child goes on.
  static let goOn: UInt8 = 0
  /// Hold the descriptor that comes along as long as anything lives inside; more follows.
  static let hold: UInt8 = 1
}

extension SetupMessage: Record {
  private enum Kind: UInt8 {
    case hasMoved = 1
    case isDescribed, isReady, hasStarted, hasExited, wasKilled, hasLeft, hasSettled, hasFailed
    case hasStopped, wasTyped, isCreating, haveUsed, hasReopened, isHeld, hasTerminal
    case hasExitedAlone, wasKilledAlone, hasTimedOut, hasAdvised, willDiscard
  }

  init(from reader: inout RecordReader) throws(MalformedRecord) {
    guard let kind = Kind(rawValue: try reader.number()) else { throw MalformedRecord() }
    switch kind {
    case .hasMoved: self = .hasMoved
    case .isDescribed:
      var numbers: [UInt64] = []
      while !reader.isAtEnd, numbers.count < SetupMessage.mostNumbers {
        numbers.append(try reader.number())
      }
      self = .isDescribed(numbers)
    case .isReady: self = .isReady
    case .hasStarted: self = .hasStarted
    case .hasExited:
      self = .hasEnded(.exited(try reader.number()), wasLast: try SetupMessage.flag(&reader))
    case .wasKilled:
      let signal = try SetupMessage.signal(&reader)
      self = .hasEnded(.signaled(signal), wasLast: try SetupMessage.flag(&reader))
    case .hasStopped: self = .hasStopped(try SetupMessage.signal(&reader))
    case .wasTyped: self = .wasTyped(try SetupMessage.signal(&reader))
    case .isCreating: self = .isCreating(try SetupMessage.flag(&reader))
    case .hasLeft:
      let isDirectory = try SetupMessage.flag(&reader)
      let isElsewhere = try SetupMessage.flag(&reader)
      let stamp: UInt64 = try reader.number()
      let name = try reader.requiredText(limit: SetupMessage.longestName)
      // In that directory, and nowhere else.
      guard !name.isEmpty, !name.bytes.contains(UInt8(ascii: "/")), ![".", ".."].contains(name)
      else { throw MalformedRecord() }
      self = .hasLeft(
        name, isDirectory ? .directory : .other, stamp: stamp, isElsewhere: isElsewhere)
    case .hasSettled: self = .hasSettled
    case .hasAdvised: self = .hasAdvised
    case .willDiscard: self = .willDiscard(entries: try reader.number())
    case .hasTimedOut: self = .hasTimedOut
    case .hasExitedAlone:
      self = .hasEndedAlone(.exited(try reader.number()), try ResourceUse.optional(&reader))
    case .wasKilledAlone:
      let signal = try SetupMessage.signal(&reader)
      self = .hasEndedAlone(.signaled(signal), try ResourceUse.optional(&reader))
    case .haveUsed: self = .haveUsed(try ResourceUse(from: &reader))
    case .hasReopened: self = .hasReopened(try reader.number())
    case .isHeld: self = .isHeld(place: try reader.number())
    case .hasTerminal: self = .hasTerminal
    case .hasFailed:
      let errno: CInt = try reader.number()
      let call = try reader.requiredWord(limit: SetupMessage.longestCall)
      self = .hasFailed(SystemCallError(call: call, errno: Errno(rawValue: errno)))
    }
  }

  func write(to writer: inout RecordWriter) {
    switch self {
    case .hasMoved: writer.write(Kind.hasMoved.rawValue)
    case .isDescribed(let numbers):
      writer.write(Kind.isDescribed.rawValue)
      for number in numbers.prefix(SetupMessage.mostNumbers) { writer.write(number) }
    case .isReady: writer.write(Kind.isReady.rawValue)
    case .hasStarted: writer.write(Kind.hasStarted.rawValue)
    case .hasEnded(.exited(let status), let wasLast):
      writer.write(Kind.hasExited.rawValue)
      writer.write(status)
      writer.write(UInt8(wasLast ? 1 : 0))
    case .hasEnded(.signaled(let signal), let wasLast):
      writer.write(Kind.wasKilled.rawValue)
      writer.write(UInt8(truncatingIfNeeded: signal.rawValue))
      writer.write(UInt8(wasLast ? 1 : 0))
    case .hasEndedAlone(.exited(let status), let use):
      writer.write(Kind.hasExitedAlone.rawValue)
      writer.write(status)
      writer.write(flag: use != nil)
      use?.write(to: &writer)
    case .hasEndedAlone(.signaled(let signal), let use):
      writer.write(Kind.wasKilledAlone.rawValue)
      writer.write(UInt8(truncatingIfNeeded: signal.rawValue))
      writer.write(flag: use != nil)
      use?.write(to: &writer)
    case .hasStopped(let signal):
      writer.write(Kind.hasStopped.rawValue)
      writer.write(UInt8(truncatingIfNeeded: signal.rawValue))
    case .wasTyped(let signal):
      writer.write(Kind.wasTyped.rawValue)
      writer.write(UInt8(truncatingIfNeeded: signal.rawValue))
    case .isCreating(let isSo):
      writer.write(Kind.isCreating.rawValue)
      writer.write(UInt8(isSo ? 1 : 0))
    case .hasLeft(let name, let kind, let stamp, let isElsewhere):
      writer.write(Kind.hasLeft.rawValue)
      writer.write(UInt8(kind == .directory ? 1 : 0))
      writer.write(UInt8(isElsewhere ? 1 : 0))
      writer.write(stamp)
      writer.write(name, limit: SetupMessage.longestName)
    case .hasSettled: writer.write(Kind.hasSettled.rawValue)
    case .hasAdvised: writer.write(Kind.hasAdvised.rawValue)
    case .willDiscard(let entries):
      writer.write(Kind.willDiscard.rawValue)
      writer.write(entries)
    case .hasTimedOut: writer.write(Kind.hasTimedOut.rawValue)
    case .haveUsed(let use):
      writer.write(Kind.haveUsed.rawValue)
      use.write(to: &writer)
    case .hasReopened(let number):
      writer.write(Kind.hasReopened.rawValue)
      writer.write(number)
    case .isHeld(let place):
      writer.write(Kind.isHeld.rawValue)
      writer.write(place)
    case .hasTerminal: writer.write(Kind.hasTerminal.rawValue)
    case .hasFailed(let error):
      writer.write(Kind.hasFailed.rawValue)
      writer.write(error.errno.rawValue)
      writer.write(ByteString(error.call), limit: SetupMessage.longestCall)
    }
  }

  private static func signal(_ reader: inout RecordReader) throws(MalformedRecord) -> Signal {
    let signal = Signal(rawValue: CInt(try reader.number(UInt8.self)))
    guard (1...64).contains(signal.rawValue) else { throw MalformedRecord() }
    return signal
  }

  private static func flag(_ reader: inout RecordReader) throws(MalformedRecord) -> Bool {
    switch try reader.number(UInt8.self) {
    case 0: false
    case 1: true
    default: throw MalformedRecord()
    }
  }
}

/// Not as a list: its type would have to be made, in init and in the monitor.
extension ResourceUse: Record {
  init(from reader: inout RecordReader) throws(MalformedRecord) {
    self.init()
    user = try reader.number()
    system = try reader.number()
    largestProcess = try reader.number()
    read = try reader.number()
    written = try reader.number()
    minorFaults = try reader.number()
    majorFaults = try reader.number()
    voluntarySwitches = try reader.number()
    forcedSwitches = try reader.number()
  }

  func write(to writer: inout RecordWriter) {
    writer.write(user)
    writer.write(system)
    writer.write(largestProcess)
    writer.write(read)
    writer.write(written)
    writer.write(minorFaults)
    writer.write(majorFaults)
    writer.write(voluntarySwitches)
    writer.write(forcedSwitches)
  }

  fileprivate static func optional(
    _ reader: inout RecordReader
  ) throws(MalformedRecord) -> ResourceUse? {
    try reader.flag() ? try ResourceUse(from: &reader) : nil
  }
}
