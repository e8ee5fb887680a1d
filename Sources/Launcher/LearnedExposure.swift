// SPDX-License-Identifier: Apache-2.0
// What a learned profile would give a command, before it is written: lines of several runs, and lines that a
// hostile command had a hand in, must not add up to more than the runs had.

internal import Options
internal import Sandbox
internal import Text

extension Launcher {
  /// What `command` would have of the host's files under a profile with this text in the file `path`.
  func exposure(
    of text: [UInt8], as path: ByteString, for command: [ByteString]
  ) throws(UsageError) -> Exposure {
    var parser = Parser(surroundings)
    try parser.parse(text, as: path, command)
    return Exposure(try sandbox(parser.draft).resolved(for: caller).plan())
  }
}

extension LearningTask {
  /// Throws if the profile would give the command more than this run's line and the file so far give it.
  func requireNoMore(than run: Exposure, or known: [UInt8]) throws(UsageError) {
    let command = draft.sandbox.command
    var others = [run]
    // A file that cannot be used gives nothing.
    if !known.isEmpty, let file = try? launcher.exposure(of: known, as: path, for: command) {
      others.append(file)
    }
    let new = try launcher.exposure(of: profile.text, as: path, for: command)
    guard let (place, isWritable) = new.excess(over: others) else { return }
    let what = isWritable ? "change" : "read"
    throw UsageError(
      "--learn: nothing was written: under the profile the command could \(what) \(place.quoted), which its line "
        + "does not let it. Either the command has moved what the line protects, or earlier runs had the options in "
        + "another order; name another file")
  }
}
