// SPDX-License-Identifier: Apache-2.0
// The changes of a review, for people and for programs.

internal import Linux
internal import SystemPackage
public import Text

extension Review {
  /// The changes for people: what deserves a look comes first.
  public func text(of changes: Changes) -> String {
    let told = changes.told.count
    let marks = changes.list.map(\.marks)
    let places = record.trees.map { ByteString($0.path).quoted }.joined(separator: ", ")
    var text = "\(name.text): \(Review.number(told, "change")) in \(places)"
    text += isInUse ? ", and its sandbox still runs\n" : "\n"
    let directories = RemovedDirectories(changes.list)
    let marked = marks.indices.filter { !marks[$0].isEmpty }
    let others = marks.indices.filter { index in
      marks[index].isEmpty && !directories.hold[index]
        && !changes.list[index].isToldWithCounterpart
    }
    if !marked.isEmpty {
      text += "\nLook at these first:\n"
      for index in marked {
        text += line(changes.list[index], files: directories.files[index]) + "  ("
        text += marks[index].map(\.text).joined(separator: "; ") + ")\n"
      }
      if !others.isEmpty { text += "\nThe others:\n" }
    }
    for index in others {
      text += line(changes.list[index], files: directories.files[index]) + "\n"
    }
    for (path, reason) in changes.unread {
      text += "not read: \(ByteString(path).quotedInReport): \(reason)\n"
    }
    if changes.isIncomplete { text += "There are more changes than nestbox looks at.\n" }
    if changes.mayHideRenamings {
      text += "Other files may be renamed as well: nestbox has compared only some of them.\n"
    }
    return text
  }

  private func line(_ change: Change, files: Int? = nil) -> String {
    let name = ByteString(place(of: change)).quotedInReport
    switch change.kind {
    case .added:
      if let old = change.counterpart {
        let from = place(old, tree: change.tree)
        return "  \(Change.renaming)  \(ByteString(from).quotedInReport) -> \(name)"
      }
      return "  added    \(name)" + change.addition
    case .changed: return "  changed  \(name)" + change.addition
    case .removed:
      guard let files else { return "  removed  \(name)" }
      if files == 0 { return "  removed  \(name)/" }
      return "  removed  \(name)/ with \(Review.number(files, "file"))"
    case .type:
      return "  type     \(name): \(change.old?.kind.rawValue ?? "") -> "
        + (change.new?.kind.rawValue ?? "") + change.addition
    case .mode:
      return "  mode     \(name): \(Review.octal(change.old)) -> \(Review.octal(change.new))"
    case .time: return "  time     \(name)"
    }
  }

  /// A number of things.
  public static func number(_ count: Int, _ thing: String) -> String {
    "\(String(count)) \(thing)\(count == 1 ? "" : "s")"
  }

  private static func octal(_ status: EntryStatus?) -> String {
    let digits = String(status?.permissions ?? 0, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// The changes for programs.
  public func json(of changes: Changes) -> JSON {
    .object([
      .init("version", .number(1)),
      .init("name", .bytes(name)),
      .init("running", .boolean(isInUse)),
      .init("complete", .boolean(!changes.isIncomplete && changes.unread.isEmpty)),
      .init(
        "directories",
        .array(
          record.trees.enumerated().map { number, tree in
            .object(
              JSON.exact("path", ByteString(tree.path)) + [
                .init(
                  "changes",
                  .array(changes.list.filter { $0.tree == number }.map(\.json)))
              ])
          })),
    ])
  }
}

/// Removed directories: a report has one line for each, with everything that was in it.
///
/// What was in a directory follows it in the list of changes, so that one pass finds it.
struct RemovedDirectories {
  /// How many files each of them had, by its index in the list.
  private(set) var files: [Int: Int] = [:]
  /// Whether one of them had the entry, for each index.
  private(set) var hold: [Bool]
  /// How often two paths were compared.
  private(set) var comparisons = 0

  init(_ list: [Change]) {
    hold = [Bool](repeating: false, count: list.count)
    var top: Int?
    for (index, change) in list.enumerated() where change.kind == .removed {
      if let top {
        comparisons += 1
        if list[top].tree == change.tree, change.path.starts(with: list[top].path) {
          hold[index] = true
          // A renamed file has a line of its own.
          let isFile = change.old?.kind != .directory && change.counterpart == nil
          if isFile { files[top, default: 0] += 1 }
          continue
        }
      }
      top = nil
      guard change.old?.kind == .directory else { continue }
      top = index
      files[index] = 0
    }
  }
}

extension Changes {
  /// How many changes there are of each kind, in the words of the report; kinds without changes are left
  /// out.
  ///
  /// The search has found the renamings already.
  public var counts: [(kind: String, count: Int)] {
    let renamed = list.count { $0.kind == .added && $0.counterpart != nil }
    var counts: [(kind: String, count: Int)] = []
    for kind in Change.Kind.allCases {
      let count = told.count { $0.kind == kind } - (kind == .added ? renamed : 0)
      if count > 0 { counts.append((kind.rawValue, count)) }
      if kind == .removed, renamed > 0 { counts.append((Change.renaming, renamed)) }
    }
    return counts
  }
}

extension Change {
  /// What reports call a file that was renamed.
  static let renaming = "renamed"

  /// What the layer has there, if it is no regular file.
  fileprivate var addition: String {
    switch new?.kind {
    case .directory: "/"
    case .link: " -> " + (target?.quotedInReport ?? "")
    default: ""
    }
  }

  fileprivate var json: JSON {
    var members = JSON.exact("path", ByteString(path))
    members.append(.init("change", .string(kind.rawValue)))
    if let old { members.append(.init("old", Change.json(old))) }
    if let new { members.append(.init("new", Change.json(new))) }
    if let target { members += JSON.exact("target", target) }
    if let counterpart {
      members += JSON.exact(
        kind == .removed ? "renamed-to" : "renamed-from", ByteString(counterpart))
    }
    members.append(
      .init(
        "marks",
        .array(
          marks.map {
            .object([.init("name", .string($0.name)), .init("text", .string($0.text))])
          })))
    return .object(members)
  }

  private static func json(_ status: EntryStatus) -> JSON {
    .object([
      .init("type", .string(status.kind.rawValue)),
      .init("mode", .number(Int64(status.permissions))),
      .init("size", .number(status.size)),
    ])
  }
}
