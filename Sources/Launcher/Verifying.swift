// SPDX-License-Identifier: Apache-2.0
// --verify: whether a profile is enough for a run, and which of its lines the run did not use.

internal import Options
internal import Sandbox
internal import Text

extension LearningTask {
  func verify(
    _ ending: Ending, _ items: [LearnedItem]
  ) throws(UsageError) -> UInt8 {
    let lacking = items.filter { item in
      MissedThing(item).map { !$0.isUsual && !profile.knows(item, words) } ?? false
    }
    // A command that failed may have needed what a comment names, or what most do without.
    let missing = ending.status == 0 ? lacking : items.filter { MissedThing($0) != nil }
    let unused = items.compactMap { item -> Int? in
      guard item.kind == .unusedLine, let line = Int(item.subject.text),
        (1...profile.lines.count).contains(line)
      else { return nil }
      return line
    }
    // It was interrupted, or something in it was, as shells say.
    let isInterrupted = ending.limit != nil || ending.status > 128
    let isWhole = !isInterrupted && !ending.lacksReport
    if !draft.isJSON {
      if let doubt = doubt(
        about: ending, isInterrupted, lacksThings: !lacking.isEmpty, keptUsual: !missing.isEmpty)
      {
        launcher.tell(
          .warning,
          doubt + ": this run does not say whether \(lesson.file.quoted) is enough", draft)
      }
      tell(
        missing, unused, items, lacks: !lacking.isEmpty,
        isEnough: isWhole && ending.status == 0 && !isIncomplete(items))
    }
    let text = profile.text
    let shrunk = ending.status == 0 ? try shrink(unused: unused) : nil
    if draft.shrinks, ending.status != 0 {
      launcher.tell(.error, "nothing was left out, because the command failed", draft)
    }
    if shrunk != nil { try writeShrunk(from: text) }
    if draft.isJSON {
      tellJSON(
        [
          .init("file", .bytes(lesson.file)), .init("status", .number(Int64(ending.status))),
          .init("missing", .array(missing.compactMap(LearningTask.json))),
          .init("unused-lines", .array(unused.map { .number(Int64($0)) })),
        ], items, shrunk, isWhole)
    }
    tell(shrunk)
    return ending.status
  }

  /// Why a run does not say whether the profile is enough; nil if it does.
  private func doubt(
    about ending: Ending, _ isInterrupted: Bool, lacksThings: Bool, keptUsual: Bool
  ) -> String? {
    let status = "status " + String(ending.status)
    if isInterrupted { return "the command did not come to its own end (\(status))" }
    if ending.lacksReport { return Launcher.lackOfReport }
    if ending.status == 0 || lacksThings { return nil }
    return "the command failed (\(status)), and nestbox saw nothing that the sandbox kept from it"
      + (keptUsual ? ", but what most programs do without or the profile names" : "")
  }

  /// Whether the run used more than nestbox notes.
  func isIncomplete(_ items: [LearnedItem]) -> Bool {
    items.contains { $0.kind == .incomplete }
  }

  /// The most lines that people are told.
  static let mostLines = 30

  private func tell(
    _ missing: [LearnedItem], _ unused: [Int], _ items: [LearnedItem], lacks: Bool,
    isEnough: Bool
  ) {
    var lines: [String] = []
    for item in missing {
      guard let thing = MissedThing(item) else { continue }
      lines.append(thing.sentence(item.subject) { $0.map(\.quotedForShell).joined(separator: " ") })
    }
    let file = lesson.file.quoted
    if lacks {
      lines.append(
        file
          + " is not enough for this run; what it needs can be added by hand, or by the same command under "
          + "--learn " + lesson.file.quotedForShell + " with options that show it")
    } else if isEnough {
      lines.append(
        file
          + " is enough for this run: it kept nothing from the command but what its comments name")
    }
    for line in unused {
      lines.append(
        "not used: " + file + ":" + String(line) + ": "
          + ByteString(profile.lines[line - 1]).quoted)
    }
    if isIncomplete(items) {
      lines.append("the command asked for more than nestbox notes")
    }
    let left = lines.count - LearningTask.mostLines
    if left > 0 {
      lines.insert(String(left) + " more lines: --json has all", at: LearningTask.mostLines)
    }
    for line in lines.prefix(LearningTask.mostLines + 1) { launcher.tell(.warning, line, draft) }
  }
}
