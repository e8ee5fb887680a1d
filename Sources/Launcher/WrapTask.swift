// SPDX-License-Identifier: Apache-2.0
// --wrap: finds the program and its menu entry, writes the files that start it in a sandbox, and says
// what it wrote and what is missing.

internal import Linux
internal import Options
internal import Sandbox
internal import SystemPackage
internal import Text

/// Writes a wrapper.
struct WrapTask {
  let request: WrapRequest
  let surroundings: Surroundings
  /// The path of this program.
  let launcher: ByteString

  /// Writes the files, and tells `say` what it wrote and what is left out or missing; answers the text
  /// for standard output.
  func run(
    _ standardProfile: ByteString?, _ say: (String) -> Void
  ) throws(UsageError) -> [UInt8] {
    let output = try request.output.map { output throws(UsageError) in
      try place(output, request.program.baseName)
    }
    let program = try findProgram(output)
    // The person may start the wrapper in any directory.
    var elsewhere = surroundings
    elsewhere.workingDirectory = "/project"
    var parser = Parser(elsewhere, standardProfile: standardProfile)
    try parser.parse(request.options.flatMap { $0 } + ["--", program])
    guard parser.draft.task == nil else {
      throw UsageError("--wrap can't be combined with an option that asks for a text")
    }
    try parser.draft.sandbox.validate()
    guard let output else {
      if Terminal.path(of: 1) != nil { say(writing(program)) }
      return script(program, request.options)
    }
    // Everything that can fail comes before the first change.
    let entry = try menuEntry(for: program, startedBy: output)
    var options = request.options
    if let entry {
      // A program that a menu starts has no terminal to show why it did not start.
      options.insert(["--notify"], at: 0)
      if entry.takesFiles, !request.showsArguments { options.append(["--read-arguments"]) }
      // Programs of GTK own the name of their entry, and do not start where they may not.
      if parser.draft.sandbox.buses.session != nil, let name = busName(of: entry, elsewhere) {
        options.append(["--dbus-own", name])
      }
    }
    let script = script(program, options)
    try require(output, "--output")
    try WrapperFile.write(script, to: output, 0o755, "--output")
    say("wrote \(output.quoted), which starts \(program.quoted)")
    if let entry {
      try WrapperFile.write(entry.text, to: entry.path, 0o644, "--desktop-file")
      say("wrote \(entry.path.quoted), which adds it to the menus")
      for group in entry.leftOut {
        say(
          "--desktop-file: the entry leaves out [\(group.quoted)], which starts another program than "
            + program.quoted)
      }
    }
    for notice in missing(parser.draft.sandbox, program, output) { say(notice) }
    return []
  }

  /// The name on the session bus that a menu entry gives to its program; nil if it gives none.
  ///
  /// See the Desktop Entry Specification, D-Bus activation. Names of org.freedesktop are those of
  /// services that other programs trust.
  private func busName(of entry: MenuEntry, _ surroundings: Surroundings) -> ByteString? {
    let name = entry.identifier.bytes.dropLast(".desktop".utf8.count)
    guard name.count(where: { $0 == UInt8(ascii: ".") }) > 1,
      !name.starts(with: "org.freedesktop.".utf8)
    else { return nil }
    var parser = Parser(surroundings, standardProfile: nil)
    let words: [ByteString] = ["--dbus-own", ByteString(name), "--", "true"]
    return (try? parser.parse(words)) == nil ? nil : ByteString(name)
  }

  private func script(_ program: ByteString, _ options: [[ByteString]]) -> [UInt8] {
    WrapperScript.text(launcher: launcher, options: options, program: program)
  }

  /// How the script on a terminal would be written where it is found.
  private func writing(_ program: ByteString) -> String {
    let name: [ByteString] = ["nestbox"]
    let words = name + request.options.flatMap { $0 } + ["--wrap", request.program]
    let hasEntry = MenuEntries(surroundings).has(for: program) { isSame($0, program) }
    return "this is the script; to write it\(hasEntry ? ", and a menu entry that starts it" : ""), "
      + "type: " + words.map(\.quotedForShell).joined(separator: " ")
      + " --output ~/.local/bin/\(hasEntry ? " --desktop-file" : "")"
  }

  /// What the wrapper lacks: each line says what to do so that it works.
  private func missing(
    _ sandbox: Sandbox, _ program: ByteString, _ output: ByteString
  ) -> [String] {
    var notices: [String] = []
    let found = try? ProgramSearch.find(output.baseName, in: surroundings.variable("PATH"))
    if found.flatMap(WrapperFile.identity) != WrapperFile.identity(of: output) {
      let directory = ByteString(output.path.removingLastComponent()).quotedForShell
      let other = found.map { ", and your shell starts \($0.quoted)" } ?? ""
      notices.append(
        "\(directory) is not the first in PATH\(other); to start the wrapper by its name, put it "
          + "there: export PATH=\(directory):\"$PATH\"")
    }
    if (sandbox.buses.session ?? sandbox.buses.system) != nil,
      (try? ProgramSearch.find("xdg-dbus-proxy", in: surroundings.variable("PATH"))) == nil
    {
      notices.append("the program xdg-dbus-proxy, which D-Bus options need, is missing; install it")
    }
    for operation in sandbox.filesystem where operation.option.origin == .commandLine {
      guard case .bind(let source, _, _, false) = operation.action, source.isAbsolute,
        (try? OwnedDescriptor.open(source, .location)) == nil
      else { continue }
      notices.append(
        "\(ByteString(source).quoted), which \(operation.option.name) names, does not exist yet; the wrapper "
          + "needs it")
    }
    return notices
  }

  /// A menu entry to write.
  private struct MenuEntry {
    let text: [UInt8]
    /// Its name, as of all entries in the directories.
    let identifier: ByteString
    let path: ByteString
    /// The actions that are left out.
    let leftOut: [ByteString]
    let takesFiles: Bool
  }

  private func menuEntry(
    for program: ByteString, startedBy output: ByteString
  ) throws(UsageError) -> MenuEntry? {
    guard var place = request.desktopFile else { return nil }
    let entries = MenuEntries(surroundings)
    if place.isEmpty { place = entries.ownDirectory.appending("/") }
    let isProgram = { (word: ByteString) in isSame(word, program) }
    let name = program.baseName
    let (identifier, entry) = try entries.find(
      named: isDirectory(place) ? nil : place.baseName, startedBy: name, isProgram)
    let path = try self.place(place, identifier)
    do throws(UsageError) {
      let wrapped = try entry.replacing(isProgram, with: output)
      try require(path, "--desktop-file")
      return MenuEntry(
        text: wrapped.text, identifier: identifier, path: path, leftOut: wrapped.leftOut,
        takesFiles: entry.takesFiles)
    } catch {
      throw UsageError("--desktop-file: \(identifier.quoted): \(error.message)")
    }
  }

  // MARK: - The program

  /// The path of the program, never that of a wrapper.
  private func findProgram(_ output: ByteString?) throws(UsageError) -> ByteString {
    // The shell has already created the file behind standard output.
    let outputs = [output.flatMap(WrapperFile.identity), try? Descriptors.fileIdentity(of: 1)]
    func isWrapper(_ path: ByteString) -> Bool {
      let identity = WrapperFile.identity(of: path)
      return outputs.contains { $0 != nil && $0 == identity } || WrapperFile.isOurs(path)
    }
    let name = request.program
    if name.bytes.contains(UInt8(ascii: "/")) {
      guard let path = surroundings.absolute(name),
        (try? ProgramSearch.isExecutableFile(path)) == true
      else {
        throw UsageError("--wrap: \(name.quoted) is not a program")
      }
      if isWrapper(path) { throw UsageError("--wrap: \(name.quoted) is itself a wrapper") }
      return path
    }
    // Some distributions call it by its release, as Debian calls Firefox firefox-esr.
    let candidates = ([name] + ProgramNames.variants(of: name)).flatMap {
      (try? ProgramSearch.all($0, in: surroundings.variable("PATH"))) ?? []
    }
    guard let path = candidates.first(where: { !isWrapper($0) }) else {
      throw UsageError("--wrap: there is no program \(name.quoted) in PATH")
    }
    return path
  }

  /// Whether `word` of a menu entry names `program`, by its name or by another path to it.
  private func isSame(_ word: ByteString, _ program: ByteString) -> Bool {
    if ProgramNames.areSame(word.baseName, program.baseName) { return true }
    let path =
      word.bytes.first == UInt8(ascii: "/")
      ? word : try? ProgramSearch.find(word, in: surroundings.variable("PATH"))
    guard let path, let identity = WrapperFile.identity(of: path) else { return false }
    return identity == WrapperFile.identity(of: program)
  }

  // MARK: - Places

  /// `path` as an absolute path; if it is a directory or ends with a slash, the file `name` in it.
  private func place(_ path: ByteString, _ name: ByteString) throws(UsageError) -> ByteString {
    guard let absolute = surroundings.absolute(path) else {
      throw UsageError("\(path.quoted) is relative, and the working directory has no path")
    }
    return isDirectory(path)
      ? ByteString(absolute.path.appending(name.path.components)) : ByteString(absolute.path)
  }

  private func isDirectory(_ path: ByteString) -> Bool {
    path.bytes.last == UInt8(ascii: "/")
      || (try? OwnedDescriptor.open(path.path, .directory)) != nil
  }

  /// Throws if --wrap did not write the file `path`.
  private func require(_ path: ByteString, _ option: String) throws(UsageError) {
    guard WrapperFile.identity(of: path) != nil, !WrapperFile.isOurs(path), !request.overwrites
    else { return }
    throw UsageError(
      "\(option): \(path.quoted) exists and was not written by --wrap; --overwrite replaces it")
  }
}

/// Names under which the same program is known.
enum ProgramNames {
  /// What a distribution adds to a name.
  private static let endings: [ByteString] = ["-esr", "-stable", "-browser", "-bin"]

  /// The names that the program `name` may have elsewhere.
  static func variants(of name: ByteString) -> [ByteString] { endings.map { name.appending($0) } }

  /// Whether both name the same program.
  static func areSame(_ one: ByteString, _ other: ByteString) -> Bool {
    one == other || variants(of: one).contains(other) || variants(of: other).contains(one)
  }
}

/// Files that --wrap writes.
enum WrapperFile {
  /// Identifies the file at `path`; nil if there is none.
  static func identity(of path: ByteString) -> FileIdentity? {
    guard let file = try? OwnedDescriptor.open(path.path, .location) else { return nil }
    return try? file.fileIdentity()
  }

  /// Whether --wrap wrote the file `path`.
  static func isOurs(_ path: ByteString) -> Bool {
    text(of: path).map(DesktopEntry.isOurs) ?? false
  }

  /// The content of a file; nil if it is larger than anything a person writes.
  static func text(of path: ByteString) -> [UInt8]? {
    guard let file = try? OwnedDescriptor.open(path.path, .reading) else { return nil }
    return try? Descriptors.contents(of: file.rawValue, limit: 1 << 20)
  }

  /// Writes a file as a whole, or not at all.
  static func write(
    _ text: [UInt8], to path: ByteString, _ permissions: CModeT, _ option: String
  ) throws(UsageError) {
    do throws(SystemCallError) {
      guard let name = path.path.lastComponent, name.kind == .regular else {
        throw SystemCallError(call: "open", errno: .isDirectory)
      }
      let directory = try directory(path.path.removingLastComponent())
      try write(text, to: FilePath(root: nil, [name]), permissions, in: directory)
    } catch {
      throw UsageError("\(option): can't write \(path.quoted): \(error.reason)")
    }
  }

  /// Writes the file `name` of a directory as a whole, or not at all.
  static func write(
    _ text: [UInt8], to name: FilePath, _ permissions: CModeT,
    in directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    let temporary = FilePath(".nestbox-wrap-" + String(CurrentProcess.number))
    let file = try directory.create(temporary, FilePermissions(rawValue: permissions))
    do throws(SystemCallError) {
      try Descriptors.write(text[...], to: file.rawValue)
      try directory.rename(temporary, to: name)
    } catch {
      try? directory.remove(temporary, .other)
      throw error
    }
  }

  /// Opens the directory `path`, and creates it and its parents if they are missing.
  private static func directory(_ path: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    do throws(SystemCallError) {
      return try OwnedDescriptor.open(path, .directory)
    } catch {
      guard error.errno == .noSuchFileOrDirectory, let name = path.lastComponent else {
        throw error
      }
      let parent = try directory(path.removingLastComponent())
      try parent.makeDirectory(FilePath(root: nil, [name]), FilePermissions(rawValue: 0o755))
      return try OwnedDescriptor.open(path, .directory)
    }
  }
}
