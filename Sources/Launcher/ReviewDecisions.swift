// SPDX-License-Identifier: Apache-2.0
// The tasks that apply and discard the changes of a review, all or those at the paths that were typed.

internal import Linux
internal import Options
internal import Review
internal import Sandbox
internal import SystemPackage
internal import Text

extension ReviewTasks {
  /// Applies changes.
  func apply(_ typed: ByteString?) throws(UsageError) -> UInt8 {
    let option = "--apply"
    let name = try name(typed, for: option)
    let (review, changes) = try acquire(name, option)
    let chosen = try choose(review, changes, option)
    let (report, signal) = try untilSignal(option, review) { (isToStop) throws(ReviewError) in
      try review.apply(
        changes, overwrites: draft.overwritesConflicts, isToStop: isToStop, chosen.contains)
    }
    if let signal {
      let line = line(option, name, also: draft.sandbox.command)
      launcher.tell(
        .error,
        "\(option): interrupted after \(Review.number(report.applied, "change")); to go on: \(line)",
        draft)
      SignalDisposition.die(by: signal)
    }
    tellLeft(report, changes, of: review, chosen)
    let count = Review.number(report.applied, "change")
    if !report.left.isEmpty || changes.isIncomplete || !changes.unread.isEmpty {
      if report.applied > 0 { _ = launcher.print("applied \(count); the others wait\n", draft) }
      return 1
    }
    let isDone = try doing(option, name) { () throws(ReviewError) in
      // If all were applied, no other search decides: it cannot compare files that are closed to their owner now.
      guard changes.list.allSatisfy(chosen.contains) else { return try removeIfDone(review) }
      try review.remove()
      return true
    }
    return launcher.print(
      "applied \(count)" + (isDone ? "\n" : "; others wait\n"), draft)
  }

  /// Tells what was not applied, and how to go on.
  private func tellLeft(
    _ report: ApplicationReport, _ changes: Changes, of review: Review, _ chosen: Choice
  ) {
    let (option, name) = ("--apply", review.name)
    for (change, reason) in report.left.prefix(100) {
      launcher.tell(
        .error, "\(option): left \(ByteString(review.place(of: change)).quotedInReport): \(reason)",
        draft)
    }
    if report.left.count > 100 {
      let rest = String(report.left.count - 100)
      launcher.tell(.error, "\(option): left \(rest) more changes", draft)
    }
    for (path, reason) in changes.unread.prefix(ReviewTasks.mostLines) {
      launcher.tell(
        .error, "\(option): not read: \(ByteString(path).quotedInReport): \(reason)", draft)
    }
    if !report.overwritable.isEmpty, !report.isDiskFull {
      let choices =
        report.overwritable.count > ReviewTasks.mostConflicts ? [] : report.overwriteChoices
      // A line without paths, or with those that were typed, chooses what was left and nothing else.
      let isBrief =
        (1...ReviewTasks.mostLines).contains(choices.count) && choices.allSatisfy(chosen.contains)
      let words =
        isBrief ? choices.map { ByteString(review.place(of: $0)) } : draft.sandbox.command
      let line = "--overwrite --apply \(name.quotedForShell)" + ReviewTasks.paths(words)
      launcher.tell(
        .error, "\(option): to apply such changes all the same: " + draft.reviewLine(line), draft)
    }
    if report.isDiskFull {
      launcher.tell(
        .error,
        "\(option): the disk is full; nothing is lost: make room, then type "
          + line(option, name, also: draft.sandbox.command), draft)
    }
  }

  /// With more conflicts than these, the line for --overwrite names no directories that stand for several:
  /// looking for them takes too long.
  private static let mostConflicts = 1000

  /// Discards changes.
  func discard(_ typed: ByteString?) throws(UsageError) -> UInt8 {
    let option = "--discard"
    let name = try name(typed, for: option)
    guard !draft.sandbox.command.isEmpty else {
      // Also where its record cannot be read, or the directory is gone.
      try doing(option, name) { () throws(ReviewError) in
        let review: Review
        do throws(ReviewError) {
          review = try store.review(name)
        } catch {
          guard error == .hasNoRecord else { throw error }
          return try store.removeRemains(of: name)
        }
        try review.acquire()
        try review.remove()
      }
      return launcher.print("discarded the review \(name.quoted)\n", draft)
    }
    let (review, changes) = try acquire(name, option)
    let chosen = try choose(review, changes, option)
    for (tree, path) in chosen.paths {
      guard
        try doing(
          option, name,
          { () throws(ReviewError) in
            try review.discard(path, tree: tree)
          })
      else {
        throw UsageError(
          "\(option): \(ByteString(review.place(path, tree: tree)).quoted) cannot be discarded alone, because "
            + "the review removes a directory above it; discard that directory")
      }
    }
    let isDone = try doing(option, name) { () throws(ReviewError) in try removeIfDone(review) }
    let count = Review.number(
      changes.told.count { chosen.contains($0) }, "change")
    return launcher.print("discarded \(count)" + (isDone ? "\n" : "; others wait\n"), draft)
  }

  private func acquire(
    _ name: ByteString, _ option: String
  ) throws(UsageError) -> (Review, Changes) {
    let review = try doing(option, name) { () throws(ReviewError) in
      let review = try store.review(name)
      try review.acquire()
      return review
    }
    return (review, try compare(review, option))
  }

  private func removeIfDone(_ review: Review) throws(ReviewError) -> Bool {
    guard try review.changes().isEmpty else { return false }
    try review.remove()
    return true
  }

  /// The changes that the command line chooses: all, or those at its paths.
  func choose(
    _ review: Review, _ changes: Changes, _ option: String
  ) throws(UsageError) -> Choice {
    var choice = Choice()
    for word in draft.sandbox.command {
      choice.paths.append(try chosen(word, review, changes, option))
    }
    // One half of a renaming alone would lose the file, or keep it twice. The other half stands in front: what
    // cannot be discarded is then refused before anything is.
    let halves = changes.list.filter { choice.contains($0) }.compactMap { change in
      change.counterpart.map { (tree: change.tree, path: $0) }
    }
    choice.paths = halves.filter { !choice.contains(tree: $0.tree, $0.path) } + choice.paths
    return choice
  }

  /// The path of changes that `word` means.
  private func chosen(
    _ word: ByteString, _ review: Review, _ changes: Changes, _ option: String
  ) throws(UsageError) -> (tree: Int, path: FilePath) {
    guard let found = review.place(named: word) else {
      throw UsageError(
        "\(option): \(word.quoted) is not a path in a directory under review; "
          + draft.reviewLine("--changes \(review.name.quotedForShell)") + " shows the paths")
    }
    let isChanged = changes.list.contains {
      $0.tree == found.tree && $0.path.starts(with: found.path)
    }
    guard isChanged else { throw notChanged(word, found.path, review.name, option) }
    return found
  }

  /// What to say of a path where the review `name` changes nothing.
  private func notChanged(
    _ word: ByteString, _ path: FilePath, _ name: ByteString, _ option: String
  ) -> UsageError {
    let others = draft.sandbox.command.filter { $0 != word }.map { " " + $0.quotedForShell }
    if word.bytes.first == UInt8(ascii: "-") {
      return UsageError(
        "\(option): \(word.quoted) was read as a path; options stand in front: "
          + draft.reviewLine(
            "\(word.quotedForShell) \(option) \(name.quotedForShell)" + others.joined()))
    }
    if word == name {
      let overwrites = draft.overwritesConflicts ? "--overwrite " : ""
      return UsageError(
        "\(option): \(word.quoted) was read as a path; the name of a review stands right behind "
          + "\(option): "
          + draft.reviewLine(
            "\(overwrites)\(option) \(word.quotedForShell)" + others.joined()))
    }
    if path == Change.top {
      return UsageError(
        "\(option): \(word.quoted) is the directory itself, whose permissions did not change; for all "
          + "changes: " + line(option, name))
    }
    return UsageError(
      "\(option): \(name.quoted) has no change at \(word.quoted); "
        + draft.reviewLine("--changes \(name.quotedForShell)") + " lists its changes")
  }

  /// A choice of changes.
  struct Choice {
    var paths: [(tree: Int, path: FilePath)] = []

    func contains(_ change: Change) -> Bool { contains(tree: change.tree, change.path) }

    func contains(tree: Int, _ path: FilePath) -> Bool {
      paths.isEmpty || paths.contains { $0.tree == tree && path.starts(with: $0.path) }
    }
  }
}
