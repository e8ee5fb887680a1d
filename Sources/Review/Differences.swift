// SPDX-License-Identifier: Apache-2.0
// The text that changes, as git or diff tells it. Both sides are copied into a directory of the store
// first: neither program sees the layer or the host's directory, in which a link could lead it away.

internal import Linux
internal import SystemPackage
public import Text

extension Review {
  private static let limit = (file: Int64(1 << 20), all: Int64(64 << 20), output: 256 << 20)

  /// A unified diff of the changes, without characters that control a terminal.
  ///
  /// The program that makes it is searched in `path`.
  public func differences(
    in changes: Changes, _ path: ByteString?
  ) throws(ReviewError) -> String {
    let trees = try openTrees()
    let folder = self.folder
    let name = FilePath("diff-" + String(CurrentProcess.number))
    try? TreeRemoval.remove(name, from: folder.descriptor)
    var (notes, output): (String, [UInt8]) = ("", [])
    do throws(SystemCallError) {
      try folder.descriptor.makeDirectory(name, .init(rawValue: 0o700))
      let place = try folder.descriptor.openSubdirectory(name)
      try place.makeDirectory("a", .init(rawValue: 0o700))
      try place.makeDirectory("b", .init(rawValue: 0o700))
      let old = try place.openSubdirectory("a")
      let new = try place.openSubdirectory("b")
      var rest = Review.limit.all
      for change in changes.list where change.kind != .mode && change.kind != .time {
        let size = max(Review.size(change.old), Review.size(change.new))
        guard size <= Review.limit.file, size <= rest else {
          notes += "too large to show: \(ByteString(self.place(of: change)).quoted)\n"
          continue
        }
        rest -= size
        let number = trees.count == 1 ? nil : change.tree
        let tree = trees[change.tree]
        // It is gone, or cannot be read: the diff leaves it out.
        try? Review.copy(change.path, change.old, number, to: old) {
          () throws(SystemCallError) in try tree.openBase(change.path.parent)
        }
        try? Review.copy(change.path, change.new, number, to: new) {
          () throws(SystemCallError) in try tree.openUpper(change.path.parent)
        }
      }
      output = try compare(in: self.path.appending(name.components), path)
    } catch {
      try? TreeRemoval.remove(name, from: folder.descriptor)
      throw .failed(self.path, error)
    }
    try? TreeRemoval.remove(name, from: folder.descriptor)
    return Review.shown(output) + notes
  }

  private static func size(_ status: EntryStatus?) -> Int64 {
    status?.kind == .regular ? status?.size ?? 0 : 0
  }

  /// Copies a file or a link to the same path below `root`.
  private static func copy(
    _ path: FilePath, _ status: EntryStatus?, _ number: Int?, to root: borrowing OwnedDescriptor,
    from parent: () throws(SystemCallError) -> OwnedDescriptor
  ) throws(SystemCallError) {
    guard let status, status.kind == .regular || status.kind == .link else { return }
    var place = number.map { FilePath(String($0)) } ?? "."
    try? root.makeDirectory(place, .init(rawValue: 0o700))
    for component in path.components.dropLast() {
      try? root.openDirectlyInRoot(place).makeDirectory(
        FilePath(root: nil, [component]), .init(rawValue: 0o700))
      place.append(component)
    }
    let source = try parent()
    let target = try root.openDirectlyInRoot(place)
    let name = path.lastName.path
    if status.kind == .link {
      return try target.makeSymbolicLink(name, target: source.symbolicLinkTarget(name))
    }
    let file = try ReviewTree.openFile(name, in: source)
    let copy = try target.create(name, .init(rawValue: 0o600))
    try Descriptors.copyRegular(file, size: min(status.size, limit.file), to: copy)
    try copy.changePermissions(status.permissions & 0o777 | 0o600)
  }

  /// Has git or diff compare the directories `a` and `b` of `directory`.
  private func compare(
    in directory: FilePath, _ path: ByteString?
  ) throws(SystemCallError) -> [UInt8] {
    var environment: [ByteString] = [
      "LC_ALL=C.UTF-8", "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1",
      "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1",
      // git must not read settings of a repository around the store.
      ByteString(variable: "GIT_CEILING_DIRECTORIES", value: ByteString(self.path)),
    ]
    if let path { environment.append(ByteString(variable: "PATH", value: path)) }
    let place = ByteString(directory)
    var (program, words) = (try ProgramSearch.find("git", in: path), [ByteString]())
    if program != nil {
      words = [
        "git", "--no-pager", "-C", place, "diff", "--no-index", "--no-ext-diff", "--no-textconv",
        "--no-color", "--no-prefix", "-M", "a", "b",
      ]
    } else {
      program = try ProgramSearch.find("diff", in: path)
      words = ["diff", "-ruN", "--no-dereference", "--"]
      words += [place.appending("/a"), place.appending("/b")]
    }
    guard let program else { throw SystemCallError(call: "execve", errno: .noSuchFileOrDirectory) }
    let pipe = try Pipe()
    let null = try OwnedDescriptor.open("/dev/null", .reading)
    let child = try ChildProcess.start(
      program, words, environment,
      replacing: [(0, null.rawValue), (1, pipe.writeEnd.rawValue)])
    _ = consume pipe.writeEnd
    let output = try Descriptors.contents(of: pipe.readEnd.rawValue, limit: Review.limit.output)
    _ = try child.waitForProcess()
    return output
  }

  /// The text with control characters written out, so that no content controls a terminal.
  static func shown(_ bytes: [UInt8]) -> String {
    var text = ""
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control where scalar != "\n" && scalar != "\t", .format, .lineSeparator,
        .paragraphSeparator:
        text += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
