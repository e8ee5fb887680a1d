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
  let path: ByteString
  private let name: FilePath
  /// Its permissions; nil if there is none.
  private let permissions: UInt32?
  private let sandbox: ResolvedSandbox
  /// What the line gives the command, and what the file does, before the run.
  ///
  /// The command may change where their paths lead. Nil if nothing is learned, or if the file cannot be used and
  /// gives nothing.
  private var line: Exposure?
  private var file: Exposure?
  /// The directory of the file, as it was before the run: the command may change where its path leads.
  private let directory: OwnedDescriptor

  /// What the launch must leave open.
  var descriptors: [CInt] { directory.isOpen ? [directory.rawValue] : [] }

  /// Prepares for the run.
  init(
    _ lesson: Draft.Lesson, _ launcher: Launcher, _ draft: Draft, _ options: [AppliedOption],
    _ words: ProfileWords, _ sandbox: ResolvedSandbox
  ) throws(UsageError) {
    (self.launcher, self.draft, self.lesson) = (launcher, draft, lesson)
    self.sandbox = sandbox
    let plan = sandbox.plan()
    let isMovable = !words.followsProject && LearningTask.mayMoveProject(of: words, launcher, plan)
    self.options = isMovable ? options.map(\.withoutProject) : options
    self.words = isMovable ? words.withoutProject : words
    let name = lesson.option.name
    guard let typed = launcher.surroundings.absolute(lesson.file) else {
      throw UsageError("\(name): \(lesson.file.quoted) cannot be written")
    }
    // Of a link, the file to which it leads is read and written.
    let path = LearningTask.target(of: typed)
    guard let last = path.path.lastComponent, last.kind == .regular else {
      throw UsageError("\(name): \(lesson.file.quoted) cannot be written")
    }
    self.path = path
    self.name = FilePath(root: nil, [last])
    let facts = try? FileFacts(at: path.path)
    permissions = facts?.permissions
    let names = try? OwnedDescriptor.open(path.path, .location).entryStatus().links
    if let names, names > 1, !lesson.verifies || draft.shrinks {
      throw UsageError(
        "\(name): \(path.quoted) has another name (a hard link), under which the command may be able to "
          + "change it; name another file")
    }
    directory =
      (try? OwnedDescriptor.open(path.path.removingLastComponent(), .directory)) ?? .none
    profile = LearnedProfile(try LearningTask.text(of: path, name))
    guard !lesson.verifies || draft.shrinks else { return }
    try requireProfile()
    let parent = ByteString(path.path.removingLastComponent())
    guard directory.isOpen, let real = try? Descriptors.path(of: directory.rawValue) else {
      throw UsageError("\(name): there is no directory \(parent.quoted)")
    }
    guard FileAccess.write.isGranted(real) else {
      throw UsageError("\(name): you may not write to the directory \(parent.quoted)")
    }
    // By rename it could be replaced all the same, but its mode says that it is to stay.
    guard facts == nil || FileAccess.write.isGranted(path.path) else {
      let isOwn = facts?.owner == launcher.surroundings.user
      throw UsageError(
        "\(name): you may not write to \(path.quoted); name another file"
          + (isOwn ? ", or type: chmod u+w \(path.quotedForShell)" : ""))
    }
    if plan.mayChange(ByteString(real.appending(last))) {
      throw UsageError(
        "\(name): the command could change \(path.quoted) itself; name a file in another directory, "
          + "which the command cannot write to")
    }
    if lesson.verifies { return }
    line = Exposure(plan)
    file = try? launcher.exposure(of: profile.text, as: path, for: draft.sandbox.command)
  }

  /// Whether the command could make another directory the project, by what marks one.
  private static func mayMoveProject(
    of words: ProfileWords, _ launcher: Launcher, _ plan: Plan
  ) -> Bool {
    [words.project, launcher.surroundings.workingDirectory].compactMap { $0 }
      .contains { plan.mayChange($0.appending("/.git")) }
  }

  /// Where a path leads, if there is a file.
  private static func target(of path: ByteString) -> ByteString {
    (try? FoundFile(following: path.path)).map { ByteString($0.path) } ?? path
  }

  private static func text(of path: ByteString, _ option: String) throws(UsageError) -> [UInt8] {
    do throws(SystemCallError) {
      let file = try OwnedDescriptor.open(path.path, .reading)
      return try Descriptors.contents(of: file.rawValue, limit: Profile.maximumSize)
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
    let run = draft.sandbox.command.map(\.quotedForShell).joined(separator: " ")
    let lock = try locked()
    var known = profile.text
    if let text = try currentText() {
      profile = LearnedProfile(text)
      try requireProfile()
      // Another run has written it meanwhile, and has looked at it itself.
      if profile.text != known {
        known = profile.text
        file = try? launcher.exposure(of: known, as: path, for: draft.sandbox.command)
      }
    }
    profile.add(run, options, items, words)
    // What this cannot look at, the next line refuses.
    let plan = try? launcher.resolved(profile.text, as: path, for: draft.sandbox.command).plan()
    let linkless = plan?.directoriesForNoLinks(project: words.project) ?? LinklessDirectories()
    profile.add(withoutLinks: linkless.directories, words)
    let new = try requireNoMoreRights(of: sandbox, or: known)
    try requireNoMore(new, than: [line, file].compactMap { $0 })
    let (added, removed) = (profile.added, profile.removed)
    // Before --shrink, which Ctrl-C may end.
    try write()
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

  private func write() throws(UsageError) {
    let text = profile.text
    guard text.count <= Profile.maximumSize else {
      throw UsageError(
        "\(lesson.option.name): nothing was written: the profile would have \(String(text.count)) bytes, "
          + "and nestbox reads no profile of more than \(String(Profile.maximumSize >> 20)) MiB; let the "
          + "command use fewer files and addresses")
    }
    do throws(SystemCallError) {
      try WrapperFile.write(text, to: name, (permissions ?? 0o644) & 0o777, in: directory)
    } catch {
      throw UsageError("\(lesson.option.name): can't write \(path.quoted): \(error.reason)")
    }
  }

  /// Writes what --shrink has left, unless the file has changed since it had `text`.
  func writeShrunk(from text: [UInt8]) throws(UsageError) {
    let lock = try locked()
    if let now = try currentText(), LearnedProfile(now).text != text {
      throw UsageError(
        "--shrink: \(lesson.file.quoted) has changed meanwhile, and stays as it is; run it again")
    }
    try write()
    _ = consume lock
  }

  /// What another run has written meanwhile; nil if there is no file.
  ///
  /// A link is not followed: what it leads to may be the command's.
  private func currentText() throws(UsageError) -> [UInt8]? {
    do throws(SystemCallError) {
      let file = try directory.openRegularEntry(name)
      return try Descriptors.contents(of: file.rawValue, limit: Profile.maximumSize)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw UsageError(
        "\(lesson.option.name): \(path.quoted) has changed meanwhile, and stays as it is: "
          + error.reason)
    }
  }

  /// Locks the directory, so that two runs which end at once both add their lines.
  ///
  /// Some file systems have no locks.
  private func locked() throws(UsageError) -> OwnedDescriptor {
    for _ in 0..<500 {
      do throws(SystemCallError) {
        if let lock = try directory.locked(.exclusive) { return lock }
      } catch {
        return .none
      }
      CurrentProcess.sleep(milliseconds: 10)
    }
    throw UsageError(
      "\(lesson.option.name): nothing was written: another program has locked the directory of "
        + "\(path.quoted); once that has ended, run the same line again")
  }

  // MARK: - Shrinking

  func shrink(unused: [Int] = []) throws(UsageError) -> Shrinking? {
    guard draft.shrinks else { return nil }
    let shrinking = try Shrinking(
      profile, as: path, unused: Set(unused.map { $0 - 1 }), draft.sandbox.command, launcher
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
