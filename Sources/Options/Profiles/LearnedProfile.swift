// SPDX-License-Identifier: Apache-2.0
// A profile as --learn writes it: the options of the learning run, in order, and in the place of those
// that show files of the host, what the command used of them. A second run adds its lines where they
// belong in that order; lines that are there change only as MergedProfile.swift says.

public import Sandbox
public import Text

/// The text of a learned profile.
public struct LearnedProfile: Sendable {
  /// The lines.
  public internal(set) var lines: [[UInt8]] = []
  /// What the last run has added, without comments.
  public internal(set) var added: [[UInt8]] = []
  /// The options that it had before the last run and has no longer.
  public internal(set) var removed: [[UInt8]] = []
  /// How many comments say what is left out.
  public private(set) var leftOut = 0

  /// The lines by which the last run has files read-only.
  private(set) var linesOfRun: Set<[UInt8]> = []
  /// Every line, and some that have gone: a long list is searched only for a line that is in here.
  private var known: Set<[UInt8]> = []

  private static let title =
    "# Learned by nestbox --learn from these runs, and nothing else; read it before you use it:"
  static let runMark = "#   "
  private static let unusedMark = "# No run used: "
  /// What begins a comment on something that a run used and the profile does not give.
  static let usedMark = "used, but "

  /// An empty profile, or that of a file.
  public init(_ text: [UInt8] = []) {
    lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { Array($0) }
    if lines.last?.isEmpty == true { lines.removeLast() }
  }

  /// The number, from 1, of the first line that is neither an option nor a comment nor empty: a file that
  /// has one is not a profile.
  public var firstForeignLine: Int? {
    lines.firstIndex { line in
      let first = line.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
      return first != nil && first != UInt8(ascii: "-") && first != UInt8(ascii: "#")
    }.map { $0 + 1 }
  }

  /// The text.
  public var text: [UInt8] { lines.flatMap { $0 + [UInt8(ascii: "\n")] } }

  /// Adds what a run needs.
  /// - Parameters:
  ///   - run: The run, in words.
  ///   - options: What its line has set.
  ///   - items: What it has used.
  ///   - words: How to write words.
  public mutating func add(
    _ run: String, _ options: [AppliedOption], _ items: [LearnedItem], _ words: ProfileWords
  ) {
    let before = optionLines
    added = []
    leftOut = 0
    linesOfRun = Set(
      items.filter { $0.kind == .same || $0.kind == .linked }.map {
        words.line(LearnedProfile.options(for: $0))
      })
    known = Set(lines)
    addRun(run, items)
    openForWriting(items.filter { $0.isForWriting && !has($0, words) }, words)
    var settings = takeOut(
      replacedBy: LearnedProfile.settings(of: options, items, words))
    var place = firstOption
    let firstLearned = options.firstIndex { $0.use == .learned }
    // Also for lines of earlier runs.
    for item in items where item.kind == .linkless { add(item, words, at: &place) }
    var (denials, mounts): ([[UInt8]], Set<[UInt8]>) = ([], [])
    for (index, option) in options.enumerated() {
      for line in settings.lines[index] { add(line, of: &settings, at: &place) }
      switch option.use {
      case .kept where option.isDenial: denials += option.lines
      case .kept where !option.operations.isEmpty:
        let isFirst = option.lines.last.map { mounts.insert($0).inserted } ?? true
        if !isFirst || !addMount(option.lines, at: &place) {
          add(option.lines, at: &place, covers: true)
        }
      case .kept, .narrowed: break
      case .told(let name):
        add(comment: "the run had \(name), which cannot stand in a profile", at: &place)
      case .learned:
        for item in items where item.kind != .linkless {
          let isHere =
            item.operation.map { option.operations.contains($0) } ?? (index == firstLearned)
          if isHere { add(item, words, at: &place) }
        }
        if option.protects(items.filter(\.isForWriting).map(\.subject)) {
          add(option.lines, at: &place, covers: true)
        }
      }
    }
    addDenials(denials, at: &place)
    for item in items { addNotice(item, words) }
    forgetLeftOut()
    noteRemoved(from: before)
  }

  /// Adds --no-links-in for directories.
  public mutating func add(withoutLinks directories: [ByteString], _ words: ProfileWords) {
    var place = firstOption
    for directory in directories { add(LearnedItem(.linkless, directory), words, at: &place) }
  }

  private var firstOption: Int {
    lines.firstIndex { $0.first != UInt8(ascii: "#") } ?? lines.count
  }
}

// MARK: - Lines

extension LearnedProfile {
  /// Whether the profile has the line.
  func has(_ line: [UInt8]) -> Bool { known.contains(line) && lines.contains(line) }

  private func has(_ item: LearnedItem, _ words: ProfileWords) -> Bool {
    has(words.line(LearnedProfile.options(for: item)))
  }

  mutating func insert(_ line: [UInt8], at place: inout Int) {
    lines.insert(line, at: place)
    known.insert(line)
    place += 1
  }

  /// Adds lines that belong together, unless they are there.
  ///
  /// If they cover what stands before them in the run, they must do so here: a copy that another run has further
  /// up is not enough.
  private mutating func add(_ new: [[UInt8]], at place: inout Int, covers: Bool = false) {
    guard let first = new.first else { return }
    if known.contains(first) {
      let start = covers ? place : 0
      if let index = lines.indices.dropFirst(start).first(where: { lines[$0...].starts(with: new) })
      {
        place = max(place, index + new.count)
        return
      }
    }
    for line in new { insert(line, at: &place) }
    added += new
  }

  /// For each option of a run, the lines in its place that show no file.
  private static func settings(
    of options: [AppliedOption], _ items: [LearnedItem], _ words: ProfileWords
  ) -> [[[UInt8]]] {
    options.enumerated().map { index, option in
      // --shrink may leave the option out.
      let foundation = option.name.flatMap { AppliedOption.foundation(of: $0) }
        .map { [Array($0.utf8)] }
      switch option.use {
      case .learned: return []
      case .told: return foundation ?? []
      case .kept:
        let isSetting = option.operations.isEmpty && !option.isDenial
        return (foundation ?? []) + (isSetting ? option.lines : [])
      case .narrowed(let name):
        let rules = items.filter { $0.kind == .rule && $0.subject == name }
        if rules.contains(where: \.notes.isEmpty) { return (foundation ?? []) + option.lines }
        // What takes the place of all options with this name stands where the last of them does.
        if options[(index + 1)...].contains(where: { $0.use == option.use }) { return [] }
        return (foundation ?? []) + rules.map { words.line([name] + $0.notes) }
      }
    }
  }

  private mutating func add(comment: String, at place: inout Int) {
    leftOut += 1
    // Whatever it is about, it stays one line, which does nothing to a terminal.
    let line = Array(("# " + ByteString(comment).quoted).utf8)
    if !has(line) { insert(line, at: &place) }
  }

  /// What shows a file; empty for other items.
  private static func options(for item: LearnedItem) -> [ByteString] {
    let path = item.subject
    return switch item.kind {
    case .same: ["--ro-same-try", path]
    case .linked: ["--ro-bind-try", path, path]
    case .writable: ["--bind-try", path, path]
    case .devices: ["--dev-bind-try", path, path]
    case .directory: ["--dir", path]
    case .linkless: ["--no-links-in", path]
    default: []
    }
  }

  private mutating func add(_ item: LearnedItem, _ words: ProfileWords, at place: inout Int) {
    let path = item.subject
    if item.kind == .objection {
      let reason = item.notes.first?.quoted ?? ""
      return add(
        comment: LearnedProfile.usedMark + "\(reason): "
          + LearnedProfile.option(["--read", path], words), at: &place)
    }
    let options = LearnedProfile.options(for: item)
    if options.isEmpty { return }
    guard ProfileWords.isPrintable(path) else {
      return add(
        comment: LearnedProfile.usedMark + "its name can't be shown here: \(path.quoted)",
        at: &place)
    }
    if isShown(item, words) { return }
    let line = words.line(options)
    if let joined = item.notes.first?.quoted, !has(line) {
      let comment = "# \(joined) names in this directory were used or looked at, so all of it:"
      insert(Array(comment.utf8), at: &place)
    }
    if item.kind == .same || item.kind == .linked {
      moveBehindWritable(line, path, words, &place)
    }
    add([line], at: &place)
  }

  /// Whether a line shows a file that was read, or a directory around it.
  ///
  /// One that shows it writable is about the same run only if this run has added it: then the file is to
  /// be read-only in there. Otherwise an earlier run may have changed it.
  private func isShown(_ item: LearnedItem, _ words: ProfileWords) -> Bool {
    guard item.kind == .same || item.kind == .linked else { return false }
    let own = words.line(["--bind-try", item.subject, item.subject])
    if has(own), !added.contains(own) { return true }
    // Only a link leads there: another line for it may be needed.
    if item.kind == .linked { return false }
    var bytes = item.subject.bytes
    while let slash = bytes.lastIndex(of: UInt8(ascii: "/")), slash > bytes.startIndex {
      bytes = bytes[..<slash]
      let directory = ByteString(bytes)
      if has(words.line(["--ro-same-try", directory])) { return true }
      let writable = words.line(["--bind-try", directory, directory])
      if has(writable) { return !added.contains(writable) }
    }
    return false
  }

  /// An option in a comment: a line that can be made one, or else its words.
  private static func option(_ option: [ByteString], _ words: ProfileWords) -> String {
    guard option.allSatisfy({ ProfileWords.isPrintable($0) }) else {
      return option.map(\.quotedForShell).joined(separator: " ")
    }
    return String(decoding: words.line(option), as: UTF8.self)
  }

  /// Adds a comment on what is not there at the end.
  private mutating func addNotice(_ item: LearnedItem, _ words: ProfileWords) {
    var end = lines.count
    switch item.kind {
    case .missing:
      guard let thing = MissedThing(item), !thing.isUsual else { return }
      add(comment: thing.sentence(item.subject) { LearnedProfile.option($0, words) }, at: &end)
    case .address:
      let rule = item.notes.dropFirst().map {
        "; in the place of --share-net, this allows it: "
          + LearnedProfile.option(["--net-allow", $0], words)
      }
      add(
        comment: "\(item.notes.first?.text ?? "") used the shared network to reach "
          + item.subject.quoted + rule.joined(), at: &end)
    case .limit: addLimit(item)
    case .incomplete:
      add(comment: "that run used more than nestbox notes: verify this profile", at: &end)
    default: return
    }
  }
}

// MARK: - The head

extension LearnedProfile {
  /// Says what the profile was learned from and what no run has used.
  private mutating func addRun(_ run: String, _ items: [LearnedItem]) {
    let title = Array(LearnedProfile.title.utf8)
    if lines.first != title { lines.insert(title, at: 0) }
    var end = 1
    let line = Array((LearnedProfile.runMark + run).utf8)
    while end < lines.count, lines[end].starts(with: LearnedProfile.runMark.utf8) { end += 1 }
    if !lines[..<end].contains(line) {
      lines.insert(line, at: end)
      end += 1
    }
    let mark = LearnedProfile.unusedMark
    var unused = items.filter { $0.kind == .unused }.map(\.subject.quoted)
    if end < lines.count, lines[end].starts(with: mark.utf8) {
      let known = String(decoding: lines[end].dropFirst(mark.utf8.count), as: UTF8.self)
        .split(separator: ";").map { $0.drop { $0 == " " } }
      unused = unused.filter { name in known.contains { $0 == name } }
      lines.remove(at: end)
    }
    if !unused.isEmpty {
      lines.insert(Array((mark + unused.joined(separator: "; ")).utf8), at: end)
    }
  }
}

extension LearnedItem {
  /// Whether it is a file to be changed.
  fileprivate var isForWriting: Bool { kind == .writable || kind == .devices }
}
