// SPDX-License-Identifier: Apache-2.0
// The files and sockets by which programs look up names, where the command has a name service of its
// own: the host's would lead past it.

internal import Linux
internal import Network
internal import SystemPackage
internal import Text

extension RootBuilder where Self: ~Copyable {
  /// Has programs look up names at `server` alone: on top of everything else that is shown.
  mutating func showResolver(_ server: IPAddress) throws(LaunchError) {
    let resolved = resolved
    _ = try cover("/etc/hosts") { HostNames(resolved).text }
    let path: FilePath = "/etc/nsswitch.conf"
    let sources = try step(.writeFile, ByteString(path)) { _ throws(SystemCallError) in
      try NameSources(path)
    }
    // Many hosts have these alone, and a mount costs time.
    let stays = if sources.areWanted { try shows(path) } else { false }
    if !stays { _ = try cover(path) { sources.text } }
    let place: FilePath = "/etc/resolv.conf"
    guard try !cover(place, { ResolverLines.servers(server) }) else { return }
    try step(.writeFile, ByteString(place)) { root throws(SystemCallError) in
      // A file made on the host would outlive the sandbox.
      try root.makeRoom(for: place)
    }
    try mountText(
      ByteString(ResolverLines.servers(server)), on: place, ResolverLines.permissions)
  }

  /// Whether a path leads to the file of the host that has it there.
  private mutating func shows(_ path: FilePath) throws(LaunchError) -> Bool {
    try step(.writeFile, ByteString(path)) { root throws(SystemCallError) in
      let place = try ifPresent { () throws(SystemCallError) in try root.existing(at: path) }
      guard let place else { return false }
      return try root.isHostFile(place, path)
    }
  }

  /// Covers a file of the host; one that an option made stays as it was asked for.
  /// - Returns: Whether there is one.
  private mutating func cover(
    _ path: FilePath, _ text: () -> [UInt8]
  ) throws(LaunchError) -> Bool {
    let found = try step(.writeFile, ByteString(path)) { root throws(SystemCallError) in
      // A file that is there, but cannot be covered, would lead past the name service.
      try ifPresent { () throws(SystemCallError) in try root.existing(at: path) }
    }
    guard let place = found else { return false }
    let isOwn = try step(.writeFile, ByteString(path)) { root throws(SystemCallError) in
      try root.isOwn(place)
    }
    if isOwn { return true }
    let bytes = text()
    try step(.writeFile, ByteString(path)) { root throws(SystemCallError) in
      let tree = try root.makeFile(ResolverLines.permissions) { file throws(SystemCallError) in
        try Descriptors.write(bytes[...], to: file.rawValue)
      }
      try root.restrict(
        tree, FilesystemOperation.Access.readOnly.attributes, propagation: .isolated)
      try root.attach(tree, on: place)
    }
    return true
  }

  /// Hides the services of the host that look up names for others, wherever an option shows them.
  ///
  /// A network namespace does not keep a command from a socket that is a file.
  mutating func maskNameServices() throws(LaunchError) {
    for operation in resolved.operations {
      guard let source = operation.action.source,
        source == "/" || source.starts(with: "/run") || source.starts(with: "/var")
      else { continue }
      for var socket in ResolverLines.sockets where socket.starts(with: source) {
        _ = socket.removePrefix(source)
        try mask(operation.action.destination.pushing(socket))
      }
    }
  }
}

/// What programs that look up names read.
private enum ResolverLines {
  static let permissions = FilePermissions(rawValue: 0o644)

  /// Services of the host that look up names for others.
  static let sockets: [FilePath] = [
    "/run/nscd/socket", "/var/run/nscd/socket", "/run/systemd/resolve/io.systemd.Resolve",
    "/run/systemd/resolve/io.systemd.Resolve.Monitor", "/run/avahi-daemon/socket",
  ]

  /// See resolv.conf(5).
  static func servers(_ address: IPAddress) -> [UInt8] {
    let text =
      address == NameTable.nameServer
      ? ByteString(stringLiteral: NameTable.nameServerText) : ByteString(address.text)
    return ByteString("nameserver ").bytes + text.bytes + [UInt8(ascii: "\n")]
  }
}

/// The host's sources of names, see nsswitch.conf(5).
private struct NameSources {
  private static let wanted = ByteString("files dns")
  /// A file that is larger is left out.
  private static let mostBytes = 1 << 16

  /// The host's file.
  private var bytes: [UInt8] = []

  /// Reads the host's file.
  init(_ path: FilePath) throws(SystemCallError) {
    let bytes = try ifPresent { () throws(SystemCallError) -> [UInt8]? in
      let file = try OwnedDescriptor.open(path, .reading)
      do throws(SystemCallError) {
        return try Descriptors.contents(of: file.rawValue, limit: NameSources.mostBytes)
      } catch {
        if error.errno == .fileTooLarge { return nil }
        throw error
      }
    }
    self.bytes = (bytes ?? nil) ?? []
  }

  /// Whether it has just the wanted sources of host names already.
  ///
  /// Without a list of lines: where it has, that is all that a launch needs of it.
  var areWanted: Bool {
    var found = false
    var start = bytes.startIndex
    while start < bytes.endIndex {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
      if let sources = NameSources.sources(of: bytes[start..<end]) {
        var words = sources.split { NameSources.isBlank($0) }.makeIterator()
        guard words.next()?.elementsEqual("files".utf8) == true,
          words.next()?.elementsEqual("dns".utf8) == true, words.next() == nil
        else { return false }
        found = true
      }
      start = end + 1
    }
    return found
  }

  /// The file with the wanted sources of host names.
  var text: [UInt8] {
    var text: [UInt8] = []
    for line in bytes.split(separator: UInt8(ascii: "\n"))
    where NameSources.sources(of: line) == nil {
      text += line
      text.append(UInt8(ascii: "\n"))
    }
    return text + ByteString("hosts: ").bytes + NameSources.wanted.bytes + [UInt8(ascii: "\n")]
  }

  /// The rest of a line that says where host names are looked up; nil of another line.
  private static func sources(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    let word = line.drop(while: isBlank)
    return word.starts(with: "hosts:".utf8) ? word.dropFirst(6) : nil
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }
}
