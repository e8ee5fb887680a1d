// SPDX-License-Identifier: Apache-2.0
// --tmp-home: the caller's home directory behind a layer that vanishes with the sandbox, without what
// is secret.

internal import Linux
internal import SystemPackage
internal import Text

extension RootBuilder where Self: ~Copyable {
  /// Shows the caller's home directory, at its own place or where HOME says inside, and puts something
  /// empty on each secret in it.
  mutating func showTemporaryHome() throws(LaunchError) {
    let home = resolved.callerHome.path
    // Before an overlay shows the links on the way to the secrets.
    let base = try walk(home)
    guard !base.path.components.isEmpty else {
      throw LaunchError(
        .mountOverlay, subject: ByteString(home),
        cause: SystemCallError(call: "fsconfig", errno: .invalidArgument))
    }
    var place = resolved.home
    if place == home {
      try makeLinks(base.links)
      place = base.path
    }
    let secrets = try findSecrets(of: home, whichIs: base.path)
    try mount(Overlay(sources: [home], writes: .discarded), on: place)
    for path in secrets { try replaceSecret(path, base.path, place) }
  }

  /// The secrets that exist, without links on the way: what a link leads to can be reached by another
  /// path as well.
  private mutating func findSecrets(
    of home: FilePath, whichIs base: FilePath
  ) throws(LaunchError) -> [FilePath] {
    var found: [FilePath] = []
    for path in SecretFiles.paths(in: home, resolved.inherited) {
      do throws(LaunchError) {
        let place = try walk(path).path
        // A variable may name a directory with everything in it, which is no secret.
        guard !base.starts(with: place), !found.contains(where: { place.starts(with: $0) }) else {
          continue
        }
        found.append(place)
      } catch {
        // Other errors do not mean that the command cannot find it: the overlay lets it open a directory
        // of the home directory that is closed here.
        switch error.cause.errno {
        case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels: continue
        case .permissionDenied where !path.starts(with: home): continue
        default: throw error
        }
      }
    }
    return found
  }

  /// Puts something empty on a secret, to which programs can write until the sandbox ends.
  private mutating func replaceSecret(
    _ path: FilePath, _ base: FilePath, _ home: FilePath
  ) throws(LaunchError) {
    let place =
      path.starts(with: base)
      ? home.appending(path.components.dropFirst(base.components.count)) : path
    try step(.mask, ByteString(place)) { root throws(SystemCallError) in
      let target: Tree
      do throws(SystemCallError) {
        target = try root.existing(at: place)
      } catch {
        // It lies outside of the home directory, and is not shown.
        guard [.noSuchFileOrDirectory, .notDirectory].contains(error.errno) else { throw error }
        return
      }
      switch try root.kind(of: target) {
      case .directory:
        try root.attach(root.makeMemory(.privateDirectory), on: target)
      case .other:
        let file = try root.makeFile(FilePermissions(rawValue: 0o600)) {
          _ throws(SystemCallError) in
        }
        try root.restrict(file, FilesystemOperation.Access.readWrite.attributes)
        try root.attach(file, on: target)
      }
    }
  }
}
