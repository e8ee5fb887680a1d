// SPDX-License-Identifier: Apache-2.0
// What stands in for things of the host: nothing, a text, or a link that says the same.

internal import Linux
internal import SystemPackage
internal import Text

extension NewRoot {
  /// Covers what exists at `path` with something empty of its kind.
  mutating func mask(_ path: FilePath, _ option: String) throws(LaunchError) {
    try step(.mask, option, path) { root throws(SystemCallError) in
      let place: OwnedDescriptor
      do throws(SystemCallError) {
        place = try root.existing(path)
      } catch {
        // Nothing has to be hidden, and nothing may come to be for that.
        if error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory { return }
        throw error
      }
      let tree =
        try place.status().kind == .directory
        ? root.emptyTree()
        : root.dataTree(.mountPoint) { (_) throws(SystemCallError) in }
      try tree.restrict([.readOnly, .noSetUserID, .noDevices], propagation: .isolated)
      let isData = try tree.descriptor.status().kind == .other
      try root.attach(tree, at: .found(place))
      if isData { try root.forgetData() }
    }
  }

  /// A tree of one directory with nothing in it.
  private mutating func emptyTree() throws(SystemCallError) -> MountTree {
    let name: FilePath = "empty"
    if !hasEmptyDirectory {
      try base.makeDirectory(name, FilePermissions(rawValue: 0o555))
      hasEmptyDirectory = true
    }
    return try MountTree.clone(of: name, in: base)
  }

  /// Shows `path` of the host read-only at its own place, and a link as the link that it is.
  mutating func showSame(
    _ path: FilePath, _ isOptional: Bool, _ option: String, _ circumstances: Circumstances
  ) throws(LaunchError) {
    let target = try doing(.findSource, option: option, ByteString(path)) {
      () throws(SystemCallError) in try CurrentProcess.symbolicLinkTarget(path)
    }
    if let target {
      return try step(.makeSymbolicLink, option, path) { root throws(SystemCallError) in
        try root.link(path, to: target)
      }
    }
    // Should it be a link by now, that is not followed: whoever may write where it lies could have
    // anything shown here.
    try bind(path, path, .readOnly, isOptional, option, circumstances, followsLink: false)
  }

  /// Mounts a file with `text` on `path`.
  mutating func mountText(
    _ text: ByteString, on path: FilePath, _ permissions: FilePermissions, _ option: String
  ) throws(LaunchError) {
    var bytes = Array(text.bytes)
    if bytes.last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
    try step(.writeFile, option, path) { root throws(SystemCallError) in
      let tree = try root.dataTree(permissions) { file throws(SystemCallError) in
        try Descriptors.write(bytes[...], to: file.rawValue)
      }
      try tree.restrict(FilesystemOperation.Access.readOnly.attributes)
      try root.attach(tree, at: root.place(path, .other, .mountPoint))
      try root.forgetData()
    }
  }

  /// Mounts lists of users and groups in `directory` that name the command's user alone.
  mutating func mountUserFiles(
    in directory: FilePath, _ option: String, _ circumstances: Circumstances
  ) throws(LaunchError) {
    let user = InsideUser(circumstances.plan)
    let permissions = FilePermissions(rawValue: 0o644)
    try mountText(user.passwdLine, on: directory.appending("passwd"), permissions, option)
    try mountText(user.groupLine, on: directory.appending("group"), permissions, option)
  }
}

/// The command's user, as the sandbox is told of it.
private struct InsideUser {
  let passwdLine: ByteString
  let groupLine: ByteString

  init(_ plan: LaunchPlan) {
    let environment = plan.environment
    func value(_ names: [ByteString], _ isGood: (ByteString) -> Bool) -> ByteString? {
      for name in names {
        if let value = environment.value(of: name), InsideUser.isField(value), isGood(value) {
          return value
        }
      }
      return nil
    }
    let number = String(plan.sandbox.user?.value ?? plan.identity.user)
    let groupNumber = String(plan.sandbox.group?.value ?? plan.identity.group)
    // As passwd(5) has them; what the environment says otherwise would end a field or the line.
    let name = value(["USER", "LOGNAME"]) { !$0.bytes.contains(UInt8(ascii: "/")) } ?? "user"
    let isPath = { (value: ByteString) in value.bytes.first == UInt8(ascii: "/") }
    let home = value(["HOME"], isPath) ?? "/"
    let shell = value(["SHELL"], isPath) ?? "/bin/sh"
    var line = Array(name.bytes)
    line += Array(":x:\(number):\(groupNumber)::".utf8)
    line += home.bytes + [UInt8(ascii: ":")] + shell.bytes
    passwdLine = ByteString(line)
    groupLine = ByteString(Array(name.bytes) + Array(":x:\(groupNumber):".utf8))
  }

  private static func isField(_ value: ByteString) -> Bool {
    !value.isEmpty && value.bytes.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: ":") }
  }
}
