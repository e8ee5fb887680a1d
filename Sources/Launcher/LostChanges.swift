// SPDX-License-Identifier: Apache-2.0
// What --learn and --verify say of changes that stayed in a layer or in memory, and of runs that failed.

internal import Options
internal import Sandbox
internal import Text

extension LearningTask {
  /// How many places a sentence names.
  private static let mostPlaces = 3

  private static func list(_ places: [ByteString]) -> String {
    let more = places.count - mostPlaces
    return places.prefix(mostPlaces).map(\.quoted).joined(separator: ", ")
      + (more > 0 ? " and \(String(more)) more" : "")
  }

  /// Says which changes of the run a learned profile does not let the command make.
  func tellLost(_ items: [LearnedItem]) {
    let changes = items.filter { MissedThing($0)?.isLostChange == true }
    if changes.isEmpty { return }
    let places = LearningTask.list(changes.map(\.subject))
    let canBeKept = changes.contains { MissedThing($0)?.options.isEmpty == false }
    let layer = draft.isUnderReview ? "under review" : "in a layer that is thrown away"
    launcher.tell(
      .warning,
      "the command changed \(places) only \(layer), and \(lesson.file.quoted) does not give these "
        + "changes: they fail or are lost"
        + (canBeKept ? ", unless you make options of the --write lines in its comments" : ""), draft
    )
  }

  /// The places that the command changed under the profile, and that do not keep the changes, as a comment says.
  func lost(in items: [LearnedItem]) -> [LearnedItem] {
    items.filter { $0.kind == .lost && profile.leavesOut($0, words) }
  }

  /// What a profile that is enough does not keep; empty for nothing.
  func reservation(_ lost: [LearnedItem]) -> String {
    if lost.isEmpty { return "" }
    let places = LearningTask.list(lost.map(\.subject))
    return "; the changes in \(places) are lost with the sandbox, as its comments say"
  }

  /// Whether the run was interrupted, or something in it was, as shells say.
  static func isInterrupted(_ ending: Ending) -> Bool {
    ending.limit != nil || (129...192).contains(ending.status)
  }

  /// How a run that did not succeed has ended.
  static func failure(_ ending: Ending) -> String {
    let status = "status " + String(ending.status)
    return isInterrupted(ending)
      ? "the command was interrupted, by a signal or a limit (\(status))"
      : "the command failed (\(status))"
  }
}

extension MissedThing {
  /// Whether the command changed it, and the host did not see that.
  fileprivate var isLostChange: Bool { what == "discarded" || what == "reviewed" }
}
