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
    let (report, signal) = try apply(changes, of: review, chosen)
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
      // Of some files that are applied, the host does not tell the content any more.
      guard changes.list.allSatisfy(chosen.contains) else { return try removeIfDone(review) }
      try review.remove()
      return true
    }
    return launcher.print(
      "applied \(count)" + (isDone ? "\n" : "; others wait\n"), draft)
  }

  /// Applies changes until a signal asks to end; returns the report, and the signal.
  private func apply(
    _ changes: Changes, of review: Review, _ chosen: Choice
  ) throws(UsageError) -> (ApplicationReport, Signal?) {
    let signals = try? EndSignals.wait()
    let report = try doing("--apply", review.name) { () throws(ReviewError) in
      try review.apply(
        changes, overwrites: draft.overwritesConflicts, isToStop: { signals?.first != nil },
        chosen.contains)
    }
    if let signal = signals?.first {
      review.close()
      return (report, signal)
    }
    signals?.end()
    return (report, nil)
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

  /// Of how many conflicts the directories are looked for that stand for several.
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
          "\(option): \(ByteString(path).quoted) cannot be discarded alone, because the review removes "
            + "a directory above it; discard that directory")
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
      guard let found = place(word, review) else {
        throw UsageError(
          "\(option): \(word.quoted) is not a path in a directory under review; "
            + draft.reviewLine("--changes \(review.name.quotedForShell)") + " shows the paths")
      }
      guard
        changes.list.contains(where: { $0.tree == found.tree && $0.path.starts(with: found.path) })
      else {
        if word.bytes.first == UInt8(ascii: "-") {
          let others = draft.sandbox.command.filter { $0 != word }.map { " " + $0.quotedForShell }
          throw UsageError(
            "\(option): \(word.quoted) was read as a path; options stand in front: "
              + draft.reviewLine(
                "\(word.quotedForShell) \(option) \(review.name.quotedForShell)" + others.joined()))
        }
        if word == review.name {
          let overwrites = draft.overwritesConflicts ? "--overwrite " : ""
          throw UsageError(
            "\(option): \(word.quoted) was read as a path; the name of a review stands right behind "
              + "\(option): "
              + draft.reviewLine("\(overwrites)\(option) \(word.quotedForShell)"))
        }
        if found.path == Change.top {
          throw UsageError(
            "\(option): \(word.quoted) is the directory itself, whose permissions did not change; for all "
              + "changes: " + line(option, review.name))
        }
        throw UsageError(
          "\(option): \(review.name.quoted) has no change at \(word.quoted); "
            + draft.reviewLine("--changes \(review.name.quotedForShell)") + " lists its changes")
      }
      choice.paths.append(found)
    }
    // One half of a renaming alone would lose the file, or keep it twice. The other half stands in front: what
    // cannot be discarded is then refused before anything is.
    let halves = changes.list.filter { choice.contains($0) }.compactMap { change in
      change.counterpart.map { (tree: change.tree, path: $0) }
    }
    choice.paths = halves.filter { !choice.contains(tree: $0.tree, $0.path) } + choice.paths
    return choice
  }

  func place(_ word: ByteString, _ review: Review) -> (tree: Int, path: FilePath)? {
    let path = word.path.lexicallyNormalized()
    var found: (tree: Int, path: FilePath)?
    if path.isAbsolute {
      for (number, tree) in review.record.trees.enumerated() where path.starts(with: tree.path) {
        let rest = FilePath(root: nil, path.components.dropFirst(tree.path.components.count))
        found = (number, rest)
      }
    } else if review.record.trees.count == 1 {
      found = (0, path)
    }
    guard var found, !found.path.components.contains(where: { $0.kind == .parentDirectory })
    else { return nil }
    if found.path.isEmpty { found.path = Change.top }
    return found
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
