// SPDX-License-Identifier: Apache-2.0
// Why a command could not be started, in the user's words.

public import Linux
internal import SystemPackage
public import Text

/// A failed launch: what could not be done, for which option, to what, and the call that failed.
public struct LaunchError: Error, Equatable, Sendable {
  /// What could not be done.
  public let action: Action
  /// The option that asked for it, if one did.
  public private(set) var option: WrittenOption?
  /// The object: a path as it was typed, or a name.
  public let subject: ByteString?
  /// The call that failed.
  public let cause: SystemCallError
  /// What the failed process found out about the reason.
  var finding: ExecutionFinding?

  /// Names a failure.
  public init(
    _ action: Action, option: WrittenOption? = nil, subject: ByteString? = nil,
    cause: SystemCallError
  ) {
    self.action = action
    self.option = option
    self.subject = subject
    self.cause = cause
  }

  /// The same failure, attributed to `option` unless it already names one, as parts of an overlay
  /// do.
  func asked(by option: WrittenOption) -> LaunchError {
    var error = self
    error.option = self.option.map { WrittenOption($0.name, at: option.origin) } ?? option
    return error
  }

  /// The parts of a launch that messages distinguish.
  ///
  /// The sentences keep the words that clients of bubblewrap look for.
  public enum Action: UInt8, CaseIterable, Sendable {
    case prepare, createProcess, createNamespaces, writeIdentityMap, joinNamespace
    case waitForMaps, waitForCaller, describe, disableUserNamespaces, assertNoUserNamespaces
    case setHostname, setDomainName, setClocks, loopback
    case dieWithParent, buildRoot, enterRoot
    case findSource, restrictSource, bind, remountReadOnly
    case mountProc, mountTmpfs, mountDevices, mountDevpts, mountMqueue
    case makeDirectory, makeFile, writeFile, makeSymbolicLink, setPermissions
    case changeDirectory, beginSession, dropPrivileges, keepCapabilities
    case findBus, filterBus, startBusProxy, showBus
    case lock, setLabel, readSource, mountOverlay
    case readFilter, installFilter, execute, supervise
    case mask, protectRepositories, permitCommits, findProgram, restrictByLandlock, limit
    case passDescriptor, enter, makeGroup, protectGroups, openTerminal, watch, startRelay
    case makeNetwork, publish, joinNetwork

    /// What could not be done, as the first half of a sentence.
    var sentence: String {
      switch self {
      case .prepare: "Can't prepare the launch"
      case .createProcess: "Creating new namespace failed"
      case .createNamespaces: "Creating new namespaces failed"
      case .joinNamespace: "Can't join the namespace"
      case .waitForMaps: "Can't wait for the id maps"
      case .waitForCaller: "Can't wait for the caller"
      case .describe: "Can't describe the sandbox"
      case .disableUserNamespaces: "Can't disable user namespaces"
      case .assertNoUserNamespaces:
        "creation of new user namespaces was not disabled as requested"
      case .findBus: "Can't find the"
      case .filterBus: "Can't filter the bus at"
      case .startBusProxy: "Can't start the D-Bus proxy"
      case .showBus: "Can't show the D-Bus socket at"
      case .lock: "Can't lock"
      case .setLabel: "Can't set the label"
      case .readSource: "Can't use descriptor"
      case .mountOverlay: "Can't make overlay mount on"
      case .writeIdentityMap: "setting up uid map"
      case .setHostname: "Can't set hostname to"
      case .setDomainName: "Can't set domain name to"
      case .setClocks: "Can't set the clocks of the time namespace"
      case .loopback: "loopback: Failed RTM_NEWADDR"
      case .dieWithParent: "Can't tie the sandbox to the caller's life"
      case .buildRoot: "Can't make the new root"
      case .enterRoot: "Can't enter the new root"
      case .findSource: "Can't find source path"
      case .restrictSource: "Can't restrict source path"
      case .bind: "Can't bind mount on"
      case .remountReadOnly: "Can't remount read-only"
      case .mountProc: "Can't mount proc on"
      case .mountTmpfs: "Can't mount tmpfs on"
      case .mountDevices: "Can't make devices in"
      case .mountDevpts: "Can't mount devpts in"
      case .mountMqueue: "Can't mount mqueue on"
      case .makeDirectory: "Can't make directory"
      case .makeFile: "Can't make file"
      case .writeFile: "Can't write data to file"
      case .makeSymbolicLink: "Can't make symlink at"
      case .setPermissions: "Can't chmod"
      case .changeDirectory: "Can't chdir to"
      case .beginSession: "Can't begin a new session"
      case .dropPrivileges: "Can't drop privileges"
      case .keepCapabilities: "Can't keep capabilities"
      case .readFilter: "Can't read seccomp data"
      case .installFilter: "Can't install the seccomp filter"
      case .execute: "Can't execute"
      case .mask: "Can't mask"
      case .protectRepositories: "Can't make the repositories read-only in"
      case .permitCommits: "Can't make the repository writable of"
      case .findProgram: "Can't find the program"
      case .restrictByLandlock: "Can't restrict the command by Landlock"
      case .limit: "Can't limit"
      case .supervise: "Can't supervise the sandbox"
      case .passDescriptor: "Can't pass on descriptor"
      case .enter: "Can't enter the sandbox"
      case .watch: "Can't watch the command"
      case .openTerminal: "Can't open a terminal for the command"
      case .makeGroup: "Can't make a control group"
      case .protectGroups: "Can't protect the limits in /sys/fs/cgroup"
      case .publish: "Can't publish"
      case .startRelay: "Can't start the helper"
      case .makeNetwork: "Can't set up the sandbox's network"
      case .joinNetwork: "Can't join the network"
      }
    }
  }

  /// The sentence: what could not be done, the subject, the reason, and in brackets where.
  public var message: String {
    var message = action.sentence
    var call = cause.call
    if let subject = subject ?? cause.subject {
      // Clients look for the reason right after these words.
      if action == .writeIdentityMap {
        call += " " + subject.quoted
      } else {
        message += " " + subject.quoted
      }
    }
    // This check failed because a call succeeded.
    if action == .assertNoUserNamespaces { return message + " (\(call))" }
    message += ": " + cause.reason
    let place = option?.origin.location.map { " in " + $0 } ?? ""
    message += " (" + (option.map { $0.name + place + ", " } ?? "") + call + ")"
    return message
  }

  /// The status to exit with, as env(1) and timeout(1) choose it.
  public var exitStatus: UInt8 {
    guard action == .execute || action == .findProgram else { return 125 }
    return cause.errno == .noSuchFileOrDirectory ? 127 : 126
  }
}
