// SPDX-License-Identifier: Apache-2.0
// A command line on its way to a sandbox: what the options read so far have set.

public import Linux
public import Sandbox
public import SystemPackage
public import Text

/// A command line on its way to a sandbox.
public struct Draft: Sendable {
  /// The sandbox, as described so far.
  public var sandbox = Sandbox()
  /// Whether messages begin with a priority as syslog(3) writes it.
  public var hasLevelPrefix = false
  /// Whether each step is reported.
  public var isVerbose = false
  /// Whether a failed launch is also shown as a notification of the desktop.
  public var notifies = false
  /// What to do instead of a launch.
  public var task: Task?
  /// Whether a task answers in JSON.
  public var isJSON = false
  /// A profile to learn or to verify by a launch.
  public var lesson: Lesson?
  /// Whether that profile loses the lines that are not needed.
  public var shrinks = false
  /// Oddities that are not mistakes.
  public var warnings: [String] = []

  /// The name of the review that a launch begins; nil for one that is made up.
  public var reviewName: Setting<ByteString>?
  /// The review that a launch goes on with.
  public var resumedReview: Setting<ByteString>?
  /// Where reviews are kept.
  public var reviewStore: FilePath?

  /// A line to type that does something with reviews, where these are kept.
  public func reviewLine(_ words: String) -> String {
    let store = reviewStore.map { "--review-store \(ByteString($0).quotedForShell) " } ?? ""
    return "nestbox \(store)\(words)"
  }
  /// Whether a report on a review shows the text that changes.
  public var showsDifferences = false
  /// Whether files that were changed on the host as well are replaced.
  public var overwritesConflicts = false

  /// The operand of `--perms`, for the next option.
  var permissions: FilePermissions?
  /// The permissions of parent directories that follow from it.
  var parents: FilePermissions?
  /// The operand of `--size`, for the next option.
  var size: UInt64?
  /// The layers of the next overlay, the bottom one first.
  var overlaySources: [FilePath] = []
  /// The options of overlayfs for it.
  var overlayOptions: [ByteString] = []
  /// Options where the last one wins, as last typed.
  var given: [WrittenOption] = []
  /// The first option that describes a new sandbox, and does not go with `--enter`.
  var optionOfNewSandbox: String?
  /// The first option that needs `--wrap`.
  var optionOfWrapper: String?
  /// A descriptor to read more options from, now.
  var moreArguments: CInt?
  /// The command to run if none is given.
  var standardCommand: ByteString?
  /// A profile to read options from, now.
  var moreProfile: ByteString?

  /// Whether a launch holds changes back.
  public var isUnderReview: Bool { resumedReview != nil || sandbox.isUnderReview }

  /// A profile to learn or to verify.
  ///
  /// A class, so that other drafts do not grow.
  public final class Lesson: Sendable {
    /// The file, as it was typed.
    public let file: ByteString
    /// The option.
    public let option: WrittenOption
    /// Whether the profile is to be verified.
    public let verifies: Bool

    init(_ file: ByteString, _ option: WrittenOption, verifies: Bool) {
      (self.file, self.option, self.verifies) = (file, option, verifies)
    }
  }

  /// Something to do instead of launching a sandbox.
  public enum Task: Equatable, Sendable {
    case version, dryRun, doctor
    /// A text on everything, or on a topic.
    case help(topic: ByteString?)
    /// The program of the policy.
    case compilePolicy
    /// What the policy does with each system call.
    case explainPolicy
    /// Write the policy in another format.
    case exportPolicy
    /// A script that launches it.
    case wrap
    /// Which profiles there are.
    case listProfiles
    /// The lines of a profile.
    case showProfile(ByteString)
    /// The sandboxes that are running.
    case list
    /// A report on one of them.
    case inspect(ByteString)
    /// A signal for the command of one of them.
    case signal(Signal, ByteString)
    /// The end of one of them.
    case stop(ByteString)
    /// A command inside one of them.
    case enter(ByteString)
    /// The reviews that wait.
    case reviews
    /// What a review would change; nil is the only one that waits.
    case changes(ByteString?)
    /// To change that.
    case apply(ByteString?)
    /// To forget that.
    case discard(ByteString?)
    /// A file that is written from the option table.
    case generate(Generated)

    /// What a task takes and answers.
    struct Traits: OptionSet {
      let rawValue: Int

      /// The rest of the command line is ignored.
      static let endsParsing = Traits(rawValue: 1)
      /// It can answer in JSON.
      static let answersInJSON = Traits(rawValue: 2)
      /// It is about a command.
      static let takesCommand = Traits(rawValue: 4)
      /// Its command runs in a sandbox that exists.
      static let entersSandbox = Traits(rawValue: 8)
      /// It is about paths, which follow the options.
      static let takesPaths = Traits(rawValue: 16)
    }

    /// The table of the tasks.
    var traits: Traits {
      switch self {
      case .version: .endsParsing
      case .help: .endsParsing
      case .generate: .endsParsing
      case .wrap: .endsParsing
      case .dryRun: [.answersInJSON, .takesCommand]
      case .doctor: .answersInJSON
      case .compilePolicy, .exportPolicy: []
      case .explainPolicy: .answersInJSON
      case .listProfiles: .answersInJSON
      case .showProfile: .answersInJSON
      case .list: .answersInJSON
      case .inspect: .answersInJSON
      case .signal: []
      case .stop: []
      case .enter: [.takesCommand, .entersSandbox]
      case .reviews: .answersInJSON
      case .changes: [.answersInJSON, .takesPaths]
      case .apply: .takesPaths
      case .discard: .takesPaths
      }
    }

    /// Whether it reports on the changes of a review.
    var isOnChanges: Bool { if case .changes = self { true } else { false } }

    /// Whether it applies the changes of a review.
    var appliesChanges: Bool { if case .apply = self { true } else { false } }

    /// Whether the rest of the command line is ignored.
    var endsParsing: Bool { traits.contains(.endsParsing) }

    /// Whether it is about a command.
    public var takesCommand: Bool { traits.contains(.takesCommand) }

    /// Whether its command runs in a sandbox that exists.
    public var entersSandbox: Bool { traits.contains(.entersSandbox) }
  }

  /// Takes a task about one review; an earlier task is never dropped for one that changes files.
  mutating func choose(_ task: Task) throws(UsageError) {
    guard self.task == nil else {
      throw UsageError(predicate: "cannot be combined with another task; type a line for each")
    }
    self.task = task
  }

  /// Appends an operation on the new root.
  mutating func add(_ occurrence: Occurrence, _ action: FilesystemOperation.Action) {
    sandbox.filesystem.append(
      FilesystemOperation(
        action, option: occurrence.option, parents: parents.take() ?? Draft.parents))
  }

  private static let parents = FilePermissions(rawValue: 0o755)

  /// The operand of `--perms`, or `standard`.
  ///
  /// If it denies the group or others all access, so do the parent directories that are made.
  mutating func takePermissions(_ standard: UInt32) -> FilePermissions {
    guard let permissions = permissions.take() else {
      return FilePermissions(rawValue: CModeT(standard))
    }
    var parents = Draft.parents
    if permissions.isDisjoint(with: .groupReadWriteExecute) {
      parents.subtract(.groupReadWriteExecute)
    }
    if permissions.isDisjoint(with: .otherReadWriteExecute) {
      parents.subtract(.otherReadWriteExecute)
    }
    self.parents = parents
    return permissions
  }
}
