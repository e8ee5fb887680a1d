// SPDX-License-Identifier: Apache-2.0
// --detach: the launcher's process waits until the command is executed, and returns. Its child does
// everything else, as a launcher does in the foreground, but in a session of its own: keys and the
// end of the terminal do not reach it.

public import Linux
internal import SystemPackage

/// The connection from a launcher in the background to the process that waits for its launch.
public struct Detachment: Sendable {
  /// The waiting process hears by it that the command is executed.
  let channel: CInt
  /// Where messages go that nobody waits for; nil for nowhere.
  public var messages: CInt?

  /// Continues in a new process in the background.
  ///
  /// In the caller's process this returns how the launch went, as the status to exit with, or the
  /// signal by which the launcher ended; in the new process it returns the connection.
  public static func begin() throws(SystemCallError) -> Result {
    // A descriptor opened here must not be mistaken for the caller's standard input or output.
    try Descriptors.occupyStandard()
    SignalDisposition.restoreChildReports()
    let pipe = try Pipe()
    // Before the child exists, so that no signal is lost.
    let mask = try SignalMask.blockAll()
    let signals = try SignalDescriptor(.forCommands)
    guard let child = try ChildProcess.clone() else {
      _ = consume signals
      Descriptors.close(pipe.readEnd.rawValue)
      try CurrentProcess.beginSession()
      try mask.restore()
      return .background(Detachment(channel: pipe.writeEnd.release()))
    }
    _ = consume pipe.writeEnd
    return try wait(for: child, hearing: pipe.readEnd, signals)
  }

  /// What `begin()` returns.
  public enum Result {
    /// This is the process in the background.
    case background(Detachment)
    /// The command is executed.
    case isExecuted
    /// The launch has failed.
    case hasFailed(Termination)
  }

  /// Waits for the launch, and passes signals on to it.
  private static func wait(
    for child: borrowing ChildProcess, hearing channel: borrowing OwnedDescriptor,
    _ signals: borrowing SignalDescriptor
  ) throws(SystemCallError) -> Result {
    var set = PollSet()
    while true {
      set.removeAll()
      let heard = set.add(channel.rawValue, .input)
      let typed = set.add(signals.rawValue, .input)
      try set.wait(isLong: false)
      if let typed, set.isReady(typed) {
        while let received = signals.next() { try? child.descriptor.send(received.signal) }
      }
      guard let heard, set.isReady(heard) else { continue }
      if try Descriptors.waitForByte(channel.rawValue) { return .isExecuted }
      return .hasFailed(try child.wait())
    }
  }

  /// Tells the waiting process that the command is executed, and leaves the caller's standard error
  /// to it, unless that is a file.
  func tell() {
    if (try? OpenFile(2))?.staysInBackground(2) != true {
      if let messages {
        try? Descriptors.replace(2, by: messages)
      } else if let empty = try? OwnedDescriptor.open("/dev/null", .readingAndWriting) {
        try? Descriptors.replace(2, by: empty.rawValue)
      }
    }
    // The process may have been killed.
    try? Descriptors.write([0][...], to: channel)
    Descriptors.close(channel)
  }
}

extension OpenFile {
  /// Whether a process in the background keeps this file, which is open as `number`: nobody waits for
  /// the end of it, as for the end of a terminal, a pipe or a socket.
  func staysInBackground(_ number: CInt) -> Bool {
    kind != .other && Terminal.path(of: number) == nil
  }
}
