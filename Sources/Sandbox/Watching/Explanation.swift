// SPDX-License-Identifier: Apache-2.0
// The report of --explain, for people and for programs.

internal import Linux
internal import SystemPackage
internal import Text

extension Findings {
  /// The most things that are told to people, and the most usual ones.
  private static let mostLines = (things: 20, usual: 8)

  /// The report; `words` is the line that was typed.
  mutating func lines(line words: [ByteString]) -> [String] {
    resolved.sandbox.explainsInJSON ? [json.line.trimmingNewline] : text(words)
  }

  private mutating func text(_ words: [ByteString]) -> [String] {
    let things = all.filter { !$0.isUsual }
    var lines = lines(about: things)
    let left = lines.count - Findings.mostLines.things
    if left > 0 {
      lines.removeLast(left)
      lines.append("\(String(left)) more lines are left out: --json lists all things")
    }
    lines += projectLines(things)
    let usual = all.filter(\.isUsual).prefix(Findings.mostLines.usual).map(\.subject.quoted)
    if !usual.isEmpty {
      lines.append(
        (things.isEmpty
          ? "only this is not shown, and rarely needed: "
          : "not shown either, but rarely needed: ")
          + usual.joined(separator: ", "))
    }
    if !isComplete {
      lines.append(
        "the command looked for more things than nestbox notes: some may be missing here")
    }
    // A file of the user's may be one that only a hostile command wants. The line would mislead without what
    // was most likely missed.
    if things.first?.isOfSystem == true {
      var line = TypedLine(words, command: resolved.sandbox.command)
      _ = line.replace(["--explain"], with: [])
      line.insert(things.filter(\.isOfSystem).flatMap(\.options))
      lines.append(Remedy.line(line.text).text)
    }
    return lines
  }

  /// Offers the profile that shows a project, if the command looked by itself for files in the working
  /// directory, of which the default profile shows hardly any.
  private mutating func projectLines(_ things: [Finding]) -> [String] {
    guard namesNoProfile, resolved.sandbox.isFromProfile,
      let directory = resolved.workingDirectory?.path,
      !resolved.callerHome.path.starts(with: directory),
      !["/tmp", "/var/tmp"].contains(ByteString(directory).text),
      plan.root.find(directory).map({ plan.isFromMemory($0.path) }) ?? true
    else { return [] }
    let name = ByteString(directory).quoted
    let isSearched = things.contains { finding in
      let path = finding.subject.path
      guard finding.kind == .notShown, !isNamed(path) else { return false }
      return path.starts(with: directory) && path != directory
        || path.lastName == ".git" && directory.starts(with: path.parent)
    }
    if isSearched {
      return ["all files of the project \(name), to be read and changed: --profile build"]
    }
    // A program that lists it does not ask for what is not there.
    guard hasListedDirectory, things.allSatisfy(\.isUnlikely),
      !plan.root.host.names(in: directory, most: 2).isEmpty
    else { return [] }
    return ["the command listed \(name), where only what its line names is shown: --profile build"]
  }

  /// Whether a word of the command names the file, as a person did who typed it.
  func isNamed(_ path: FilePath) -> Bool {
    var names = [ByteString(path).text]
    if let directory = resolved.workingDirectory?.path, path.starts(with: directory),
      path != directory
    {
      let rest = path.components.dropFirst(directory.components.count)
      names.append(ByteString(FilePath(root: nil, rest)).text)
    }
    return resolved.sandbox.command.dropFirst().prefix(ArgumentWord.most).contains { word in
      names.contains { word.text.includes($0) }
    }
  }

  private var json: JSON {
    .object([
      .init("version", .number(1)), .init("calls", .number(Int64(calls))),
      .init("findings", .array(all.map(\.json))), .init("complete", .boolean(isComplete)),
    ])
  }
}

extension Finding {
  /// The programs that asked for it, as a message can name them.
  var programNames: [String] { programs.filter { !$0.isEmpty }.map(\.quotedAsProgram) }

  /// The thing, what asked for it, and what would give it to the command.
  var text: String {
    let name = subject.quotedInReport
    let what =
      switch kind {
      case .notShown:
        program.map {
          "no directory of PATH inside has the program \($0.quotedAsProgram), which yours has at \(name)"
        } ?? "\(name) is not shown inside"
      case .readOnly: "\(name) is read-only inside"
      case .fixed: "\(name) can neither be removed nor replaced inside"
      case .notPermitted: "\(name) may not be used inside"
      case .noNetwork: "no network inside leads to \(name)"
      case .noMember: "no member of the network is called \(name) now"
      case .noBusName: "the D-Bus proxy lets nothing through to \(name)"
      case .refused: "the policy refuses the system call \(name)"
      case .unreadable: "nobody may read the paths that this program uses"
      case .capability: "the command lacks the capability \(name)"
      case .forbidden: "\(name) cannot be made inside"
      }
    var details = programNames
    if count > 1 { details.append("\(String(count)) times") }
    let who = details.isEmpty ? "" : " (" + details.joined(separator: ", ") + ")"
    let rest =
      options.isEmpty
      ? objection ?? "" : options.map(\.quotedForShell).joined(separator: " ") + note
    return what + who + (rest.isEmpty ? "" : ": " + rest)
  }

  fileprivate var json: JSON {
    .object([
      .init("what", .string(kind.rawValue)), .init("subject", .bytes(subject)),
      .init("programs", .array(programs.map { .bytes($0) })), .init("count", .number(Int64(count))),
      .init("options", .array(options.map { .bytes($0) })),
      .init("objection", .optional(objection)), .init("usual", .boolean(isUsual)),
    ])
  }
}

extension ByteString {
  /// A program's name in a message: in quotes, unless it has only what such names usually have.
  ///
  /// A program chooses its name, and could write an option into the message with it.
  var quotedAsProgram: String {
    let text = quoted
    let isUsual = bytes.allSatisfy {
      switch $0 {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "._+-".utf8.contains($0)
      }
    }
    // It has quotes where it is not printed as it is.
    guard !isUsual, text.utf8.elementsEqual(bytes) else { return text }
    var word: [UInt8] = []
    for byte in bytes { word += byte == UInt8(ascii: "'") ? Array(#"'\''"#.utf8) : [byte] }
    return "'" + String(decoding: word, as: UTF8.self) + "'"
  }
}

extension String {
  /// The line without its line break, which the caller adds when it prints the line.
  fileprivate var trimmingNewline: String { String(dropLast()) }
}
