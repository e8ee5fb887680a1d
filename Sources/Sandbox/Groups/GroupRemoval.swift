// SPDX-License-Identifier: Apache-2.0
// Removes control groups: those that a payload made inside its own, and those of monitors that were
// killed.

internal import Linux
internal import SystemPackage
internal import Text

/// The removal of groups in which no process is left.
enum GroupRemoval {
  /// Removes the groups inside, of which the payload may have made many, the deepest first.
  /// - Returns: Whether no process is left in them.
  @discardableResult
  static func empty(_ top: borrowing OwnedDescriptor, patience: Int) -> Bool {
    do throws(SystemCallError) {
      // Nearly always it is the only one, and no process is left.
      try top.remove(SandboxGroup.inner, .directory)
      return true
    } catch {
      if error.errno == .noSuchFileOrDirectory { return true }
    }
    let deadline = MonotonicClock.milliseconds + patience
    var paths: [FilePath] = []
    _ = TreeSearch.forEachDirectory(below: top) { path, entries in
      paths.append(path)
      return entries.filter { $0.kind == .directory }
    }
    for path in paths.reversed() where path != "." {
      while true {
        do throws(SystemCallError) {
          let parent = try top.openDirectlyInRoot(path.parent.isEmpty ? "." : path.parent)
          try parent.remove(path.lastName.path, .directory)
        } catch {
          // The kernel has not yet forgotten a process that was killed.
          if error.errno == .resourceBusy, MonotonicClock.milliseconds < deadline {
            CurrentProcess.sleep(milliseconds: 1)
            continue
          }
        }
        break
      }
    }
    return (try? top.openEntry(SandboxGroup.inner)) == nil
  }

  /// Removes the groups below `parent` whose monitors were killed, and in which nothing lives on.
  static func sweep(_ parent: borrowing OwnedDescriptor) {
    // A directory has two links, and one for each group in it: the launcher's own, and no other.
    if let links = try? parent.entryStatus().links, (2...3).contains(links) { return }
    guard let entries = try? Directory.entries(of: parent) else { return }
    let start = Array(SandboxGroup.prefix.utf8)
    for entry in entries
    where entry.kind == .directory && entry.name.bytes.starts(with: start)
      && entry.name.path != GroupBase.monitors
    {
      // The lock decides; this saves time where many launches run.
      if let monitor = monitor(of: entry.name), CurrentProcess.isNumber(monitor) { continue }
      guard let directory = try? parent.openEntry(entry.name.path),
        let locked = try? directory.locked(.exclusive)
      else { continue }
      empty(locked, patience: 0)
      try? parent.remove(entry.name.path, .directory)
    }
  }

  /// The process that made the group with this name.
  private static func monitor(of name: ByteString) -> Int32? {
    GroupText.number(
      Array(name.bytes.dropFirst(SandboxGroup.prefix.utf8.count).prefix { $0 != UInt8(ascii: "-") })
    ).flatMap { Int32(exactly: $0) }
  }
}
