// SPDX-License-Identifier: Apache-2.0
// --learn, --verify and --shrink, before and after the run that they are about.

internal import Linux
internal import Options
internal import Sandbox
internal import SystemPackage
internal import Text

/// A run from which a profile is learned, or under which one is verified.
///
/// A class: copies of its parts would make the executable larger.
final class LearningTask {
  private let launcher: Launcher
  private let draft: Draft
  private let lesson: Draft.Lesson
  private let options: [AppliedOption]
  private let words: ProfileWords
  /// The profile as it was before the run: the command may have changed the file since.
  private var profile: LearnedProfile
  private let path: ByteString
  private let name: FilePath
  /// The directory of the file, as it was before the run: the command may change where its path leads.
  private let directory: OwnedDescriptor

  /// What the launch must leave open.
  var descriptors: [CInt] { directory.isOpen ? [directory.rawValue] : [] }

  /// The longest profile, in bytes: nestbox reads no longer one.
  private static let longest = 1 << 20

  /// Prepares for the run.
  init(
    _ lesson: Draft.Lesson, _ launcher: Launcher, _ draft: Draft, _ options: [AppliedOption],
    _ words: ProfileWords, _ sandbox: ResolvedSandbox
  ) throws(UsageError) {
    (self.launcher, self.draft, self.lesson) = (launcher, draft, lesson)
    (self.options, self.words) = (options, words)
    let name = lesson.option.name
    guard let path = launcher.surroundings.absolute(lesson.file),
      let file = path.path.lastComponent, file.kind == .regular
    else { throw UsageError("\(name): \(lesson.file.quoted) cannot be written") }
    self.path = path
    self.name = FilePath(root: nil, [file])
    directory =
      (try? OwnedDescriptor.open(path.path.removingLastComponent(), .directory)) ?? .none
    profile = LearnedProfile(try LearningTask.text(of: path, name))
    guard !lesson.verifies || draft.shrinks else { return }
    try requireProfile()
    guard directory.isOpen, let real = try? Descriptors.path(of: directory.rawValue) else {
      let parent = ByteString(path.path.removingLastComponent())
      throw UsageError("\(name): there is no directory \(parent.quoted)")
    }
    if sandbox.plan().mayChange(ByteString(real.appending(file))) {
      throw UsageError(
        "\(name): the command could change \(path.quoted) itself; name a file in another directory, "
          + "which the command cannot write to")
    }
  }

  private static func text(of path: ByteString, _ option: String) throws(UsageError) -> [UInt8] {
    do throws(SystemCallError) {
      let file = try OwnedDescriptor.open(path.path, .reading)
      return try Descriptors.contents(of: file.rawValue, limit: longest)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return [] }
      throw UsageError("\(option): can't read \(path.quoted): \(error.reason)")
    }
  }

  /// Writes or reports what the run has shown.
  /// - Returns: The status to exit with.
  func end(_ ending: Ending) throws(UsageError) -> UInt8 {
    let items = ending.learned
    if ending.lacksReport, !lesson.verifies {
      throw UsageError(
        "--learn: nothing was learned: " + Launcher.lackOfReport + Launcher.ifReportLacks)
    }
    guard !lesson.verifies else { return try verify(ending, items) }
    guard ending.status == 0 else {
      launcher.tell(
        .error,
        "nothing was learned: the command ended with status \(String(ending.status)), and a profile "
          + "is learned from runs that succeed", draft)
      return ending.status
    }
    let run = draft.sandbox.command.map(\.quotedForShell).joined(separator: " ")
    let lock = locked()
    if let text = currentText {
      profile = LearnedProfile(text)
      try requireProfile()
    }
    profile.add(run, options, items, words)
    let added = profile.added
    // Before --shrink, which Ctrl-C may end.
    try write()
    _ = consume lock
    if !draft.isJSON { tellWritten(added.count) }
    let text = profile.text
    let shrunk = try shrink()
    if shrunk != nil { try writeShrunk(from: text) }
    guard !draft.isJSON else {
      tellJSON(
        [
          .init("file", .bytes(lesson.file)), .init("added", LearningTask.json(added)),
          .init("left-out", .number(Int64(profile.leftOut))),
        ], items, shrunk)
      return 0
    }
    tell(shrunk)
    return 0
  }

  private func tellWritten(_ added: Int) {
    let count = String(profile.count)
    var text = "wrote \(lesson.file.quoted): \(count) lines, \(String(added)) of them new"
    if profile.leftOut > 0 {
      text += "; comments say what is not given, and why (\(String(profile.leftOut)))"
    }
    launcher.tell(.warning, text, draft)
  }

  // MARK: - The file

  private func requireProfile() throws(UsageError) {
    guard let line = profile.firstForeignLine else { return }
    throw UsageError(
      "\(lesson.option.name): \(path.quoted) is no profile (line \(String(line))), and stays as it is; name "
        + "another file")
  }

  private func write() throws(UsageError) {
    let text = profile.text
    guard text.count <= LearningTask.longest else {
      throw UsageError(
        "\(lesson.option.name): nothing was written: the profile would have \(String(profile.count)) lines, "
          + "and nestbox reads no profile of more than 1 MiB; let the command use fewer files")
    }
    do throws(SystemCallError) {
      try WrapperFile.write(text, to: name, 0o644, in: directory)
    } catch {
      throw UsageError("\(lesson.option.name): can't write \(path.quoted): \(error.reason)")
    }
  }

  /// Writes what --shrink has left, unless the file has changed since it had `text`.
  private func writeShrunk(from text: [UInt8]) throws(UsageError) {
    let lock = locked()
    if let now = currentText, LearnedProfile(now).text != text {
      throw UsageError(
        "--shrink: \(lesson.file.quoted) has changed meanwhile, and stays as it is; run it again")
    }
    try write()
    _ = consume lock
  }

  /// What another run has written meanwhile; nil where that is not known.
  ///
  /// A link is not followed: what it leads to may be the command's.
  private var currentText: [UInt8]? {
    guard let file = try? directory.openRegularEntry(name) else { return nil }
    return try? Descriptors.contents(of: file.rawValue, limit: LearningTask.longest)
  }

  /// Locks the directory, so that two runs which end at once both add their lines.
  private func locked() -> OwnedDescriptor {
    for _ in 0..<500 {
      do throws(SystemCallError) {
        if let lock = try directory.locked(.exclusive) { return lock }
      } catch {
        return .none
      }
      CurrentProcess.sleep(milliseconds: 10)
    }
    return .none
  }

  // MARK: - Verifying

  private func verify(
    _ ending: Ending, _ items: [LearnedItem]
  ) throws(UsageError) -> UInt8 {
    let missing = items.filter { item in
      guard let thing = MissedThing(item) else { return false }
      // A command that failed may have needed what a comment names, or what most do without.
      return ending.status != 0 || !thing.isUsual && !profile.knows(item, words)
    }
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
      if let doubt = doubt(about: ending, isInterrupted, !missing.isEmpty) {
        launcher.tell(
          .warning,
          doubt + ": this run does not say whether \(lesson.file.quoted) is enough", draft)
      }
      tell(
        missing, unused, items,
        isEnough: isWhole && ending.status == 0 && items.last?.kind != .incomplete)
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
  private func doubt(about ending: Ending, _ isInterrupted: Bool, _ lacksThings: Bool) -> String? {
    let status = "status " + String(ending.status)
    if isInterrupted { return "the command did not come to its own end (\(status))" }
    if ending.lacksReport { return Launcher.lackOfReport }
    if ending.status == 0 || lacksThings { return nil }
    return "the command failed (\(status)), and nestbox saw nothing that the sandbox kept from it"
  }

  /// The most lines that people are told.
  private static let mostLines = 30

  private func tell(
    _ missing: [LearnedItem], _ unused: [Int], _ items: [LearnedItem], isEnough: Bool
  ) {
    var lines: [String] = []
    for item in missing {
      guard let thing = MissedThing(item) else { continue }
      lines.append(thing.sentence(item.subject) { $0.map(\.quotedForShell).joined(separator: " ") })
    }
    let file = lesson.file.quoted
    if !lines.isEmpty {
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
    if items.last?.kind == .incomplete {
      lines.append("the command asked for more than nestbox notes")
    }
    let left = lines.count - LearningTask.mostLines
    if left > 0 {
      lines.insert(String(left) + " more lines: --json has all", at: LearningTask.mostLines)
    }
    for line in lines.prefix(LearningTask.mostLines + 1) { launcher.tell(.warning, line, draft) }
  }

  // MARK: - Shrinking

  private func shrink(unused: [Int] = []) throws(UsageError) -> Shrinking? {
    guard draft.shrinks else { return nil }
    let shrinking = try Shrinking(
      profile, unused: Set(unused.map { $0 - 1 }), draft.sandbox.command, launcher)
    profile = shrinking.profile
    return shrinking
  }

  private func tell(_ shrunk: Shrinking?) {
    guard let shrunk, !draft.isJSON else { return }
    launcher.tell(
      .warning,
      "left out \(String(shrunk.leftOut.count)) lines in \(String(shrunk.trials)) runs; "
        + "\(String(profile.count)) remain, under which the command had the same status"
        + (shrunk.comparesOutput ? " and output" : ", and its output differs from run to run"),
      draft)
  }

  // MARK: - For programs

  private static func json(_ lines: [[UInt8]]) -> JSON {
    .array(lines.map { .bytes(ByteString($0)) })
  }

  private static func json(_ item: LearnedItem) -> JSON? {
    guard let thing = MissedThing(item) else { return nil }
    return .object([
      .init("what", .string(thing.what)), .init("subject", .bytes(item.subject)),
      .init("programs", .string(thing.programs)),
      .init("options", .array(thing.options.map { .bytes($0) })),
      .init("objection", .optional(thing.objection.isEmpty ? nil : thing.objection)),
    ])
  }

  private func tellJSON(
    _ members: [JSON.Member], _ items: [LearnedItem], _ shrunk: Shrinking?, _ isWhole: Bool = true
  ) {
    let calls = items.first { $0.kind == .calls }.flatMap { Int64($0.subject.text) } ?? 0
    var all: [JSON.Member] = [.init("version", .number(1)), .init("calls", .number(calls))]
    all += members
    all.append(.init("lines", .number(Int64(profile.count))))
    if let shrunk {
      all.append(.init("shrunk-away", LearningTask.json(shrunk.leftOut)))
      all.append(.init("trials", .number(Int64(shrunk.trials))))
      all.append(.init("output-compared", .boolean(shrunk.comparesOutput)))
    }
    let isComplete = isWhole && !items.contains { $0.kind == .incomplete }
    all.append(.init("complete", .boolean(isComplete)))
    Output.standardError(JSON.object(all).line)
  }
}
