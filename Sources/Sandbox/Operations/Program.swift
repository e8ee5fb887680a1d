// SPDX-License-Identifier: Apache-2.0
// Shows the command's own files, even if the root shows nothing around them: its program, the
// program that a wrapper starts, the script that an interpreter reads.

internal import Linux
internal import SystemPackage
internal import Text

extension RootBuilder where Self: ~Copyable {
  /// Shows the command's files at their own places.
  mutating func showProgram() throws(LaunchError) {
    var command = CommandWords(resolved.sandbox.command[...])
    guard let file = command.words.first else { return }
    // Trust a program's name only if the sandbox showed the program before.
    guard var program = try showProgram(file) else { return }
    while let inner = command.wrapped(by: program) {
      command = inner
      guard let file = command.words.first, let found = try showWrapped(file) else { return }
      program = found
    }
    if let script = command.script(for: program) { try showScript(script) }
  }

  /// Shows the command's program.
  /// - Returns: The program's name, if the sandbox showed it before.
  private mutating func showProgram(_ word: ByteString) throws(LaunchError) -> ByteString? {
    if word.bytes.contains(UInt8(ascii: "/")) { return try show(program: word.path) }
    if search(for: word) != nil { return word }
    // The program that the caller's shell would start.
    let path = Environment.value(of: "PATH", in: resolved.inherited)
    let found = try doing(.findProgram, word) { () throws(SystemCallError) in
      try ProgramSearch.find(word, in: path)
    }
    guard let found else { return nil }
    program = found
    return try show(program: found.path)
  }

  /// Shows the program that a wrapper starts, if it exists; otherwise the wrapper reports the
  /// error.
  /// - Returns: The program's name, if the sandbox showed it before.
  private mutating func showWrapped(_ word: ByteString) throws(LaunchError) -> ByteString? {
    guard word.bytes.contains(UInt8(ascii: "/")) else { return search(for: word).map { _ in word } }
    do throws(LaunchError) {
      return try show(program: word.path)
    } catch {
      if error.action == .findProgram { return nil }
      throw error
    }
  }

  /// Shows the program `path` read-only, and links on the way as links.
  /// - Returns: The program's name, if the sandbox showed it before.
  private mutating func show(program path: FilePath) throws(LaunchError) -> ByteString? {
    // If the path is relative, this creates the working directory on the way.
    guard let place = path.fromWorkingDirectory(resolved.workingDirectory?.path) else { return nil }
    let walk: HostWalk<HostFile>
    do throws(LaunchError) {
      walk = try self.walk(path)
    } catch {
      throw LaunchError(.findProgram, subject: ByteString(path), cause: error.cause)
    }
    let isVisible = isDecided(place)
    let tree = try step(.findProgram, ByteString(path)) { root throws(SystemCallError) in
      let mayFollow = try root.mayFollow(walk)
      guard isVisible || mayFollow else {
        throw SystemCallError(call: "execve", errno: .permissionDenied)
      }
      return try root.programTree(walk.file)
    }
    if isVisible { return name(of: place) }
    if let prefix = virtualEnvironment(of: place) { try show(prefix, .readOnly) }
    try makeLinks(walk.links)
    // The links may lead to a visible program, as in virtual environments.
    if isRegularFile(at: place) { return name(of: walk.path) }
    try bind(tree, from: path, on: place, .readOnly)
    return nil
  }

  /// Whether the links of a walk may be followed: in a hostile project a link may lead out of its
  /// directory to a secret, but a secret is not executable.
  private func mayFollow(_ walk: borrowing HostWalk<HostFile>) throws(SystemCallError) -> Bool {
    if !walk.leavesDirectory { return true }
    return try isMarkedExecutable(walk.file)
  }

  private func name(of path: FilePath) -> ByteString? {
    path.lastComponent.map { ByteString(FilePath(root: nil, [$0])) }
  }

  /// The tree of a program, if it is of a kind that can be executed.
  private mutating func programTree(_ file: borrowing HostFile) throws(SystemCallError) -> Tree {
    let tree = try self.tree(of: file)
    guard try isRegularFile(tree) else {
      let isDirectory = try kind(of: tree) == .directory
      throw SystemCallError(
        call: "execve", errno: isDirectory ? .isDirectory : .permissionDenied)
    }
    return tree
  }

  /// The Python virtual environment with the program `path` in its `bin`, because the program
  /// needs all of it; nil for other programs, and for directories that contain more than that.
  ///
  /// See https://docs.python.org/3/library/venv.html.
  private mutating func virtualEnvironment(of path: FilePath) -> FilePath? {
    let bin = path.parent
    let prefix = bin.parent
    guard bin.lastName == "bin", prefix.endsInName,
      !resolved.isShared(prefix), (try? walk(prefix.appending("pyvenv.cfg"))) != nil
    else { return nil }
    return prefix
  }

  /// Shows the script for the command's interpreter, if the word names one.
  private mutating func showScript(_ script: ByteString) throws(LaunchError) {
    guard let place = script.path.fromWorkingDirectory(resolved.workingDirectory?.path),
      !isDecided(place),
      // It may not be a file but, for example, the text of a program or the name of a class.
      let walk = try? walk(script.path),
      // A link out of its directory may have been planted to reveal a file that nobody named.
      !walk.leavesDirectory, !walk.path.isHidden(from: place),
      let tree = try? tree(of: walk.file),
      (try? isRegularFile(tree)) == true
    else { return }
    try makeLinks(walk.links)
    if isRegularFile(at: place) { return }
    try bind(tree, from: script.path, on: place, .readOnly)
  }
}

extension ResolvedSandbox {
  /// Whether a directory holds more than one project or program: the home directory, one above it,
  /// or one that all users share.
  final func isShared(_ directory: FilePath) -> Bool {
    callerHome.path.starts(with: directory)
      || ["/tmp", "/var/tmp", "/dev/shm", "/run"].contains(directory)
  }
}

extension FilePath {
  /// Whether links led from `path` into a hidden directory that it does not name: those hold secrets
  /// and settings, and a link may have been planted.
  fileprivate func isHidden(from path: FilePath) -> Bool {
    removingLastComponent().components.contains { component in
      component.string.hasPrefix(".") && !path.components.contains(component)
    }
  }

  /// The path from the root on; nil if it starts at a directory without a name.
  ///
  /// The path is not resolved further: as typed, it must lead to the same file inside.
  func fromWorkingDirectory(_ directory: FilePath?) -> FilePath? {
    if isAbsolute { return self }
    return directory?.appending(components.filter { $0.kind != .currentDirectory })
  }
}
