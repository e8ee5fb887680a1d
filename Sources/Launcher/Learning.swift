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
  let launcher: Launcher
  let draft: Draft
  let lesson: Draft.Lesson
  let options: [AppliedOption]
  let words: ProfileWords
  /// The profile as it was before the run: the command may have changed the file since.
  private(set) var profile: LearnedProfile
  private let file: LearnedFile
  /// What the line and the file give the command before the run; nil if nothing is written.
  private var given: Given?

  /// The path of the profile's file.
  var path: ByteString { file.path }

  /// What the launch must leave open.
  var descriptors: [CInt] { file.descriptors }

  /// Prepares for the run.
  init(
    _ lesson: Draft.Lesson, _ launcher: Launcher, _ draft: Draft, _ options: [AppliedOption],
    _ words: ProfileWords, _ sandbox: ResolvedSandbox
  ) throws(UsageError) {
    (self.launcher, self.draft, self.lesson) = (launcher, draft, lesson)
    let plan = sandbox.plan()
    let isMovable = !words.followsProject && LearningTask.mayMoveProject(of: words, launcher, plan)
    self.options = isMovable ? options.map(\.withoutProject) : options
    self.words = isMovable ? words.withoutProject : words
    file = try LearnedFile(lesson.file, lesson.option.name, launcher.surroundings)
    let isWritten = !lesson.verifies || draft.shrinks
    if isWritten { try file.requireOneName() }
    profile = LearnedProfile(try file.text())
    guard isWritten else { return }
    try requireProfile()
    try file.requireOwn(plan)
    given = Given(sandbox, plan, profile.text, as: path, launcher, draft.sandbox.command)
  }

  /// Whether the command could make another directory the project, by what marks one.
  private static func mayMoveProject(
    of words: ProfileWords, _ launcher: Launcher, _ plan: Plan
  ) -> Bool {
    [words.project, launcher.surroundings.workingDirectory].compactMap { $0 }
      .contains { plan.mayChange($0.appending("/.git")) }
  }

  /// Writes or reports what the run has shown.
  /// - Returns: The status to exit with.
  func end(_ ending: Ending) throws(UsageError) -> UInt8 {
    let items = ending.learned
    if ending.lacksReport, !lesson.verifies {
      let text = "--learn: nothing was learned: " + Launcher.lackOfReport + Launcher.ifReportLacks
      guard ending.status != 0 else { throw UsageError(text) }
      launcher.tell(.error, text, draft)
      return ending.status
    }
    guard !lesson.verifies else { return try verify(ending, items) }
    guard ending.status == 0 else {
      launcher.tell(
        .error,
        "nothing was learned: \(LearningTask.failure(ending)), and a profile is learned from runs that "
          + "succeed", draft)
      if draft.isJSON { tellFailure(ending, items) }
      return ending.status
    }
    try learn(items)
    return 0
  }

  /// Writes FILE with what the run has shown.
  private func learn(_ items: [LearnedItem]) throws(UsageError) {
    guard var given else { return }
    let run = draft.sandbox.command.map(\.quotedForShell).joined(separator: " ")
    let lock = try file.locked()
    if let text = try file.currentText() {
      profile = LearnedProfile(text)
      try requireProfile()
      if profile.text != given.text {
        given.replaceFile(profile, as: path, launcher, draft.sandbox.command)
      }
    }
    profile.add(run, options, items, words)
    // What this cannot look at, the next line refuses.
    let plan = try? launcher.resolved(profile.text, as: path, for: draft.sandbox.command).plan()
    let linkless = plan?.directoriesForNoLinks(project: words.project) ?? LinklessDirectories()
    profile.add(withoutLinks: linkless.directories, words)
    try requireNoMore(than: given)
    let (added, removed) = (profile.added, profile.removed)
    // Before --shrink, which Ctrl-C may end.
    try file.write(profile.text)
    _ = consume lock
    if !draft.isJSON {
      tellWritten(added.count, removed)
      tellLost(items)
    }
    tellLinked(linkless.linked)
    let text = profile.text
    let shrunk = try shrink()
    if shrunk != nil { try writeShrunk(from: text) }
    guard !draft.isJSON else {
      return tellJSON(
        [
          .init("file", .bytes(lesson.file)), .init("added", LearningTask.json(added)),
          .init("removed", LearningTask.json(removed)),
          .init("left-out", .number(Int64(profile.leftOut))),
        ], items, shrunk)
    }
    tell(shrunk)
  }

  // MARK: - The file

  private func requireProfile() throws(UsageError) {
    if let line = profile.firstForeignLine {
      throw UsageError(
        "\(lesson.option.name): \(path.quoted) is no profile (line \(String(line))), and stays as it is; "
          + "name another file")
    }
    var parser = Parser(launcher.surroundings)
    do throws(UsageError) {
      try parser.parse(profile.text, as: path, draft.sandbox.command)
    } catch {
      throw UsageError(
        "\(lesson.option.name): \(error.message); correct that line, or name another file")
    }
  }

  /// Writes what --shrink has left, unless the file has changed since it had `text`.
  func writeShrunk(from text: [UInt8]) throws(UsageError) {
    let lock = try file.locked()
    if let now = try file.currentText(), LearnedProfile(now).text != text {
      throw UsageError(
        "--shrink: \(lesson.file.quoted) has changed meanwhile, and stays as it is; run it again")
    }
    try file.write(profile.text)
    _ = consume lock
  }

  // MARK: - Shrinking

  func shrink(unused: [Int] = []) throws(UsageError) -> Shrinking? {
    guard draft.shrinks else { return nil }
    let shrinking = try Shrinking(
      profile, as: path, of: lesson.verifies ? given?.line : nil,
      unused: Set(unused.map { $0 - 1 }), draft.sandbox.command, launcher
    ) {
      launcher.tell(
        .error, "--shrink was interrupted: \(lesson.file.quoted) keeps all its lines", draft)
    }
    profile = shrinking.profile
    return shrinking
  }

  static func number(_ count: Int, _ thing: String) -> String {
    "\(String(count)) \(thing)\(count == 1 ? "" : "s")"
  }

  func tell(_ shrunk: Shrinking?) {
    guard let shrunk, !draft.isJSON else { return }
    guard shrunk.isConfirmed else {
      launcher.tell(
        .warning,
        "--shrink: \(lesson.file.quoted) keeps all its lines: under the lines that seemed enough the command "
          + "did not do the same each time", draft)
      return
    }
    launcher.tell(
      .warning,
      "left out \(LearningTask.number(shrunk.leftOut.count, "line")) in "
        + "\(LearningTask.number(shrunk.trials, "run")); \(String(profile.count)) "
        + (profile.count == 1 ? "remains" : "remain")
        + ", under which the command had the same status"
        + (shrunk.comparesOutput ? " and output" : ", and its output differs from run to run"),
      draft)
  }

  // MARK: - For programs

  private static func json(_ lines: [[UInt8]]) -> JSON {
    .array(lines.map { .bytes(ByteString($0)) })
  }

  static func json(_ item: LearnedItem) -> JSON? {
    guard let thing = MissedThing(item) else { return nil }
    return .object([
      .init("what", .string(thing.what)), .init("subject", .bytes(item.subject)),
      .init("programs", .string(thing.programs)),
      .init("options", .array(thing.options.map { .bytes($0) })),
      .init("objection", .optional(thing.objection.isEmpty ? nil : thing.objection)),
    ])
  }

  func tellJSON(
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
      all.append(.init("confirmed", .boolean(shrunk.isConfirmed)))
    }
    all.append(.init("complete", .boolean(isWhole && !isIncomplete(items))))
    Output.standardError(JSON.object(all).line)
  }
}
