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
  /// Whether its output was compared as well.
  private(set) var comparesOutput = true

  private let candidates: [Int]
  private let command: [ByteString]
  private let launcher: Launcher
  /// The profile's file, and what the whole profile gives the command.
  private let path: ByteString
  private let whole: Exposure
  private var expected = Outcome(status: 0, output: [], errors: [])
  private var dropped: [Int] = []

  /// What a run shows.
  private struct Outcome: Equatable {
    var status: UInt8
    var output: [UInt8]
    var errors: [UInt8]
  }

  /// How many bytes of output are compared, and how long a run may take.
  private static let most = (bytes: 16 << 20, time: ByteString("60s"))

  /// Searches; `unused` are the indices of lines that the run did not use.
  /// - Throws: `UsageError` if the command does not succeed under the whole profile.
  init(
    _ profile: LearnedProfile, as path: ByteString, unused: Set<Int>, _ command: [ByteString],
    _ launcher: Launcher
  ) throws(UsageError) {
    candidates = profile.candidates(unused: unused)
    whole = try launcher.exposure(of: profile.text, as: path, for: command)
    (self.profile, self.path, self.command, self.launcher) = (profile, path, command, launcher)
    let status: UInt8
    do throws(SystemCallError) {
      status = try SignalDisposition.whileSignalsEnd { () -> Result<UInt8, SystemCallError> in
        do throws(SystemCallError) {
          return .success(try search())
        } catch {
          return .failure(error)
        }
      }.get()
    } catch {
      if error.errno == .fileTooLarge {
        throw UsageError(
          "--shrink: the command writes more than \(String(Shrinking.most.bytes >> 20)) MiB of output, which is "
            + "not compared; let it write to a file")
      }
      throw UsageError("--shrink: can't run the command again: \(error.reason)")
    }
    guard status == 0 else {
      throw UsageError(
        "--shrink: without input and without a terminal the command does not succeed "
          + "(status \(String(status)))")
    }
    self.profile = profile.leavingOut(dropped)
    for index in candidates where dropped.contains(index) {
      leftOut.append(profile.lines[index])
    }
  }

  /// Finds the lines that can be left out.
  /// - Returns: The status under the whole profile; nothing is left out unless it is 0.
  private mutating func search() throws(SystemCallError) -> UInt8 {
    expected = try run(profile)
    let again = try run(profile)
    guard expected.status == 0, again.status == 0 else { return max(expected.status, again.status) }
    comparesOutput = expected == again
    try leaveOut(candidates[...])
    return 0
  }

  /// Leaves out as many of `lines` as it can: all, or else of each half.
  private mutating func leaveOut(_ lines: ArraySlice<Int>) throws(SystemCallError) {
    guard !lines.isEmpty else { return }
    let rest = profile.leavingOut(dropped + lines)
    if givesNoMore(rest) {
      let result = try run(rest)
      if comparesOutput ? result == expected : result.status == expected.status {
        dropped += lines
        return
      }
    }
    guard lines.count > 1 else { return }
    let middle = lines.startIndex + lines.count / 2
    try leaveOut(lines[..<middle])
    try leaveOut(lines[middle...])
  }

  /// Whether a profile gives the command nothing that the whole one keeps from it: a line may hide or protect
  /// what others show.
  private func givesNoMore(_ rest: LearnedProfile) -> Bool {
    guard let exposure = try? launcher.exposure(of: rest.text, as: path, for: command) else {
      return false
    }
    return exposure.excess(over: [whole]) == nil
  }

  /// Runs the command under a profile.
  private mutating func run(_ profile: LearnedProfile) throws(SystemCallError) -> Outcome {
    trials += 1
    let text = try SealedMemory.make("nestbox-profile")
    try Descriptors.write(profile.text[...], to: text.rawValue)
    let input = try OwnedDescriptor.open("/dev/null", .reading)
    let output = try SealedMemory.make("output")
    let errors = try SealedMemory.make("errors")
    // Through this process, so that no descriptor of the profile reaches the command.
    let path = "/proc/" + String(CurrentProcess.number) + "/fd/" + String(text.rawValue)
    let words: [ByteString] = [
      "nestbox", "--timeout", Shrinking.most.time, "--profile", ByteString(path), "--",
    ]
    let child = try ChildProcess.start(
      "/proc/self/exe", words + command, launcher.environment,
      replacing: [(0, input.rawValue), (1, output.rawValue), (2, errors.rawValue)])
    let end = try child.waitForProcess()
    return Outcome(
      status: end.shellStatus, output: try Shrinking.contents(of: output.rawValue),
      errors: try Shrinking.contents(of: errors.rawValue))
  }

  private static func contents(of file: CInt) throws(SystemCallError) -> [UInt8] {
    Descriptors.setPosition(of: file, to: 0)
    return try Descriptors.contents(of: file, limit: most.bytes)
  }
}
