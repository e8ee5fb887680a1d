// SPDX-License-Identifier: Apache-2.0
// --verify: whether a profile is enough for a run, and which of its lines the run did not use.

internal import Options
internal import Sandbox
internal import Text

extension LearningTask {
  func verify(
    _ ending: Ending, _ items: [LearnedItem]
  ) throws(UsageError) -> UInt8 {
    let isInterrupted = LearningTask.isInterrupted(ending)
    // A command that failed by itself may have needed what a comment names.
    let hasFailed = ending.status != 0 && !isInterrupted
    let lacking = items.filter { item in
      guard let thing = MissedThing(item), !thing.isUsual else { return false }
      return !profile.knows(item, words) || profile.leavesOut(item, words)
        || hasFailed && !thing.isUnlikely
    }
    // It may also have needed what most do without.
    let missing = ending.status == 0 ? lacking : items.filter { MissedThing($0) != nil }
    let unused = items.compactMap { item -> Int? in
      guard item.kind == .unusedLine, let line = Int(item.subject.text),
        (1...profile.lines.count).contains(line)
      else { return nil }
      return line
    }
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
        missing, unused, items, lacking: lacking,
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
          .init("lost", .array(lost(in: items).map { .bytes($0.subject) })),
        ], items, shrunk, isWhole)
    }
    tell(shrunk)
    return ending.status
  }

  /// Why a run does not say whether the profile is enough; nil if it does.
  private func doubt(
    about ending: Ending, _ isInterrupted: Bool, lacksThings: Bool, keptUsual: Bool
  ) -> String? {
    if isInterrupted { return LearningTask.failure(ending) }
    if ending.lacksReport { return Launcher.lackOfReport }
    if ending.status == 0 || lacksThings { return nil }
    return LearningTask.failure(ending)
      + (keptUsual
        ? ", and of what the sandbox kept from it nestbox saw only what most programs do without"
        : ", and nestbox saw nothing that the sandbox kept from it")
  }

  /// Whether the run used more than nestbox notes.
  func isIncomplete(_ items: [LearnedItem]) -> Bool {
    items.contains { $0.kind == .incomplete }
  }

  /// How FILE can be given what it lacks.
  private func advice(on lacking: [LearnedItem]) -> String {
    let things = lacking.compactMap { item in MissedThing(item).map { (item, $0) } }
    var advice = ""
    if things.contains(where: { !$0.1.options.isEmpty }) {
      advice =
        "; what it needs can be added by hand, or by the same command under --learn "
        + lesson.file.quotedForShell + " with options that show it"
    }
    if let (item, thing) = things.first(where: { $0.1.isSecret }) {
      // --learn would write a comment once more.
      let option: ByteString = thing.isForReading ? "--read" : "--write"
      let line = ByteString(words.line([option, item.subject])).quoted
      advice +=
        "; --learn gives no secrets: if the command may have them, write lines such as this to it by hand: "
        + line
    }
    return advice
  }

  /// The most lines that people are told.
  static let mostLines = 30

  private func tell(
    _ missing: [LearnedItem], _ unused: [Int], _ items: [LearnedItem], lacking: [LearnedItem],
    isEnough: Bool
  ) {
    var lines: [String] = []
    for item in missing {
      guard let thing = MissedThing(item) else { continue }
      lines.append(thing.sentence(item.subject) { $0.map(\.quotedForShell).joined(separator: " ") })
    }
    let file = lesson.file.quoted
    if !lacking.isEmpty {
      lines.append(file + " is not enough for this run" + advice(on: lacking))
    } else if isEnough {
      lines.append(
        file
          + " is enough for this run: it kept nothing from the command other than what its comments name"
          + reservation(lost(in: items)))
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

extension MissedThing {
  /// Whether it only has to be shown.
  fileprivate var isForReading: Bool { what == "not-shown" }
  /// Whether --learn leaves it out because it is secret.
  fileprivate var isSecret: Bool { objection == LearnedItem.secrecy }
}
