// SPDX-License-Identifier: Apache-2.0
// What a sandbox is: a plain value that says all there is to do. Nothing here touches the kernel.

public import Linux
public import Seccomp
public import Text

/// A sandbox and the command to run in it.
public struct Sandbox: Equatable, Sendable {
  /// The namespaces to make.
  public var namespaces = NamespaceRequest()
  /// Namespaces that exist and are joined instead of made.
  public var joined = JoinedNamespaces()
  /// What else the caller does while the sandbox comes to be, and where it is told.
  public var channels = Channels()
  /// Files inside that are kept locked for reading while the sandbox lives.
  public var lockFiles: [ByteString] = []
  /// Whether no user namespace can be made inside.
  public var disablesUserNamespaces = false
  /// Whether the launch fails if one can be made nevertheless.
  public var assertsNoUserNamespaces = false
  /// Whether mounts below a bound tree may keep the flags they have, where the kernel refuses
  /// others.
  public var isNoSecurityBoundary = false
  /// The SELinux context of the command.
  public var executionLabel: ByteString?
  /// The SELinux context of the file systems that are made.
  public var fileLabel: ByteString?
  /// The user id that the command sees; nil for the caller's own.
  public var user: UInt32?
  /// The group id that the command sees; nil for the caller's own.
  public var group: UInt32?
  /// The host name inside; needs a new uts namespace.
  public var hostname: ByteString?
  /// The NIS domain name inside; needs a new uts namespace.
  public var domainName: ByteString?
  /// How far ahead of the host the clocks inside are; needs a new time namespace.
  public var clocks = ClockOffsets()
  /// What is done to the new root, in order.
  public var filesystem: [FilesystemOperation] = []
  /// The variables that are kept of the caller's environment; nil for all.
  public var keptVariables: [VariablePattern]?
  /// What is done to the caller's environment, in order.
  public var environment: [EnvironmentChange] = []
  /// The message buses that are shown inside.
  public var buses = Buses()
  /// Where the command starts; nil for the caller's directory where it exists inside.
  public var workingDirectory: ByteString?
  /// What is done to the set of capabilities that the command would have, in order.
  public var capabilities: [CapabilityChange] = []
  /// Open descriptors to read compiled seccomp filters from, in the order of installation.
  public var filters: [FilterSource] = []
  /// The policy of system calls that comes on top of those.
  public var policy: PolicyChoice?
  /// What the command cannot reach outside, by Landlock.
  public var landlockScopes: LandlockScopes = []
  /// What else it cannot reach, where the kernel knows how.
  public var landlockScopesToTry: LandlockScopes = []
  /// Whether the command gets no descriptor but the standard ones.
  public var closesDescriptors = false
  /// Whether the command gets a session of its own, away from the caller's terminal.
  public var hasOwnSession = false
  /// Whether everything inside is killed when the caller ends.
  public var diesWithParent = false
  /// Whether everything inside is killed when the command ends; needs a new pid namespace.
  public var killsOnExit = false
  /// Whether the command is itself process 1; needs a new pid namespace.
  public var commandIsInit = false
  /// What is run: the file as it is searched for, then its arguments.
  public var command: [ByteString] = []
  /// What the command sees as its own name; nil for the file's.
  public var commandName: ByteString?
  /// Where options that are no operations on the new root were written, in order, from the first
  /// one on that was not typed.
  public var origins: [OptionOrigin] = []

  /// An empty sandbox.
  public init() {}
}

/// Which namespaces a sandbox asks for.
///
/// A mount namespace is always made.
public struct NamespaceRequest: Equatable, Sendable {
  /// What is wished of a kind of namespace that old kernels lack.
  public enum Wish: Equatable, Sendable {
    /// The caller's is kept.
    case share
    /// A new one is made.
    case create
    /// A new one is made where the kernel has the kind at all.
    case createWhereSupported
  }

  /// The user namespace; an ordinary user gets a new one in any case.
  public var user = Wish.share
  /// The cgroup namespace.
  public var cgroup = Wish.share
  /// The others that are to be made.
  public var others: Namespaces = []

  /// Asks for nothing.
  public init() {}
}

/// Open descriptors of namespaces to join.
///
/// See setns(2).
public struct JoinedNamespaces: Equatable, Sendable {
  /// The user namespace in which everything is set up.
  public var user: CInt?
  /// The user namespace to change into after that, one below it.
  public var secondUser: CInt?
  /// The pid namespace, or the parent of the new one.
  public var pid: CInt?
  /// The network namespace.
  public var network: CInt?

  /// Joins none.
  public init() {}
}

/// Open descriptors through which a caller takes part in a launch.
public struct Channels: Equatable, Sendable {
  /// Where the namespaces are described, once.
  public var information: CInt?
  /// Where the launch and the end of the command are told.
  public var status: CInt?
  /// Whether somebody is told of the sandbox's process.
  var tellOfProcess: Bool { information != nil || status != nil }
  /// What has to be readable before the command is executed.
  public var block: CInt?
  /// What has to be readable once the caller has written the id maps.
  public var mapsWritten: CInt?
  /// What is held open while the sandbox lives.
  public var sync: CInt?

  /// None.
  public init() {}
}

/// How far ahead of the host's two clocks are, in seconds.
///
/// See time_namespaces(7).
public struct ClockOffsets: Equatable, Sendable {
  /// The clock that stands still while the machine sleeps.
  public var monotonic: Int64?
  /// The clock that does not.
  public var boottime: Int64?

  /// Leaves both as they are.
  public init() {}
}

/// The name of a variable, or the beginning of several.
public struct VariablePattern: Equatable, Sendable {
  /// The name, or where it begins several their common beginning.
  public var name: ByteString
  /// Whether anything may follow.
  public var isPrefix: Bool

  /// Names variables.
  public init(name: ByteString, isPrefix: Bool) {
    self.name = name
    self.isPrefix = isPrefix
  }

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
}

/// One change of the set of capabilities.
public enum CapabilityChange: Equatable, Sendable {
  /// Keeps these.
  case add(Capabilities)
  /// Drops these.
  case drop(Capabilities)
}

/// Where a compiled filter comes from.
public struct FilterSource: Equatable, Sendable {
  /// The option that named it.
  public var option: String
  /// The open descriptor to read it from.
  public var descriptor: CInt

  /// Names a source.
  public init(option: String, descriptor: CInt) {
    self.option = option
    self.descriptor = descriptor
  }
}
