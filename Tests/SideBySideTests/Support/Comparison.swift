// SPDX-License-Identifier: Apache-2.0
// A line, run through both programs, and what differs.

import Foundation
import TestSupport
import Testing

/// What was seen of a program's work: what was looked at, and what it was.
typealias Facts = [String: String]

/// What both programs did with one line.
struct Comparison: Sendable {
  let line: Line
  /// The bubblewrap that nestbox is compared with.
  let program: Reference
  /// What bubblewrap has to be told for the same.
  let translation: String
  let reference: Facts
  let nestbox: Facts
  /// What they wrote to standard error.
  private let messages: (reference: String, nestbox: String)

  /// Runs the line through nestbox and a bubblewrap.
  init(_ line: Line, with program: Reference?, as user: User = .ordinary) throws {
    guard let program else { throw Failure("there is no bubblewrap to compare with") }
    self.program = program
    translation = AcceptedDifference.all(from: program).reduce(line.text) { $1.translate($0) }
    let template = try Comparison.template.get().directory.appending(path: "template")
    let session = try Session(as: user)
    try session.compare(
      line.text, translation, "TEMPLATE='\(template.path)' BWRAP='\(program.path)'")
    let outside = try session.content("outside")
    self.line = line
    reference = try Facts(of: "reference", in: session, outside)
    nestbox = try Facts(of: "nestbox", in: session, outside)
    messages = (try session.content("reference/errors"), try session.content("nestbox/errors"))
  }

  /// The script that runs both programs.
  fileprivate static let script = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Probe/compare.sh")

  /// A directory in which the files that every line finds have been made.
  static let template = Result {
    let session = try Session()
    try session.compare("true", "true")
    return session
  }

  /// The unexpected facts, one per entry, apart from the differences in `accepted`.
  func differences(accepting accepted: [AcceptedDifference]? = nil) -> [String] {
    var expected = reference
    for difference in accepted ?? AcceptedDifference.all(from: program) {
      difference.apply(&expected, nestbox, line)
    }
    // Clients may find more in a message than they look for.
    if let errors = expected["errors"], nestbox["errors"]?.hasPrefix(errors + ", ") == true {
      expected["errors"] = nestbox["errors"]
    }
    var names = Set(expected.keys).union(nestbox.keys)
    // If only one of the two starts the command, the other facts add nothing.
    if expected["status"] != nestbox["status"] { names = ["status", "errors"] }
    return names.sorted().compactMap { name in
      guard expected[name] != nestbox[name] else { return nil }
      let (old, new) = (expected[name] ?? "absent", nestbox[name] ?? "absent")
      return "\(name):\n    expected \(old)\n    nestbox  \(new)"
    }
  }

  /// Whether bubblewrap did what the line asks for.
  var hasSucceeded: Bool { reference["status"] == "0" }

  /// Fails the test that runs where the two differ.
  /// - Parameters:
  ///   - origin: Where the line comes from.
  ///   - place: The place in the source that is blamed.
  func check(_ origin: String = "", _ place: SourceLocation = #_sourceLocation) {
    let differences = differences()
    let quoted = [line.text, translation].map { "'" + $0.replacing("'", with: #"'\''"#) + "'" }
    #expect(
      differences.isEmpty,
      """
      \(origin) (bubblewrap \(program.version))
      \(differences.joined(separator: "\n"))
      bubblewrap says: \(messages.reference)
      nestbox says:    \(messages.nestbox)
      To see it, as an ordinary user:
      BWRAP=\(program.path) bash \(Comparison.script.path) \(quoted.joined(separator: " "))
      """, sourceLocation: place)
  }
}

extension Session {
  /// A copy of the scripts that the ordinary user can read, even if another user owns the sources.
  static let probe = Result {
    let copy = Workspace.root.appending(path: "probe")
    try FileManager.default.createDirectory(
      at: copy, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
    let source = Comparison.script.deletingLastPathComponent()
    for name in ["compare.sh", "observe.py", "plan.sh"] {
      // Not copied, which would keep the owner, or fail.
      let text = try Data(contentsOf: source.appending(path: name))
      try text.write(to: copy.appending(path: name))
    }
    return copy
  }

  /// Runs `compare.sh`, which leaves what it has seen in the session's directory.
  fileprivate func compare(_ line: String, _ translation: String, _ settings: String = "") throws {
    let outcome = try run(
      "RESULTS=$HOME NESTBOX=\"$1\" \(settings) . \"$2/compare.sh\" \"$3\" \"$4\"",
      Program.directory.appending(path: "nestbox").path, try Session.probe.get().path, line,
      translation)
    guard outcome.status == 0, outcome.errors.isEmpty else {
      throw Failure("\(line): \(outcome.errors)")
    }
  }

  /// The text of a file in the session's directory.
  func content(_ name: String) throws -> String {
    String(
      decoding: try Data(contentsOf: directory.appending(path: name)), as: UTF8.self)
  }
}

extension Facts {
  /// Reads what `compare.sh` left in `directory`.
  fileprivate init(of directory: String, in session: Session, _ outside: String) throws {
    self.init()
    let given = (try? session.content("\(directory)/given")) ?? ""
    for line in try session.content("\(directory)/output").split(separator: "\n") {
      if let equals = line.firstRange(of: " = ") {
        self[String(line[..<equals.lowerBound])] = String(line[equals.upperBound...])
      } else {
        self["output", default: ""] += line + "\n"
      }
    }
    self["status"] = try session.content("\(directory)/status").split(separator: "\n").joined()
    for line in try session.content("\(directory)/tree").split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1)
      self["host \(words[0])"] = words.dropFirst().joined()
    }
    // Before the numbers of namespaces are replaced, which these texts name as well.
    self["channels"] = Channels.normalised(try session.content("\(directory)/channels"), self)
    self["errors"] = Messages.kind(try session.content("\(directory)/errors"))
    nameNamespaces(outside: outside, given: given)
    forgetNumbers()
  }

  /// Takes away what differs from one launch to the next.
  private mutating func forgetNumbers() {
    for (name, value) in self {
      if name.hasSuffix(" options"), value.contains("lowerdir=") {
        // Layers are named by descriptors of the launch, or by paths outside.
        self[name] = value.replacing(/(lowerdir|upperdir|workdir)=[^,]*/) { "\($0.1)=" }
      }
      if name.hasSuffix(" root") { self[name] = value.replacing(/\[[0-9]+\]/, with: "[NUMBER]") }
      // They are compared as channels.
      if name.hasSuffix("/scene/info") || name.hasSuffix("/scene/status") { self[name] = nil }
    }
    // Any number will do in a namespace that others use.
    if self["pid"] != nil, self["namespace pid"] != "a new one" { self["pid"] = "any" }
  }

  /// Says of each namespace whose it is, as its number says nothing.
  private mutating func nameNamespaces(outside: String, given: String) {
    for (name, value) in self where name.hasPrefix("namespace ") {
      let isHost = outside.contains(value)
      self[name] = isHost ? "the host's" : given.contains(value) ? "the one given" : "a new one"
    }
  }
}

/// What a program writes for those who watch it.
private enum Channels {
  /// The text with numbers replaced by what they stand for.
  static func normalised(_ text: String, _ facts: Facts) -> String {
    var result = text
    for (name, value) in facts where name.hasPrefix("namespace ") {
      let number = value.filter(\.isNumber)
      let kind = name.dropFirst("namespace ".count)
      result.replace("\"\(kind)-namespace\": \(number)", with: "\"\(kind)-namespace\": ITS-NUMBER")
    }
    result.replace(/"child-pid": [0-9]+/, with: "\"child-pid\": NUMBER")
    return result.replacing(/-namespace": [0-9]+/, with: "-namespace\": NUMBER")
  }
}

/// Messages, which each program words in its own way.
private enum Messages {
  /// Parts that clients look for.
  private static let contracts = [
    "Can't find source path", "Can't mount proc", "setting up uid map", "Failed RTM_NEWADDR",
    "Unknown option",
  ]

  /// What kind of message it is, and what clients would find in it.
  static func kind(_ text: String) -> String {
    guard var first = text.split(separator: "\n").first else { return "none" }
    // With --level-prefix, in front of each line.
    let level = first.prefixMatch(of: /<[0-9]>/).map { String(first[$0.range]) } ?? ""
    first = first.dropFirst(level.count)
    let kind =
      first.hasPrefix("bwrap: ")
      ? "a message" : first.hasPrefix("usage: ") ? "usage" : String(first.prefix(100))
    return ([level + kind] + contracts.filter { text.contains($0) }).joined(separator: ", ")
  }
}
