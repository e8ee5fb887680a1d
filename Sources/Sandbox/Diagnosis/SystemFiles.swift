// SPDX-License-Identifier: Apache-2.0
// Which files of the host a message may recommend.
//
// A script names its interpreter and a program its libraries, and a sandboxed command may have
// written either. If nestbox advised to show any file that they name, a command could trick a
// person into showing it a key. So messages advise to show only what belongs to the system.

internal import Linux
internal import SystemPackage
internal import Text

extension Plan {
  /// Whether the command, or an earlier one with the same options, may have written the file `path`
  /// of the host or put it there.
  func mayHaveWritten(_ path: FilePath) -> Bool {
    let isExposed = root.mounts.contains { mount in
      guard !mount.isReadOnly else { return false }
      switch mount.content {
      case .host(let source): return path.starts(with: source)
      case .layers(let sources): return sources.contains { path.starts(with: $0) }
      case .memory, .file: return false
      }
    }
    return isExposed && prefixes(of: path).contains { root.host.may(.write, $0) }
  }

  /// Whether `path` leads to a file of the system: one that everyone may read, at a place where
  /// this user and the command cannot have put it.
  func isOfSystem(_ path: FilePath) -> Bool {
    guard path.isAbsolute, !path.components.contains(where: { $0.kind != .regular }),
      let found = try? root.host.follow(path), found.kind == .regular,
      root.host.look(at: found.path)?.isReadableByAll == true
    else { return false }
    return [path, found.path].allSatisfy { path in
      !isAtHome(path) && !mayHaveWritten(path)
        && prefixes(of: path).allSatisfy { isOfSystem(entry: $0) }
    }
  }

  /// Whether one file or directory on the way is the system's: this user can neither replace it nor
  /// what lies in it, and nothing that everyone may pass is hidden behind it.
  private func isOfSystem(entry: FilePath) -> Bool {
    guard let facts = root.host.look(at: entry) else { return false }
    if facts.kind == .link { return true }
    if facts.kind == .directory && facts.permissions & 0o001 == 0 { return false }
    // Root may write to everything: what counts is who else may.
    if resolved.identity.user == 0 { return facts.owner == 0 && facts.permissions & 0o002 == 0 }
    return facts.owner != resolved.identity.user && !root.host.may(.write, entry)
  }

  /// Whether `path` lies in a home directory of the caller.
  private func isAtHome(_ path: FilePath) -> Bool {
    let homes = [
      Environment.value(of: "HOME", in: resolved.inherited),
      UserRecord.find(resolved.identity.user)?.home,
    ]
    return homes.compactMap { $0?.path }.contains { home in
      !home.components.isEmpty && path.starts(with: home)
    }
  }

  private func prefixes(of path: FilePath) -> [FilePath] {
    var prefixes = [FilePath(root: path.root, [])]
    for component in path.components {
      prefixes.append(prefixes[prefixes.count - 1].appending(component))
    }
    return prefixes
  }
}

extension FileFacts {
  fileprivate var isReadableByAll: Bool { permissions & 0o004 != 0 }
}
