// SPDX-License-Identifier: Apache-2.0
// What a sandbox with a control group sees of the hierarchy: it is read-only, or the payload, which
// is the caller's user, could write to the files of its own limits.

internal import Linux
internal import SystemPackage
internal import Text

extension NewRoot {
  /// Makes every mount of control groups in the new root read-only.
  ///
  /// The host's procfs must be at its place.
  func protectGroups() throws(SystemCallError) {
    let table = try MountTable.current()
    guard let number = try root.mountNumber(), let top = table[number] else {
      throw SystemCallError(
        call: "read", subject: "/proc/self/mountinfo", errno: .noSuchFileOrDirectory)
    }
    for entry in table.entries where entry.type == "cgroup2" || entry.type == "cgroup" {
      guard entry.point.starts(with: top.point), isBelow(top, entry, table) else { continue }
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
