// SPDX-License-Identifier: Apache-2.0
// What a watched run has shown that its command needs, on its way from the watcher to the launcher.

internal import Linux
internal import SystemPackage
public import Text

/// What the watch is for, besides telling what was kept from the command.
public enum Learning: Equatable, Sendable {
  /// To write down what the command needs.
  case profile
  /// To find out whether the profile with this file is enough, and whether it is too much.
  case verification(ByteString)
}

/// Something that a run has used, or has not got.
public struct LearnedItem: Equatable, Sendable {
  /// What it is.
  public enum Kind: UInt8, Sendable {
    /// A file, a link or a directory with all that is in it, to be read.
    case same = 1
    /// The same, where only a link of the host leads there.
    case linked
    /// The same, to be changed.
    case writable
    /// The same, with devices to be opened.
    case devices
    /// A directory that only has to be there.
    case directory
    /// Something that was used, but must not be shown without a second thought; a note says why.
    case objection
    /// Something that the command did not get: a finding, with its kind, what speaks against it,
    /// the programs that asked for it, whether nearly every program does, and the options.
    case missing
    /// What could be used and was not: a path, or what else was possible.
    case unused
    /// The number of a line of the verified profile that was not used.
    case unusedLine
    /// An address that the command connected to.
    case address
    /// How many calls were watched; always there.
    case calls
    /// There was more than nestbox notes.
    case incomplete
  }

  /// What it is.
  public let kind: Kind
  /// Which operation of the sandbox shows it, counted from 0; nil if none does.
  public let operation: Int?
  /// The path, or what else it is about.
  public let subject: ByteString
  /// What else there is to say.
  public let notes: [ByteString]

  /// Describes an item.
  public init(
    _ kind: Kind, _ subject: ByteString, operation: Int? = nil, notes: [ByteString] = []
  ) {
    (self.kind, self.subject, self.operation, self.notes) = (kind, subject, operation, notes)
  }
}

// MARK: - In the report

extension LearnedItem {
  /// No line for people begins with this byte.
  private static let mark: UInt8 = 1

  /// The item as fields of the watcher's report: a mark, the kind and two numbers, then the subject
  /// and the notes.
  var fields: [ByteString] {
    let numbers = " " + String(operation ?? -1) + " " + String(notes.count)
    let head = [LearnedItem.mark, kind.rawValue &+ UInt8(ascii: "A")] + Array(numbers.utf8)
    return [ByteString(head), subject] + notes
  }

  /// Takes an item from the beginning of a report's fields; nil for a line for people.
  init?(_ fields: inout ArraySlice<ByteString>) {
    guard let head = fields.first?.bytes, head.count > 2, head.first == LearnedItem.mark,
      let kind = Kind(rawValue: head[head.startIndex + 1] &- UInt8(ascii: "A"))
    else { return nil }
    let numbers = ByteString(head.dropFirst(2)).text.split(separator: " ").compactMap { Int($0) }
    let rest = fields.dropFirst()
    guard numbers.count == 2, let subject = rest.first, (0..<rest.count).contains(numbers[1]) else {
      return nil
    }
    self.init(
      kind, subject, operation: numbers[0] < 0 ? nil : numbers[0],
      notes: Array(rest.dropFirst().prefix(numbers[1])))
    fields = rest.dropFirst(numbers[1] + 1)
  }
}

extension Ending {
  /// Takes over the watcher's report.
  mutating func take(_ report: [ByteString]) {
    var rest = report[...]
    while let line = rest.first {
      if let item = LearnedItem(&rest) {
        learned.append(item)
      } else {
        explanation.append(line.text)
        rest = rest.dropFirst()
      }
    }
  }
}

extension FilesystemOperation.Action {
  /// Whether a learned profile shows what was used of it in its place: it shows files of the host
  /// where they lie.
  public var isLearned: Bool {
    switch self {
    case .bind(let source, let destination, _, _): source == destination && source.isAbsolute
    case .same, .show, .temporaryHome, .review: true
    default: false
    }
  }
}

extension Plan {
  /// Whether the command may change the file `path` of the host, or what is in its directory.
  public func mayChange(_ path: ByteString) -> Bool {
    let path = path.path
    return root.mounts.contains { mount in
      guard case .host(let shown) = mount.content, !mount.isReadOnly, !mount.isLost else {
        return false
      }
      return path.starts(with: shown)
    }
  }
}

extension Sandbox {
  /// Whether a value of this variable looks like a secret.
  public static func isLikelySecret(_ variable: ByteString, _ value: ByteString) -> Bool {
    Secrets.isLikely(variable, value)
  }
}
