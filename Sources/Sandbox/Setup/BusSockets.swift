// SPDX-License-Identifier: Apache-2.0
// The proxy's sockets in the new root.

internal import Linux
internal import SystemPackage
internal import Text

extension NewRoot {
  private static let sockets: FilePath = "sockets"

  /// Shows the sockets of `proxy` and answers the variables that say where.
  ///
  /// `user` is the user's id inside.
  mutating func showBuses(
    of proxy: BusProxy, user: UInt32
  ) throws(LaunchError) -> [EnvironmentChange] {
    let option = proxy.buses.first?.access.option
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
    for proxied in proxy.buses {
      let place = FilePath(proxied.bus.path(for: user))
      var shown: FilePath?
      let option = proxied.access.option
      do throws(LaunchError) {
        try step(.showBus, option.name, place) { root throws(SystemCallError) in
          shown = try root.show(proxied.bus, proxied.address, at: place)
        }
      } catch {
        throw error.from(option.origin)
      }
      if let shown {
        changes.append(.set(proxied.bus.variable, to: BusAddress.socket(at: shown)))
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
    // A file that is made on the host would outlive the sandbox.
    try makeRoom(for: place)
    try makeParents(of: place)
    try attach(
      MountTree.clone(of: socket, in: base), at: self.place(place, .other, .mountPoint))
    return place
  }

  /// Covers the directory in which something has to be made for `path` with one in memory, in which
  /// its entries are as before; nothing where it is in memory already.
  private mutating func makeRoom(for path: FilePath) throws(SystemCallError) {
    var ancestor = path.removingLastComponent()
    while (try? root.openInRoot(ancestor, .directory)) == nil, ancestor != "/" {
      ancestor = ancestor.removingLastComponent()
    }
    let directory = try root.openInRoot(ancestor, .directory)
    guard try !isOwn(directory.fileIdentity().device) else { return }
    guard ancestor != "/" else {
      throw SystemCallError(call: "mkdirat", errno: .readOnlyFileSystem)
    }
    let cover = try MountTree.make("tmpfs", [.noSetUserID, .noDevices]) {
      context throws(SystemCallError) in
      try context.set("mode", to: "0755")
      try context.set("size", to: "1m")
    }
    try own(cover)
    // Attached first: nothing can be mounted in a tree that hangs nowhere.
    try cover.attach(at: directory)
    let link = FilePath("/proc/self/fd/" + String(directory.rawValue))
    for name in try Directory.names(of: link) {
      // What cannot be shown is missing, which gives nothing away.
      try? NewRoot.repeat(name.path, of: directory, in: cover.descriptor)
    }
  }

  /// Shows the entry `name` of `directory`, whatever it is, in `other` as well.
  private static func `repeat`(
    _ name: FilePath, of directory: borrowing OwnedDescriptor, in other: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    if let target = try? directory.symbolicLinkTarget(name) {
      return try other.makeSymbolicLink(name, target: target)
    }
    let tree = try MountTree.clone(of: name, in: directory)
    switch try tree.descriptor.status().kind {
    case .directory: try other.makeDirectory(name, .standardDirectory)
    case .other: try other.makeFile(name, .mountPoint)
    }
    try tree.attach(on: name, in: other)
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
