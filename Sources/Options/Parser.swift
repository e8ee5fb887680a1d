// SPDX-License-Identifier: Apache-2.0
// From the words of a command line to a draft: options of the command line, of --args and of
// profiles, each applied where it stands.

internal import Linux
public import Sandbox
public import Text

/// Reads a command line.
public struct Parser {
  /// What has been read so far; after an error, what precedes the mistake.
  public internal(set) var draft = Draft()
  /// What profiles refer to.
  let surroundings: Surroundings
  /// The profile that applies first if neither the options nor their profiles say anything about
  /// files.
  let standardProfile: ByteString?
  /// Whether no profile was named, so that options about files replace the standard profile.
  public private(set) var namesNoProfile = false
  /// The typed words that have not been read yet.
  var typed: ArraySlice<ByteString> = []
  /// Whether the data of `--args` is being read.
  var isNested = false
  /// The data of each `--args`, in order: it can be read only once.
  var data: [[UInt8]] = []
  /// How many of them have been used.
  var dataIndex = 0
  /// The last option that was typed, and its operands.
  public private(set) var lastTyped: (option: Option, operands: ArraySlice<ByteString>)?
  /// The profiles that are being read, each included by the one before.
  var open: [Profile] = []
  /// The profiles that have been read: each is applied once.
  var taken: [(name: ByteString, identity: Profile.Identity)] = []
  /// The project that they name.
  let project = FoundProject()
  /// What has been applied, if a profile is to be learned from it.
  var record: AppliedOptions?

  /// A parser at the beginning of a command line.
  /// - Parameters:
  ///   - surroundings: What profiles refer to.
  ///   - standardProfile: The profile for a command line that says nothing about files.
  public init(
    _ surroundings: Surroundings = Surroundings(), standardProfile: ByteString? = nil
  ) {
    self.surroundings = surroundings
    self.standardProfile = standardProfile
  }

  /// An option that the last typed one took as its operand: why its command may not be what was meant.
  ///
  /// `isValue` says that the operand may be any text, as that of an environment variable.
  public var optionReadAsOperand: (text: String, isValue: Bool)? {
    guard let (option, operands) = lastTyped,
      let place = operands.firstIndex(where: { Option.named($0) != nil }),
      option.operands.indices.contains(place - operands.startIndex)
    else { return nil }
    let names = option.operands.map(\.name)
    let operand = option.operands[place - operands.startIndex]
    let text =
      "\(option.name) takes \(names.joined(separator: " and ")), and \(operands[place].quoted) was "
      + "read as \(operand.name)"
    return (text, operand.kind == .text)
  }

  /// A program that the last typed option took as its last operand: it may be meant as the command.
  public var programReadAsOperand: String? {
    guard let (option, operands) = lastTyped, let word = operands.last, !word.isEmpty,
      !word.bytes.contains(UInt8(ascii: "/")),
      (try? ProgramSearch.find(word, in: surroundings.variable("PATH"))) != nil
    else { return nil }
    let name = option.operands[operands.count - 1].name
    return "\(option.name) takes \(name), and \(word.quoted) was read as that"
  }

  /// The options that have been applied, in order, for a profile that is learned from them.
  public var applied: [AppliedOption] { record?.all ?? [] }

  /// Writes words for that profile.
  public var profileWords: ProfileWords {
    var words = record?.words ?? ProfileWords()
    words.followsProject = record?.fixesProject != true
    return words
  }

  /// Whether --args has read options from a descriptor.
  public var hasReadOptions: Bool { dataIndex > 0 }

  /// How many of the words that were typed are not options: the command, and `--` before it.
  public var wordsBehindOptions: Int { typed.count }

  /// Reads the options and the command.
  public mutating func parse(_ words: [ByteString]) throws(UsageError) {
    var rest = try parseBehindProfile(words)
    if draft.task?.endsParsing == true { return }
    if draft.lesson != nil, draft.task == nil { rest = try parseRecording(words, rest) }
    try requireNoModifier(before: nil)
    if draft.sandbox.explain != nil, draft.task == nil {
      draft.sandbox.explainsInJSON = draft.isJSON
    } else if draft.isJSON, draft.task?.traits.contains(.answersInJSON) != true {
      throw UsageError("--json needs an option that prints a report, such as --dry-run")
    }
    if let task = draft.task, !task.takesCommand, !task.traits.contains(.takesPaths),
      let word = rest.first
    {
      throw UsageError("unexpected argument \(word.quoted): this line starts no command")
    }
    if draft.task?.entersSandbox == true, let option = draft.optionOfNewSandbox {
      throw UsageError("\(option) cannot be combined with --enter: that sandbox exists already")
    }
    if draft.shrinks, draft.lesson == nil {
      throw UsageError("--shrink needs --learn FILE or --verify FILE")
    }
    if let option = draft.optionOfWrapper { throw UsageError("\(option) needs --wrap") }
    try requireReview(rest)
    // A profile says how commands in front end.
    if draft.sandbox.detach != nil, case .profile = draft.sandbox.dieWithParent?.origin {
      draft.sandbox.dieWithParent = nil
    }
    // Their remedies are options, of which --verify takes none.
    draft.sandbox.givesNotices =
      standardProfile != nil && !taken.isEmpty && draft.lesson?.verifies != true
    draft.sandbox.command = Array(rest)
    if draft.sandbox.name != nil {
      draft.sandbox.defaultCommand = draft.standardCommand
      draft.sandbox.profileNames = taken.map(\.name)
    }
    if let command = draft.standardCommand, rest.isEmpty, draft.task?.takesCommand != false,
      draft.sandbox.keep == nil
    {
      draft.sandbox.command = [command]
    }
  }

  /// Throws where an option about reviews stands without the option that it is about.
  private func requireReview(_ rest: ArraySlice<ByteString>) throws(UsageError) {
    if draft.showsDifferences, draft.task?.isOnChanges != true {
      let name = draft.task == nil && rest.count == 1 ? rest.first : nil
      throw UsageError(
        "--diff needs --changes; type: "
          + draft.reviewLine("--diff --changes" + (name.map { " " + $0.quotedForShell } ?? "")))
    }
    if draft.overwritesConflicts, draft.task?.appliesChanges != true {
      throw UsageError("--overwrite needs --wrap or --apply")
    }
    let directories = draft.sandbox.directoriesUnderReview
    if draft.reviewName != nil, directories.isEmpty {
      throw UsageError("--review-name needs --review")
    }
    if let resumed = draft.resumedReview, !directories.isEmpty {
      throw UsageError(
        "\(resumed.option.name) names its directories itself; leave out --review")
    }
  }

  /// Reads what was typed, after the standard profile if what was typed says nothing about files;
  /// returns the command.
  private mutating func parseBehindProfile(
    _ words: [ByteString]
  ) throws(UsageError) -> ArraySlice<ByteString> {
    var mistake: UsageError?
    var command: ArraySlice<ByteString> = []
    do throws(UsageError) {
      command = try parseTyped(words)
    } catch {
      mistake = error
    }
    namesNoProfile = taken.isEmpty
    guard let standardProfile, mistake != nil || !command.isEmpty || draft.sandbox.keep != nil,
      draft.task?.traits.isDisjoint(with: [.endsParsing, .entersSandbox, .takesPaths]) != false,
      taken.isEmpty,
      draft.sandbox.filesystem.allSatisfy(\.action.addsToProfile)
    else {
      if let mistake { throw mistake }
      return command
    }
    // Again from the beginning, after the profile: the options refine it, and what was a mistake
    // without it may be right now.
    let failed = draft
    beginAgain()
    record?.begin()
    typed = words[...]
    do throws(UsageError) {
      try parseProfile(Profile.find(standardProfile, surroundings))
    } catch {
      // The user did not name this profile: report the mistake in what was typed.
      guard let mistake else { throw error }
      draft = failed
      throw mistake
    }
    let profiles = taken.count
    let operations = draft.sandbox.filesystem.count { !$0.action.addsToProfile }
    command = try parseTyped(words)
    // The options say something about files after the mistake: the profile does not apply.
    if let mistake,
      operations != draft.sandbox.filesystem.count(where: { !$0.action.addsToProfile })
        || profiles != taken.count
    {
      throw mistake
    }
    return command
  }

  private mutating func beginAgain() {
    draft = Draft()
    (isNested, dataIndex) = (false, 0)
  }

  /// Reads everything again, and notes what is applied: no other line pays for that.
  private mutating func parseRecording(
    _ words: [ByteString], _ command: ArraySlice<ByteString>
  ) throws(UsageError) -> ArraySlice<ByteString> {
    beginAgain()
    taken = []
    record = AppliedOptions(surroundings, command: Array(command))
    let rest = try parseBehindProfile(words)
    if let lesson = draft.lesson, lesson.verifies, let other = record?.beside(lesson.option) {
      throw UsageError(
        "\(lesson.option.name) runs the command under exactly this profile: leave out \(other)")
    }
    if let lesson = draft.lesson, !lesson.verifies, let name = record?.unwritable {
      throw UsageError(
        "\(lesson.option.name): \(name) restricts the command by a descriptor, which no profile can name, "
          + "so that FILE would permit more: leave it out"
          + (name.includes("seccomp") ? ", and name a policy with --seccomp-policy" : ""))
    }
    return rest
  }

  private mutating func parseTyped(
    _ words: [ByteString]
  ) throws(UsageError) -> ArraySlice<ByteString> {
    typed = words[...]
    return try parseOptions(words[...], .commandLine)
  }

  /// Reads options and returns what follows them.
  mutating func parseOptions(
    _ words: ArraySlice<ByteString>, _ origin: Origin
  ) throws(UsageError) -> ArraySlice<ByteString> {
    var rest = words
    while let word = rest.first, word.bytes.first == UInt8(ascii: "-"),
      draft.task?.endsParsing != true
    {
      rest = rest.dropFirst()
      if word == Parser.end { return rest }
      guard let option = Option.named(word) else { throw unknownTyped(word) }
      let operands = option.operands(in: rest)
      try Parser.require(operands, of: option, draft)
      rest = rest.dropFirst(operands.count)
      if !isNested {
        typed = rest
        lastTyped = (option, operands)
      }
      try apply(option, Occurrence(name: option.name, origin: origin, words: operands))
    }
    return rest
  }

  static let end: ByteString = "--"

  static func unknown(_ word: ByteString) -> UsageError {
    UsageError(Suggestion.unknownOption(word))
  }

  /// The mistake of an unknown option that is the command's, if an option before it took the command.
  private func unknownTyped(_ word: ByteString) -> UsageError {
    let message = Suggestion.unknownOption(word)
    guard !isNested, !Suggestion.knows(word), let text = programReadAsOperand else {
      return UsageError(message)
    }
    return UsageError(message + "; " + text, bubblewrap: message)
  }
}
