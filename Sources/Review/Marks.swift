// SPDX-License-Identifier: Apache-2.0
// What deserves a look before a change is applied.

internal import Linux
internal import Sandbox
internal import SystemPackage
internal import Text

extension Change {
  /// What deserves a look.
  public var marks: [Mark] {
    var marks: [Mark] = []
    if isConflict {
      marks.append(Mark(name: "conflict", text: conflict))
    }
    guard let new else {
      // Other removals can be undone from the repository; its own cannot.
      if path.lastComponent?.string == ".git", old?.kind == .directory {
        marks.append(Mark(name: "repository", text: "the repository with its history"))
      }
      return marks
    }
    if let program = executor {
      marks.append(Mark(name: "executed-later", text: "\(program) executes it"))
    }
    if new.kind == .regular, new.permissions & 0o111 != 0,
      old.map({ $0.kind != .regular || $0.permissions & 0o111 == 0 }) ?? true
    {
      marks.append(Mark(name: "executable", text: "new executable"))
    }
    if new.kind == .regular || new.kind == .directory,
      new.permissions & 0o6000 & ~(old?.permissions ?? 0) != 0
    {
      marks.append(Mark(name: "set-id", text: "set-id bits, which are not applied"))
    }
    if let target, leadsOut(target) {
      marks.append(Mark(name: "leads-out", text: "the link leads out of the directory"))
    }
    switch new.kind {
    case .device, .socket:
      marks.append(Mark(name: "not-applied", text: "a \(new.kind.rawValue), which is not applied"))
    case .fifo: marks.append(Mark(name: "fifo", text: "programs that read it wait"))
    case .directory, .regular, .link: break
    }
    return marks
  }

  /// The program that executes the file later merely because it is there.
  private var executor: String? {
    var isInGit = false
    // From the bytes: a path may have a thousand names, whose types would cost as much for each change.
    let bytes = ByteString(path).bytes
    var start = bytes.startIndex
    while start < bytes.endIndex {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.endIndex
      let name = ByteString(bytes[start..<end])
      start = end == bytes.endIndex ? end : end + 1
      if isInGit, !ExecutedLater.isData(inGit: name) { return "git" }
      guard let found = ExecutedLater.ending(bytes[..<end]) else {
        isInGit = false
        continue
      }
      guard name == ".git" else { return found.program }
      isInGit = true
    }
    return isInGit ? "git" : nil
  }

  /// Whether the text of a link leads out of the directory under review.
  private func leadsOut(_ target: ByteString) -> Bool {
    if target.bytes.first == UInt8(ascii: "/") { return true }
    var depth = ByteString(path).bytes.count { $0 == UInt8(ascii: "/") }
    for part in Fields(target.bytes, separatedBy: UInt8(ascii: "/")) {
      switch ByteString(part) {
      case "..": depth -= 1
      case "", ".": continue
      default: depth += 1
      }
      if depth < 0 { return true }
    }
    return false
  }
}
