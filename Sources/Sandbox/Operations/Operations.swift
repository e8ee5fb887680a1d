// SPDX-License-Identifier: Apache-2.0
// Dispatches each operation on the new root to its function.

internal import Linux
internal import SystemPackage
internal import Text

extension RootBuilder where Self: ~Copyable {
  /// Carries out one operation; a failure names the option that asked for it.
  mutating func perform(_ operation: FilesystemOperation) throws(LaunchError) {
    parents = operation.parents
    do throws(LaunchError) {
      try carryOut(operation.action)
    } catch {
      throw error.asked(by: operation.option)
    }
  }

  private mutating func carryOut(_ action: FilesystemOperation.Action) throws(LaunchError) {
    switch action {
    case .bind(let source, let destination, let access, let isOptional):
      try bind(source, on: destination, access, isOptional: isOptional)
    case .bindDescriptor(let descriptor, let destination, let access):
      try bind(descriptor, on: destination, access)
    case .same(let path, let isOptional): try showSame(path, isOptional: isOptional)
    case .program: try showProgram()
    case .show(let path, let access): try show(path, access)
    case .home(let path): try showKept(path, on: resolved.home)
    case .temporaryHome: try showTemporaryHome()
    case .kept(let path, let place): try showKept(path, on: place)
    case .review(let path, let layer): try showReviewed(path, layer)
    case .workingDirectory: try makeWorkingDirectory()
    case .xServer(let host): try showXServer(host)
    case .arguments(let access): try showArguments(access)
    case .overlay(let overlay, let path): try mount(overlay, on: path)
    case .tmpfs(let path, let permissions, let size):
      try mountTmpfs(on: path, permissions, size: size)
    case .mqueue(let path): try mountMessageQueues(on: path)
    case .proc(let path): try mountProc(on: path)
    case .dev(let path): try mountDevices(on: path)
    case .data(let descriptor, let destination, let permissions, let access):
      try mountFile(on: destination, permissions, access) { file throws(SystemCallError) in
        try Descriptors.copy(from: descriptor, to: file)
      }
    case .text(let text, let destination, let permissions):
      try mountText(text, on: destination, permissions)
    case .userFiles(let directory): try mountUserFiles(in: directory)
    case .hosts(let path): try mountHosts(on: path)
    case .mask(let path): try mask(path)
    case .hide(let pattern): try hide(pattern)
    case .repositories(let path):
      try step(.protectRepositories, ByteString(path)) { root throws(SystemCallError) in
        try root.protectRepositories(in: path)
      }
      try showGitDirectories(of: path)
    case .commits(let path):
      try step(.permitCommits, ByteString(path)) { root throws(SystemCallError) in
        try root.permitCommits(in: path)
      }
    case .directory(let path, let permissions):
      try step(.makeDirectory, ByteString(path)) { root throws(SystemCallError) in
        _ = try root.directory(at: path, permissions)
      }
    case .file(let descriptor, let destination, let permissions):
      try step(.writeFile, ByteString(destination)) { root throws(SystemCallError) in
        try root.write(destination, permissions) { file throws(SystemCallError) in
          try Descriptors.copy(from: descriptor, to: file)
        }
      }
    case .symbolicLink(let target, let path):
      try step(.makeSymbolicLink, ByteString(path)) { root throws(SystemCallError) in
        try root.link(path, to: target)
      }
    case .permissions(let permissions, let path):
      try step(.setPermissions, ByteString(path)) { root throws(SystemCallError) in
        try root.setPermissions(of: root.existing(at: path), to: permissions)
      }
    case .remountReadOnly(let path):
      try step(.remountReadOnly, ByteString(path)) { root throws(SystemCallError) in
        try root.restrictMount(
          at: root.existing(at: path), FilesystemOperation.Access.readOnly.attributes)
      }
    }
  }
}

extension FilesystemOperation.Access {
  /// The restrictions that a bound tree gets on top of those it has on the host.
  var attributes: MountAttributes {
    switch self {
    case .readOnly: [.readOnly, .noSetUserID, .noDevices]
    case .readWrite: [.noSetUserID, .noDevices]
    case .devices: [.noSetUserID]
    }
  }
}
