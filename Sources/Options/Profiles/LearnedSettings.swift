// SPDX-License-Identifier: Apache-2.0
// The settings of a learned profile: options that show no file. Where later ones change what earlier ones said,
// their order and their repetitions count, and those of two runs must not mix: both could then permit more than
// either. So of each kind, the profile has those of the last run that had any.

internal import Sandbox
internal import Text

extension Option {
  /// Which settings it belongs to, of which later ones change what earlier ones said; nil for an option about files,
  /// and for one that adds to what others permit.
  fileprivate var kindOfSetting: String? {
    let start = name.dropFirst(2).prefix { $0 != "-" }
    switch section {
    case .namespaces: return "namespaces"
    case .process where ["setenv", "unsetenv", "clearenv", "keep"].contains(start):
      return "environment"
    case .security where start == "cap" || start == "seccomp": return String(start)
    case .identity, .limits, .process, .security, .lifetime, .profiles:
      if traits.contains(.includes) { return nil }
      return name.hasSuffix("-try") ? String(name.dropLast(4)) : name
    default: return nil
    }
  }
}

extension LearnedProfile {
  /// The settings of a run, and what a profile had of the same kinds.
  struct Settings {
    /// For each option of the run, the lines in its place that show no file.
    var lines: [[[UInt8]]] = []
    /// The kinds that the profile had otherwise, or not at all.
    fileprivate(set) var changed: Set<String> = []
    /// The lines that were taken out.
    fileprivate var old: [[UInt8]] = []
  }

  /// Options by which a command reaches hosts.
  private static let allowing = ["--net-allow", "--net-allow-try", "--net-host", "--profile"]

  private static func kind(of line: [UInt8]) -> String? {
    guard let name = name(of: line), let kind = Option.named(name)?.kindOfSetting else {
      return nil
    }
    guard name == "--rlimit" else { return kind }
    // Each resource has a limit of its own.
    let resource = words(of: line).dropFirst().first.map { unquoted(Array($0)) } ?? []
    return kind + " "
      + String(decoding: resource.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
      .lowercased()
  }

  private static func name(of line: [UInt8]) -> ByteString? {
    guard line.first != UInt8(ascii: "#") else { return nil }
    return words(of: line).first.map { ByteString($0) }
  }

  /// Takes out settings that those of a run replace: where a kind differs, all that the profile has of it.
  /// - Parameter lines: For each option of the run, the lines in its place that show no file.
  /// - Returns: The settings to be added.
  mutating func takeOut(replacedBy lines: [[[UInt8]]]) -> Settings {
    var settings = Settings()
    var (new, had): ([String: [[UInt8]]], [String: [[UInt8]]]) = ([:], [:])
    for these in lines {
      var kept: [[UInt8]] = []
      for line in these {
        guard let kind = LearnedProfile.kind(of: line) else {
          kept.append(line)
          continue
        }
        if LearnedProfile.isThere(line, new[kind] ?? []) { continue }
        new[kind, default: []].append(line)
        kept.append(line)
      }
      settings.lines.append(kept)
    }
    let kinds = self.lines.map { LearnedProfile.kind(of: $0) }
    for (line, kind) in zip(self.lines, kinds) {
      if let kind { had[kind, default: []].append(line) }
    }
    settings.changed = Set(new.keys.filter { new[$0] != had[$0] })
    var rest: [[UInt8]] = []
    for (line, kind) in zip(self.lines, kinds) {
      if let kind, settings.changed.contains(kind) {
        settings.old.append(line)
      } else {
        rest.append(line)
      }
    }
    self.lines = rest
    return settings
  }

  /// Whether a setting would only repeat what those of its kind before it say.
  private static func isThere(_ line: [UInt8], _ before: [[UInt8]]) -> Bool {
    if before.last == line { return true }
    // Each rule of --net-allow makes the network, which only one option takes back.
    let share = Array("--share-net".utf8)
    let later = before.lastIndex(of: share).map { before[($0 + 1)...] } ?? before[...]
    return line.elementsEqual("--unshare-net".utf8) && later.contains(line)
  }

  /// Adds a setting in its place.
  mutating func add(_ line: [UInt8], of settings: inout Settings, at place: inout Int) {
    let kind = LearnedProfile.kind(of: line)
    if let kind, settings.changed.contains(kind) {
      insert(line, at: &place)
      if let index = settings.old.firstIndex(of: line) {
        settings.old.remove(at: index)
      } else {
        added.append(line)
      }
      return
    }
    guard let index = lines.firstIndex(of: line) else {
      insert(line, at: &place)
      added.append(line)
      return
    }
    // What follows stands behind it, but files keep their order.
    let next = kind == nil ? index : lines[place...].firstIndex(of: line) ?? index
    let isNear = next >= place && lines[place..<next].allSatisfy { LearnedProfile.showsNoFile($0) }
    if isNear { place = next + 1 }
  }

  private static func showsNoFile(_ line: [UInt8]) -> Bool {
    guard let name = name(of: line), let option = Option.named(name) else { return true }
    return option.kindOfSetting != nil || option.section == .network || option.section == .buses
  }

  /// Adds what a run's line denies of the network, if the profile allows any of it: alone it would be a mistake.
  mutating func addDenials(_ denials: [[UInt8]], at place: inout Int) {
    let allows = lines.contains { line in
      LearnedProfile.name(of: line).map { LearnedProfile.allowing.contains($0.text) } ?? false
    }
    guard allows else { return }
    for line in denials where !lines.contains(line) {
      insert(line, at: &place)
      added.append(line)
    }
  }
}
