// SPDX-License-Identifier: Apache-2.0
// The sockets of message buses in the new root: the proxy's where the command may use a bus, and
// nothing where it may not.

internal import Linux
internal import SystemPackage
internal import Text

extension RootBuilder where Self: ~Copyable {
  /// Shows the proxy's sockets for the buses that it serves, hides the other requested ones, and
  /// returns how that changes the environment.
  mutating func showBuses(
    _ served: [ProxiedBus]
  ) throws(LaunchError) -> [EnvironmentChange] {
    var changes: [EnvironmentChange] = []
    for (bus, access) in resolved.sandbox.buses.shown {
      guard let proxied = served.first(where: { $0.bus == bus }) else {
        try hide(bus, access)
        changes.append(.unset(bus.variable))
        continue
      }
      let place = FilePath(bus.path(for: resolved.user))
      do throws(LaunchError) {
        let shown = try step(.showBus, ByteString(place)) { root throws(SystemCallError) in
          try root.show(bus, proxied.address, at: place)
        }
        changes.append(.set(bus.variable, to: BusAddress.socket(at: shown)))
      } catch {
        throw error.asked(by: access.option)
      }
    }
    return changes
  }

  /// Covers the socket of a bus that has no proxy: the command must not reach the bus unfiltered.
  private mutating func hide(_ bus: Bus, _ access: BusAccess) throws(LaunchError) {
    let address = BusAddress(
      of: bus, Environment(resolved.inherited, []), user: resolved.identity.user)
    let places = [resolved.identity.user, resolved.user].map { FilePath(bus.path(for: $0)) }
    for path in (address?.paths ?? []) + places where path.isAbsolute {
      do throws(LaunchError) {
        try mask(path)
      } catch {
        throw error.asked(by: access.option)
      }
    }
  }

  /// Puts the proxy's socket at the path of the bus's socket, and returns that path.
  ///
  /// A sandbox that shows much of the host also shows the bus's unfiltered socket. Cover it at
  /// every path in the address.
  private mutating func show(
    _ bus: Bus, _ address: BusAddress, at place: FilePath
  ) throws(SystemCallError) -> FilePath {
    var covered: FilePath?
    for path in address.paths + [place] {
      guard path.isAbsolute, let found = try? existing(at: path), try kind(of: found) == .other
      else { continue }
      try attach(socketTree(bus), on: found)
      covered = path
    }
    if let covered { return covered }
    try makeRoom(for: place)
    try makeParents(of: place)
    try attach(socketTree(bus), .other, at: place)
    return place
  }

  /// Covers the directory in which `path` needs an entry with one in memory that has the same
  /// entries, unless it already is in memory: a file created on the host would outlive the sandbox.
  mutating func makeRoom(for path: FilePath) throws(SystemCallError) {
    var ancestor = path
    while ancestor.removeLastComponent() {
      guard let directory = try? existing(at: ancestor), try kind(of: directory) == .directory
      else { continue }
      if try isOwn(directory) { return }
      guard !ancestor.components.isEmpty else {
        throw SystemCallError(call: "mkdirat", errno: .readOnlyFileSystem)
      }
      return try cover(directory)
    }
  }

  private mutating func cover(_ directory: borrowing Tree) throws(SystemCallError) {
    let tree = try makeMemory(.standardDirectory)
    // Attach it first: the kernel mounts nothing in a detached tree.
    try attach(tree, on: directory)
    for name in try names(in: directory) {
      // An entry that cannot be shown is missing, which reveals nothing.
      try? `repeat`(name, of: directory, in: tree)
    }
  }

  /// Shows the entry `name` of a directory, of any kind, in another directory too.
  private mutating func `repeat`(
    _ name: FilePath, of directory: borrowing Tree, in other: borrowing Tree
  ) throws(SystemCallError) {
    if let target = linkTarget(name, in: directory) {
      return try makeLink(name, to: target, in: other)
    }
    let tree = try clone(name, in: directory)
    try make(kind(of: tree), name, in: other)
    try attach(tree, on: name, in: other)
  }

  /// Makes the directory of `place`, for the user alone, as it is on the host.
  private mutating func makeParents(of place: FilePath) throws(SystemCallError) {
    parents = .standardDirectory
    let path = place.removingLastComponent()
    _ = try directory(at: path, path.starts(with: "/run/user") ? .ownDirectory : .standardDirectory)
  }
}

extension FilePermissions {
  /// The permissions of a directory that concerns its owner alone.
  fileprivate static let ownDirectory = FilePermissions(rawValue: 0o700)
}
