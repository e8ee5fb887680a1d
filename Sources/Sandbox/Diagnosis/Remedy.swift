// SPDX-License-Identifier: Apache-2.0
// Remedies: whenever a line can express one, it is a whole line that works as typed.

internal import Linux
internal import SystemPackage
internal import Text

/// What makes a failed line work.
public enum Remedy: Equatable, Sendable {
  /// The corrected line, or a line to run before retrying the failed one.
  case line(String)
  /// Advice that no line can express.
  case advice(String)

  /// The line or the advice itself.
  var words: String {
    switch self {
    case .line(let words), .advice(let words): words
    }
  }

  /// The line to print after the cause.
  public var text: String {
    switch self {
    case .line(let line): "remedy: " + line
    case .advice(let advice): "hint: " + advice
    }
  }

  /// A line for root: as it is for root, and through sudo(8) for others.
  public static func asRoot(_ line: String) -> Remedy {
    .line(CurrentProcess.identity.user == 0 ? line : "sudo " + line)
  }
}

extension Failure {
  /// The line as it was typed.
  var typed: TypedLine {
    TypedLine(words, command: sandbox.command, hasBegun: false)
  }

  /// The same line with more options before its command.
  func adding(_ options: [ByteString]) -> Remedy {
    var line = typed
    line.insert(options)
    return .line(line.text)
  }

  /// The same line with options that show more files.
  ///
  /// If files were named in place of the default profile, its protection comes back as well.
  /// - Parameters:
  ///   - options: The options.
  ///   - isInProfile: Whether that profile shows the missing file.
  /// - Returns: The line.
  func showing(_ options: [ByteString], isInProfile: Bool) -> Remedy {
    // The profile shows the command's own file, which must exist on the host for that.
    guard let profile = displacedProfile, let command = sandbox.command.first,
      hostFile(of: command) != nil
    else { return adding(options) }
    var line = typed
    for operation in sandbox.filesystem where operation.option.origin == .commandLine {
      let destination = operation.action.destination
      // With the profile, the file belongs at its path on the host.
      guard destination.isRelative, let directory = CurrentProcess.workingDirectory,
        let words = operation.words
      else { continue }
      let absolute = ByteString(directory.path.pushing(destination))
      _ = line.replace(words, with: words.dropLast() + [absolute])
    }
    if !isInProfile { line.insert(options) }
    line.insert(["--profile", profile], at: 1)
    return .line(line.text)
  }

  /// The same line with /dev/null as the descriptor `number`.
  func redirecting(_ number: CInt, _ direction: String) -> Remedy {
    let digits = number == 2 ? "2" : ""
    return .line("\(typed.text) \(digits)\(direction)/dev/null")
  }

  /// The same line with options before the one that failed; nil if that was not typed.
  func inserting(_ options: [ByteString]) -> Remedy? {
    var line = typed
    guard let words = operation?.operation.words, let index = line.index(of: words) else {
      return nil
    }
    line.insert(options, at: index)
    return .line(line.text)
  }

  /// The same line with other words in place of some; nil if these were not typed.
  func replacing(_ part: [ByteString], with other: [ByteString]) -> Remedy? {
    var line = typed
    return line.replace(part, with: other) ? .line(line.text) : nil
  }

  /// The same line with another name for an option; nil if this was not typed.
  func renaming(_ option: ByteString, to other: ByteString) -> Remedy? {
    var line = typed
    return line.rename(option, to: other) ? .line(line.text) : nil
  }

  /// The same line with another command, and more options before it.
  func replacingCommand(with command: [ByteString], adding options: [ByteString] = []) -> Remedy {
    var line = typed
    line.insert(options)
    line.replaceCommand(with: command)
    return .line(line.text)
  }

  /// The line that changes the mode of a file of the host; nil if the file belongs to somebody else.
  ///
  /// Home directories stay closed: nobody opens them to all users for a sandbox.
  func allowing(_ mode: String, _ path: FilePath) -> Remedy? {
    guard let facts = try? FileFacts(at: path, followsLinks: true) else { return nil }
    let user = CurrentProcess.identity.user
    let home = Environment.value(of: "HOME", in: resolved.inherited)?.path
    let isHome = path == home || path == "/root" || path.removingLastComponent() == "/home"
    guard facts.owner == user || user == 0, !isHome else { return nil }
    return .line("chmod \(mode) \(ByteString(path).quotedForShell)")
  }

  /// The same line without the option that failed; nil if that was not typed.
  var leavingOut: Remedy? {
    guard let words = operation?.operation.words else { return nil }
    return replacing(words, with: [])
  }
}

extension FilesystemOperation {
  /// The option and its operands as they are typed; nil for options whose words the operation does
  /// not keep.
  var words: [ByteString]? {
    let name = ByteString(option.name)
    switch action {
    case .show(let path, _), .home(let path), .review(let path, _): return [name, ByteString(path)]
    case .kept(let source, let destination):
      return [name, ByteString(source), ByteString(destination)]
    case .hide(let pattern): return [name, pattern.text]
    case .workingDirectory, .xServer, .arguments, .temporaryHome: return [name]
    case .bind(let source, let destination, _, _):
      return [name, ByteString(source), ByteString(destination)]
    case .bindDescriptor(let number, let destination, _), .file(let number, let destination, _),
      .data(let number, let destination, _, _):
      return [name, ByteString(String(number)), ByteString(destination)]
    case .symbolicLink(let target, let path): return [name, target, ByteString(path)]
    case .remountReadOnly(let path), .proc(let path), .dev(let path), .tmpfs(let path, _, _),
      .mqueue(let path), .directory(let path, _), .userFiles(let path), .hosts(let path),
      .mask(let path), .same(let path, _), .repositories(let path), .commits(let path):
      return [name, ByteString(path)]
    case .overlay, .text, .program, .permissions: return nil
    }
  }
}
