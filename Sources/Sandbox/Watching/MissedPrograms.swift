// SPDX-License-Identifier: Apache-2.0
// Programs that a command looked for in each directory of PATH, and that only the caller's PATH has: one finding for
// each, in the place of one for each directory.

internal import Linux
internal import SystemPackage
internal import Text

extension Findings {
  /// The most programs that are looked for on the host.
  private static let mostPrograms = 50

  /// Finds the programs that `observations` name in each directory of PATH, where none is.
  mutating func findPrograms(_ observations: Observations) {
    let directories = Set(resolved.searchedDirectories)
    var searched: [ByteString: [Observation]] = [:]
    for seen in observations.all where seen.kind == .execute || seen.kind == .look {
      let path = seen.subject.path
      guard directories.contains(ByteString(path.parent)) else { continue }
      searched[path.lastName, default: []].append(seen)
    }
    var left = Findings.mostPrograms
    for (name, all) in searched where Set(all.map(\.subject)).count >= directories.count {
      guard left > 0, hasTime() else { return }
      left -= 1
      find(name, all)
    }
  }

  /// Notes a program that was looked for.
  private mutating func find(_ name: ByteString, _ observations: [Observation]) {
    guard let first = observations.first, !observations.contains(where: { isShown($0.subject) }),
      let host = try? ProgramSearch.find(
        name, in: Environment.value(of: "PATH", in: resolved.inherited))
    else { return }
    let places = Set(observations.map(\.subject))
    all.removeAll { $0.kind == .notShown && places.contains($0.subject) }
    var finding = Finding(
      kind: .notShown, subject: host, programs: [first.program], count: 1,
      last: observations.map(\.last).max() ?? first.last)
    finding.program = name
    for seen in observations where !finding.programs.contains(seen.program) {
      if finding.programs.count < Finding.mostPrograms { finding.programs.append(seen.program) }
    }
    all.append(finding)
  }

  /// Adds what gives the command a program of the caller's PATH.
  mutating func completeProgram(_ finding: inout Finding) {
    let path = finding.subject.path
    let directory = ByteString(path.parent)
    finding.objection = objection(to: path)
    guard finding.objection == nil else { return }
    let isSearched = resolved.searchedDirectories.contains(directory)
    if !isSearched, resolved.sandbox.isFromProfile,
      directory.path.starts(with: resolved.callerHome.path)
    {
      finding.options = ["--profile", "toolchains"]
      return
    }
    if !isShown(finding.subject) { finding.options = showing(path, isForWriting: false) }
    if !isSearched {
      let path = resolved.environment.searchPath.appending(":").appending(directory)
      finding.options += ["--setenv", "PATH", path]
    }
  }
}

extension ResolvedSandbox {
  /// The directories in which programs inside look for other programs.
  fileprivate var searchedDirectories: [ByteString] {
    environment.searchPath.bytes.split(separator: UInt8(ascii: ":"))
      .filter { $0.first == UInt8(ascii: "/") }
      .map { ByteString(ByteString($0).path.lexicallyNormalized()) }
  }
}
