// SPDX-License-Identifier: Apache-2.0
// What a learned profile would give a command, before it is written: lines of several runs, and lines that a
// hostile command had a hand in, must not add up to more than the runs had.

internal import Options
internal import Sandbox
internal import Text

extension LearningTask {
  /// Throws if the profile would give the command more of the host's files than this run's line and the file so
  /// far; `plan` is what a launch with the profile would do.
  func requireNoMoreFiles(_ plan: Plan, than given: Given) throws(UsageError) {
    let others = [given.line, given.file].compactMap { $0?.exposure }
    guard let (place, isWritable) = Exposure(plan).excess(over: others) else { return }
    let what = isWritable ? "change" : "read"
    throw UsageError(
      "--learn: nothing was written: under the profile the command could \(what) \(place.quoted), which its line "
        + "does not let it. " + cause(at: place))
  }

  private func cause(at place: ByteString) -> String {
    guard let option = optionsLeftOut.first else {
      return
        "Either the command has moved what the line protects, or earlier runs had the options in "
        + "another order; name another file"
    }
    return
      "The line has \(option), which cannot stand in a profile; show a file there instead, as by "
      + "--ro-bind FILE " + place.quotedForShell
  }

  /// Options about files that read descriptors.
  private var optionsLeftOut: [String] {
    options.compactMap { option in
      guard case .told(let name) = option.use, !option.operations.isEmpty else { return nil }
      return name
    }
  }
}
