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
    draft = Draft()
    record?.begin()
    isNested = false
    dataIndex = 0
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

  /// Reads everything again, and notes what is applied: no other line pays for that.
  private mutating func parseRecording(
    _ words: [ByteString], _ command: ArraySlice<ByteString>
  ) throws(UsageError) -> ArraySlice<ByteString> {
    draft = Draft()
    (taken, isNested, dataIndex) = ([], false, 0)
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

  static func require(
    _ operands: ArraySlice<ByteString>, of option: Option, _ draft: Draft
  ) throws(UsageError) {
    let isComplete =
      operands.count == option.operands.count
      || option.traits.contains(.lastIsOptional) && operands.count == option.operands.count - 1
    guard isComplete else {
      let missing = option.operands[operands.count].name
      let remedy =
        switch missing {
        case "SANDBOX": "; nestbox --list shows the running sandboxes"
        case "REVIEW": "; \(draft.reviewLine("--reviews")) shows the reviews that wait"
        default: ""
        }
      throw UsageError(
        "\(option.name): \(missing) is missing\(remedy)",
        bubblewrap: "\(option.name) takes \(bubblewrapCount(of: option))")
    }
  }

  /// How many words an option takes, as bubblewrap says it.
  private static func bubblewrapCount(of option: Option) -> String {
    switch option.operands.count {
    case 1:
      ["--remount-ro", "--chdir", "--argv0"].contains(option.name) ? "one argument" : "an argument"
    case 2: "two arguments"
    default: "three arguments"
    }
  }

  static let end: ByteString = "--"

  mutating func apply(
    _ option: Option, _ occurrence: Occurrence
  ) throws(UsageError) {
    try requireNoModifier(before: option)
    if option.traits.contains(.lastWins) { warnOfAnother(occurrence) }
    if !option.traits.contains(.isForEntering), draft.optionOfNewSandbox == nil {
      draft.optionOfNewSandbox = option.name
    }
    // Names no file, and with --…-try it would pass for a missing one. A profile means that by a
    // variable that is not set.
    let operands = option.operands.prefix(occurrence.words.count)
    for (index, operand) in operands.enumerated() where operand.isPath {
      guard !occurrence.text(index).isEmpty || occurrence.isOfProfile else {
        throw UsageError(
          "\(option.name) does not take an empty path for \(operand.name)",
          bubblewrap: "\(option.name) does not take an empty path argument")
      }
    }
    let count = draft.sandbox.filesystem.count
    do throws(UsageError) {
      try option.apply(&draft, occurrence)
    } catch {
      throw error.of(option.name)
    }
    if option.traits.contains(.takesRulesBack), draft.sandbox.network.isUsed { takeRulesBack() }
    record?.note(option, occurrence, draft.sandbox.filesystem, from: count)
    if let descriptor = draft.moreArguments.take() { try parseNested(descriptor) }
    if let name = draft.moreProfile.take() {
      let profile: Profile
      do throws(UsageError) {
        profile = try Profile.find(name, surroundings, for: open.last)
      } catch {
        throw UsageError("\(option.name): \(error.message)").at(occurrence.origin)
      }
      try parseProfile(profile, from: occurrence.origin)
    }
  }

  /// Forgets the rules about the network that profiles before this option gave.
  ///
  /// Those of the profile that is being read, of one that includes it, and typed ones stay: who writes
  /// both in one place has made a mistake.
  private mutating func takeRulesBack() {
    let open = open
    let isGone = { (option: WrittenOption) -> Bool in
      guard case .profile = option.origin else { return false }
      return !open.contains { $0.origin(0).isBeside(option.origin) }
    }
    draft.sandbox.network.allowed.removeAll { isGone($0.option) }
    draft.sandbox.network.denied.removeAll { isGone($0.option) }
    let names = ["--net-allow", "--net-allow-try", "--net-deny", "--net-host"]
    record?.remove { names.contains($0.name) && isGone($0) }
  }

  /// Warns if the option was given before in the same text.
  ///
  /// A text that refines another replaces its options on purpose.
  private mutating func warnOfAnother(_ occurrence: Occurrence) {
    let new = occurrence.option
    guard let index = draft.given.firstIndex(where: { $0.name == new.name }) else {
      draft.given.append(new)
      return
    }
    if draft.given[index].origin.isBeside(new.origin) {
      draft.warnings.append("Only the last \(new.name) option will take effect")
    }
    draft.given[index] = new
  }

  /// Throws if `--perms`, `--size` or a part of an overlay precedes an option that cannot use it.
  func requireNoModifier(before option: Option?) throws(UsageError) {
    if let option, option.traits.contains(.isModifier) { return }
    let traits = option?.traits ?? []
    if draft.permissions != nil && !traits.contains(.takesPermissions) {
      throw UsageError("--perms must be followed by an option that creates a file or directory")
    }
    if !draft.overlaySources.isEmpty || !draft.overlayOptions.isEmpty,
      !traits.contains(.takesOverlayParts)
    {
      let overlays = "one of --overlay, --tmp-overlay, or --ro-overlay"
      throw UsageError(
        draft.overlaySources.isEmpty
          ? "--overlay-opt must be followed by \(overlays)"
          : "--overlay-src must be followed by another --overlay-src or \(overlays)")
    }
    if draft.size != nil && !traits.contains(.takesSize) {
      throw UsageError("--size must be followed by --tmpfs")
    }
  }

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
