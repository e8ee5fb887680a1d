// SPDX-License-Identifier: Apache-2.0
// What has been typed so far.

internal import Linux
public import Sandbox
internal import SystemPackage
public import Text

/// A command line on its way to a sandbox.
public struct Draft: Sendable {
  /// The sandbox as far as it has been described.
  public var sandbox = Sandbox()
  /// Whether messages begin with a priority as syslog(3) writes it.
  public var hasLevelPrefix = false
  /// Whether each step is told as it is done.
  public var isVerbose = false
  /// What was asked for instead of a launch.
  public var task: Task?
  /// Whether the answer to a task is to be one for programs.
  public var isJSON = false
  /// What is odd but no mistake.
  public var warnings: [String] = []

  /// What `--perms` said for the next option.
  var permissions: FilePermissions?
  /// What follows from that for directories made on the way.
  var parents: FilePermissions?
  /// What `--size` said for the next option.
  var size: UInt64?
  /// The layers of the next overlay, the bottom one first.
  var overlaySources: [FilePath] = []
  /// What overlayfs is told of it.
  var overlayOptions: [ByteString] = []
  /// Options that can be given once to any effect, and where they last were.
  var given: [WrittenOption] = []
  /// The first option that is about a wrapper.
  var optionOfWrapper: String?
  /// A descriptor from which more options are to be read, here and now.
  var moreArguments: CInt?
  /// What is run where no command is named.
  var standardCommand: ByteString?
  /// A profile whose options are to be read, here and now.
  var moreProfile: ByteString?

  /// Something to do instead of launching a sandbox.
  public enum Task: Equatable, Sendable {
    case version, dryRun, doctor
    /// A text on everything, or on a topic.
    case help(topic: ByteString?)
    /// The program of the policy.
    case compilePolicy
    /// What the policy does with each system call.
    case explainPolicy
    /// A script that launches it.
    case wrap
    /// Which profiles there are.
    case listProfiles
    /// The lines of a profile.
    case showProfile(ByteString)
    /// A file that is written from the option table.
    case generate(Generated)

    /// Whether the rest of the command line makes no difference.
    var endsParsing: Bool {
      switch self {
      case .help, .version, .generate, .wrap: true
      case .doctor: false
      case .compilePolicy, .explainPolicy, .dryRun, .listProfiles, .showProfile: false
      }
    }

    /// Whether the answer can be given as JSON.
    var hasJSON: Bool {
      switch self {
      case .explainPolicy, .dryRun, .doctor, .listProfiles, .showProfile: true
      case .help, .version, .generate, .wrap, .compilePolicy: false
      }
    }

    /// Whether it is about a command.
    public var takesCommand: Bool {
      switch self {
      case .dryRun: true
      case .help, .version, .generate, .doctor, .wrap, .compilePolicy, .explainPolicy: false
      case .listProfiles, .showProfile: false
      }
    }
  }

  /// Appends an operation on the new root.
  mutating func add(_ occurrence: Occurrence, _ action: FilesystemOperation.Action) {
    sandbox.filesystem.append(
      FilesystemOperation(
        option: occurrence.name, origin: occurrence.origin, action: action,
        parents: parents.take() ?? Draft.parents))
  }

  private static let parents = FilePermissions(rawValue: 0o755)

  /// What `--perms` said, or `standard`.
  ///
  /// What is kept from the group or from others is so in the directories made on the way as well.
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
