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

  /// The user namespace that owns the others, if that is another one, and the rest.
  var namespacesAroundMounts:
    (
      outer: ArraySlice<(kind: Namespaces, descriptor: CInt)>,
      inner: ArraySlice<(kind: Namespaces, descriptor: CInt)>
    )
  {
    let count = namespaces.first?.kind == .user ? 1 : 0
    return (namespaces.prefix(count), namespaces.dropFirst(count))
  }

  /// Everything that is open for the entrance.
  var descriptors: [CInt] {
    namespaces.map(\.descriptor) + [root] + (controlGroup?.file.map { [$0] } ?? [])
  }

  /// Opens what the monitor of a sandbox holds.
  /// - Parameters:
  ///   - monitor: The monitor.
  ///   - patience: For how many milliseconds to wait for a sandbox that is still being started.
  /// - Throws: `UsageError` if a command would have less protection inside than the sandbox's own,
  ///   or if the sandbox cannot be entered.
  public init(
    _ monitor: borrowing ProcessDirectory, patience: Int = 2000
  ) throws(UsageError) {
    try Entrance.verify(monitor)
    let held = try Entrance.reading(monitor) { monitor throws(SystemCallError) in
      try Held(of: monitor, patience: patience)
    }
    guard let held else {
      throw UsageError(
        "process \(String(monitor.number)) started it without a name, so nestbox does not know which "
          + "protection a command needs inside; start it with --name NAME to enter it")
    }
    terms = held.terms
    if let obstacle = terms.obstacle {
      throw UsageError("a sandbox started with \(obstacle) cannot be entered")
    }
    let (opened, root) = try Entrance.reading(monitor) { monitor throws(SystemCallError) in
      (try held.namespaces(of: monitor), try held.root(of: monitor))
    }
    namespaces = opened
    self.root = root
    controlGroup = try ControlGroup.way(to: monitor, ownGroup: held.terms.controlGroup)
  }

  /// Reads something of the monitor, which may end meanwhile.
  private static func reading<Result>(
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
          : "can't open what its monitor holds, process \(number): \(error.reason) (\(error.call))")
    }
  }
}

// MARK: - The caller

extension Entrance {
  /// Throws unless this process has the rights of the sandbox's caller, and none beyond them that an
  /// entered command would keep.
  ///
  /// Until it returns, do not trust what the monitor holds.
  public static func verify(_ monitor: borrowing ProcessDirectory) throws(UsageError) {
    let (theirs, label, user) = try reading(monitor) { monitor throws(SystemCallError) in
      (
        ProcessStatus(try monitor.contents(of: "status", limit: 65_536)),
        try? monitor.contents(of: "attr/current", limit: 4096), try monitor.link("ns/user")
      )
    }
    let itself = try? ProcessDirectory(CurrentProcess.number)
    guard let itself, let status = try? itself.contents(of: "status", limit: 65_536) else {
      throw UsageError("can't read /proc/self/status")
    }
    let ours = ProcessStatus(status)
    // A payload that can write to the registry cannot make a process here.
    guard (try? itself.link("ns/user")) == user else {
      throw UsageError(
        "its launcher runs in another user namespace; enter the sandbox from there")
    }
    guard ours.words("Uid") == theirs.words("Uid"), ours.words("Gid") == theirs.words("Gid") else {
      throw UsageError("only the user and group that started it can enter it")
    }
    let groups = Set(theirs.words("Groups"))
    if let group = ours.words("Groups").first(where: { !groups.contains($0) }) {
      throw UsageError(
        "this process is in the group \(group), and the sandbox's launcher was not; enter it from a "
          + "process with the same groups")
    }
    // Filters around both, as in a container, are taken for the same ones if they are as many.
    let filters = theirs.number("Seccomp_filters")
    if filters > ours.number("Seccomp_filters") {
      throw UsageError(
        "its launcher is under \(String(filters)) filters of system calls, which a command from here "
          + "would escape; enter it from where it was started")
    }
    if let label, label != (try? itself.contents(of: "attr/current", limit: 4096)) {
      throw UsageError(
        "its launcher has another security label, \(ByteString(label).quoted); enter it from a "
          + "process with that label")
    }
  }
}

/// The lines of /proc/PID/status.
///
/// See proc_pid_status(5).
struct ProcessStatus {
  private let lines: [Substring]

  init(_ text: [UInt8]) {
    lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
  }

  /// The words of the line `name`.
  func words(_ name: String) -> [Substring] {
    let line = lines.first { $0.hasPrefix(name + ":") }
    return line?.dropFirst(name.count + 1).split { $0 == " " || $0 == "\t" } ?? []
  }

  /// The number in the line `name`; 0 where an older kernel has no such line.
  func number(_ name: String) -> Int { words(name).first.flatMap { Int($0) } ?? 0 }
}

// MARK: - What the monitor holds

/// The terms of a sandbox, and the numbers under which its monitor holds the rest.
private struct Held {
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
    let places = names.filter { name in
      (try? monitor.link(FilePath("fd").pushing(name))) == HeldPlace.path
    }
    guard let place = places.first else { return nil }
    let file = try monitor.open(FilePath("fd").pushing(place))
    // Until then the monitor is about to write.
    guard places.count == 1, SealedMemory.isSealed(file.rawValue) else { return nil }
    let bytes = try Descriptors.contents(of: file.rawValue, limit: EntryTerms.capacity)
    let end = bytes.count - HeldPlace.count * 4
    guard end > 0, let terms = EntryTerms(bytes[..<end]) else {
      // Another version of nestbox wrote it.
      throw SystemCallError(call: "read", errno: .notSupported)
    }
    var reader = RecordReader(bytes[end...])
    var numbers: [CInt] = []
    while !reader.isAtEnd, let number: CInt = try? reader.number() { numbers.append(number) }
    (self.terms, self.numbers) = (terms, numbers)
  }

  private func open(
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

  /// The namespaces that this process is not in, in the order in which they are joined: first the
  /// user namespace that owns the others, which gives the right to join them; the mount namespace
  /// after all that need files of the host; and at last the command's user namespace, if that is
  /// another.
  func namespaces(
    of monitor: borrowing ProcessDirectory
  ) throws(SystemCallError) -> [(kind: Namespaces, descriptor: CInt)] {
    let order: [Namespaces] = [.pid, .network, .ipc, .uts, .cgroup, .time, .mount]
    var joined: [(kind: Namespaces, descriptor: CInt)] = []
    var owner: UInt64?
    for kind in order {
      guard let namespace = try namespace(kind, monitor) else { continue }
      if kind == .mount {
        let user = try namespace.userNamespace()
        owner = user.number
        if user.number != (try namespaceNumber("user")) {
          joined.insert((.user, user.release()), at: 0)
        }
      }
      joined.append((kind, namespace.release()))
    }
    if let user = try namespace(.user, monitor), user.number != owner {
      joined.append((.user, user.release()))
    }
    return joined
  }

  /// The namespace of this one kind; nil if this process is in it.
  private func namespace(
    _ kind: Namespaces, _ monitor: borrowing ProcessDirectory
  ) throws(SystemCallError) -> OpenNamespace? {
    guard let place = Namespaces.names.firstIndex(where: { $0.namespace == kind }),
      let file = try open(place, monitor, .reading)
    else { return nil }
    let namespace = try OpenNamespace(file)
    if namespace.number == (try namespaceNumber(Namespaces.names[place].name)) { return nil }
    return namespace
  }
}
