// SPDX-License-Identifier: Apache-2.0
// The working directory, where that is in memory: what the command writes there is lost with the sandbox. A
// person is told if it wrote something, and not before every command.

internal import Linux
internal import SystemPackage
public import Text

/// A directory in memory, and how many entries the launch has made in it.
final class DiscardedDirectory {
  private let directory: OwnedDescriptor
  private let made: UInt16

  /// Bounds of the look at what the command, which may be hostile, has made.
  private static let most: (entries: UInt16, depth: Int) = (1000, 16)

  /// Notes a directory, and how many entries it had before the command was executed.
  init(_ directory: consuming OwnedDescriptor, entries: UInt16) {
    made = entries
    self.directory = directory
  }

  /// Whether it has more entries now.
  var hasMore: Bool { DiscardedDirectory.entries(of: directory) > made }

  /// How many entries it has, with those of directories in it, as far as the bounds reach.
  static func entries(of directory: borrowing OwnedDescriptor) -> UInt16 {
    guard let device = try? directory.fileIdentity().device else { return 0 }
    var count: UInt16 = 0
    look(into: directory, device, &count, depth: 0)
    return count
  }

  private static func look(
    into directory: borrowing OwnedDescriptor, _ device: UInt64, _ count: inout UInt16, depth: Int
  ) {
    guard depth < most.depth,
      let entries = try? Directory.entries(of: directory, limit: Int(most.entries))
    else { return }
    for entry in entries {
      if count >= most.entries { return }
      count += 1
      // What other options show there lies elsewhere.
      guard entry.kind == .directory, let inside = try? directory.openSubdirectory(entry.name.path),
        (try? inside.fileIdentity().device) == device
      else { continue }
      look(into: inside, device, &count, depth: depth + 1)
    }
  }
}

extension ResolvedSandbox {
  /// What a person is told of a working directory in memory, whose content is lost, and the line to type
  /// instead.
  final func discardNotice(
    _ path: FilePath, _ what: String, _ typed: TypedLine
  ) -> (text: String, remedy: Remedy?) {
    if sandbox.learning != nil {
      // The command must not be able to change the profile.
      return (
        "\(what); to keep it, have the profile written to another directory, and add --write .", nil
      )
    }
    if isShared(path) {
      return ("\(what); to keep it, change to a directory for it, and add --write .", nil)
    }
    var line = typed
    line.insert(["--write", "."])
    return ("\(what); --write keeps it", .line(line.text))
  }

  /// The lines that say, once a command has ended, that what it wrote to the working directory is gone.
  public func discardNotice(after ending: Ending, line words: [ByteString]) -> [String] {
    guard ending.hasDiscarded, let path = workingDirectory?.path else { return [] }
    let (text, remedy) = discardNotice(
      path, "the sandbox has thrown away what the command wrote to the working directory",
      TypedLine(words, command: sandbox.command))
    return [text] + (remedy.map { [$0.text] } ?? [])
  }
}
