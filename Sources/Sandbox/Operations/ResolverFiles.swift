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
    let lines = ResolverLines()
    if isOfHost("/etc/hosts") == true { try mountHosts(on: "/etc/hosts") }
    if isOfHost("/etc/nsswitch.conf") == true {
      try mountText(lines.sources, on: "/etc/nsswitch.conf", ResolverLines.permissions)
    }
    let place: FilePath = "/etc/resolv.conf"
    let isShown = isOfHost(place)
    if isShown == nil {
      try step(.writeFile, ByteString(place)) { root throws(SystemCallError) in
        // A file made on the host would outlive the sandbox.
        try root.makeRoom(for: place)
      }
    }
    if isShown != false { try mountText(lines.servers, on: place, ResolverLines.permissions) }
    for socket in ResolverLines.sockets { try mask(socket) }
  }

  /// Whether the file at `path` is one of the host; false if an option made it, which stays as it was
  /// asked for; nil if there is none.
  private mutating func isOfHost(_ path: FilePath) -> Bool? {
    guard let found = try? existing(at: path) else { return nil }
    return (try? isOwn(found)) != true
  }
}

/// What programs that look up names read.
private struct ResolverLines {
  static let permissions = FilePermissions(rawValue: 0o644)

  /// Services of the host that look up names for others.
  ///
  /// A network namespace does not keep a command from a socket that is a file.
  static let sockets: [FilePath] = [
    "/run/nscd/socket", "/var/run/nscd/socket", "/run/systemd/resolve/io.systemd.Resolve",
    "/run/systemd/resolve/io.systemd.Resolve.Monitor", "/run/avahi-daemon/socket",
  ]

  /// See resolv.conf(5).
  var servers: ByteString { ByteString("nameserver " + NameTable.nameServer.text) }

  /// A file that is larger is left out.
  private static let mostBytes = 1 << 16

  /// The host's nsswitch.conf(5) with other sources of host names.
  var sources: ByteString {
    var text: [UInt8] = []
    if let file = try? OwnedDescriptor.open("/etc/nsswitch.conf", .reading),
      let bytes = try? Descriptors.contents(of: file.rawValue, limit: ResolverLines.mostBytes)
    {
      for line in bytes.split(separator: UInt8(ascii: "\n")) {
        let word = line.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        if !word.starts(with: Array("hosts:".utf8)) { text += line + [UInt8(ascii: "\n")] }
      }
    }
    return ByteString(text + Array("hosts: files dns".utf8))
  }
}
