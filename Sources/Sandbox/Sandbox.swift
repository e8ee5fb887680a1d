// SPDX-License-Identifier: Apache-2.0
// The module Sandbox is the launcher as a library. A `Sandbox` is validated, resolved for caller
// and machine, and then launched, or planned for a dry run; a launch that fails is diagnosed.
// Operations/ and Setup/ make the new root and the command's process, Launch/ has monitor, init and
// helpers, Plan/ the dry run, Diagnosis/ the causes of failures, Buses/ D-Bus.
//
// This file: a sandbox as a plain value. Nothing here touches the kernel.

public import Linux
public import Seccomp
public import Text

/// A sandbox and the command to run in it.
public struct Sandbox: Equatable, Sendable {
  /// The namespaces to make.
  public var namespaces = NamespaceRequest()
  /// Namespaces that exist and are joined instead of made.
  public var joined = JoinedNamespaces()
  /// Descriptors through which the caller takes part in the launch.
  public var channels = Channels()
  /// Files inside that are kept locked for reading while the sandbox lives.
  public var lockFiles: [Setting<ByteString>] = []
  /// What the command may use, in the order of the options.
  public var limits: [Setting<Limit>] = []
  /// Prints what the sandbox kept from the command.
  public var explain: WrittenOption?
  /// Whether that is printed as JSON.
  public var explainsInJSON = false
  /// What else the watch is for.
  public var learning: Learning?
  /// Prints what the command used, for people.
  public var tellsUse: WrittenOption?
  /// Forbids new user namespaces inside.
  public var disableUserNamespaces: WrittenOption?
  /// Fails the launch if one can still be made.
  public var assertNoUserNamespaces: WrittenOption?
  /// Whether mounts below a bound tree may keep the flags they have, where the kernel refuses
  /// others.
  public var isNoSecurityBoundary = false
  /// Whether read-only trees of the host lose what the host unmounts, and get, writable, what it
  /// mounts later.
  public var followsMounts = false
  /// Whether the command gets standard input, output and error exactly as they are, with all that
  /// they allow besides: as under bubblewrap's name.
  public var passesDescriptorsUnchanged = false
  /// Directories of the host that were looked at by these paths.
  ///
  /// No link may have taken the place of one on the way. The caller's working directory is taken as
  /// it is open.
  public var examinedDirectories: [ByteString] = []
  /// Directories of the host below which no link may be on the way to a source: a command could have put
  /// it there.
  public var directoriesWithoutLinks: [ByteString] = []
  /// The SELinux context of the command.
  public var executionLabel: Setting<ByteString>?
  /// The SELinux context of the file systems that are made.
  public var fileLabel: Setting<ByteString>?
  /// The user id that the command sees; nil for the caller's own.
  public var user: Setting<UInt32>?
  /// The group id that the command sees; nil for the caller's own.
  public var group: Setting<UInt32>?
  /// The name under which the sandbox is registered while its monitor lives.
  public var name: Setting<ByteString>?
  /// The profiles that describe a sandbox with a name.
  public var profileNames: [ByteString] = []
  /// What a command that enters a sandbox with a name runs if none is given.
  public var defaultCommand: ByteString?
  /// The host name inside; needs a new uts namespace.
  public var hostname: Setting<ByteString>?
  /// The NIS domain name inside; needs a new uts namespace.
  public var domainName: Setting<ByteString>?
  /// How far ahead of the host the clocks inside are; needs a new time namespace.
  public var clocks = ClockOffsets()
  /// The operations on the new root, in order.
  public var filesystem: [FilesystemOperation] = []
  /// The variables that are kept of the caller's environment; nil for all.
  public var keptVariables: [VariablePattern]?
  /// The changes to the caller's environment, in order.
  public var environment: [EnvironmentChange] = []
  /// The message buses that are shown inside.
  public var buses = Buses()
  /// What the command may reach on the network; nothing special is done if nothing is allowed.
  public var network = NetworkRules()
  /// Where the command starts; nil for the caller's directory where it exists inside.
  public var workingDirectory: Setting<ByteString>?
  /// The changes to the command's default set of capabilities, in order.
  public var capabilities: [CapabilityChange] = []
  /// Open descriptors to read compiled seccomp filters from, in the order of installation.
  public var filters: [Setting<CInt>] = []
  /// The system call policy, in addition to the filters.
  public var policy: PolicyChoice?
  /// What Landlock forbids the command to reach outside.
  public var landlock: Setting<LandlockScopes>?
  /// What Landlock also forbids, if the kernel supports it.
  public var landlockToTry: Setting<LandlockScopes>?
  /// Passes only the standard descriptors on to the command.
  public var closeDescriptors: WrittenOption?
  /// Gives the command its own session, away from the caller's terminal.
  public var newSession: WrittenOption?
  /// Gives the command a terminal of its own in the place of the caller's.
  public var terminal: WrittenOption?
  /// Kills everything inside when the caller ends.
  public var dieWithParent: WrittenOption?
  /// Kills everything inside when the command ends; needs a new pid namespace.
  public var killOnExit: WrittenOption?
  /// Makes the command itself process 1; needs a new pid namespace.
  public var commandAsInit: WrittenOption?
  /// Makes the launcher itself the command, so that no process of nestbox stays.
  public var becomeCommand: WrittenOption?
  /// Runs the command in the running sandbox of the same name and options, if there is one.
  public var single: WrittenOption?
  /// Keeps the sandbox when its command has ended, until it is stopped; needs a name.
  public var keep: WrittenOption?
  /// Returns once the command is executed, and leaves the monitor in the background.
  public var detach: WrittenOption?
  /// Whether nestbox notes which files the command will not find: only with a profile.
  public var givesNotices = false
  /// The command: the file to search for, then its arguments.
  public var command: [ByteString] = []
  /// The command's argv[0]; nil for the file's name.
  public var commandName: ByteString?

  /// An empty sandbox.
  public init() {}
}

extension Sandbox {
  /// Whether new user namespaces are forbidden inside.
  var disablesUserNamespaces: Bool { disableUserNamespaces != nil }
  /// What Landlock forbids the command to reach outside.
  var landlockScopes: LandlockScopes { landlock?.value ?? [] }
  /// What Landlock also forbids, if the kernel supports it.
  var landlockScopesToTry: LandlockScopes { landlockToTry?.value ?? [] }
  /// Whether the command gets only the standard descriptors.
  var closesDescriptors: Bool { closeDescriptors != nil }
  /// Whether the command gets a terminal in the place of those among the standard descriptors.
  ///
  /// A sandbox in the background, or without a command, has no use for one.
  var replacesTerminals: Bool { terminal != nil && detach == nil && !command.isEmpty }
  /// Whether the command gets its own session.
  var hasOwnSession: Bool { newSession != nil }
  /// Whether everything inside is killed when the caller ends.
  var diesWithParent: Bool { dieWithParent != nil }
  /// Whether everything inside is killed when the monitor ends: with the caller, or because nobody
  /// would answer watched calls.
  var diesWithMonitor: Bool { diesWithParent || explain != nil }
  /// Whether everything inside is killed when the command ends.
  var killsOnExit: Bool { killOnExit != nil }
  /// Whether somebody wants to know what was used.
  var isMeasured: Bool {
    if case .profile? = learning { return true }
    return channels.report != nil || tellsUse != nil
  }
  /// Whether the sandbox lives on when its command has ended, until it is stopped.
  public var isKept: Bool { keep != nil }
  /// Whether the launcher becomes the command.
  public var becomesCommand: Bool { becomeCommand != nil }
  /// Whether a profile says what is shown.
  var isFromProfile: Bool {
    filesystem.contains { if case .profile = $0.option.origin { true } else { false } }
  }
  /// Whether the command is itself process 1.
  var commandIsInit: Bool { commandAsInit != nil }
}

/// Which namespaces a sandbox asks for.
///
/// A mount namespace is always made.
public struct NamespaceRequest: Equatable, Sendable {
  /// A request for a kind of namespace that old kernels lack.
  public enum Wish: Equatable, Sendable {
    /// The caller's is kept.
    case share
    /// A new one is made.
    case create
    /// Creates a new one if the kernel has this kind.
    case createWhereSupported
  }

  /// The user namespace; an ordinary user gets a new one in any case.
  public var user = Wish.share
  /// The cgroup namespace.
  public var cgroup = Wish.share
  /// The other kinds to make.
  public var others: Namespaces = []

  /// Asks for nothing.
  public init() {}
}

/// Open descriptors of namespaces to join.
///
/// See setns(2).
public struct JoinedNamespaces: Equatable, Sendable {
  /// The user namespace that everything is set up in.
  public var user: Setting<CInt>?
  /// The user namespace to enter afterwards, a descendant of the first.
  public var secondUser: Setting<CInt>?
  /// The pid namespace, or the parent of the new one.
  public var pid: Setting<CInt>?
  /// The network namespace.
  public var network: Setting<CInt>?

  /// Joins none.
  public init() {}

  /// The namespace that `option` names: its kind and its descriptor.
  func named(by option: WrittenOption?) -> (kind: Namespaces, descriptor: CInt)? {
    var found: (Namespaces, CInt)?
    forEach { kind, setting in
      if setting.option == option { found = (kind, setting.value) }
    }
    return found
  }

  /// Calls `body` for each that is joined.
  func forEach<Failure: Error>(
    _ body: (Namespaces, Setting<CInt>) throws(Failure) -> Void
  ) throws(Failure) {
    if let user { try body(.user, user) }
    if let secondUser { try body(.user, secondUser) }
    if let pid { try body(.pid, pid) }
    if let network { try body(.network, network) }
  }
}

/// Open descriptors through which a caller takes part in a launch.
public struct Channels: Equatable, Sendable {
  /// Where the namespaces are described, once.
  public var information: Setting<CInt>?
  /// Where the launch and the end of the command are reported.
  public var status: Setting<CInt>?
  /// Where the end and what was used are reported.
  public var report: Setting<CInt>?
  /// Where the relay writes look-ups and connections.
  public var networkLog: Setting<CInt>?
  /// Whether the caller learns the pid of the sandbox's process.
  var tellOfProcess: Bool { information != nil || status != nil }
  /// A descriptor that must be readable before the command is executed.
  public var block: Setting<CInt>?
  /// A descriptor that becomes readable once the caller has written the id maps.
  public var mapsWritten: Setting<CInt>?
  /// Those that are held open while the sandbox lives.
  public var sync: [Setting<CInt>] = []

  /// None.
  public init() {}

  /// Calls `body` for each of them.
  func forEach<Failure: Error>(
    _ body: (Setting<CInt>) throws(Failure) -> Void
  ) throws(Failure) {
    if let information { try body(information) }
    if let status { try body(status) }
    if let report { try body(report) }
    if let networkLog { try body(networkLog) }
    if let block { try body(block) }
    if let mapsWritten { try body(mapsWritten) }
    for setting in sync { try body(setting) }
  }
}

/// How far ahead of the host's two clocks are, in seconds.
///
/// See time_namespaces(7).
public struct ClockOffsets: Equatable, Sendable {
  /// The clock that stands still while the machine sleeps.
  public var monotonic: Setting<Int64>?
  /// The clock that does not.
  public var boottime: Setting<Int64>?

  /// Leaves both as they are.
  public init() {}
}

/// The name of a variable, or the beginning of several.
public struct VariablePattern: Equatable, Sendable {
  /// The name, or the common prefix of several.
  public var name: ByteString
  /// Whether anything may follow.
  public var isPrefix: Bool

  /// Names variables.
  public init(name: ByteString, isPrefix: Bool) {
    self.name = name
    self.isPrefix = isPrefix
  }

  /// The pattern as it is typed.
  var text: String { name.text + (isPrefix ? "*" : "") }

  /// Whether `string`, of the form `NAME=VALUE`, is one of the variables.
  func matches(_ string: ByteString) -> Bool {
    let bytes = string.bytes
    return bytes.starts(with: name.bytes)
      && (isPrefix || bytes.dropFirst(name.count).first == UInt8(ascii: "="))
  }
}

/// One change of the environment.
public enum EnvironmentChange: Equatable, Sendable {
  /// Sets a variable.
  case set(ByteString, to: ByteString)
  /// Removes a variable.
  case unset(ByteString)
  /// Removes all.
  case clear
  /// Gives variables the caller's values again, where the caller has them.
  case keep([VariablePattern])
  /// Has DISPLAY and XAUTHORITY name the X server as it is shown inside.
  case display
}

/// One change of the set of capabilities.
public enum CapabilityChange: Equatable, Sendable {
  /// Keeps these.
  case add(Capabilities)
  /// Drops these.
  case drop(Capabilities)
}
