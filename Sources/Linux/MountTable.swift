// SPDX-License-Identifier: Apache-2.0
// The table of mounts. A launch never reads it: the dry run and the diagnosis do.

public import SystemPackage
public import Text

/// The mounts that a process can see, in the kernel's order.
///
/// See proc(5), mountinfo.
public struct MountTable: Equatable, Sendable {
  /// A mount.
  public struct Entry: Equatable, Sendable {
    /// The numbers of this mount and of its parent.
    public let number, parent: Int
    /// The part of its file system that it shows.
    public let root: FilePath
    /// Its mount point.
    public let point: FilePath
    /// Its options: `ro`, `nosuid` and others.
    public let options: [Substring]
    /// Whether recursive binds leave it out.
    public let isUnbindable: Bool
    /// The type of its file system.
    public let type: String
    /// What its file system is mounted from: a device, a directory, or any word.
    public let source: ByteString
    /// The options of its file system: `size=1024k` and others.
    public let filesystemOptions: [Substring]

    /// Whether it is read-only.
    public var isReadOnly: Bool { options.contains("ro") }

    /// States a mount.
    public init(
      number: Int, parent: Int, root: FilePath = "/", point: FilePath, options: [Substring] = [],
      isUnbindable: Bool = false, type: String, source: ByteString = "none",
      filesystemOptions: [Substring] = []
    ) {
      (self.number, self.parent) = (number, parent)
      (self.root, self.point, self.options) = (root, point, options)
      (self.isUnbindable, self.type) = (isUnbindable, type)
      (self.source, self.filesystemOptions) = (source, filesystemOptions)
    }
  }

  /// The mounts.
  public let entries: [Entry]

  /// A table of these mounts.
  public init(_ entries: [Entry]) {
    self.entries = entries
  }

  /// The mounts in the text of a file mountinfo; lines of another form are left out.
  public init(parsing text: [UInt8]) {
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    self.init(lines.compactMap(Entry.init))
  }

  /// The mounts of this process.
  public static func current() throws(SystemCallError) -> MountTable {
    MountTable(try TextFile.lines(of: "/proc/self/mountinfo").compactMap(Entry.init))
  }

  /// The mount on which `path`, a path without links, lies.
  public func mount(of path: FilePath) -> Entry? {
    var best: Entry?
    for entry in entries where path.starts(with: entry.point) {
      let length = entry.point.components.count
      if length >= best?.point.components.count ?? 0 { best = entry }
    }
    return best
  }

  /// The mount with this number.
  public subscript(number: Int) -> Entry? { entries.first { $0.number == number } }
}

extension MountTable.Entry {
  /// Reads a line of the table.
  init?(_ line: Substring) {
    let words = line.split(separator: " ")
    guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count > dash + 1,
      let number = Int(words[0]), let parent = Int(words[1])
    else { return nil }
    self.init(
      number: number, parent: parent, root: words[3].unescaped, point: words[4].unescaped,
      options: words[5].split(separator: ","), isUnbindable: words[6..<dash].contains("unbindable"),
      type: String(words[dash + 1]),
      source: ByteString(words.dropFirst(dash + 2).first?.unescaped ?? "none"),
      filesystemOptions: words.dropFirst(dash + 3).first?.split(separator: ",") ?? [])
  }
}

extension Substring {
  /// The path, with the blanks, newlines and backslashes that the kernel writes as `\040`.
  fileprivate var unescaped: FilePath {
    ByteString(unescaping: Array(utf8)[...], marker: "\\", digits: 3, radix: 8).path
  }
}
