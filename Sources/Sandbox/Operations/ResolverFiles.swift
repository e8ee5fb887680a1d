// SPDX-License-Identifier: Apache-2.0
// The files and sockets by which programs look up names, where the command has a name service of its
// own: the host's would lead past it.

internal import Linux
internal import Network
internal import SystemPackage
internal import Text

extension RootBuilder where Self: ~Copyable {
  /// Has programs look up names at the relay alone: on top of everything else that is shown.
  mutating func showResolver() throws(LaunchError) {
    let resolved = resolved
    _ = try cover("/etc/hosts") { HostNames(resolved).text }
    _ = try cover("/etc/nsswitch.conf") { ResolverLines.sources }
    let place: FilePath = "/etc/resolv.conf"
    guard try !cover(place, { ResolverLines.servers }) else { return }
    try step(.writeFile, ByteString(place)) { root throws(SystemCallError) in
      // A file made on the host would outlive the sandbox.
      try root.makeRoom(for: place)
    }
    try mountText(ByteString(ResolverLines.servers), on: place, ResolverLines.permissions)
  }

  /// Covers a file of the host; one that an option made stays as it was asked for.
  /// - Returns: Whether there is one.
  private mutating func cover(
    _ path: FilePath, _ text: () -> [UInt8]
  ) throws(LaunchError) -> Bool {
    guard let place = try? existing(at: path) else { return false }
    if (try? isOwn(place)) == true { return true }
    let bytes = text()
    try step(.writeFile, ByteString(path)) { root throws(SystemCallError) in
      let tree = try root.makeFile(ResolverLines.permissions) { file throws(SystemCallError) in
        try Descriptors.write(bytes[...], to: file.rawValue)
      }
      try root.restrict(
        tree, FilesystemOperation.Access.readOnly.attributes, propagation: .isolated)
      try root.attach(tree, on: place)
      try root.forgetFile()
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
  static var servers: [UInt8] { Array(("nameserver " + NameTable.nameServer.text + "\n").utf8) }

  /// A file that is larger is left out.
  private static let mostBytes = 1 << 16

  /// The host's nsswitch.conf(5) with other sources of host names.
  static var sources: [UInt8] {
    var text: [UInt8] = []
    if let file = try? OwnedDescriptor.open("/etc/nsswitch.conf", .reading),
      let bytes = try? Descriptors.contents(of: file.rawValue, limit: ResolverLines.mostBytes)
    {
      for line in bytes.split(separator: UInt8(ascii: "\n")) {
        let word = line.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        if !word.starts(with: Array("hosts:".utf8)) { text += line + [UInt8(ascii: "\n")] }
      }
    }
    return text + Array("hosts: files dns\n".utf8)
  }
}
