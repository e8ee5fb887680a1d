// SPDX-License-Identifier: Apache-2.0
// What a run changed where the host never sees it: in a layer, or in a directory in memory that has the place of
// one of the host's.

internal import Linux
internal import SystemPackage
internal import Text

extension Learner {
  /// A place that the command changed, and not on the host.
  struct LostChange {
    let place: ByteString
    /// Whether that was under review.
    let isReviewed: Bool
  }

  /// Notes such a change: of the nearest file or directory that the host has, because no option can show what the
  /// command alone made.
  func noteLost(_ trail: RootModel.Trail) {
    let mount = plan.root.mounts[trail.end.mount]
    guard mount.isLayered || mount.isNew && isVerifying, lost.count < Learner.most.lost else {
      return
    }
    var place = trail.path
    if mount.isNew, !plan.root.host.isDirectory(place) { return }
    while plan.root.host.look(at: place) == nil, place != "/" { place = place.parent }
    let change = LostChange(place: ByteString(place), isReviewed: mount.reviewed != nil)
    if !lost.contains(where: { $0.place == change.place }) { lost.append(change) }
  }

  /// Whether only a layer has the file, so that the command has made it.
  func isMade(_ trail: RootModel.Trail) -> Bool {
    plan.root.mounts[trail.end.mount].isLayered && plan.root.host.look(at: trail.path) == nil
  }

  /// Adds what the profile does not keep, with the option that would.
  func addLost(to items: inout [LearnedItem], _ findings: inout Findings) {
    for change in lost {
      let what: ByteString = change.isReviewed ? "reviewed" : "discarded"
      let objection = findings.objection(to: change.place.path).map { ByteString($0) }
      let options = objection == nil ? ["--write", change.place] : []
      items.append(
        LearnedItem(.missing, change.place, notes: [what, objection ?? "", "", ""] + options))
    }
  }
}

extension HostFiles {
  fileprivate func isDirectory(_ path: FilePath) -> Bool { look(at: path)?.kind == .directory }
}
