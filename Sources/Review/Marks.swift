// SPDX-License-Identifier: Apache-2.0
// What deserves a look before a change is applied.

internal import Linux
internal import Sandbox
internal import SystemPackage
internal import Text

extension Change {
  /// What deserves a look.
  public var marks: [Mark] {
    guard let new else { return [] }
    var marks: [Mark] = []
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
    let names = path.components.map { ByteString($0.string) }
    for (index, name) in names.enumerated() {
      guard let found = ExecutedLater.named(name) else { continue }
      if name == ".git", index + 1 < names.count, ExecutedLater.isData(inGit: names[index + 1]) {
        continue
      }
      return found.program
    }
    return nil
  }

  /// Whether the text of a link leads out of the directory under review.
  private func leadsOut(_ target: ByteString) -> Bool {
    if target.bytes.first == UInt8(ascii: "/") { return true }
    var depth = path.components.count - 1
    for component in target.path.components {
      switch component.kind {
      case .parentDirectory: depth -= 1
      case .currentDirectory: continue
      case .regular: depth += 1
      }
      if depth < 0 { return true }
    }
    return false
  }
}
