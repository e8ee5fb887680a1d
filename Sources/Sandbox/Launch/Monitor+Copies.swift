// SPDX-License-Identifier: Apache-2.0
// What the monitor does for standard descriptors that the command got in another form: it copies
// output to files and terminals of the caller, and at the end returns positions in files and gives
// terminals back as they were.

internal import Linux
internal import SystemPackage
internal import Text

extension Monitor {
  /// Copies what the command writes, whenever it writes.
  mutating func watch(_ copy: StandardDescriptors.Copy) throws(LaunchError) {
    copies.append(copy)
    SignalDisposition.ignoreFileSizeLimit()
    try watchAgain(copy)
  }

  private mutating func watchAgain(_ copy: StandardDescriptors.Copy) throws(LaunchError) {
    try add(
      Watch(number: copy.readEnd, interest: .input) { monitor throws(LaunchError) in
        // It may have been closed since the wait.
        guard monitor.copies.contains(where: { $0.readEnd == copy.readEnd }) else { return false }
        if copy.isCounted, !Descriptors.canWrite(copy.target) {
          try monitor.awaitReader(of: copy)
          return false
        }
        return monitor.copyOnce(copy) != nil
      })
  }

  /// Waits for a slow reader of the output without a call that blocks: limits of time are still held
  /// meanwhile.
  private mutating func awaitReader(of copy: StandardDescriptors.Copy) throws(LaunchError) {
    try add(
      Watch(number: copy.target, interest: .output) { monitor throws(LaunchError) in
        try monitor.watchAgain(copy)
        return false
      })
  }

  /// How long a reader of the output has, after a limit was reached, to take what is left.
  private static let patienceWithReader: CInt = 1000

  /// How many bytes one copy may move.
  ///
  /// A pipe that can be written to takes this many at once; see pipe(7), PIPE_BUF.
  private static let smallMove = 4096

  /// How many bytes of limited output are left.
  private var outputLeft: UInt64 {
    let limit = plan.sandbox.outputLimit?.value ?? .max
    return limit > output ? limit - output : 0
  }

  /// Whether the copy would exceed the limit of output; ends the sandbox then.
  private mutating func exceedsLimit(_ copy: StandardDescriptors.Copy) -> Bool {
    guard copy.isCounted, outputLeft == 0, Descriptors.waitingBytes(in: copy.readEnd) > 0 else {
      return false
    }
    limit = limit ?? .output
    // Init kills the rest.
    if phase == .running { sendToCommand([.kill]) }
    return true
  }

  /// Copies once.
  /// - Returns: How many bytes; nil if the copy is at its end.
  private mutating func copyOnce(_ copy: StandardDescriptors.Copy) -> Int? {
    // After a limit was reached, a reader that does not read must not keep the launcher.
    if exceedsLimit(copy)
      || copy.isCounted && limit != nil
        && !Descriptors.canWrite(copy.target, milliseconds: Monitor.patienceWithReader)
    {
      end(copy)
      return nil
    }
    do throws(SystemCallError) {
      let most =
        copy.isCounted
        ? min(Monitor.smallMove, Int(clamping: max(outputLeft, 1))) : Descriptors.largestMove
      let count = try Descriptors.move(from: copy.readEnd, to: copy.target, most: most)
      if copy.isCounted { output += UInt64(count) }
      if count > 0 { return count }
    } catch  where copy.isCounted && error.errno == .brokenPipe {
      // The command then gets SIGPIPE, as it would have.
    } catch {
      // Like a writer to a full disk, the command then fails to write.
      try? Descriptors.write(
        plan.warningPrefix + "Can't write to descriptor \(String(copy.target)): \(error.reason)\n",
        to: 2)
    }
    end(copy)
    return nil
  }

  private mutating func end(_ copy: StandardDescriptors.Copy) {
    Descriptors.close(copy.readEnd)
    copies.removeAll { $0.readEnd == copy.readEnd }
  }

  /// Copies what the command has written so far.
  mutating func copyWaiting() {
    for copy in copies {
      // No more than that: other processes inside may write without end.
      var waiting = Descriptors.waitingBytes(in: copy.readEnd)
      while waiting > 0, let count = copyOnce(copy) { waiting -= count }
    }
  }

  /// Copies what the command has written; a new process continues for processes that live on.
  mutating func finishCopies() {
    guard !copies.isEmpty else { return }
    copyWaiting()
    copies.removeAll { copy in
      guard Descriptors.isHungUp(copy.readEnd),
        Descriptors.waitingBytes(in: copy.readEnd) == 0
      else { return false }
      Descriptors.close(copy.readEnd)
      return true
    }
    guard !copies.isEmpty else { return }
    do throws(SystemCallError) {
      if try ChildProcess.clone() == nil { continueCopying() }
    } catch {
      try? Descriptors.write(
        plan.warningPrefix + "Can't copy output of processes that live on: \(error.reason)\n", to: 2
      )
    }
    for copy in copies { Descriptors.close(copy.readEnd) }
    copies = []
  }

  /// Copies until no process inside can write any more.
  private mutating func continueCopying() -> Never {
    // Out of reach of the caller's keys.
    try? CurrentProcess.beginSession()
    var kept = DescriptorSet()
    for copy in copies { kept.insert([copy.readEnd, copy.target]) }
    try? Descriptors.closeAll(except: kept)
    var set = PollSet()
    while !copies.isEmpty {
      set.removeAll()
      for copy in copies { set.add(copy.readEnd, .input) }
      do throws(SystemCallError) { try set.wait(isLong: true) } catch { break }
      for (place, copy) in copies.enumerated() where set.isReady(place) { _ = copyOnce(copy) }
    }
    CurrentProcess.exit(0)
  }

  /// Notes the file that the command got in the place of the descriptor `number`.
  mutating func remember(_ file: consuming OwnedDescriptor?, as number: CInt) {
    // The first comes from before the command was executed.
    guard let file, plan.standard?.readOnly.contains(number) == true,
      !reopened.contains(where: { $0.number == number })
    else { return }
    reopened.append(
      StandardDescriptors.Replacement(number: number, descriptor: file.release()))
  }

  /// Moves the caller's positions in files to where the command stopped reading.
  mutating func returnPositions() {
    for file in reopened {
      if let position = Descriptors.position(of: file.descriptor) {
        Descriptors.setPosition(of: file.number, to: position)
      }
      Descriptors.close(file.descriptor)
    }
    reopened = []
  }

  /// Gives the caller's terminals their settings back, and the descriptors their flags.
  ///
  /// After the terminal has been taken back: a job in the background leaves the settings to the shell.
  func returnTerminals() {
    for terminal in plan.standard?.terminals ?? [] {
      Descriptors.restoreFlags(of: terminal.number, to: terminal.flags)
      guard let settings = terminal.settings,
        Terminal.foreground(terminal.number).map({ $0 == ProcessGroup.own }) ?? true
      else { continue }
      settings.restore(on: terminal.number)
    }
  }
}
