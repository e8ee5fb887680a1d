// SPDX-License-Identifier: Apache-2.0
// What --learn tells people about the file that it has written.

internal import Options
internal import Sandbox
internal import Text

extension LearningTask {
  func tellWritten(_ added: Int, _ removed: [[UInt8]]) {
    let count = String(profile.count)
    var text = "wrote \(lesson.file.quoted): \(count) lines, \(String(added)) of them new"
    if profile.leftOut > 0 {
      text += "; comments say what is not given, and why (\(String(profile.leftOut)))"
    }
    launcher.tell(.warning, text, draft)
    if removed.isEmpty { return }
    let lines = removed.prefix(LearningTask.mostLines).map { ByteString($0).quoted }
      .joined(separator: ", ")
    launcher.tell(
      .warning,
      "in \(lesson.file.quoted), options of this run took the place of "
        + "\(LearningTask.number(removed.count, "line")): \(lines)"
        + (removed.count > LearningTask.mostLines ? " and more, which --json lists" : ""), draft)
  }

  /// Warns that links which appear later are not refused everywhere.
  func tellLinked(_ sources: [ByteString]) {
    if sources.isEmpty { return }
    let names = sources.prefix(LearningTask.mostLines).map(\.quoted).joined(separator: ", ")
    launcher.tell(
      .warning,
      "\(lesson.file.quoted) shows what it reaches by a symbolic link: \(names). It cannot refuse others there, "
        + "so that another sandbox which may put one beside that could have it show other files. To have all "
        + "refused, name the path to which the link leads, and learn into a new file", draft)
  }

  /// Reports for programs what a run that failed did not get.
  func tellFailure(_ ending: Ending, _ items: [LearnedItem]) {
    tellJSON(
      [
        .init("file", .bytes(lesson.file)), .init("status", .number(Int64(ending.status))),
        .init("missing", .array(items.compactMap(LearningTask.json))),
      ], items, nil, false)
  }
}
