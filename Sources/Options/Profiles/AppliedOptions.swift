// SPDX-License-Identifier: Apache-2.0
// What a line and its profiles have set, option by option, for a profile that is learned from a run.

internal import Linux
internal import Sandbox
internal import SystemPackage
public import Text

/// An option of a line or of its profiles, as a learned profile may have it.
public struct AppliedOption: Sendable {
  /// The lines of the profile: the option, and before it those that modify it.
  public let lines: [[UInt8]]
  /// Which operations on the new root it asks for, by their numbers.
  public let operations: Range<Int>
  /// What becomes of it.
  public let use: Use
  /// The option as it was written.
  var option: WrittenOption?
  /// The last line without a variable for the project.
  var literal: [UInt8]?
  /// By which pattern it shows files read-only; of the ones that match, the profile has what was used, and
  /// `lines` if it is to protect what matches later.
  var pattern: PathPattern?

  /// What becomes of an option.
  public enum Use: Equatable, Sendable {
    /// It stays as it is.
    case kept
    /// What was used of the files that it shows takes its place.
    case learned
    /// What was used of the things that options of this name permit takes the place of them all.
    case narrowed(ByteString)
    /// It cannot stand in a profile.
    case told(String)
  }
}

extension AppliedOption {
  /// The same, but the project has no variable.
  public var withoutProject: AppliedOption {
    guard let literal else { return self }
    var other = AppliedOption(
      lines: lines.dropLast() + [literal], operations: operations, use: use, option: option)
    other.pattern = pattern
    return other
  }

  /// Whether a file that appears later, and matches, may be in one of `directories` or be one of them.
  func protects(_ directories: [ByteString]) -> Bool {
    guard let pattern else { return false }
    return directories.contains { directory in
      zip(pattern.components, directory.bytes.split(separator: UInt8(ascii: "/"))).allSatisfy {
        PathPattern.match($1, $0)
      }
    }
  }

  /// The option's name.
  var name: ByteString? {
    if let option { return ByteString(option.name) }
    if case .narrowed(let name) = use { return name }
    return lines.last.flatMap { LearnedProfile.words(of: $0).first.map { ByteString($0) } }
  }

  /// Whether it denies what others allow.
  var isDenial: Bool { name == "--net-deny" }

  /// The options that are narrowed to what a run used.
  fileprivate static let narrowed = [
    "--net-allow", "--dbus-talk", "--dbus-system-talk", "--seccomp-allow",
  ]

  /// Options that take a descriptor and restrict the command as no line of a profile can.
  static let unwritable = ["--seccomp", "--add-seccomp-fd", "--userns", "--userns2"]

  /// What an option implies: with that in its place, the command gets nothing that it had not.
  static func foundation(of option: ByteString) -> String? {
    switch option {
    case "--net-allow", "--net-allow-try", "--net-host", "--netns": "--unshare-net"
    case "--pidns": "--unshare-pid"
    case "--dbus-talk", "--dbus-own", "--dbus-call": "--dbus-session"
    case "--dbus-system-talk", "--dbus-system-own", "--dbus-system-call": "--dbus-system"
    default: nil
    }
  }
}

/// Notes the options that a parser applies.
///
/// A class, so that a parser without it does not grow.
final class AppliedOptions {
  private(set) var all: [AppliedOption] = []
  /// The words of the profile's line that is read, as they are written there, and the variables whose values they
  /// have.
  var line: (words: [ArraySlice<UInt8>], variables: [ByteString])?
  /// Lines that modify the next option.
  private var modifiers: [[UInt8]] = []
  /// Options that were typed.
  private var typed: [String] = []
  let words: ProfileWords
  /// Whether a path that does not name the project as such lies in it or around it.
  private(set) var fixesProject = false
  private let surroundings: Surroundings

  /// Begins to note the options of a line with this command.
  init(_ surroundings: Surroundings, command: [ByteString]) {
    self.surroundings = surroundings
    words = ProfileWords(surroundings, command: command)
  }

  /// Forgets everything: the line is read again.
  func begin() { (all, line, modifiers, typed) = ([], nil, [], []) }

  /// Notes an option that has been applied; `count` operations were there before.
  func note(
    _ option: Option, _ occurrence: Occurrence, _ operations: [FilesystemOperation],
    from count: Int
  ) {
    let text = text(option, occurrence, words)
    let literal = self.text(option, occurrence, words.withoutProject)
    let namesProject =
      line?.variables.contains { ProfileVariable(rawValue: $0.text) == .project } ?? false
    line = nil
    if !occurrence.isOfProfile { typed.append(option.name) }
    if option.traits.contains(.includes) || option.section == .general { return }
    if option.traits.contains(.isModifier) { return modifiers.append(text) }
    var lines = modifiers
    modifiers = []
    let new = count..<max(count, operations.count)
    let isLearned = !new.isEmpty && operations[new].allSatisfy(\.action.isLearned)
    if !namesProject {
      fixesProject =
        fixesProject || text != literal
        || isLearned && operations[new].contains { isAroundProject($0) }
    }
    if isLearned {
      let isPattern =
        option.operands.first == .pattern && operations[new].allSatisfy(\.action.isReadOnly)
      all.append(
        AppliedOption(
          lines: isPattern ? [text] : [], operations: new, use: .learned, option: occurrence.option,
          literal: isPattern ? literal : nil,
          pattern: isPattern ? AppliedOptions.pattern(occurrence.text(0)) : nil))
      return
    }
    if AppliedOptions.isOfRun(option) || remountsLearned(operations, new) { return }
    lines.append(text)
    let mayStay =
      !option.traits.contains(.isForCommandLine)
      && !option.operands.contains { $0.kind == .descriptor } && !isSecret(occurrence)
    let use =
      !mayStay
      ? AppliedOption.Use.told(option.name)
      : AppliedOption.narrowed.contains(option.name)
        ? .narrowed(ByteString(option.name)) : .kept
    all.append(
      AppliedOption(
        lines: mayStay ? lines : [], operations: new, use: use, option: occurrence.option,
        literal: mayStay ? literal : nil))
    guard isSecret(occurrence) else { return }
    // The caller's value must not take its place.
    let line = words.line(["--unsetenv", occurrence.text(0)])
    all.append(AppliedOption(lines: [line], operations: new, use: .kept))
  }

  /// Whether the option makes a mount read-only that a learned profile does not have: what was used of it
  /// is read-only there anyway.
  private func remountsLearned(
    _ operations: [FilesystemOperation], _ new: Range<Int>
  ) -> Bool {
    guard new.count == 1, case .remountReadOnly(let path) = operations[new.lowerBound].action else {
      return false
    }
    let place = path.lexicallyNormalized()
    var around: FilesystemOperation.Action?
    for action in operations[..<new.lowerBound].map(\.action) {
      let other = action.destination.lexicallyNormalized()
      let depth = around?.destination.lexicallyNormalized().components.count ?? 0
      if place.starts(with: other), other.components.count >= depth { around = action }
    }
    return place != "/" && around?.isLearned == true
  }

  /// The name of an option without which a profile would permit more, and which cannot stand in one; nil for none.
  var unwritable: String? {
    all.lazy.compactMap(\.option?.name).first { AppliedOption.unwritable.contains($0) }
  }

  /// Forgets options that a later one has taken back.
  func remove(_ isGone: (WrittenOption) -> Bool) {
    all.removeAll { $0.option.map(isGone) ?? false }
  }

  /// The first option that was typed and describes a sandbox, beside the profile of `option`.
  func beside(_ option: WrittenOption) -> String? {
    let others = [option.name, "--shrink", "--json", "--verbose", "--level-prefix", "--args"]
    return typed.first { !others.contains($0) }
  }

  /// Whether the option is about this one run.
  private static func isOfRun(_ option: Option) -> Bool {
    switch option.section {
    case .running, .review, .wrapping, .monitoring: true
    default: option.name == "--usage" || option.name == "--report"
    }
  }

  /// Whether somebody typed a secret.
  private func isSecret(_ occurrence: Occurrence) -> Bool {
    occurrence.name == "--setenv" && !occurrence.isOfProfile
      && Sandbox.isLikelySecret(occurrence.text(0), occurrence.text(1))
  }

  /// Whether an operation shows the project or a directory around it, but not by its variable.
  private func isAroundProject(_ operation: FilesystemOperation) -> Bool {
    guard let project = words.project else { return false }
    let place = ByteString(operation.action.destination)
    if place.bytes.first == UInt8(ascii: "~") { return true }
    guard let path = surroundings.absolute(place)?.path.lexicallyNormalized() else { return true }
    return project.path.starts(with: path) || path.starts(with: project.path)
  }

  /// A pattern, with the links in the part before the first wildcard followed.
  private static func pattern(_ text: ByteString) -> PathPattern? {
    var fixed = ""
    var rest = text.text.split(separator: "/")[...]
    while let name = rest.first, !name.utf8.contains(where: { "*?[\\".utf8.contains($0) }) {
      fixed += "/" + name
      rest = rest.dropFirst()
    }
    let real = (try? FoundFile(following: fixed.isEmpty ? "/" : ByteString(fixed).path))?.path
    let start = real.map { ByteString($0).text } ?? fixed
    return PathPattern(ByteString((start == "/" ? "" : start) + "/" + rest.joined(separator: "/")))
  }

  private func text(_ option: Option, _ occurrence: Occurrence, _ words: ProfileWords) -> [UInt8] {
    if let line {
      let text = Array(line.words.joined(separator: [UInt8(ascii: " ")]))
      // The learned profile lies in another directory.
      if !String(decoding: text, as: UTF8.self).includes("${PROFILE_DIR") { return text }
    }
    var text = words.line([ByteString(option.name)])
    for (index, operand) in option.operands.enumerated() where index < occurrence.words.count {
      let typed = occurrence.text(index)
      // A policy without a slash is a built-in one.
      let isFile =
        operand.kind == .hostPath || operand.kind == .hostDirectory
        || operand.kind == .policy && typed.bytes.contains(UInt8(ascii: "/"))
      let isRelative = isFile && typed.bytes.first != UInt8(ascii: "~")
      let word = isRelative ? surroundings.absolute(typed) ?? typed : typed
      text += [UInt8(ascii: " ")] + words.word(word)
    }
    return text
  }
}
