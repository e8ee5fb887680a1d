// SPDX-License-Identifier: Apache-2.0
// Findings as the lines of a report: a directory of which many files are missing has one line for all of them.

internal import Linux
internal import SystemPackage
internal import Text

extension Findings {
  /// How many missing files of a directory have a line together, and how many of them it names.
  private static let most = (apart: 3, named: 3)

  /// The lines about `things`.
  mutating func lines(about things: [Finding]) -> [String] {
    var groups: [FilePath: [Finding]] = [:]
    for thing in things {
      if let directory = thing.groupDirectory { groups[directory, default: []].append(thing) }
    }
    var lines: [String] = []
    for thing in things {
      guard let directory = thing.groupDirectory, let group = groups[directory],
        group.count > Findings.most.apart
      else {
        lines.append(thing.text)
        continue
      }
      if group.first?.subject == thing.subject { lines.append(line(about: group, in: directory)) }
    }
    return lines
  }

  /// The line about several missing files of a directory.
  private mutating func line(about group: [Finding], in directory: FilePath) -> String {
    var programs: [String] = []
    for name in group.flatMap(\.programNames)
    where !programs.contains(name) && programs.count < Finding.mostPrograms {
      programs.append(name)
    }
    let who = programs.isEmpty ? "" : " (" + programs.joined(separator: ", ") + ")"
    let start =
      "\(String(group.count)) files of \(ByteString(directory).quotedInReport) are not shown inside\(who)"
    // All of such a directory would be more than the command looked for.
    if directory.components.count < 2 || resolved.isShared(directory)
      || objection(to: directory) != nil
    {
      let names = group.prefix(Findings.most.named).map { $0.subject.path.lastName.quotedInReport }
      return start + ", as " + names.joined(separator: ", ") + ": --json has the options for all"
    }
    let option = group.contains { $0.options.first == "--write" } ? "--write" : "--read"
    return start + ": \(option) " + ByteString(directory).quotedForShell
  }
}

extension Finding {
  /// The directory with whose other missing files it can be told; nil if it is to be told alone.
  fileprivate var groupDirectory: FilePath? {
    guard kind == .notShown, program == nil, note.isEmpty, options.count == 2,
      options[0] == "--read" || options[0] == "--write", options[1] == subject
    else { return nil }
    return subject.path.parent
  }
}
