// SPDX-License-Identifier: Apache-2.0
// Operations that mount files with contents from the caller or from nestbox, or empty ones.

internal import Linux
internal import SystemPackage
internal import Text

extension RootBuilder where Self: ~Copyable {
  /// Mounts a file that `fill` gives its content.
  mutating func mountFile(
    on path: FilePath, _ permissions: FilePermissions, _ access: FilesystemOperation.Access,
    _ fill: (borrowing OwnedDescriptor) throws(SystemCallError) -> Void
  ) throws(LaunchError) {
    try step(.writeFile, ByteString(path)) { root throws(SystemCallError) in
      let tree = try root.makeFile(permissions, fill)
      try root.restrict(tree, access.attributes)
      try root.attach(tree, .other, at: path)
    }
  }

  /// Mounts a read-only file with `text` and a newline at the end.
  mutating func mountText(
    _ text: ByteString, on path: FilePath, _ permissions: FilePermissions
  ) throws(LaunchError) {
    var bytes = Array(text.bytes)
    if bytes.last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
    try mountFile(on: path, permissions, .readOnly) { file throws(SystemCallError) in
      try Descriptors.write(bytes[...], to: file.rawValue)
    }
  }

  /// Mounts lists of users and groups in `directory` that name the command's user alone.
  mutating func mountUserFiles(in directory: FilePath) throws(LaunchError) {
    let user = InsideUser(resolved)
    let permissions = FilePermissions(rawValue: 0o644)
    let parents = parents
    try step(.makeDirectory, ByteString(directory)) { root throws(SystemCallError) in
      _ = try root.directory(at: directory, parents)
    }
    try mountText(user.passwdLine, on: directory.appending("passwd"), permissions)
    try mountText(user.groupLine, on: directory.appending("group"), permissions)
  }

  /// Mounts a hosts file that knows the sandbox's name, and with the host's network the host's lines.
  mutating func mountHosts(on path: FilePath) throws(LaunchError) {
    let lines = HostNames(resolved)
    try mountFile(on: path, FilePermissions(rawValue: 0o644), .readOnly) {
      file throws(SystemCallError) in
      try Descriptors.write(lines.text[...], to: file.rawValue)
    }
  }

  /// Covers what exists at `path` with something empty of its kind.
  mutating func mask(_ path: FilePath) throws(LaunchError) {
    try step(.mask, ByteString(path)) { root throws(SystemCallError) in
      let place: Tree
      do throws(SystemCallError) {
        place = try root.existing(at: path)
      } catch {
        // Nothing to hide; do not create a file only to hide it.
        guard [.noSuchFileOrDirectory, .notDirectory].contains(error.errno) else { throw error }
        return root.passOver()
      }
      let tree = try root.emptyTree(root.kind(of: place))
      try root.restrict(
        tree, FilesystemOperation.Access.readOnly.attributes, propagation: .isolated)
      try root.attach(tree, on: place)
    }
  }
}

/// The command's user as the sandbox sees it.
private struct InsideUser {
  let passwdLine: ByteString
  let groupLine: ByteString

  init(_ resolved: ResolvedSandbox) {
    let environment = resolved.environment
    func value(_ names: [ByteString], _ isGood: (ByteString) -> Bool) -> ByteString? {
      for name in names {
        if let value = environment.value(of: name), InsideUser.isField(value), isGood(value) {
          return value
        }
      }
      return nil
    }
    let (user, group) = (String(resolved.user), String(resolved.group))
    // The form that passwd(5) allows; any other value of a variable could end a field or the line.
    let name = value(["USER", "LOGNAME"]) { !$0.bytes.contains(UInt8(ascii: "/")) } ?? "user"
    let isPath = { (value: ByteString) in value.bytes.first == UInt8(ascii: "/") }
    let home = value(["HOME"], isPath) ?? "/"
    let shell = value(["SHELL"], isPath) ?? "/bin/sh"
    var line = Array(name.bytes)
    line += Array(":x:\(user):\(group)::".utf8)
    line += home.bytes + [UInt8(ascii: ":")] + shell.bytes
    passwdLine = ByteString(line)
    groupLine = ByteString(Array(name.bytes) + Array(":x:\(group):".utf8))
  }

  private static func isField(_ value: ByteString) -> Bool {
    !value.isEmpty && value.bytes.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: ":") }
  }
}

/// The lines of a hosts file, see hosts(5).
struct HostNames {
  private let name: ByteString?
  private let hasHostNetwork: Bool

  init(_ resolved: ResolvedSandbox) {
    name = resolved.sandbox.hostname?.value ?? CurrentProcess.hostname
    hasHostNetwork =
      !resolved.namespaces.contains(.network) && resolved.sandbox.joined.network == nil
  }

  /// A file that is larger is left out.
  private static let mostBytes = 1 << 20

  /// The text, for which the host's file is read.
  var text: [UInt8] {
    var text = Array("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n".utf8)
    // As Debian does, so that the name is its own and not an alias of localhost.
    if let name, HostNames.isName(name) {
      text += Array("127.0.1.1\t".utf8) + name.bytes + "\n".utf8
    }
    guard hasHostNetwork,
      let file = try? OwnedDescriptor.open("/etc/hosts", .reading),
      let lines = try? Descriptors.contents(of: file.rawValue, limit: HostNames.mostBytes)
    else { return text }
    return text + lines
  }

  /// Whether it is a host name, which can end no line.
  private static func isName(_ name: ByteString) -> Bool {
    !name.isEmpty
      && name.bytes.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }
}
