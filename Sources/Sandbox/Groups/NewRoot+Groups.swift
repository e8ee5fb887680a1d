// SPDX-License-Identifier: Apache-2.0
// What a sandbox with a control group sees of the hierarchy: it is read-only, or the payload, which
// is the caller's user, could write to the files of its own limits.

internal import Linux
internal import SystemPackage
internal import Text

extension ResolvedSandbox {
  /// Whether every tree of the host in the new root is read-only, with all mounts in it.
  ///
  /// Then no mount of control groups can be written to, and the table of mounts need not be read.
  var showsHostReadOnly: Bool {
    // Where this is set, a tree that cannot be restricted is shown nevertheless.
    !sandbox.isNoSecurityBoundary
      && sandbox.filesystem.allSatisfy {
        $0.action.showsHostReadOnly || $0.action.isProc && hasProcesses
      }
  }
}

extension FilesystemOperation.Action {
  /// Whether it shows nothing of the host, or only whole trees read-only.
  ///
  /// Without `default`: a new operation has to be considered here.
  fileprivate var showsHostReadOnly: Bool {
    switch self {
    case .bind(_, _, let access, _), .bindDescriptor(_, _, let access), .show(_, let access),
      .arguments(let access):
      access == .readOnly
    case .same, .program: true
    // Devices are shown one by one, as files.
    case .remountReadOnly, .dev, .tmpfs, .mqueue, .directory, .file, .data, .text, .userFiles,
      .hosts, .mask, .hide, .workingDirectory, .symbolicLink, .permissions:
      true
    case .overlay, .proc, .repositories, .commits, .home, .temporaryHome, .kept, .review, .xServer:
      false
    }
  }

  /// Whether it mounts procfs, which is the host's if the sandbox has no pid namespace.
  fileprivate var isProc: Bool { if case .proc = self { true } else { false } }
}

extension NewRoot {
  /// Makes every mount of control groups in the new root read-only.
  ///
  /// The host's procfs must be at its place.
  /// - Parameter commandMounts: Whether the command can change mounts: then it could undo this, so
  ///   the new root must not have such a mount.
  /// - Throws: `SystemCallError` where that cannot be done.
  func protectGroups(fromCommandThatMounts commandMounts: Bool) throws(SystemCallError) {
    let text = try TextFile.bytes(of: "/proc/self/mountinfo")
    guard let number = try root.mountNumber(),
      case let lines = GroupText.lines(in: text, below: number), !lines.isEmpty
    else {
      throw SystemCallError(
        call: "read", subject: "/proc/self/mountinfo", errno: .noSuchFileOrDirectory)
    }
    // Nearly always all are read-only, and parsing the table takes longer than the search.
    guard
      lines.contains(where: {
        GroupText.isOfGroups($0) && (commandMounts || !GroupText.isReadOnly($0))
      })
    else { return }
    let table = MountTable(parsing: Array(lines.joined(separator: [UInt8(ascii: "\n")])))
    guard let top = table[number] else { return }
    for entry in table.entries where entry.type == "cgroup2" || entry.type == "cgroup" {
      guard isBelow(top, entry, table) else { continue }
      if commandMounts { throw SystemCallError(call: "mount_setattr", errno: .notPermitted) }
      let rest = FilePath(root: "/", entry.point.components.dropFirst(top.point.components.count))
      // A mount that another one covers is out of reach.
      guard let place = try? root.openInRoot(rest, .location),
        try place.mountNumber() == entry.number
      else { continue }
      try MountTree(place).restrictThisMount(.readOnly)
    }
  }

  private func isBelow(
    _ top: MountTable.Entry, _ entry: MountTable.Entry, _ table: MountTable
  ) -> Bool {
    var parent = entry.parent
    for _ in 0..<table.entries.count {
      if parent == top.number { return true }
      guard let next = table[parent], next.parent != parent else { return false }
      parent = next.parent
    }
    return false
  }
}
