// SPDX-License-Identifier: Apache-2.0
// The program itself, shown in a root that need show nothing else of where it lies.

internal import Linux
internal import SystemPackage
internal import Text

extension NewRoot {
  /// Shows the command's file at its own place, and the script that an interpreter is to run.
  mutating func showProgram(
    _ option: String, _ circumstances: Circumstances
  ) throws(LaunchError) {
    let plan = circumstances.plan
    guard let command = plan.sandbox.command.first else { return }
    var file = command
    if !command.bytes.contains(UInt8(ascii: "/")) {
      if isFound(command, in: plan.environment.value(of: "PATH") ?? Execution.standardPath) {
        return try showScript(option, circumstances)
      }
      // What the caller's shell would have started.
      let path = Environment.value(of: "PATH", in: plan.image.environment)
      guard let found = ProgramSearch.find(command, in: path) else { return }
      program = found
      file = found
    }
    let tree = try doing(.findProgram, option: option, command) { () throws(SystemCallError) in
      try NewRoot.programTree(file.path)
    }
    // Only a program of the system is trusted to be the interpreter that it is called.
    if try !show(tree, file, option, circumstances) { return }
    try showScript(option, circumstances)
  }

  /// The file `path` of the host, if it is one that can be executed at all.
  private static func programTree(_ path: FilePath) throws(SystemCallError) -> MountTree {
    let tree = try MountTree.clone(of: path)
    guard try tree.descriptor.isRegularFile() else {
      let isDirectory = try tree.descriptor.status().kind == .directory
      throw SystemCallError(
        call: "execve", errno: isDirectory ? .isDirectory : .permissionDenied)
    }
    return tree
  }

  /// Shows the file `tree`, which the host calls `path`, read-only where that will mean it inside.
  /// - Returns: Whether it was visible there before.
  private mutating func show(
    _ tree: borrowing MountTree, _ path: ByteString, _ option: String,
    _ circumstances: Circumstances
  ) throws(LaunchError) -> Bool {
    // Where it is relative, the working directory comes to be on the way.
    guard let place = path.path.fromWorkingDirectory(circumstances.plan.workingDirectory?.path)
    else { return false }
    if isDecided(place) { return true }
    try step(.bind, option, place) { root throws(SystemCallError) in
      try tree.restrict(FilesystemOperation.Access.readOnly.attributes, propagation: .isolated)
      try root.attach(tree, at: root.place(place, .other, .mountPoint))
    }
    return false
  }

  /// Whether the sandbox says itself what `path` leads to.
  ///
  /// A link in what it shows of the host counts as well, even one that leads nowhere inside: an
  /// earlier command may have left it there, in the place of a script, in order to be shown a file
  /// that nobody named.
  private borrowing func isDecided(_ path: FilePath) -> Bool {
    if (try? root.openInRoot(path, .location)) != nil { return true }
    var ancestor = path
    while ancestor.removeLastComponent(), !ancestor.components.isEmpty {
      do throws(SystemCallError) {
        _ = try root.openDirectlyInRoot(ancestor)
        break
      } catch {
        if error.errno != .noSuchFileOrDirectory { return true }
      }
    }
    let next = path.components.dropFirst(ancestor.components.count).first
    guard let next, let directory = try? root.openDirectlyInRoot(ancestor) else { return true }
    return (try? directory.openEntry(FilePath(root: nil, [next]))) != nil
  }

  /// Whether the search for the command `name` along `path` will find a file inside.
  private borrowing func isFound(_ name: ByteString, in path: ByteString) -> Bool {
    for directory in path.bytes.split(separator: UInt8(ascii: ":")) {
      let candidate = ByteString(directory + [UInt8(ascii: "/")] + name.bytes).path
      guard let file = try? root.openInRoot(candidate, .location) else { continue }
      if (try? file.isRegularFile()) == true { return true }
    }
    return false
  }

  /// Shows the script, if the command is an interpreter and that is what it is to run.
  private mutating func showScript(
    _ option: String, _ circumstances: Circumstances
  ) throws(LaunchError) {
    guard let script = Interpreter.script(in: circumstances.plan.sandbox.command),
      // It may be anything else than a file: the text of a program, say, or the name of a module.
      let tree = try? MountTree.clone(of: script.path),
      (try? tree.descriptor.isRegularFile()) == true
    else { return }
    _ = try show(tree, script, option, circumstances)
  }
}

/// Programs whose first argument that is no option is a program as well.
enum Interpreter {
  /// What they are called; a version may stand behind the name.
  private static let names: [ByteString] = [
    "sh", "bash", "dash", "ksh", "mksh", "zsh", "fish", "python", "pypy", "perl", "ruby", "node",
    "nodejs", "lua", "luajit", "php", "tclsh", "Rscript", "guile", "java",
  ]

  /// The word of the command `words` that may be the script's path, if the command is one of them.
  static func script(in words: [ByteString]) -> ByteString? {
    guard let command = words.first, names.contains(bareName(command)) else { return nil }
    let script = words.dropFirst().first { $0.bytes.first != UInt8(ascii: "-") }
    return script?.isEmpty == true ? nil : script
  }

  /// The last part of `path` without a version behind it.
  private static func bareName(_ path: ByteString) -> ByteString {
    var name = path.bytes.split(separator: UInt8(ascii: "/")).last ?? []
    let version = Array("0123456789.-".utf8)
    while let last = name.last, version.contains(last) { name.removeLast() }
    return ByteString(name)
  }
}

extension FilePath {
  /// The path from the root on; nil where it begins at a directory that has no name.
  ///
  /// It is not resolved any further: what was typed has to lead to the same inside.
  func fromWorkingDirectory(_ directory: FilePath?) -> FilePath? {
    if isAbsolute { return self }
    return directory?.appending(components.filter { $0.kind != .currentDirectory })
  }
}
