// SPDX-License-Identifier: Apache-2.0
// Operations that show files and trees of the host.

internal import Linux
internal import SystemPackage
internal import Text

extension RootBuilder where Self: ~Copyable {
  /// Shows a file or tree of the host.
  mutating func bind(
    _ source: FilePath, on destination: FilePath, _ access: FilesystemOperation.Access,
    isOptional: Bool, followsLink: Bool = true
  ) throws(LaunchError) {
    // Before anything is created, so that a missing source leaves no mount point behind.
    let tree: Tree
    do throws(SystemCallError) {
      tree = try hostTree(source, followsLink: followsLink)
    } catch {
      if isOptional, canPassOver(source, error) { return passOver() }
      throw LaunchError(.findSource, subject: ByteString(source), cause: error)
    }
    try bind(tree, from: source, on: destination, access)
  }

  /// Shows an open file or directory of the host.
  mutating func bind(
    _ descriptor: CInt, on destination: FilePath, _ access: FilesystemOperation.Access
  ) throws(LaunchError) {
    let number = ByteString(String(descriptor))
    // The open file lies on a mount of the host's namespace, which cannot be cloned here. Clone the
    // file that its name leads to in this namespace; it must be the same file.
    let source = try step(.readSource, number) { root throws(SystemCallError) in
      try root.hostPath(of: descriptor)
    }
    let tree = try step(.findSource, ByteString(source)) { root throws(SystemCallError) in
      try root.hostTree(source)
    }
    try step(.readSource, number) { root throws(SystemCallError) in
      try root.require(tree, toBe: descriptor)
    }
    try bind(tree, from: source, on: destination, access)
  }

  mutating func bind(
    _ tree: borrowing Tree, from source: FilePath, on destination: FilePath,
    _ access: FilesystemOperation.Access
  ) throws(LaunchError) {
    do throws(SystemCallError) {
      // A later mount of the host must not appear, writable, in a read-only tree; in other trees it
      // may, as drives do. The kernel sends unmounts only where it also sends mounts.
      let isIsolated = access == .readOnly && !resolved.sandbox.followsMounts
      try restrict(tree, access.attributes, propagation: isIsolated ? .isolated : .unchanged)
    } catch {
      let failure = LaunchError(.restrictSource, subject: ByteString(source), cause: error)
      guard resolved.sandbox.isNoSecurityBoundary else { throw failure }
      warn(of: failure)
    }
    try step(.bind, ByteString(destination)) { root throws(SystemCallError) in
      try root.attach(tree, root.kind(of: tree), at: destination)
    }
  }

  /// Whether an option that tries goes on without `path`: it does not exist, or lies in a directory
  /// that another user keeps closed.
  ///
  /// The command has the caller's user and can no more enter that directory. One of the caller's own
  /// it could open again, and then write what the option was to make read-only.
  private func canPassOver(_ path: FilePath, _ error: SystemCallError) -> Bool {
    error.errno == .noSuchFileOrDirectory
      || error.errno == .permissionDenied && isClosedByAnother(path)
  }

  /// Shows `path` of the host read-only at its own place, and a link as the link that it is.
  mutating func showSame(_ path: FilePath, isOptional: Bool) throws(LaunchError) {
    let target: ByteString?
    do throws(SystemCallError) {
      target = try hostLinkTarget(path)
    } catch {
      // The default profile tries some twenty paths that most machines lack: one call for each.
      if isOptional, canPassOver(path, error) { return passOver() }
      guard error.errno == .noSuchFileOrDirectory else {
        throw LaunchError(.findSource, subject: ByteString(path), cause: error)
      }
      target = nil
    }
    if let target {
      return try step(.makeSymbolicLink, ByteString(path)) { root throws(SystemCallError) in
        try root.link(path, to: target)
      }
    }
    // If a link has replaced it since, do not follow it: a process that may write to its directory
    // could make any file appear here.
    try bind(path, on: path, .readOnly, isOptional: isOptional, followsLink: false)
  }
}
