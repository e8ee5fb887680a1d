// SPDX-License-Identifier: Apache-2.0
// Launches under review: a review begins before the launch, and at its end nothing is left of one without
// changes.

internal import Linux
internal import Options
internal import Review
internal import Running
internal import Sandbox
internal import SystemPackage
internal import Text

extension ReviewTasks {
  /// The directories of a review that a launch goes on with.
  func directories(of resumed: Setting<ByteString>) throws(UsageError) -> [FilePath] {
    try doing("--resume", resumed.value) { () throws(ReviewError) in
      try store.review(resumed.value).record.trees.map(\.path)
    }
  }

  /// Begins or resumes the review of a launch.
  /// - Returns: The review, and the sandbox that writes to its layers.
  func begin(
    _ sandbox: ResolvedSandbox
  ) throws(UsageError) -> (LaunchReview, ResolvedSandbox) {
    // A descriptor opened here must not be mistaken for the caller's standard input or output.
    try? Descriptors.occupyStandard()
    let review: Review
    if let resumed = draft.resumedReview {
      review = try doing("--resume", resumed.value) { () throws(ReviewError) in
        let review = try store.review(resumed.value)
        try review.acquire()
        try review.requireDirectories()
        try review.noteLaunch()
        return review
      }
    } else {
      let name = draft.reviewName?.value
      review = try doing("--review", name ?? "") { () throws(ReviewError) in
        try begin(name, sandbox.directoriesUnderReview)
      }
      for directory in sandbox.directoriesUnderReview where !FileAccess.write.isGranted(directory) {
        launcher.tell(
          .warning,
          "--review: you may not write to \(ByteString(directory).quoted), so --apply cannot put changes there",
          draft)
      }
    }
    let layers = try doing("--review", review.name) { () throws(ReviewError) in
      do throws(ReviewError) {
        return try review.layers()
      } catch {
        _ = try? review.removeIfUnchanged()
        throw error
      }
    }
    let home = launcher.surroundings.home
    let real = layers.first?.upper.parent.parent
    if let real, real != store.path, let link = sandbox.replaceableLink(on: store.path, home: home)
    {
      _ = try? review.removeIfUnchanged()
      throw UsageError(
        "--review: the command could replace the link \(ByteString(link).quoted), which leads to the store of "
          + "reviews; name the store without it: --review-store \(ByteString(real).quotedForShell)")
    }
    let lock = review.handOverLock()
    return (
      LaunchReview(review: review, lock: lock),
      sandbox.writing(to: layers, lock: lock, home: home)
    )
  }

  private func begin(
    _ name: ByteString?, _ directories: [FilePath]
  ) throws(ReviewError) -> Review {
    if let name { return try store.begin(name, of: directories) }
    let plain = directories.first.map { madeName($0) } ?? "review"
    var count = 1
    while true {
      do throws(ReviewError) {
        let suffix = count == 1 ? "" : "-" + String(count)
        return try store.begin(ByteString(plain + suffix), of: directories)
      } catch {
        guard error == .nameIsTaken, count < 1000 else { throw error }
        count += 1
      }
    }
  }

  /// A name of a directory's name and the time.
  private func madeName(_ directory: FilePath) -> String {
    let letters = directory.lastName.bytes.prefix(40).map { byte in
      SandboxName.isValid(ByteString([UInt8(ascii: "a"), byte])) ? byte : UInt8(ascii: "_")
    }
    let name = ByteString(letters)
    let start = SandboxName.isValid(name) ? name.text : "review"
    return start + "-" + FileTime.now.compactText
  }

  /// The line that was typed, with the review `name` in place of a new one.
  func resumingLine(_ name: ByteString) -> String {
    var line = TypedLine(
      ["nestbox"] + Array(launcher.words), command: draft.sandbox.command, hasBegun: false)
    line.replace(all: ["--review", "--review-name"], with: ["--resume", name])
    return line.text
  }

  /// Ends the review of a launch: nothing is left where nothing was changed, and on a terminal a
  /// summary tells how to go on.
  func end(_ ended: LaunchReview) {
    let review = ended.review
    do throws(ReviewError) {
      try review.takeLockBack(ended.lock)
      if try review.removeIfUnchanged() { return }
      // However long it takes: a signal that ends the launcher meanwhile leaves the review for later.
      let found = SignalDisposition.whileSignalsEnd { () -> Result<Changes, ReviewError> in
        do throws(ReviewError) {
          let changes = try review.changes()
          if !changes.isEmpty {
            review.noteHost(changes)
            review.writeBack()
          }
          return .success(changes)
        } catch {
          return .failure(error)
        }
      }
      let changes = try found.get()
      if changes.isEmpty { return try review.remove() }
      let isTerminal = Terminal.path(of: 2) != nil
      launcher.tell(
        .step, isTerminal ? summary(review, changes) : line(review, changes), draft)
    } catch {
      // The review stays, and is listed.
      guard error != .isInUse || Terminal.path(of: 2) != nil else { return }
      launcher.tell(.warning, "--review: " + message(error, review.name), draft)
    }
  }

  /// What waits, and what to type next, in one line for a log.
  private func line(_ review: Review, _ changes: Changes) -> String {
    let tasks = ["--diff --changes", "--apply", "--discard"].map {
      draft.reviewLine("\($0) \(review.name.text)")
    }
    return waiting(review, changes) + " " + tasks.joined(separator: "; ")
  }

  private func waiting(_ review: Review, _ changes: Changes) -> String {
    let count = changes.told.count
    let verb = count == 1 ? "waits" : "wait"
    return "\(Review.number(count, "change")) \(verb) in review \(review.name.text):"
  }

  private func summary(_ review: Review, _ changes: Changes) -> String {
    var lines = [waiting(review, changes)]
    let kinds = changes.counts.map { "\($0.kind) \(String($0.count))" }
    if !kinds.isEmpty { lines.append("  " + kinds.joined(separator: ", ")) }
    if let (path, reason) = changes.unread.first {
      lines.append("  not read: \(ByteString(path).quoted): \(reason)")
    }
    let marked = changes.told.filter { !$0.marks.isEmpty }
    for change in marked.prefix(3) {
      let marks = change.marks.map(\.text).joined(separator: "; ")
      lines.append("  look at \(ByteString(review.place(of: change)).quotedInReport) (\(marks))")
    }
    if marked.count > 3 { lines.append("  and at \(String(marked.count - 3)) more") }
    for task in ["--diff --changes", "--apply", "--discard"] {
      lines.append(draft.reviewLine("\(task) \(review.name.text)"))
    }
    // The summary is to stay short.
    let resuming = resumingLine(review.name)
    if lines.count < ReviewTasks.mostLines, resuming.count <= 100 { lines.append(resuming) }
    return lines.joined(separator: "\n")
  }
}

/// The review of a launch, and the lock that its sandbox holds.
struct LaunchReview {
  let review: Review
  let lock: CInt

  /// What the monitor keeps open for its end.
  var descriptors: [CInt] { review.descriptors }

  /// What can be removed before the command has ended.
  func whileRunning() { review.removeMarks() }
}
