// SPDX-License-Identifier: Apache-2.0
// The control group of a running sandbox: its limits hold for a command that enters only if that is
// in the group too, and the kernel moves a process only where its user may write.

internal import Linux
internal import SystemPackage
internal import Text

/// The way into a control group of the unified hierarchy.
///
/// See cgroups(7).
struct ControlGroup {
  /// The group's path.
  let path: ByteString
  /// Its file `cgroup.procs`.
  let file: CInt?
  /// The first limit that a process outside the group would escape; nil if there is none.
  let limit: String?

  /// Finds the way to the group of a sandbox.
  /// - Parameters:
  ///   - monitor: Its monitor.
  ///   - ownGroup: The group that was made for the sandbox; nil if it is in the monitor's.
  /// - Returns: nil if this process is in the group already.
  /// - Throws: `UsageError` if this process may not move there, and would escape a limit.
  static func way(
    to monitor: borrowing ProcessDirectory, ownGroup: ByteString?
  ) throws(UsageError) -> ControlGroup? {
    guard let theirs = try? monitor.contents(of: "cgroup", limit: 65_536) else { return nil }
    let ours =
      (try? ProcessDirectory(CurrentProcess.number).contents(of: "cgroup", limit: 65_536)) ?? []
    if theirs == ours, ownGroup == nil { return nil }
    let own = Groups(ours)
    var group = Groups(theirs)
    if let ownGroup { group.unified = ownGroup }
    // Groups of the older hierarchies have limits as well.
    guard group.others == own.others, let path = group.unified, let own = own.unified else {
      throw UsageError(
        "its launcher is in other control groups, whose limits would not apply to the "
          + "command; enter it from where it was started")
    }
    let directory = try? OwnedDescriptor.open(
      ControlGroup.hierarchy.appending(path.path.components), .directory)
    let file = try? directory?.openRelative("cgroup.procs", .readingAndWriting).release()
    let way = ControlGroup(path: path, file: file, limit: limit(of: path.path, beyond: own.path))
    if file == nil { try way.requireNoLimit() }
    return way
  }

  /// Throws if a command outside the group would escape a limit.
  private func requireNoLimit() throws(UsageError) {
    guard let limit else { return }
    throw UsageError(
      "its control group \(path.quoted) limits \(limit), and this process may not move there; "
        + "enter it from where it was started")
  }

  /// Where the unified hierarchy is mounted.
  private static var hierarchy: FilePath {
    (try? UnifiedHierarchy.place()) ?? "/sys/fs/cgroup"
  }

  private static let limits = [
    "memory.max", "memory.high", "memory.swap.max", "memory.zswap.max", "pids.max", "cpu.max",
    "io.max", "cpuset.cpus", "cpuset.mems", "hugetlb.2MB.max", "rdma.max", "misc.max",
  ]

  /// The first limit of a group around `path`, itself included, that is not around `own`.
  static func limit(of path: FilePath, beyond own: FilePath) -> String? {
    var path = path
    while !own.starts(with: path), path.lastComponent?.kind == .regular {
      let name = hierarchy.appending(path.components)
      guard let directory = try? OwnedDescriptor.open(name, .directory) else {
        return "its processes, as far as this process can see"
      }
      for limit in limits where isSet(limit, directory) { return limit }
      path.removeLastComponent()
    }
    // A path with `..` leads out of this process's control group namespace.
    return path.lastComponent?.kind == .parentDirectory ? "its processes, from further out" : nil
  }

  private static func isSet(_ limit: String, _ directory: borrowing OwnedDescriptor) -> Bool {
    do throws(SystemCallError) {
      let file = try directory.openRelative(FilePath(limit), .reading)
      let bytes = try Descriptors.beginning(of: file.rawValue, 4096)
      let word = bytes.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") }
      return !word.isEmpty && !word.elementsEqual("max".utf8)
    } catch {
      // Without that controller there is no limit.
      return error.errno != .noSuchFileOrDirectory
    }
  }

  /// Moves this process into the group.
  func enter() throws(SystemCallError) {
    guard let file else { return }
    do throws(SystemCallError) {
      try Descriptors.write("0", to: file)
    } catch {
      // The kernel also wants the right to write to the group around both.
      if limit != nil { throw error.about(path) }
    }
  }
}

/// The lines of /proc/PID/cgroup.
private struct Groups {
  /// The path in the unified hierarchy.
  var unified: ByteString?
  /// The other lines.
  var others: [ArraySlice<UInt8>] = []

  init(_ text: [UInt8]) {
    unified = GroupText.path(in: text)
    let start = Array("0::".utf8)
    others = text.split(separator: UInt8(ascii: "\n")).filter { !$0.starts(with: start) }
  }
}
