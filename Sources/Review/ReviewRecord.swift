// SPDX-License-Identifier: Apache-2.0
// The module Review holds the changes of a command back until their owner decides. It has the store
// of layers, finds what a layer changes, and applies or discards changes. The layers are hostile:
// everything here works on descriptors, follows no link, and has bounds.
//
// This file: what the store notes about a review.

public import Linux
internal import Running
public import SystemPackage
internal import Text

/// What the store notes about a review.
public struct ReviewRecord: Equatable, Sendable {
  /// A directory under review.
  public struct Tree: Equatable, Sendable {
    /// Its path, without links.
    public var path: FilePath
    /// Which directory it is.
    public var identity: FileIdentity

    /// Names a directory.
    public init(path: FilePath, identity: FileIdentity) {
      (self.path, self.identity) = (path, identity)
    }
  }

  /// When it began, by the clock of the store's file system.
  public var started: FileTime
  /// A random word, which no command could know: it names temporary files.
  public var token: UInt64
  /// The directories.
  public var trees: [Tree]

  /// States a record.
  public init(started: FileTime, token: UInt64, trees: [Tree]) {
    (self.started, self.token, self.trees) = (started, token, trees)
  }

  /// How many directories one review may have.
  public static let mostTrees = 64
  /// How long a record may be.
  static let mostBytes = 1 << 20
  private static let heading = "nestbox-review 1"

  /// The record as it is written.
  ///
  /// Bytes, because the runtime looks for a type by its name when it frees the first string of 64 bytes or
  /// more, which takes longer than writing the record.
  public var bytes: [UInt8] {
    var bytes = Array(ReviewRecord.heading.utf8)
    bytes += "\nstarted ".utf8
    bytes += String(started.seconds).utf8
    bytes += " ".utf8
    bytes += String(started.nanoseconds).utf8
    bytes += "\ntoken ".utf8
    bytes += String(token).utf8
    for tree in trees {
      bytes += "\ntree ".utf8
      bytes += String(tree.identity.device).utf8
      bytes += " ".utf8
      bytes += String(tree.identity.inode).utf8
      bytes += " ".utf8
      for byte in ByteString(tree.path).bytes {
        if (0x21..<0x7f).contains(byte), byte != UInt8(ascii: "%") {
          bytes.append(byte)
        } else {
          bytes += (byte < 16 ? "%0" : "%").utf8
          bytes += String(byte, radix: 16).utf8
        }
      }
    }
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }

  /// Reads a record; nil where it has another form.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count <= ReviewRecord.mostBytes, bytes.last == UInt8(ascii: "\n") else {
      return nil
    }
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    guard lines.first?.elementsEqual(ReviewRecord.heading.utf8) == true else { return nil }
    var (started, token): (FileTime?, UInt64?)
    var trees: [Tree] = []
    for line in lines.dropFirst() {
      let words = line.split(separator: UInt8(ascii: " "))
      let name = words.first.map { ByteString($0) }
      let numbers = words.dropFirst().prefix(2).map { UInt64(decimal: $0) }
      if name == "token", numbers.count == 1 {
        token = numbers[0]
      } else if numbers.count == 2, let first = numbers[0], let second = numbers[1] {
        if name == "started", second < 1_000_000_000, let seconds = Int64(exactly: first) {
          started = FileTime(seconds: seconds, nanoseconds: Int64(second))
        } else if name == "tree", words.count == 4, trees.count < ReviewRecord.mostTrees {
          let path = ByteString(unescaping: words[3], marker: "%", digits: 2, radix: 16)
          guard path.bytes.first == UInt8(ascii: "/") else { return nil }
          let identity = FileIdentity(device: first, inode: second)
          trees.append(Tree(path: path.path, identity: identity))
        }
      }
    }
    guard let started, let token, !trees.isEmpty else { return nil }
    self.init(started: started, token: token, trees: trees)
  }
}
