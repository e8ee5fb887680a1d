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

  /// The words that every line to type needs besides the task.
  var storeWords: String {
    draft.reviewStore.map { "--review-store \(ByteString($0).quotedForShell) " } ?? ""
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
          + "needs; use --review-store with a directory on ext4, xfs or btrfs"
      }
      return "\(path): \(error.reason) (\(error.call))"
    }
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
}
