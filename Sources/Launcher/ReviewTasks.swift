// SPDX-License-Identifier: Apache-2.0
// The tasks that list reviews and show their changes, and what all tasks with reviews share: the store,
// and messages.

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

  var store: ReviewStore {
    guard let path = draft.reviewStore else { return ReviewStore(launcher.surroundings.reviews) }
    let absolute = launcher.surroundings.absolute(ByteString(path))?.path ?? path
    return ReviewStore(absolute.lexicallyNormalized())
  }

  /// The review that a task is about: the one that was typed, or the only one that waits.
  func name(_ typed: ByteString?, for task: String) throws(UsageError) -> ByteString {
    if let typed {
      try requireNoPath(typed, for: task, also: draft.sandbox.command)
      return typed
    }
    let store = self.store
    let names = try doing(task, "") { () throws(ReviewError) in try store.names() }
    let waiting = names.filter { (try? store.review($0))?.isInUse != true }
    let candidates = waiting.isEmpty ? names : waiting
    guard let name = candidates.first else {
      throw UsageError("\(task): no review waits in \(ByteString(store.path).quoted)")
    }
    if candidates.count == 1 { return name }
    let count = Review.number(candidates.count, "review")
    var text = "\(task): \(count) wait; type one of these lines:"
    for name in candidates.prefix(ReviewTasks.mostLines) {
      text += "\n" + line(task, name, also: draft.sandbox.command)
    }
    if candidates.count > ReviewTasks.mostLines {
      text += "\n" + draft.reviewLine("--reviews") + " lists the others"
    }
    throw UsageError(text)
  }

  static let mostLines = 10

  /// Throws where `word` is no review but a path that reviews change, with a line to type for each.
  private func requireNoPath(
    _ word: ByteString, for task: String, also words: [ByteString]
  ) throws(UsageError) {
    do throws(ReviewError) {
      _ = try store.review(word)
      return
    } catch {
      guard error == .isUnknown else { return }
    }
    let known = (try? store.names()) ?? []
    let lines = known.compactMap { name -> String? in
      guard let review = try? store.review(name), let path = changedPath(word, review) else {
        return nil
      }
      return line(task, name, also: [path] + words)
    }
    guard let line = lines.first else { return }
    let text = "\(task): \(word.quoted) is not a review but a path that "
    if lines.count == 1 { throw UsageError("\(text)a review changes: \(line)") }
    throw UsageError(
      "\(text)\(Review.number(lines.count, "review")) change; type one of these lines:\n"
        + lines.prefix(ReviewTasks.mostLines).joined(separator: "\n"))
  }

  /// The path in `review` that `word` means, as seen from a directory under review or from the working
  /// directory, if the review changes something there.
  private func changedPath(_ word: ByteString, _ review: Review) -> ByteString? {
    if let found = review.place(named: word), review.hasChange(found.path, tree: found.tree) {
      return word
    }
    guard let absolute = launcher.surroundings.absolute(word),
      let found = review.place(named: absolute), review.hasChange(found.path, tree: found.tree)
    else { return nil }
    return ByteString(review.place(found.path, tree: found.tree))
  }

  /// The line to type that does `task` with the review `name` and these paths, as this line does it.
  func line(_ task: String, _ name: ByteString, also words: [ByteString] = []) -> String {
    var text = ""
    if draft.isJSON { text += "--json " }
    if draft.showsDifferences { text += "--diff " }
    if draft.overwritesConflicts { text += "--overwrite " }
    text += task + " " + name.quotedForShell + ReviewTasks.paths(words)
    return draft.reviewLine(text)
  }

  /// Paths as they are typed at the end of a line; none of them is taken for an option there.
  static func paths(_ words: [ByteString]) -> String {
    let isLikeOption = words.contains { $0.bytes.first == UInt8(ascii: "-") }
    return words.reduce(isLikeOption ? " --" : "") { $0 + " " + $1.quotedForShell }
  }

  func doing<Result: ~Copyable>(
    _ option: String, _ name: ByteString, _ body: () throws(ReviewError) -> Result
  ) throws(UsageError) -> Result {
    do throws(ReviewError) {
      return try body()
    } catch {
      throw UsageError("\(option): \(message(error, name))")
    }
  }

  func message(_ error: ReviewError, _ name: ByteString) -> String {
    let word = name.quotedForShell
    let removal = "to remove the review: " + draft.reviewLine("--discard \(word)")
    switch error {
    case .isUnknown:
      return "no review is called \(name.quoted); \(draft.reviewLine("--reviews")) lists them"
    case .nameIsTaken:
      return "a review is called \(name.quoted) already; to go on with it: " + resumingLine(name)
    case .isInUse:
      return "\(name.quoted) is in use: its sandbox still runs, or another nestbox changes it"
    case .hasNoRecord: return "the record of \(name.quoted) cannot be read; " + removal
    case .hasNoLayer:
      return "the layer of \(name.quoted) is gone, and its changes with it; " + removal
    case .directoryIsGone(let path):
      return
        "\(ByteString(path).quoted) is not the directory that was reviewed; move that back, or "
        + "type " + draft.reviewLine("--discard \(word)")
    case .isMissing(let path):
      return "there is no directory \(ByteString(path).quoted); to make it: mkdir -p "
        + ByteString(path).quotedForShell
    case .isNoDirectory(let path):
      let parent = path.parent.isEmpty ? "." : path.parent
      return
        "\(ByteString(path).quoted) is not a directory; to hold back changes of it, review the "
        + "directory that holds it: --review \(ByteString(parent).quotedForShell)"
    case .storeIsUnsuitable(let path, let flaw):
      return ReviewTasks.message(ByteString(path), flaw)
    case .failed(let path, let error):
      return ReviewTasks.message(ByteString(path).quoted, error)
    }
  }

  private static func message(_ path: ByteString, _ flaw: StoreFlaw) -> String {
    let other = "use --review-store with a directory of yours"
    switch flaw {
    case .isLink: return "\(path.quoted) is a symbolic link; \(other)"
    case .isNoDirectory: return "\(path.quoted) is not a directory; \(other)"
    case .isForeign: return "\(path.quoted) belongs to another user; \(other)"
    case .isOpen:
      return "other users may enter \(path.quoted); to forbid that: chmod 700 "
        + path.quotedForShell
    }
  }

  private static func message(_ path: String, _ error: SystemCallError) -> String {
    switch error.errno {
    case .notSupported:
      return "the file system of \(path) keeps no extended attributes or whiteouts, which a layer "
        + "needs; use --review-store with a directory on ext4, xfs or btrfs"
    case .noSpace, .readOnlyFileSystem,
      .permissionDenied where error.call == "mkdirat" || error.call == "mkdir",
      .noSuchFileOrDirectory where error.call == "mkdirat" || error.call == "mkdir":
      return "\(path): \(error.reason) (\(error.call)); use --review-store with another directory"
    default: return "\(path): \(error.reason) (\(error.call))"
    }
  }

  // MARK: Tasks

  /// The reviews that wait.
  func list() throws(UsageError) -> String {
    let store = self.store
    let names = try doing("--reviews", "") { () throws(ReviewError) in try store.names() }
    if names.isEmpty, draft.reviewStore != nil, (try? FileFacts(at: store.path)) == nil {
      launcher.tell(
        .warning,
        "--reviews: \(ByteString(store.path).quoted) does not exist: no review was kept there",
        draft)
    }
    var rows = [["NAME", "AGE", "CHANGES", "STATE", "DIRECTORIES"]]
    var reports: [JSON] = []
    for name in names {
      let review: Review
      do throws(ReviewError) {
        review = try store.review(name)
      } catch {
        // It was removed meanwhile.
        if error == .isUnknown { continue }
        // A launch begins it, or a task removes it.
        let isRunning = error == .isInUse
        rows.append([name.text, "-", "-", isRunning ? "running" : "broken", "-"])
        reports.append(
          .object([
            .init("name", .bytes(name)), .init("running", .boolean(isRunning)),
            .init("broken", .boolean(!isRunning)),
          ]))
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
    if rows.count == 1, Terminal.path(of: 1) != nil { return "no review waits\n" }
    return SandboxList.table(rows, width: Terminal.columns(of: 1))
  }

  /// Looks for the changes of a review, for the task `option`, until a signal asks to end.
  func compare(_ review: Review, _ option: String) throws(UsageError) -> Changes {
    let (changes, signal) = try untilSignal(option, review) { (isToStop) throws(ReviewError) in
      try review.changes(isToStop: isToStop)
    }
    if let signal {
      let line = line(option, review.name, also: draft.sandbox.command)
      launcher.tell(
        .error,
        "\(option): interrupted while it compared, and nothing was changed; to go on: \(line)",
        draft)
      SignalDisposition.die(by: signal)
    }
    return changes
  }

  /// Does a part of the task `option`, which is to stop once a signal has come that asks this process to end.
  /// - Returns: The result, and the signal, which then waits until the caller has told how to go on.
  func untilSignal<Result>(
    _ option: String, _ review: Review,
    _ body: (_ isToStop: @escaping () -> Bool) throws(ReviewError) -> Result
  ) throws(UsageError) -> (Result, Signal?) {
    let signals = try? EndSignals.wait()
    let result: Result
    do throws(UsageError) {
      result = try doing(option, review.name) { () throws(ReviewError) in
        try body { signals?.first != nil }
      }
    } catch {
      // A signal that has come ends this process at once.
      review.close()
      signals?.end()
      throw error
    }
    if let signal = signals?.first {
      review.close()
      return (result, signal)
    }
    signals?.end()
    return (result, nil)
  }

  /// Reports what a review would change.
  func changes(_ typed: ByteString?) throws(UsageError) -> UInt8 {
    if typed == nil, let word = draft.sandbox.command.first {
      try requireNoPath(word, for: "--changes", also: Array(draft.sandbox.command.dropFirst()))
      throw UsageError(
        "unexpected argument \(word.quoted): the name of a review stands right behind --changes: "
          + line("--changes", word, also: Array(draft.sandbox.command.dropFirst())))
    }
    let name = try name(typed, for: "--changes")
    let review = try doing("--changes", name) { () throws(ReviewError) in try store.review(name) }
    let all = try compare(review, "--changes")
    let changes = all.only(where: try choose(review, all, "--changes").contains)
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
}
