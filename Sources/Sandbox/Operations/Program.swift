// SPDX-License-Identifier: Apache-2.0
// The command's own file, shown in a root that may show nothing else of where it lies.

internal import Linux
internal import SystemPackage
internal import Text

extension RootBuilder where Self: ~Copyable {
  /// Shows the command's file at its own place, and the script that an interpreter is to run.
  mutating func showProgram() throws(LaunchError) {
    guard let command = resolved.sandbox.command.first else { return }
    var file = command
    if !command.bytes.contains(UInt8(ascii: "/")) {
      if isFound(command, in: resolved.environment.value(of: "PATH") ?? Execution.standardPath) {
        return try showScript()
      }
      // What the caller's shell would have started.
      let path = Environment.value(of: "PATH", in: resolved.inherited)
      guard let found = ProgramSearch.find(command, in: path) else { return }
      program = found
      file = found
    }
    let tree = try step(.findProgram, command) { root throws(SystemCallError) in
      try root.programTree(file.path)
    }
    // Only a program that the sandbox showed before is trusted to be the interpreter it is named as.
    if try show(tree, file) { try showScript() }
  }

  /// The file `path` of the host, if it is of a kind that can be executed.
  private mutating func programTree(_ path: FilePath) throws(SystemCallError) -> Tree {
    let tree = try hostTree(path)
    guard try isRegularFile(tree) else {
      let isDirectory = try kind(of: tree) == .directory
      throw SystemCallError(
        call: "execve", errno: isDirectory ? .isDirectory : .permissionDenied)
    }
    return tree
  }

  /// Shows the file `tree`, which the host calls `path`, read-only where that path leads inside.
  /// - Returns: Whether it was visible there before.
  private mutating func show(
    _ tree: borrowing Tree, _ path: ByteString
  ) throws(LaunchError) -> Bool {
    // Where it is relative, the working directory is made on the way.
    guard let place = path.path.fromWorkingDirectory(resolved.workingDirectory?.path) else {
      return false
    }
    if isDecided(place) { return true }
    try step(.bind, ByteString(place)) { root throws(SystemCallError) in
      try root.restrict(
        tree, FilesystemOperation.Access.readOnly.attributes, propagation: .isolated)
      try root.attach(tree, .other, at: place)
    }
    return false
  }

  /// Whether the search for the command `name` along `path` will find a file inside.
  private mutating func isFound(_ name: ByteString, in path: ByteString) -> Bool {
    for directory in path.bytes.split(separator: UInt8(ascii: ":")) {
      let path = ByteString(directory: directory, name: name).path
      if let file = try? existing(at: path), (try? isRegularFile(file)) == true { return true }
    }
    return false
  }

  /// Shows the script, if the command is an interpreter and its argument a script.
  private mutating func showScript() throws(LaunchError) {
    guard let script = Interpreter.script(in: resolved.sandbox.command),
      // It need not be a file: it may be the text of a program, say, or the name of a module.
      let tree = try? hostTree(script.path), (try? isRegularFile(tree)) == true
    else { return }
    _ = try show(tree, script)
  }
}

/// Programs whose first argument without a dash is a script.
enum Interpreter {
  /// Their names; a version may follow.
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
  /// It is not resolved any further: the path as typed has to lead to the same file inside.
  func fromWorkingDirectory(_ directory: FilePath?) -> FilePath? {
    if isAbsolute { return self }
    return directory?.appending(components.filter { $0.kind != .currentDirectory })
  }
}
