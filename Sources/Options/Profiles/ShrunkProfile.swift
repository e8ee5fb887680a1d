// SPDX-License-Identifier: Apache-2.0
// Which lines of a profile --shrink may leave out, and which of its comments name what a command does not get.

public import Sandbox
internal import SystemPackage
public import Text

extension LearnedProfile {
  /// What begins a line that is left out.
  private static let leftOutMark = Array("# not needed: ".utf8)

  /// Options that show files or permit something: without such a line a command gets less.
  ///
  /// A pattern also protects files that match it later, so its line stays.
  private static let permitting =
    " --ro-same --ro-same-try --ro-bind --ro-bind-try --bind --bind-try --dev-bind --dev-bind-try "
    + "--read --write --dir --share-net --net-allow --net-allow-try --net-host --cap-add --seccomp-allow "
    + "--dbus-talk --dbus-own --dbus-call --dbus-system-talk --dbus-system-own --dbus-system-call "
  /// Those that let a command change files.
  private static let changing = " --bind --bind-try --dev-bind --dev-bind-try --write "

  /// How many lines are options.
  public var count: Int { optionLines.count }

  /// Removes comments on lines that a later run has brought back.
  mutating func forgetLeftOut() {
    let mark = LearnedProfile.leftOutMark
    let options = Set(optionLines)
    lines.removeAll { $0.starts(with: mark) && options.contains(Array($0.dropFirst(mark.count))) }
  }

  /// The lines that may be left out, the most general first.
  ///
  /// Whether the rest then shows more is for a plan to say.
  /// Without a line through which the command changes files, it may end with the same status and output, and
  /// what it made is lost. So such a line is left out only if the run did not use it.
  /// - Parameter unused: The indices of the lines that the run did not use.
  /// - Returns: The indices of the lines.
  public func candidates(unused: Set<Int>) -> [Int] {
    var found: [Int] = []
    for (index, line) in lines.enumerated() {
      guard let word = LearnedProfile.words(of: line).first else { continue }
      let option = " " + ByteString(word).text + " "
      guard LearnedProfile.permitting.includes(option) else { continue }
      if LearnedProfile.changing.includes(option), !unused.contains(index) { continue }
      // Without any of these options the command could have the network or the buses of the caller.
      if let foundation = AppliedOption.foundation(of: ByteString(word)),
        !lines.contains(Array(foundation.utf8))
      {
        continue
      }
      // After a modifier, such as --perms, another option would be modified.
      if index > 0, LearnedProfile.isModifier(lines[index - 1]) { continue }
      found.append(index)
    }
    return found
  }

  static func isModifier(_ line: [UInt8]) -> Bool { hasOption(line, .isModifier) }

  /// Whether it includes other profiles.
  public var includesOthers: Bool {
    lines.contains { LearnedProfile.hasOption($0, .includes) }
  }

  private static func hasOption(_ line: [UInt8], _ trait: Option.Traits) -> Bool {
    guard let word = words(of: line).first else { return false }
    return Option.named(ByteString(word))?.traits.contains(trait) == true
  }

  /// The words of a line, with their variables and quotes.
  @inline(never) static func words(of line: [UInt8]) -> [ArraySlice<UInt8>] {
    var reader = LineReader(line[...], nil)
    while let word = try? reader.next() { _ = word }
    return reader.written
  }

  /// The same profile without the given lines, which become comments.
  public func leavingOut(_ indices: [Int]) -> LearnedProfile {
    var profile = self
    for index in indices { profile.lines[index] = LearnedProfile.leftOutMark + lines[index] }
    return profile
  }

  /// The same profile as a file elsewhere has it: where lines name the directory of the file `path`, with its name.
  public func placed(at path: ByteString) -> LearnedProfile {
    let variable = Array("${PROFILE_DIR}".utf8)
    let directory = Array(ByteString(path.path.removingLastComponent()).bytes)
    var profile = self
    for (index, line) in lines.enumerated()
    where line.first != UInt8(ascii: "#") && line.count >= variable.count {
      profile.lines[index] = LearnedProfile.replacing(variable, in: line, by: directory)
    }
    return profile
  }

  /// A line with a value in the place of a variable, which is in double quotes wherever that is not.
  private static func replacing(
    _ variable: [UInt8], in line: [UInt8], by value: [UInt8]
  ) -> [UInt8] {
    var (result, isQuoted, depth, rest): ([UInt8], Bool, Int, ArraySlice<UInt8>) =
      ([], false, 0, line[...])
    while let byte = rest.first {
      if rest.starts(with: variable) {
        let quote = isQuoted || depth > 0 ? [] : [UInt8(ascii: "\"")]
        result += quote + ProfileWords.escaped(value[...], inFallback: depth > 0) + quote
        rest = rest.dropFirst(variable.count)
        continue
      }
      // What stands behind a backslash is no mark.
      let taken = byte == UInt8(ascii: "\\") && (isQuoted || depth > 0) ? 2 : 1
      if byte == UInt8(ascii: "\""), depth == 0 { isQuoted.toggle() }
      if rest.starts(with: "${".utf8) { depth += 1 }
      if byte == UInt8(ascii: "}"), depth > 0 { depth -= 1 }
      result += rest.prefix(taken)
      rest = rest.dropFirst(taken)
    }
    return result
  }

  /// Whether a comment says that a command did not get this, or does not need it.
  public func knows(_ thing: LearnedItem, _ words: ProfileWords) -> Bool {
    let starts = [" is ", " can ", " was changed "].map {
      Array(("# " + thing.subject.quoted + $0).utf8)
    }
    let end = [UInt8(ascii: " ")] + words.word(thing.subject)
    let others = [Array(LearnedProfile.runMark.utf8), LearnedProfile.changedMark]
    return lines.contains { line in
      line.first == UInt8(ascii: "#") && !others.contains { line.starts(with: $0) }
        && (starts.contains { line.starts(with: $0) } || line.suffix(end.count).elementsEqual(end))
    }
  }

  /// Whether a comment says that a learning run used or changed this, and that the profile does not give it.
  public func leavesOut(_ thing: LearnedItem, _ words: ProfileWords) -> Bool {
    let used = Array(("# " + LearnedProfile.usedMark).utf8)
    let changed = Array(("# " + thing.subject.quoted + " was changed ").utf8)
    let end = [UInt8(ascii: " ")] + words.word(thing.subject)
    return lines.contains { line in
      line.starts(with: changed)
        || line.starts(with: used) && line.suffix(end.count).elementsEqual(end)
    }
  }
}
