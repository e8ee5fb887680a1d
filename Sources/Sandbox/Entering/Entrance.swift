// SPDX-License-Identifier: Apache-2.0
// The way into a running sandbox: what its monitor holds, opened and verified by the process that
// wants to enter.

public import Linux
internal import Seccomp
internal import SystemPackage
internal import Text

/// The way into a running sandbox.
///
/// A class, as `LaunchPlan` is.
public final class Entrance {
  /// The conditions under which a command is executed inside.
  let terms: EntryTerms
  /// The namespaces to join, in this order.
  let namespaces: [(kind: Namespaces, descriptor: CInt)]
  /// The root of the sandbox.
  let root: CInt
  /// The way into the sandbox's control group; nil where this process is in it.
  let controlGroup: ControlGroup?

  /// Whether the sandbox has its own pid namespace.
  var hasProcesses: Bool { namespaces.contains { $0.kind == .pid } }

  /// The user namespace that owns the others, if that is another one, and the rest; before it a network
  /// that sandboxes share, and the user namespace that owns that.
  var namespacesAroundMounts:
    (
      outer: ArraySlice<(kind: Namespaces, descriptor: CInt)>,
      inner: ArraySlice<(kind: Namespaces, descriptor: CInt)>
    )
  {
    let isMember = namespaces.prefix(3).map(\.kind) == [.user, .network, .user]
    let count = isMember ? 3 : namespaces.first?.kind == .user ? 1 : 0
    return (namespaces.prefix(count), namespaces.dropFirst(count))
  }

  /// Everything that is open for the entrance.
  var descriptors: [CInt] {
    namespaces.map(\.descriptor) + [root] + (controlGroup?.file.map { [$0] } ?? [])
  }

  init(
    terms: EntryTerms, namespaces: [(kind: Namespaces, descriptor: CInt)], root: CInt,
    controlGroup: ControlGroup?
  ) {
    self.terms = terms
    self.namespaces = namespaces
    self.root = root
    self.controlGroup = controlGroup
  }

  /// Opens what the monitor of a sandbox holds.
  /// - Parameters:
  ///   - monitor: The monitor.
  ///   - patience: For how many milliseconds to wait for a sandbox that is still being started.
  ///   - whenVerified: Called before anything is opened of what the monitor holds.
  /// - Throws: `UsageError` if a command would have less protection inside than the sandbox's own,
  ///   or if the sandbox cannot be entered.
  public convenience init(
    _ monitor: borrowing ProcessDirectory, patience: Int = 2000,
    whenVerified: (borrowing ProcessDirectory) throws(UsageError) -> Void
  ) throws(UsageError) {
    try Entrance.verify(monitor)
    try whenVerified(monitor)
    let held = try Entrance.reading(monitor) { monitor throws(SystemCallError) in
      try Held(of: monitor, patience: patience)
    }
    guard let held else {
      throw UsageError(
        "process \(String(monitor.number)) started it without a name, so nestbox does not know which "
          + "protection a command needs inside; start it with --name NAME to enter it")
    }
    if let obstacle = held.terms.obstacle {
      throw UsageError("a sandbox started with \(obstacle) cannot be entered")
    }
    let (opened, root) = try Entrance.reading(monitor) { monitor throws(SystemCallError) in
      let opened = try Entrance.namespaces(of: monitor) { place, monitor throws(SystemCallError) in
        try held.open(place, monitor, .reading)
      }
      return (opened, try held.root(of: monitor))
    }
    self.init(
      terms: held.terms, namespaces: opened, root: root,
      controlGroup: try ControlGroup.way(to: monitor, ownGroup: held.terms.controlGroup))
  }

  /// Reads something of the monitor, which may end meanwhile.
  static func reading<Result>(
    _ monitor: borrowing ProcessDirectory,
    _ body: (borrowing ProcessDirectory) throws(SystemCallError) -> Result
  ) throws(UsageError) -> Result {
    do throws(SystemCallError) {
      return try body(monitor)
    } catch {
      let number = String(monitor.number)
      throw UsageError(
        error.errno == .noSuchProcess
          ? "it has just ended"
          : "can't read what process \(number) holds: \(error.reason) (\(error.call))")
    }
  }
}

// MARK: - The caller

extension Entrance {
  /// Throws unless this process has the rights of the sandbox's caller, and none beyond them that an
  /// entered command would keep.
  ///
  /// Until it returns, do not trust what the monitor holds.
  static func verify(_ monitor: borrowing ProcessDirectory) throws(UsageError) {
    let user = try reading(monitor) { monitor throws(SystemCallError) in
      try monitor.link("ns/user")
    }
    // A payload that can write to the registry cannot make a process here.
    guard let itself = try? ProcessDirectory(CurrentProcess.number),
      (try? itself.link("ns/user")) == user
    else {
      throw UsageError(
        "its launcher runs in another user namespace; enter the sandbox from there")
    }
    let theirs = try status(of: monitor)
    let ours = try verifyRights(against: monitor, theirs, "launcher")
    // Filters around both, as in a container, are taken for the same ones if they are as many.
    let filters = theirs.number("Seccomp_filters")
    if filters > ours.number("Seccomp_filters") {
      throw UsageError(
        "its launcher runs under \(String(filters)) filters of system calls, which a command from here "
          + "would escape; enter it from where it was started")
    }
  }

  /// The lines of /proc/PID/status of `process`.
  static func status(
    of process: borrowing ProcessDirectory
  ) throws(UsageError) -> NamedLines {
    NamedLines(
      try reading(process) { process throws(SystemCallError) in
        try process.contents(of: "status", limit: 65_536)
      })
  }

  /// Throws unless this process has the ids, groups and label of `process`, whose status is `theirs`.
  /// - Returns: This process's own status.
  static func verifyRights(
    against process: borrowing ProcessDirectory, _ theirs: NamedLines, _ role: String
  ) throws(UsageError) -> NamedLines {
    let label = try? process.contents(of: "attr/current", limit: 4096)
    let itself = try? ProcessDirectory(CurrentProcess.number)
    guard let itself, let status = try? itself.contents(of: "status", limit: 65_536) else {
      throw UsageError("can't read /proc/self/status")
    }
    let ours = NamedLines(status)
    guard ours.value("Uid").elementsEqual(theirs.value("Uid")),
      ours.value("Gid").elementsEqual(theirs.value("Gid"))
    else {
      throw UsageError("only the user and group that started it can enter it")
    }
    if let group = ours.firstGroup(missingIn: theirs) {
      throw UsageError(
        "this process is in the group \(ByteString(group).quoted), and the sandbox's \(role) was not; "
          + "enter it from a process with the same groups")
    }
    if let label, label != (try? itself.contents(of: "attr/current", limit: 4096)) {
      throw UsageError(
        "its \(role) has another security label, \(ByteString(label).quoted); enter it from a "
          + "process with that label")
    }
    return ours
  }
}

extension NamedLines {
  /// The first group of the process that `other` is not in, if these are lines of /proc/PID/status.
  func firstGroup(missingIn other: NamedLines) -> ArraySlice<UInt8>? {
    let (own, others) = (value("Groups"), other.value("Groups"))
    if own.elementsEqual(others) { return nil }
    // podman's containers have no groups but the one of their group id.
    let known = [others, other.value("Gid")].flatMap {
      $0.split(whereSeparator: NamedLines.isBlank)
    }
    return own.split(whereSeparator: NamedLines.isBlank).first { word in
      !known.contains { $0.elementsEqual(word) }
    }
  }
}

// MARK: - What the monitor holds

/// The terms of a sandbox, and the numbers under which its monitor holds the rest.
struct Held {
  let terms: EntryTerms
  private let numbers: [CInt]

  /// Finds the terms; nil if the monitor holds none.
  init?(of monitor: borrowing ProcessDirectory, patience: Int) throws(SystemCallError) {
    let deadline = MonotonicClock.milliseconds + patience
    while true {
      if let held = try Held(now: monitor) {
        self = held
        return
      }
      if MonotonicClock.milliseconds >= deadline { return nil }
      CurrentProcess.sleep(milliseconds: 2)
    }
  }

  private init?(now monitor: borrowing ProcessDirectory) throws(SystemCallError) {
    let names = try monitor.open("fd", .directory).names()
    // It was opened last, and so has a high number.
    for name in names.reversed()
    where (try? monitor.link(FilePath("fd").pushing(name))) == HeldPlace.path {
      try self.init(name, of: monitor)
      return
    }
    return nil
  }

  /// Reads the terms that the monitor holds as the descriptor `name`; nil if it has yet to write them.
  private init?(
    _ name: FilePath, of monitor: borrowing ProcessDirectory
  ) throws(SystemCallError) {
    let file = try monitor.open(FilePath("fd").pushing(name))
    guard SealedMemory.isSealed(file.rawValue) else { return nil }
    let bytes = try Descriptors.contents(of: file.rawValue, limit: EntryTerms.capacity)
    let end = bytes.count - (HeldPlace.count + 1) * 4
    guard end > 0, let terms = EntryTerms(bytes[..<end]) else {
      // Another version of nestbox wrote it.
      throw SystemCallError(call: "read", errno: .notSupported)
    }
    var reader = RecordReader(bytes[end...])
    var numbers: [CInt] = []
    while !reader.isAtEnd, let number: CInt = try? reader.number() { numbers.append(number) }
    // Not another file of this form that the caller passed on.
    guard let own = numbers.popLast(), ByteString(name) == ByteString(String(own)) else {
      throw SystemCallError(call: "read", errno: .badFileDescriptor)
    }
    (self.terms, self.numbers) = (terms, numbers)
  }

  func open(
    _ place: Int, _ monitor: borrowing ProcessDirectory, _ mode: OpenMode
  ) throws(SystemCallError) -> OwnedDescriptor? {
    guard numbers[place] >= 0 else { return nil }
    return try monitor.open(FilePath("fd/" + String(numbers[place])), mode)
  }

  func root(of monitor: borrowing ProcessDirectory) throws(SystemCallError) -> CInt {
    guard let root = try open(HeldPlace.root, monitor, .location) else {
      throw SystemCallError(call: "open", errno: .badFileDescriptor)
    }
    return root.release()
  }
}

// MARK: - Namespaces

extension Entrance {
  /// The namespaces that this process is not in, in the order in which they are joined: first the
  /// user namespace that owns the others, which gives the right to join them; the mount namespace
  /// after all that need files of the host; and at last the command's user namespace, if that is
  /// another.
  /// - Parameters:
  ///   - process: A process that is in them, or holds them.
  ///   - open: Opens the namespace of the kind at this place of `Namespaces.names`.
  /// - Returns: The open namespaces.
  /// - Throws: What `open` throws, and `SystemCallError` if a namespace cannot be examined.
  static func namespaces(
    of process: borrowing ProcessDirectory,
    _ open: (Int, borrowing ProcessDirectory) throws(SystemCallError) -> OwnedDescriptor?
  ) throws(SystemCallError) -> [(kind: Namespaces, descriptor: CInt)] {
    let order: [Namespaces] = [.pid, .network, .ipc, .uts, .cgroup, .time, .mount]
    var joined = try sharedNetwork(of: process, open)
    let count = joined.count
    var owner: UInt64?
    for kind in order where count == 0 || kind != .network {
      guard let namespace = try other(kind, process, open) else { continue }
      if owner == nil {
        let user = try namespace.userNamespace()
        owner = user.number
        if user.number != (try namespaceNumber("user")) {
          joined.insert((.user, user.release()), at: count)
        }
      }
      joined.append((kind, namespace.release()))
    }
    if let user = try other(.user, process, open), user.number != owner {
      joined.append((.user, user.release()))
    }
    return joined
  }

  /// The network namespace of a member of a network that sandboxes share, and before it the user namespace
  /// that owns it, which is around the sandbox's own; empty for every other.
  private static func sharedNetwork(
    of process: borrowing ProcessDirectory,
    _ open: (Int, borrowing ProcessDirectory) throws(SystemCallError) -> OwnedDescriptor?
  ) throws(SystemCallError) -> [(kind: Namespaces, descriptor: CInt)] {
    guard let network = try other(.network, process, open),
      let mounts = try other(.mount, process, open)
    else { return [] }
    let holder = try network.userNamespace()
    let user = try mounts.userNamespace()
    guard let around = try user.parent(), around.number == holder.number,
      holder.number != (try namespaceNumber("user"))
    else { return [] }
    return [(.user, holder.release()), (.network, network.release())]
  }

  /// The namespace of this one kind; nil if this process is in it.
  private static func other(
    _ kind: Namespaces, _ process: borrowing ProcessDirectory,
    _ open: (Int, borrowing ProcessDirectory) throws(SystemCallError) -> OwnedDescriptor?
  ) throws(SystemCallError) -> OpenNamespace? {
    guard let place = Namespaces.names.firstIndex(where: { $0.namespace == kind }),
      let file = try open(place, process)
    else { return nil }
    let namespace = try OpenNamespace(file)
    if namespace.number == (try namespaceNumber(Namespaces.names[place].name)) { return nil }
    return namespace
  }
}
