// SPDX-License-Identifier: Apache-2.0
// Launches under review, and the tasks that list, show, apply and discard changes.

internal import Linux
internal import Options
internal import Review
internal import Running
internal import Sandbox
internal import SystemPackage
internal import Text

/// What a command line does with reviews.
struct ReviewTasks {
  let launcher: Launcher
  let draft: Draft

  init(_ launcher: Launcher, _ draft: Draft) {
    (self.launcher, self.draft) = (launcher, draft)
  }

  private var store: ReviewStore {
    guard let path = draft.reviewStore else { return ReviewStore(launcher.surroundings.reviews) }
    let absolute = launcher.surroundings.absolute(ByteString(path))?.path ?? path
    return ReviewStore(absolute.lexicallyNormalized())
  }

  /// The words that every line to type needs besides the task.
  private var storeWords: String {
    draft.reviewStore.map { "--review-store \(ByteString($0).quotedForShell) " } ?? ""
  }

  private func doing<Result: ~Copyable>(
    _ option: String, _ name: ByteString, _ body: () throws(ReviewError) -> Result
  ) throws(UsageError) -> Result {
    do throws(ReviewError) {
      return try body()
    } catch {
      throw UsageError("\(option): \(message(error, name))")
    }
  }

  private func message(_ error: ReviewError, _ name: ByteString) -> String {
    let word = name.quotedForShell
    switch error {
    case .isUnknown: return "no review is called \(name.quoted); nestbox --reviews lists them"
    case .nameIsTaken:
      return "a review is called \(name.quoted) already; to go on with it: nestbox "
        + "\(storeWords)--resume \(word)"
    case .isInUse:
      return "\(name.quoted) is in use: its sandbox still runs, or another nestbox changes it"
    case .hasNoRecord:
      return "the record of \(name.quoted) cannot be read; to remove the review: nestbox "
        + "\(storeWords)--discard \(word)"
    case .directoryIsGone(let path):
      return
        "\(ByteString(path).quoted) is not the directory that was reviewed; move that back, or "
        + "type nestbox \(storeWords)--discard \(word)"
    case .failed(let path, let error):
      let path = ByteString(path).quoted
      if error.errno == .notSupported {
        return
          "the file system of \(path) keeps no extended attributes or whiteouts, which a layer "
          + "needs; name a directory on another one, such as ext4, xfs or btrfs, by --review-store"
      }
      return "\(path): \(error.reason) (\(error.call))"
    }
  }

  // MARK: Launches

  /// The directories of a review that a launch goes on with.
  func directories(of resumed: Setting<ByteString>) throws(UsageError) -> [FilePath] {
    try doing("--resume", resumed.value) { () throws(ReviewError) in
      try store.review(resumed.value).record.trees.map(\.path)
    }
  }

  /// Begins or resumes the review of a launch.
  /// - Returns: The review, and the sandbox that writes to its layers.
  func begin(_ caller: Caller) throws(UsageError) -> (LaunchReview, ResolvedSandbox) {
    // A descriptor opened here must not be mistaken for the caller's standard input or output.
    try? Descriptors.occupyStandard()
    var sandbox = try launcher.sandbox(draft)
    let name = draft.resumedReview?.value ?? draft.reviewName?.value
    let review: Review
    let layers: [ReviewLayer]
    if let resumed = draft.resumedReview {
      review = try doing("--resume", resumed.value) { () throws(ReviewError) in
        let review = try store.review(resumed.value)
        try review.acquire()
        return review
      }
    } else {
      review = try doing("--review", name ?? "") { () throws(ReviewError) in
        try begin(name, sandbox.directoriesUnderReview)
      }
    }
    layers = try doing("--review", review.name) { () throws(ReviewError) in try review.layers() }
    let lock = review.handOverLock()
    sandbox.give(layers, lock: lock)
    do throws(UsageError) {
      return (LaunchReview(review: review, lock: lock), try sandbox.resolved(for: caller))
    } catch {
      end(LaunchReview(review: review, lock: lock))
      throw error
    }
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

  /// Ends the review of a launch: nothing is left where nothing was changed, and on a terminal a
  /// summary tells how to go on.
  func end(_ ended: LaunchReview) {
    let review = ended.review
    do throws(ReviewError) {
      try review.takeLockBack(ended.lock)
      let changes = try review.changes()
      if changes.isEmpty { return try review.remove() }
      if Terminal.path(of: 2) != nil { launcher.tell(.step, summary(review, changes), draft) }
    } catch {
      // The review stays, and is listed.
      guard error != .isInUse || Terminal.path(of: 2) != nil else { return }
      launcher.tell(.warning, "--review: " + message(error, review.name), draft)
    }
  }

  private func summary(_ review: Review, _ changes: Changes) -> String {
    let told = changes.told
    var lines = ["\(Review.number(told.count, "change")) wait in review \(review.name.text):"]
    let kinds = Change.Kind.allCases.compactMap { kind in
      let count = told.count { $0.kind == kind }
      return count == 0 ? nil : "\(kind.rawValue) \(String(count))"
    }
    lines.append("  " + kinds.joined(separator: ", "))
    let marked = told.filter { !$0.marks.isEmpty }
    for change in marked.prefix(3) {
      let marks = change.marks.map(\.text).joined(separator: "; ")
      lines.append("  look at \(ByteString(review.place(of: change)).quoted) (\(marks))")
    }
    if marked.count > 3 { lines.append("  and at \(String(marked.count - 3)) more") }
    for task in ["--diff --changes", "--apply", "--discard"] {
      lines.append("nestbox \(storeWords)\(task) \(review.name.text)")
    }
    return lines.joined(separator: "\n")
  }

  // MARK: Tasks

  /// The reviews that wait.
  func list() throws(UsageError) -> String {
    let store = self.store
    let names = try doing("--reviews", "") { () throws(ReviewError) in try store.names() }
    var rows = [["NAME", "AGE", "CHANGES", "STATE", "DIRECTORIES"]]
    var reports: [JSON] = []
    for name in names {
      guard let review = try? store.review(name) else {
        rows.append([name.text, "-", "-", "broken", "-"])
        reports.append(.object([.init("name", .bytes(name)), .init("broken", .boolean(true))]))
        continue
      }
      let isRunning = review.isInUse
      let age = max(0, FileTime.now.seconds - review.record.started.seconds)
      let changes = try? review.changes()
      let directories = review.record.trees.map { ByteString($0.path) }
      rows.append([
        name.text, ListedSandbox.duration(UInt64(age)),
        changes.map { String($0.told.count) } ?? "?", isRunning ? "running" : "waits",
        directories.map(\.quoted).joined(separator: " "),
      ])
      reports.append(
        .object([
          .init("name", .bytes(name)), .init("age", .number(age)),
          .init("changes", changes.map { .number(Int64($0.told.count)) } ?? .null),
          .init("running", .boolean(isRunning)), .init("broken", .boolean(false)),
          .init("directories", .array(directories.map { .bytes($0) })),
        ]))
    }
    if draft.isJSON {
      return JSON.object([.init("version", .number(1)), .init("reviews", .array(reports))]).text
    }
    return SandboxList.table(rows, width: Terminal.columns(of: 1))
  }

  /// Reports what a review would change.
  func changes(_ name: ByteString) throws(UsageError) -> UInt8 {
    let (review, changes) = try doing("--changes", name) {
      () throws(ReviewError) -> (Review, Changes) in
      let review = try store.review(name)
      return (review, try review.changes())
    }
    if draft.isJSON { return launcher.print(review.json(of: changes).text, draft) }
    var text = review.text(of: changes)
    if draft.showsDifferences {
      text += "\n"
      text += try doing("--diff", name) { () throws(ReviewError) in
        try review.differences(in: changes, launcher.surroundings.variable("PATH"))
      }
    }
    if Terminal.path(of: 1) != nil, Pager.show(text, launcher.surroundings) { return 0 }
    return launcher.print(text, draft)
  }

  /// Applies changes.
  func apply(_ name: ByteString) throws(UsageError) -> UInt8 {
    let option = "--apply"
    let (review, changes) = try acquire(name, option)
    let chosen = try choose(review, changes, option)
    let report = try doing(option, name) { () throws(ReviewError) in
      try review.apply(changes, overwrites: draft.overwritesConflicts, chosen.contains)
    }
    for (change, reason) in report.left.prefix(100) {
      launcher.tell(
        .error, "\(option): left \(ByteString(review.place(of: change)).quoted): \(reason)", draft)
    }
    if report.left.count > 100 {
      let rest = String(report.left.count - 100)
      launcher.tell(.error, "\(option): left \(rest) changes more", draft)
    }
    if let change = report.overwritable, !report.isDiskFull {
      let path = ByteString(review.place(of: change)).quotedForShell
      launcher.tell(
        .error,
        "\(option): to apply such a change all the same: nestbox "
          + "\(storeWords)--overwrite --apply \(name.quotedForShell) \(path)", draft)
    }
    if report.isDiskFull {
      launcher.tell(
        .error,
        "\(option): the disk is full; nothing is lost: make room, then type nestbox "
          + "\(storeWords)--apply \(name.quotedForShell)", draft)
    }
    if !report.left.isEmpty || changes.isIncomplete || !changes.unread.isEmpty { return 1 }
    let isDone = try doing(option, name) { () throws(ReviewError) in
      // Of some files that are applied, the host does not tell the content any more.
      guard chosen.paths.isEmpty else { return try removeIfDone(review) }
      try review.remove()
      return true
    }
    let count = Review.number(report.applied, "change")
    return launcher.print(
      "applied \(count)" + (isDone ? "\n" : "; others wait\n"), draft)
  }

  /// Discards changes.
  func discard(_ name: ByteString) throws(UsageError) -> UInt8 {
    let option = "--discard"
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
      return 0
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
          "\(option): \(ByteString(path).quoted) cannot be discarded alone, as a directory above "
            + "it is removed as a whole; discard that")
      }
    }
    _ = try doing(option, name) { () throws(ReviewError) in try removeIfDone(review) }
    return 0
  }

  private func acquire(
    _ name: ByteString, _ option: String
  ) throws(UsageError) -> (Review, Changes) {
    try doing(option, name) { () throws(ReviewError) in
      let review = try store.review(name)
      try review.acquire()
      return (review, try review.changes())
    }
  }

  private func removeIfDone(_ review: Review) throws(ReviewError) -> Bool {
    guard try review.changes().isEmpty else { return false }
    try review.remove()
    return true
  }

  /// The changes that the command line chooses: all, or those at its paths.
  private func choose(
    _ review: Review, _ changes: Changes, _ option: String
  ) throws(UsageError) -> Choice {
    var choice = Choice()
    for word in draft.sandbox.command {
      guard let found = place(word, review) else {
        throw UsageError(
          "\(option): \(word.quoted) is no path in a directory under review; write it as "
            + "--changes does")
      }
      guard
        changes.list.contains(where: { $0.tree == found.tree && $0.path.starts(with: found.path) })
      else {
        throw UsageError("\(option): \(review.name.quoted) has no change at \(word.quoted)")
      }
      choice.paths.append(found)
    }
    return choice
  }

  private func place(_ word: ByteString, _ review: Review) -> (tree: Int, path: FilePath)? {
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
    guard let found, !found.path.isEmpty,
      !found.path.components.contains(where: { $0.kind == .parentDirectory })
    else { return nil }
    return found
  }

  /// A choice of changes.
  private struct Choice {
    var paths: [(tree: Int, path: FilePath)] = []

    func contains(_ change: Change) -> Bool {
      paths.isEmpty
        || paths.contains { $0.tree == change.tree && change.path.starts(with: $0.path) }
    }
  }
}

/// The review of a launch, and the lock that its sandbox holds.
struct LaunchReview {
  let review: Review
  let lock: CInt

  /// What the monitor keeps open for its end.
  var descriptors: [CInt] { review.descriptors }
}
