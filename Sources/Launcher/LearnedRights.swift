// SPDX-License-Identifier: Apache-2.0
// What a learned profile would let a command do, apart from the host's files: before it is written, its settings
// are compared with those of the line.

internal import Options
internal import Sandbox
internal import Text

extension Launcher {
  /// The sandbox of `command` under a profile with this text in the file `path`.
  func resolved(
    _ text: [UInt8], as path: ByteString, for command: [ByteString]
  ) throws(UsageError) -> ResolvedSandbox {
    var parser = Parser(surroundings)
    try parser.parse(text, as: path, command)
    return try sandbox(parser.draft).resolved(for: caller)
  }
}

extension LearningTask {
  /// Throws if the profile would let the command do more than this run's line, or could not be used.
  ///
  /// The profile may also keep what the file so far gives of files, networks and buses.
  func requireNoMore(than given: Given) throws(UsageError) {
    let start = "--learn: nothing was written: "
    let remedy =
      given.text.isEmpty
      ? "leave the options about that out, or write a profile by hand"
      : "what \(lesson.file.quoted) has from earlier runs or by hand does not go with this line; name "
        + "another file"
    let new: ResolvedSandbox
    do throws(UsageError) {
      new = try launcher.resolved(profile.text, as: path, for: draft.sandbox.command)
    } catch {
      // A line of the file has its number in there.
      throw UsageError(
        start + "the profile could not be used: \((given.mistake ?? error).message); \(remedy)")
    }
    if let excess = Rights(new).excess(over: given.line.rights, and: given.file?.rights) {
      let more = "under the profile the command could \(excess), which its line does not permit; "
      throw UsageError(start + more + remedy)
    }
    let plan = new.plan()
    if let failure = plan.failure, given.line.failure == nil {
      throw UsageError(start + "the profile could not be used: \(failure); \(remedy)")
    }
    try requireNoMoreFiles(plan, than: given)
  }
}
