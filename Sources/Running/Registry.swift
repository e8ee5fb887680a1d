// SPDX-License-Identifier: Apache-2.0
// The names of running sandboxes: a directory for each, which the monitor keeps locked while it
// lives. An unlocked directory is left from a killed monitor, regardless of its contents.

public import Linux
public import SystemPackage
public import Text

/// What the registry keeps of a sandbox.
public struct RegistryRecord: Equatable, Sendable {
  /// The monitor's process id.
  public var monitor: Int32
  /// When the monitor started, in ticks since the machine did.
  public var started: UInt64
  /// Whether the sandbox goes on without its command.
  public var isKept: Bool

  /// States a record.
  public init(monitor: Int32, started: UInt64, isKept: Bool = false) {
    (self.monitor, self.started, self.isKept) = (monitor, started, isKept)
  }

  /// How many seconds ago the monitor started.
  public var age: UInt64 {
    let (now, start) = (BootClock.seconds, started / BootClock.ticksPerSecond)
    return now > start ? now - start : 0
  }

  /// Opens the monitor's directory in /proc; nil if the monitor has ended.
  public func openMonitor() -> ProcessDirectory? {
    guard let process = try? ProcessDirectory(monitor),
      let line = try? process.contents(of: "stat", limit: Bound.stat),
      StatLine(line)?.started == started
    else { return nil }
    return process
  }

  /// Whether the monitor is still there.
  var isOfRunningMonitor: Bool {
    if case .some = openMonitor() { return true }
    return false
  }

  /// Whether the monitor runs, and has registered `name`.
  ///
  /// A payload that can write to the registry can forge a record, or rename the directory of another
  /// sandbox. It cannot make a monitor hold the file of another name.
  func isHeld(as name: ByteString) -> Bool {
    guard let process = openMonitor(), let numbers = try? process.open("fd", .directory).names()
    else { return false }
    let marker = ByteString("/memfd:\(SandboxName.marker(name).string) (deleted)")
    return numbers.contains { (try? process.link(FilePath("fd").pushing($0))) == marker }
  }

  private static let heading = "nestbox-sandbox 1"

  /// The record as it is written.
  public var text: String {
    "\(RegistryRecord.heading)\nmonitor \(String(monitor))\nstarted \(String(started))\n"
      + (isKept ? "kept yes\n" : "")
  }

  /// Reads a record; nil if it has another form.
  ///
  /// Ignores lines with other names.
  public init?(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    guard lines.first?.elementsEqual(RegistryRecord.heading.utf8) == true else { return nil }
    func value(_ name: String) -> ArraySlice<UInt8>? {
      let start = Array((name + " ").utf8)
      return lines.first { $0.starts(with: start) }?.dropFirst(start.count)
    }
    guard let monitor = value("monitor").flatMap({ Int32(decimal: $0) }), monitor > 0,
      let started = value("started").flatMap({ UInt64(decimal: $0) })
    else { return nil }
    self.init(
      monitor: monitor, started: started, isKept: value("kept")?.elementsEqual("yes".utf8) == true)
  }
}

/// The registry of a user.
public struct Registry: Sendable {
  /// Its directory.
  public let path: FilePath

  private static let record: FilePath = "record"
  private static let newRecord: FilePath = "record.new"
  fileprivate static let messageFile: FilePath = "messages"

  /// The registry in `path`.
  public init(_ path: FilePath) {
    self.path = path
  }

  /// The registry of a user whose runtime directory is `runtimeDirectory`, if there is one.
  public init(runtimeDirectory: ByteString?, user: UInt32) {
    if let directory = runtimeDirectory, directory.bytes.first == UInt8(ascii: "/") {
      self.init(directory.path.appending("nestbox"))
    } else {
      self.init(FilePath("/tmp/nestbox-" + String(user)))
    }
  }
}

// MARK: - Reading

extension Registry {
  /// The sandboxes that are registered, by their names; those whose monitor has ended are removed.
  public func entries() -> [(name: ByteString, record: RegistryRecord)] {
    guard FileAccess.read.isGranted(path), let base = try? OwnedDescriptor.privateDirectory(path),
      let names = try? base.names()
    else { return [] }
    var entries: [(name: ByteString, record: RegistryRecord)] = []
    for name in names where SandboxName.isValid(ByteString(name)) {
      guard let directory = try? base.openSubdirectory(name) else { continue }
      if let lock = try? directory.locked(.exclusive) {
        Registry.remove(name, lock, from: base)
      } else if let record = Registry.read(directory), record.isHeld(as: ByteString(name)) {
        entries.append((ByteString(name), record))
      }
    }
    return entries
  }

  /// What is registered under `name` by a monitor that lives; nil if nothing is.
  public func record(of name: ByteString) -> RegistryRecord? {
    guard SandboxName.isValid(name), FileAccess.read.isGranted(path),
      let base = try? OwnedDescriptor.privateDirectory(path),
      let directory = try? base.openSubdirectory(name.path)
    else { return nil }
    // A shared lock: otherwise two readers would take each other for the monitor.
    if (try? directory.locked(.shared)) != nil { return nil }
    guard let record = Registry.read(directory), record.isHeld(as: name) else { return nil }
    return record
  }

  /// The messages of the launcher of `name` since nobody reads its standard error, line by line.
  public func messages(of name: ByteString) -> [ByteString] {
    guard SandboxName.isValid(name), let base = try? OwnedDescriptor.privateDirectory(path),
      let directory = try? base.openSubdirectory(name.path),
      let file = try? directory.openRelative(Registry.messageFile, .reading),
      let bytes = try? Descriptors.beginning(of: file.rawValue, Bound.other)
    else { return [] }
    return bytes.split(separator: UInt8(ascii: "\n")).map { ByteString($0) }
  }

  /// The same for the last sandbox of this name, which has ended.
  public func lastMessages(of name: ByteString) -> [ByteString] {
    guard SandboxName.isValid(name), let base = try? OwnedDescriptor.privateDirectory(path),
      let file = try? base.openRelative(Registry.lastMessageFile(name.path), .reading),
      let bytes = try? Descriptors.beginning(of: file.rawValue, Bound.other)
    else { return [] }
    return bytes.split(separator: UInt8(ascii: "\n")).map { ByteString($0) }
  }

  /// Where they are kept until the name is registered again; no name begins with a dot.
  private static func lastMessageFile(_ name: FilePath) -> FilePath {
    FilePath(lastMessages + name.string)
  }

  private static let lastMessages = ".last-"
  /// How many names keep them.
  private static let mostLastMessages = 100

  private static func read(_ directory: borrowing OwnedDescriptor) -> RegistryRecord? {
    guard let file = try? directory.openRelative(record, .reading),
      let bytes = try? Descriptors.beginning(of: file.rawValue, 4096)
    else { return nil }
    return RegistryRecord(bytes)
  }

  private static func record(
    of name: FilePath, in base: borrowing OwnedDescriptor
  ) -> RegistryRecord? {
    guard let directory = try? base.openSubdirectory(name) else { return nil }
    return read(directory)
  }

  /// Removes the directory `name`, which is locked by `lock`.
  private static func remove(
    _ name: FilePath, _ lock: borrowing OwnedDescriptor, from base: borrowing OwnedDescriptor
  ) {
    for file in [newRecord, record, messageFile] { try? lock.remove(file, .other) }
    try? base.remove(name, .directory)
  }
}

// MARK: - Registering

/// A name that this process has registered.
public struct Registration: ~Copyable {
  private let name: FilePath
  private let base: OwnedDescriptor
  private let lock: OwnedDescriptor
  private let marker: OwnedDescriptor

  fileprivate init(
    _ name: FilePath, in base: consuming OwnedDescriptor, _ lock: consuming OwnedDescriptor,
    _ marker: consuming OwnedDescriptor
  ) {
    self.name = name
    self.base = base
    self.lock = lock
    self.marker = marker
  }

  /// The descriptors that hold it; each process that has one holds the name.
  public var descriptors: [CInt] { [base.rawValue, lock.rawValue, marker.rawValue] }

  /// Makes a file for messages that nobody waits for.
  public borrowing func makeMessages() throws(SystemCallError) -> OwnedDescriptor {
    try lock.create(Registry.messageFile, FilePermissions(rawValue: 0o600))
  }

  /// Gives the name up.
  public consuming func end() { Registry.endRegistration(name, lock, base) }
}

/// Why a name was not registered.
public enum RegistryError: Error, Equatable, Sendable {
  /// Another sandbox has it.
  case isInUse(RegistryRecord?)
  /// The registry cannot be used.
  case unusable(SystemCallError)
}

extension Registry {
  /// Registers `name` for this process.
  public func register(
    _ name: ByteString, isKept: Bool = false
  ) throws(RegistryError) -> Registration {
    // A process that gives the same name up removes its directory, so this may have to start again.
    for _ in 0..<1000 {
      let base = try Registry.using { () throws(SystemCallError) in
        try OwnedDescriptor.privateDirectory(path)
      }
      let lock = try Registry.using { () throws(SystemCallError) in
        try Registry.lock(name.path, in: base)
      }
      guard let lock else {
        let record = Registry.record(of: name.path, in: base)
        if record?.isOfRunningMonitor == true { throw .isInUse(record) }
        // Its holder is about to write a record, or to remove the directory.
        CurrentProcess.sleep(milliseconds: 2)
        continue
      }
      do throws(SystemCallError) {
        try? base.remove(Registry.lastMessageFile(name.path), .other)
        // Before the record, which nobody believes without it.
        let marker = try SealedMemory.marker(SandboxName.marker(name))
        try Registry.write(in: lock, isKept: isKept)
        return Registration(name.path, in: base, lock, marker)
      } catch {
        Registry.remove(name.path, lock, from: base)
        throw .unusable(error)
      }
    }
    throw .isInUse(nil)
  }

  private static func using<Result: ~Copyable>(
    _ body: () throws(SystemCallError) -> Result
  ) throws(RegistryError) -> Result {
    do throws(SystemCallError) { return try body() } catch { throw .unusable(error) }
  }

  /// Makes and locks the directory `name`; nil if another process has locked or removed it.
  private static func lock(
    _ name: FilePath, in base: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> OwnedDescriptor? {
    do throws(SystemCallError) {
      try base.makeDirectory(name, FilePermissions(rawValue: 0o700))
    } catch {
      if error.errno != .fileExists { throw error }
    }
    guard let directory = try open(name, in: base), let lock = try directory.locked(.exclusive),
      // Another process may have removed the directory before this one locked it, and made a new one.
      let now = try open(name, in: base)
    else { return nil }
    guard try now.fileIdentity() == lock.fileIdentity() else { return nil }
    return lock
  }

  /// The directory `name`; nil where it was removed meanwhile.
  private static func open(
    _ name: FilePath, in base: borrowing OwnedDescriptor
  ) throws(SystemCallError) -> OwnedDescriptor? {
    do throws(SystemCallError) {
      return try base.openSubdirectory(name)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
  }

  private static func write(
    in directory: borrowing OwnedDescriptor, isKept: Bool
  ) throws(SystemCallError) {
    // Left by a monitor that was killed.
    for file in [record, newRecord, messageFile] { try? directory.remove(file, .other) }
    let itself = try ProcessDirectory(CurrentProcess.number)
    guard let stat = StatLine(try itself.contents(of: "stat", limit: Bound.stat)) else {
      throw SystemCallError(call: "read", errno: .ioError)
    }
    let text = RegistryRecord(
      monitor: itself.number, started: stat.started, isKept: isKept
    ).text
    let file = try directory.create(newRecord, FilePermissions(rawValue: 0o600))
    try Descriptors.write(text, to: file.rawValue)
    // In one write, so that no reader sees half of it.
    try directory.rename(newRecord, to: record)
  }

  fileprivate static func endRegistration(
    _ name: FilePath, _ lock: borrowing OwnedDescriptor, _ base: borrowing OwnedDescriptor
  ) {
    keepMessages(of: name, lock, base)
    remove(name, lock, from: base)
  }

  /// Keeps messages that nobody has read: the directory is removed with the name.
  private static func keepMessages(
    of name: FilePath, _ lock: borrowing OwnedDescriptor, _ base: borrowing OwnedDescriptor
  ) {
    guard let file = try? lock.openRelative(messageFile, .reading),
      let bytes = try? Descriptors.beginning(of: file.rawValue, Bound.other), !bytes.isEmpty,
      let names = try? base.names()
    else { return }
    let kept = names.filter { $0.string.hasPrefix(lastMessages) }
    for old in kept.dropFirst(mostLastMessages - 1) { try? base.remove(old, .other) }
    guard let copy = try? base.create(lastMessageFile(name), FilePermissions(rawValue: 0o600))
    else { return }
    try? Descriptors.write(bytes[...], to: copy.rawValue)
  }
}
