// SPDX-License-Identifier: Apache-2.0
// The proxy's sockets in the new root.

internal import Linux
internal import SystemPackage

extension NewRoot {
  private static let sockets: FilePath = "sockets"

  /// Shows the sockets of `proxy` and answers the variables that say where.
  ///
  /// `user` is the user's id inside.
  mutating func showBuses(
    _ buses: Buses, of proxy: BusProxy, user: UInt32
  ) throws(LaunchError) -> [EnvironmentChange] {
    guard let option = buses.shown.first?.access.option else { return [] }
    try doing(.startBusProxy, option: option, BusProxy.program) { () throws(SystemCallError) in
      guard try Descriptors.waitForByte(proxy.lifeline) else {
        // The other end is closed: it ended without a word.
        throw SystemCallError(call: "read", errno: .brokenPipe)
      }
      // In the base, of which nothing is left in the end: a part of it can be cloned only once it
      // is attached.
      try base.makeDirectory(NewRoot.sockets, .standardDirectory)
      try MountTree(OwnedDescriptor(proxy.sockets)).attach(on: NewRoot.sockets, in: base)
    }
    var changes: [EnvironmentChange] = []
    for ((bus, access), (_, address)) in zip(buses.shown, proxy.addresses) {
      let place = FilePath(bus.path(for: user))
      var shown: FilePath?
      try step(.showBus, access.option, place) { root throws(SystemCallError) in
        shown = try root.show(bus, address, at: place)
      }
      if let shown {
        changes.append(.set(bus.variable, to: BusAddress.socket(at: shown)))
      }
    }
    return changes
  }

  /// Puts the socket for `bus` where the bus's own would be reached, and answers where it is.
  ///
  /// A sandbox that shows much of the host shows the bus's own socket too, and a filter that can be
  /// walked around is none: wherever the address says, it is covered.
  private mutating func show(
    _ bus: Bus, _ address: BusAddress, at place: FilePath
  ) throws(SystemCallError) -> FilePath {
    let socket = NewRoot.sockets.appending(bus.rawValue)
    var covered: FilePath?
    for path in address.paths + [place] {
      guard path.isAbsolute, let found = try? root.openInRoot(path, .location),
        try found.status().kind == .other
      else { continue }
      try attach(MountTree.clone(of: socket, in: base), at: .found(found))
      covered = path
    }
    if let covered { return covered }
    let count = leftovers.count
    try makeParents(of: place)
    let made = try self.place(place, .other, .mountPoint)
    // A file of the host's, which would outlive the sandbox.
    guard leftovers.count == count else {
      throw SystemCallError(call: "mknodat", errno: .readOnlyFileSystem)
    }
    try attach(MountTree.clone(of: socket, in: base), at: made)
    return place
  }

  /// Makes the directory of `place`, for the user alone, as it is on the host.
  private mutating func makeParents(of place: FilePath) throws(SystemCallError) {
    parents = .standardDirectory
    let directory = place.removingLastComponent()
    _ = try self.directory(
      directory,
      permissions: directory.starts(with: "/run/user") ? .ownDirectory : .standardDirectory)
  }
}

extension FilePermissions {
  /// Of a directory that is nobody else's business.
  fileprivate static let ownDirectory = FilePermissions(rawValue: 0o700)
}
