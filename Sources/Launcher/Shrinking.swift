// SPDX-License-Identifier: Apache-2.0
// --shrink: runs the command under a profile with ever more lines left out, and keeps out what changes
// neither its status nor its output.

internal import Linux
internal import Options
internal import Sandbox
internal import SystemPackage
internal import Text

/// The search for lines that a command does not need.
struct Shrinking {
  /// The profile without them.
  private(set) var profile: LearnedProfile
  /// The lines that were left out.
  private(set) var leftOut: [[UInt8]] = []
  /// How many times the command has run.
  private(set) var trials = 0
  /// Whether the rest was enough each time when it ran again; if not, nothing is left out.
  private(set) var isConfirmed = true
  /// Whether its output was compared as well.
  private(set) var comparesOutput = true

  private let candidates: [Int]
  private let command: [ByteString]
  private let launcher: Launcher
  /// The signals that interrupt the search.
  private var signals: EndSignals?
  /// The profile's file, and what the whole profile gives the command.
  private let path: ByteString
  private let whole: Allowance
  private var expected = Outcome(status: 0, output: [], errors: [])
  /// How long a run may take, in milliseconds, if that is less than its line says.
  private var patience: Int
  /// How long the line of each run says that it may take, in milliseconds.
  private let limit: Int
  private var dropped: [Int] = []

  /// What a run shows.
  private struct Outcome: Equatable {
    var status: UInt8
    var output: [UInt8]
    var errors: [UInt8]
    /// Why it was ended; nil if it ended by itself.
    var excess: Excess?
  }

  /// Of what a run had more than it may.
  private enum Excess { case time, output }

  /// How many bytes of output are compared, and how long a run may take in milliseconds.
  private static let most = (bytes: 16 << 20, milliseconds: 60_000)
  /// How long a run that is ended has after SIGTERM, in milliseconds.
  private static let grace = 500

  /// Searches; `unused` are the indices of lines that the run did not use, and `given` is what the whole profile
  /// gave its command, if that ran under it before.
  ///
  /// A signal that asks this process to end does so after `tellEnd`.
  /// - Throws: `UsageError` if the command does not succeed under the whole profile.
  init(
    _ profile: LearnedProfile, as path: ByteString, of given: Allowance?, unused: Set<Int>,
    _ command: [ByteString], _ launcher: Launcher, tellEnd: () -> Void
  ) throws(UsageError) {
    candidates = profile.candidates(unused: unused)
    let sandbox = try launcher.resolved(profile.text, as: path, for: command)
    whole = given ?? Allowance(sandbox)
    limit = min(Shrinking.most.milliseconds, sandbox.timeLimit.map { Int(clamping: $0) } ?? .max)
    // The launch takes time as well, and so does the end.
    patience = limit + 20 * Shrinking.grace
    (self.profile, self.path, self.command, self.launcher) = (profile, path, command, launcher)
    let status: UInt8
    let result = SignalDisposition.whileSignalsEnd { () -> Result<UInt8, SystemCallError> in
      do throws(SystemCallError) {
        signals = try EndSignals.wait()
        return .success(try search())
      } catch {
        return .failure(error)
      }
    }
    if let signal = signals?.first {
      tellEnd()
      SignalDisposition.die(by: signal)
    }
    do throws(SystemCallError) {
      status = try result.get()
    } catch {
      if error.errno == .fileTooLarge {
        throw UsageError(
          "--shrink: the command writes more than \(String(Shrinking.most.bytes >> 20)) MiB of output, which is "
            + "not compared; let it write to a file")
      }
      if error.errno == .staleNFSFileHandle {
        throw UsageError(
          "--shrink: the command was not run again: it, or another program, has changed what the profile names, "
            + "and the command would get more than in its first run")
      }
      throw UsageError("--shrink: can't run the command again: \(error.reason)")
    }
    guard status == 0 else { throw failure(status) }
    self.profile = profile.leavingOut(dropped)
    for index in candidates where dropped.contains(index) {
      leftOut.append(profile.lines[index])
    }
  }

  /// Why nothing can be left out, if the command ended with `status` under the whole profile.
  private func failure(_ status: UInt8) -> UsageError {
    // nestbox itself has said why.
    let start = Array((launcher.persona.prefix).utf8)
    let line = expected.errors.prefix { $0 != UInt8(ascii: "\n") }
    if status == 125, line.starts(with: start) {
      return UsageError(
        "--shrink: the command cannot be started again: "
          + ByteString(line.dropFirst(start.count)).quoted)
    }
    return UsageError(
      "--shrink: without input and without a terminal the command does not succeed "
        + "(status \(String(status)))")
  }

  /// Finds the lines that can be left out.
  /// - Returns: The status under the whole profile; nothing is left out unless it is 0.
  private mutating func search() throws(SystemCallError) -> UInt8 {
    expected = try runWhole()
    if expected.excess == .output { throw SystemCallError(call: "read", errno: .fileTooLarge) }
    guard expected.status == 0 else { return expected.status }
    let begin = MonotonicClock.milliseconds
    let again = try runWhole()
    comparesOutput = expected == again
    guard again.status == 0 else {
      expected = again
      return again.status
    }
    // One that hangs for the lack of a line is not to be waited for as long as the longest command.
    patience = min(patience, 3000 + 5 * (MonotonicClock.milliseconds - begin))
    try leaveOut(candidates[...])
    try confirm()
    return 0
  }

  /// Runs the command under the whole profile, unless what that names has changed since the first run.
  private mutating func runWhole() throws(SystemCallError) -> Outcome {
    guard givesNoMore(profile) else {
      throw SystemCallError(call: "open", errno: .staleNFSFileHandle)
    }
    return try run(profile)
  }

  /// Runs the command under the rest again: one that succeeds only now and then needs a line although a run
  /// without it was like the others.
  private mutating func confirm() throws(SystemCallError) {
    for _ in 0..<2 where !dropped.isEmpty {
      guard try isEnough(profile.leavingOut(dropped)) else {
        (isConfirmed, dropped) = (false, [])
        return
      }
    }
  }

  /// Runs the command under a profile, and says whether it does the same.
  private mutating func isEnough(_ rest: LearnedProfile) throws(SystemCallError) -> Bool {
    guard givesNoMore(rest) else { return false }
    let result = try run(rest)
    if result.excess != nil { return false }
    return comparesOutput ? result == expected : result.status == expected.status
  }

  /// Leaves out as many of `lines` as it can: all, or else of each half.
  private mutating func leaveOut(_ lines: ArraySlice<Int>) throws(SystemCallError) {
    guard !lines.isEmpty else { return }
    let rest = profile.leavingOut(dropped + lines)
    if try isEnough(rest) {
      dropped += lines
      return
    }
    guard lines.count > 1 else { return }
    let middle = lines.startIndex + lines.count / 2
    try leaveOut(lines[..<middle])
    try leaveOut(lines[middle...])
  }

  /// Whether a profile gives the command nothing that the whole one keeps from it: a line may hide or protect
  /// what others show.
  private func givesNoMore(_ rest: LearnedProfile) -> Bool {
    guard let sandbox = try? launcher.resolved(rest.text, as: path, for: command) else {
      return false
    }
    let allowance = Allowance(sandbox)
    return allowance.exposure.excess(over: [whole.exposure]) == nil
      && allowance.rights.excess(over: whole.rights) == nil
  }

  /// Runs the command under a profile.
  private mutating func run(_ profile: LearnedProfile) throws(SystemCallError) -> Outcome {
    trials += 1
    let text = try SealedMemory.make("nestbox-profile")
    try Descriptors.write(profile.placed(at: self.path).text[...], to: text.rawValue)
    let input = try OwnedDescriptor.open("/dev/null", .reading)
    let output = try SealedMemory.make("output")
    let errors = try SealedMemory.make("errors")
    // Through this process, so that no descriptor of the profile reaches the command.
    let path = "/proc/" + String(CurrentProcess.number) + "/fd/" + String(text.rawValue)
    // Behind the profile, whose own limit of time may be longer. Messages name the line, so all runs have the same.
    let words: [ByteString] = [
      "nestbox", "--profile", ByteString(path), "--timeout", Shrinking.time(limit),
      "--timeout-grace", Shrinking.time(Shrinking.grace), "--die-with-parent", "--",
    ]
    let child = try ChildProcess.start(
      "/proc/self/exe", words + command, launcher.environment,
      replacing: [(0, input.rawValue), (1, output.rawValue), (2, errors.rawValue)],
      unblocking: signals)
    let excess = try wait(for: child, writing: [output.rawValue, errors.rawValue])
    let end = try child.waitForProcess()
    if excess != nil {
      return Outcome(status: end.shellStatus, output: [], errors: [], excess: excess)
    }
    return Outcome(
      status: end.shellStatus, output: try Shrinking.contents(of: output.rawValue),
      errors: try Shrinking.contents(of: errors.rawValue))
  }

  /// A time as an operand.
  private static func time(_ milliseconds: Int) -> ByteString {
    ByteString(String(milliseconds) + "ms")
  }

  /// Waits until a run has ended, and ends it if it takes too long, or writes too much, which lies in memory.
  /// - Returns: Of what it had too much; nil if it ended by itself.
  private func wait(
    for child: borrowing OwnedDescriptor, writing files: [CInt]
  ) throws(SystemCallError) -> Excess? {
    var (excess, deadline): (Excess?, Int) = (nil, MonotonicClock.milliseconds + patience)
    // A key of the terminal also ends the child. A person does not notice the time.
    while try !Descriptors.waitForInput(child.rawValue, milliseconds: 50) {
      if signals?.first != nil { throw SystemCallError(call: "poll", errno: .interrupted) }
      if excess == nil, isTooMuch(files) {
        excess = .output
        try child.send(.kill)
      } else if MonotonicClock.milliseconds > deadline {
        try child.send(excess == nil ? .terminate : .kill)
        excess = excess ?? .time
        // The launcher waits for the command as long as its line says.
        deadline = MonotonicClock.milliseconds + 2 * Shrinking.grace
      }
    }
    return excess ?? (isTooMuch(files) ? .output : nil)
  }

  /// Whether a run has written more than is compared.
  private func isTooMuch(_ files: [CInt]) -> Bool {
    files.contains { Descriptors.size(of: $0) > Shrinking.most.bytes }
  }

  private static func contents(of file: CInt) throws(SystemCallError) -> [UInt8] {
    Descriptors.setPosition(of: file, to: 0)
    return try Descriptors.contents(of: file, limit: most.bytes)
  }
}
