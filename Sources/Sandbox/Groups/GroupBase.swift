// SPDX-License-Identifier: Apache-2.0
// The search for a control group that this user may divide.
//
// The kernel has two rules. Processes are in groups without controllers below them only, so a group
// can be divided once this process, alone in it, has moved to a group below. And a process is moved,
// or cloned, only by a user who may write to cgroup.procs of the group around both places.
//
// A group that systemd manages is divided only if systemd delegated it, as for a scope that was asked
// for: https://systemd.io/CGROUP_DELEGATION.

internal import Linux
internal import SystemPackage
internal import Text

/// A group below which a group for a sandbox can be made.
struct GroupBase {
  /// The directory, open for reading and locked with all other launches that use it.
  let directory: CInt
  /// Its path in the hierarchy.
  let path: FilePath
  /// The controllers that groups below it have.
  let controllers: GroupLimits.Controllers
  /// Whether this process was moved out of it.
  let wasLeft: Bool

  /// The group that this process moves to.
  static let monitors: FilePath = "nestbox-monitor"
}

extension GroupBase {
  /// Calls `body` with the directory.
  func open<Result: ~Copyable, Failure: Error>(
    _ body: (borrowing OwnedDescriptor) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try OwnedDescriptor.borrowing(directory, body)
  }

  /// Finds a group with the controllers `needed`, or has systemd make one.
  static func find(
    needing needed: [GroupLimits.Controller], _ environment: Environment
  ) throws(SystemCallError) -> GroupBase {
    let hierarchy = try UnifiedHierarchy.place()
    let path = try own()
    var first: SystemCallError?
    // systemd ends what it has not delegated as soon as the kernel kills a process in it.
    if !isKept(path, hierarchy) || UserManager.reach(environment) == nil {
      do throws(SystemCallError) {
        return try GroupBase.here(path, hierarchy, needed)
      } catch {
        first = error
      }
    }
    if let manager = UserManager.reach(environment) {
      try manager.makeScope()
    } else if let first {
      throw first
    }
    return try GroupBase.here(own(), hierarchy, needed)
  }

  /// The group of this process in the unified hierarchy.
  static func own() throws(SystemCallError) -> FilePath {
    let file = try OwnedDescriptor.open("/proc/self/cgroup", .reading)
    let text = try Descriptors.piece(of: file.rawValue, limit: GroupText.limit)
    guard let path = GroupText.path(in: text)?.path,
      !path.components.contains(where: { $0.kind == .parentDirectory })
    else {
      throw SystemCallError(
        call: "read", subject: "/proc/self/cgroup", errno: .noSuchFileOrDirectory)
    }
    return path
  }

  private static func here(
    _ path: FilePath, _ hierarchy: FilePath, _ needed: [GroupLimits.Controller]
  ) throws(SystemCallError) -> GroupBase {
    if let base = try beside(path, hierarchy, needed) { return base }
    let directory = try open(path, hierarchy)
    let available = GroupLimits.Controllers(
      in: try Descriptors.contents(
        of: "cgroup.controllers", in: directory.rawValue, limit: GroupText.limit))
    // First: without it, no other place in the group would help.
    if let missing = needed.first(where: { !available.contains($0) }) {
      throw SystemCallError(
        call: "cgroup.controllers", subject: ByteString(missing.name), errno: .notSupported)
    }
    // The root of the whole hierarchy may have processes and groups.
    let isRoot =
      path.components.isEmpty
      && (try? Descriptors.contents(of: "cgroup.type", in: directory.rawValue, limit: 64)) == nil
    if !isRoot { try requireAlone(directory, path) }
    return try divide(directory.release(), path, isRoot: isRoot, needed, available)
  }

  /// The group around this process's own, if it is divided already and not systemd's.
  ///
  /// Not if this process's own group has limits, which the sandbox would escape.
  private static func beside(
    _ path: FilePath, _ hierarchy: FilePath, _ needed: [GroupLimits.Controller]
  ) throws(SystemCallError) -> GroupBase? {
    let parent = path.parent
    guard !path.components.isEmpty, !isManaged(parent),
      let directory = try? open(parent, hierarchy),
      let enabled = try? Descriptors.contents(
        of: "cgroup.subtree_control", in: directory.rawValue, limit: GroupText.limit),
      // Without a controller this process's group has no limit.
      GroupText.words(enabled).isEmpty || ControlGroup.limit(of: path, beyond: parent) == nil,
      case let controllers = GroupLimits.Controllers(in: enabled),
      needed.allSatisfy({ controllers.contains($0) }),
      // The right to move processes there.
      directory.isWritable("cgroup.procs"), try directory.lock(.shared)
    else { return nil }
    return GroupBase(
      directory: directory.release(), path: parent, controllers: controllers, wasLeft: false)
  }

  /// Whether systemd has made this group and not delegated it, as systemd 252 and later say.
  private static func isKept(_ path: FilePath, _ hierarchy: FilePath) -> Bool {
    let name = String(decoding: path.lastName.bytes, as: UTF8.self)
    guard name.hasSuffix(".scope") || name.hasSuffix(".service"),
      let directory = try? open(path, hierarchy)
    else { return false }
    return !directory.isMarked("user.delegate")
  }

  /// Whether systemd divides this group itself.
  private static func isManaged(_ path: FilePath) -> Bool {
    let name = String(decoding: path.lastName.bytes, as: UTF8.self)
    if name.hasSuffix(".slice") || name.hasPrefix("user@") { return true }
    return path.components.isEmpty && CurrentProcess.exists("/run/systemd/system")
  }

  private static func open(
    _ path: FilePath, _ hierarchy: FilePath
  ) throws(SystemCallError) -> OwnedDescriptor {
    try OwnedDescriptor.open(hierarchy.appending(path.components), .readableDirectory)
  }

  /// Throws unless this process is the only one in the group: others are not moved.
  private static func requireAlone(
    _ directory: borrowing OwnedDescriptor, _ path: FilePath
  ) throws(SystemCallError) {
    let text = try Descriptors.contents(of: "cgroup.procs", in: directory.rawValue, limit: 64)
    guard GroupText.number(text) == Int64(CurrentProcess.number) else {
      throw SystemCallError(call: "write", subject: ByteString(path), errno: .resourceBusy)
    }
  }

  /// Moves this process to a group below and has the groups there get the controllers.
  private static func divide(
    _ directory: CInt, _ path: FilePath, isRoot: Bool, _ needed: [GroupLimits.Controller],
    _ available: GroupLimits.Controllers
  ) throws(SystemCallError) -> GroupBase {
    let owned = OwnedDescriptor(directory)
    guard try owned.lock(.shared) else {
      throw SystemCallError(call: "flock", subject: ByteString(path), errno: .resourceBusy)
    }
    if !isRoot { try leave(directory, path) }
    var enabled = GroupLimits.Controllers()
    for controller in GroupLimits.Controller.allCases where available.contains(controller) {
      do throws(SystemCallError) {
        try Descriptors.write(
          "+" + controller.name, to: "cgroup.subtree_control", in: directory)
        enabled.insert(controller)
      } catch {
        guard needed.contains(controller) else { continue }
        if !isRoot { comeBack(directory) }
        throw error
      }
    }
    return GroupBase(
      directory: owned.release(), path: path, controllers: enabled, wasLeft: !isRoot)
  }

  private static func leave(_ directory: CInt, _ path: FilePath) throws(SystemCallError) {
    let base = OwnedDescriptor(directory)
    do throws(SystemCallError) {
      do throws(SystemCallError) {
        try base.makeDirectory(monitors, .standardDirectory)
      } catch {
        // A monitor that was killed has left it.
        if error.errno != .fileExists { throw error.about(ByteString(path)) }
      }
      let place = try base.openEntry(monitors)
      try Descriptors.write("0", to: "cgroup.procs", in: place.rawValue)
      _ = base.release()
    } catch {
      try? base.remove(monitors, .directory)
      _ = base.release()
      throw error
    }
  }

  /// Moves this process back, so that nothing is left.
  static func comeBack(_ directory: CInt) {
    for controller in GroupLimits.Controller.allCases {
      try? Descriptors.write("-" + controller.name, to: "cgroup.subtree_control", in: directory)
    }
    try? Descriptors.write("0", to: "cgroup.procs", in: directory)
    let base = OwnedDescriptor(directory)
    try? base.remove(monitors, .directory)
    _ = base.release()
  }
}
