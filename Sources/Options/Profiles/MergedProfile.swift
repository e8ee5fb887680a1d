// SPDX-License-Identifier: Apache-2.0
// Two runs in one learned profile: of two lines about the same file the later one decides, so the order of the
// lines says whether a file is writable.

internal import Sandbox
internal import Text

extension LearnedProfile {
  /// Options by which a run that only read has a file.
  private static let reading = [Array("--ro-same-try ".utf8), Array("--ro-bind-try ".utf8)]

  /// What begins a line that an earlier run only read by.
  static let changedMark = Array("# a later run may change it: ".utf8)

  /// Makes comments of lines by which earlier runs only read `files` and what is in them: this run may change all
  /// of that except what its own lines protect.
  mutating func openForWriting(_ files: [LearnedItem], _ words: ProfileWords) {
    let tops = Set(files.map { Array(LearnedProfile.unquoted(words.word($0.subject))) })
    guard !tops.isEmpty else { return }
    for (index, line) in lines.enumerated() where !linesOfRun.contains(line) {
      guard LearnedProfile.reading.contains(where: { line.starts(with: $0) }),
        let last = LearnedProfile.words(of: line).last
      else { continue }
      var place = LearnedProfile.unquoted(Array(last))
      while !tops.contains(Array(place)), let slash = place.lastIndex(of: UInt8(ascii: "/")) {
        place = place[..<slash]
      }
      if tops.contains(Array(place)) { lines[index] = LearnedProfile.changedMark + line }
    }
  }

  /// Moves a line that protects something behind the line of this run that makes the directory around it
  /// writable.
  mutating func moveBehindWritable(
    _ line: [UInt8], _ path: ByteString, _ words: ProfileWords, _ place: inout Int
  ) {
    guard has(line), let known = lines.firstIndex(of: line) else { return }
    var bytes = path.bytes
    while let slash = bytes.lastIndex(of: UInt8(ascii: "/")), slash > bytes.startIndex {
      bytes = bytes[..<slash]
      let directory = ByteString(bytes)
      let writable = words.line(["--bind-try", directory, directory])
      guard added.contains(writable), let index = lines.firstIndex(of: writable), index > known
      else {
        continue
      }
      lines.remove(at: known)
      if known < place { place -= 1 }
      return
    }
  }

  /// The lines that are options.
  var optionLines: [[UInt8]] {
    lines.filter { $0.first { $0 != UInt8(ascii: " ") } == UInt8(ascii: "-") }
  }

  /// Notes which options are no longer there.
  mutating func noteRemoved(from before: [[UInt8]]) {
    var rest: [[UInt8]: Int] = [:]
    for line in optionLines { rest[line, default: 0] += 1 }
    removed = before.filter { line in
      rest[line, default: 0] -= 1
      return rest[line, default: 0] < 0
    }
  }

  /// A word without the quotes around it.
  static func unquoted(_ word: [UInt8]) -> ArraySlice<UInt8> {
    guard let first = word.first, first == UInt8(ascii: "'") || first == UInt8(ascii: "\"") else {
      return word[...]
    }
    return word.dropFirst().dropLast()
  }
}
