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
      // It need not be a file: it may be a word for the interpreter.
      let tree = try? scriptTree(script.path), (try? isRegularFile(tree)) == true
    else { return }
    _ = try show(tree, script)
  }

  /// The file `path` of the host, which a link may lead to from the same directory, and from no
  /// other: an earlier command may have planted it, to be shown a file that nobody named.
  private mutating func scriptTree(_ path: FilePath) throws(SystemCallError) -> Tree {
    guard let target = try hostLinkTarget(path) else {
      return try hostTree(path, followsLink: false)
    }
    guard !target.bytes.contains(UInt8(ascii: "/")), target != "." && target != ".." else {
      throw SystemCallError(call: "open", errno: .tooManySymbolicLinkLevels)
    }
    return try hostTree(path.removingLastComponent().pushing(target.path), followsLink: false)
  }
}

/// Programs whose first argument that is no option is a script.
struct Interpreter {
  /// The options of one letter after which no script follows: they take the program itself, or the
  /// name of a module.
  let programLetters: String
  /// The options of one letter whose operand is the next word.
  let operandLetters: String
  /// The options of one letter to which the rest of the word belongs.
  var attachedLetters = ""
  /// The longer options whose operand is the next word.
  var operandWords: [ByteString] = []
  /// The longer options after which no script follows.
  var programWords: [ByteString] = ["--eval", "--print", "--command", "--module", "--run"]

  /// By their names; a version may follow.
  private static func named(_ name: ByteString) -> Interpreter? {
    switch name.text {
    case "sh", "bash", "dash", "ksh", "mksh", "zsh":
      Interpreter(
        programLetters: "cs", operandLetters: "oO", operandWords: ["--rcfile", "--init-file"])
    case "fish": Interpreter(programLetters: "c", operandLetters: "Cdfo")
    case "python", "pypy":
      Interpreter(
        programLetters: "cm", operandLetters: "WX", operandWords: ["--check-hash-based-pycs"])
    case "perl":
      Interpreter(programLetters: "eE", operandLetters: "I", attachedLetters: "MmiFxDCVdl0")
    case "ruby":
      Interpreter(programLetters: "e", operandLetters: "rICE", attachedLetters: "xiKWFT0")
    case "node", "nodejs":
      Interpreter(
        programLetters: "ep", operandLetters: "rC",
        operandWords: ["--require", "--import", "--loader", "--conditions", "--input-type"])
    case "lua", "luajit":
      Interpreter(programLetters: "", operandLetters: "el", attachedLetters: "jOb")
    case "php": Interpreter(programLetters: "rBRE", operandLetters: "cdz")
    case "tclsh": Interpreter(programLetters: "", operandLetters: "", operandWords: ["-encoding"])
    case "Rscript": Interpreter(programLetters: "e", operandLetters: "")
    case "guile": Interpreter(programLetters: "c", operandLetters: "elLxC")
    case "java":
      Interpreter(
        programLetters: "", operandLetters: "", attachedLetters: "XDj",
        operandWords: [
          "-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules",
        ],
        programWords: ["-m", "--module"])
    default: nil
    }
  }

  /// The word of the command `words` that may be the script's path, if the command is one of them.
  static func script(in words: [ByteString]) -> ByteString? {
    guard let command = words.first, let interpreter = named(bareName(command)) else { return nil }
    var rest = words.dropFirst()
    while let word = rest.popFirst() {
      if word == "--" { return rest.first.flatMap { $0.isEmpty ? nil : $0 } }
      guard word.bytes.first == UInt8(ascii: "-"), word != "-" else {
        return word.isEmpty || word == "-" ? nil : word
      }
      switch interpreter.meaning(of: word) {
      case .program: return nil
      case .operandFollows: rest = rest.dropFirst()
      case .other: break
      }
    }
    return nil
  }

  private enum Meaning {
    case program, operandFollows, other
  }

  private func meaning(of word: ByteString) -> Meaning {
    if operandWords.contains(word) { return .operandFollows }
    if programWords.contains(ByteString(word.bytes.prefix { $0 != UInt8(ascii: "=") })) {
      return .program
    }
    if word.bytes.starts(with: "--".utf8) { return .other }
    let letters = word.bytes.dropFirst()
    for (index, letter) in zip(letters.indices, letters) {
      if attachedLetters.utf8.contains(letter) { return .other }
      if programLetters.utf8.contains(letter) { return .program }
      if operandLetters.utf8.contains(letter) {
        // Behind the letter, or in the next word.
        return index == letters.index(before: letters.endIndex) ? .operandFollows : .other
      }
    }
    return .other
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
