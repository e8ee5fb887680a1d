// SPDX-License-Identifier: Apache-2.0
// Looks at a path as the command saw it, to find out at which name it ends. It only asks for
// locations (O_PATH), so it changes nothing and opens no device.

internal import Linux
internal import SystemPackage
internal import Text

/// A look at the files of a sandbox, from its root.
struct InsideLook {
  /// The root, as a location.
  let root: CInt

  /// Where a path leads.
  enum Outcome: ~Copyable {
    /// To this file.
    case file(OwnedDescriptor)
    /// A name is missing in a directory: the directory, the path with everything behind that name,
    /// and whether it was the last one.
    case missing(OwnedDescriptor, wanted: FilePath, depth: Int, isLast: Bool)
    /// The kernel refuses to go on.
    case refused(Errno)
    /// To a file of procfs, which is another one for each process.
    case procfs
  }

  /// Whether a call of this kind, which executes, makes and removes nothing, finds at `path` a file
  /// outside of procfs that it may use so.
  func answers(_ kind: ObservedKind, at path: FilePath) -> Bool {
    let access: FileAccess?
    switch kind {
    case .look, .lookAtLink: access = nil
    case .read: access = .read
    case .write: access = .write
    default: return false
    }
    guard path.components.first?.string != "proc", let file = open(path) else { return false }
    return access.map { file.refusal(of: $0) == nil } ?? true
  }

  /// Follows `path`.
  func follow(_ path: FilePath, followsLast: Bool) -> Outcome {
    // Most paths lead somewhere, and only of the others the missing name is wanted.
    if path.components.first?.string != "proc", let file = open(path) { return .file(file) }
    var directories: [CInt] = []
    defer { for number in directories { Descriptors.close(number) } }
    var names: [FilePath.Component] = []
    var steps = PathSteps(path)
    while let next = steps.next() {
      guard case .entry(let name) = next else {
        if let last = directories.popLast() {
          Descriptors.close(last)
          names.removeLast()
        }
        continue
      }
      let parent = directories.last ?? root
      let entry: OwnedDescriptor
      do throws(SystemCallError) {
        entry = try OwnedDescriptor.borrowing(parent) { (directory) throws(SystemCallError) in
          try directory.openEntry(FilePath(root: nil, [name]))
        }
      } catch {
        guard error.errno == .noSuchFileOrDirectory else { return .refused(error.errno) }
        let wanted = FilePath(root: "/", names + [name] + steps.remaining)
        guard let directory = try? copy(of: parent) else { return .refused(.noMemory) }
        return .missing(
          directory, wanted: wanted.lexicallyNormalized(), depth: names.count + 1,
          isLast: steps.isAtEnd)
      }
      if names.isEmpty, name.string == "proc" { return .procfs }
      if !steps.isAtEnd || followsLast, let link = try? entry.ownLinkTarget() {
        let target = link.path
        guard steps.follow(target) else { return .refused(.tooManySymbolicLinkLevels) }
        if target.isAbsolute {
          while let last = directories.popLast() { Descriptors.close(last) }
          names = []
        }
        continue
      }
      directories.append(entry.release())
      names.append(name)
    }
    if let last = directories.popLast() { return .file(OwnedDescriptor(last)) }
    guard let copy = try? copy(of: root) else { return .refused(.noMemory) }
    return .file(copy)
  }

  private func open(_ path: FilePath) -> OwnedDescriptor? {
    do throws(SystemCallError) {
      return try OwnedDescriptor.borrowing(root) { (root) throws(SystemCallError) in
        try root.openInRoot(path, .location)
      }
    } catch {
      return nil
    }
  }

  private func copy(of number: CInt) throws(SystemCallError) -> OwnedDescriptor {
    try OwnedDescriptor.borrowing(number) { (directory) throws(SystemCallError) in
      try directory.openEntry(".")
    }
  }
}
