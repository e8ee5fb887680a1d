// SPDX-License-Identifier: Apache-2.0
// Profiles: lists of options in files. Where they are found, and their lines.

internal import Linux
internal import Sandbox
internal import SystemPackage
internal import Text

/// A profile as it was found.
public struct Profile: Sendable {
  /// Its name, without the ending of its file.
  let name: ByteString
  /// The file; nil where it is built in.
  let path: ByteString?
  /// Identifies the profile independently of its name.
  let identity: Identity
  /// The lines, without their ends.
  let lines: [ArraySlice<UInt8>]
  /// Where the search for a profile of the same name, which it includes, begins.
  let nextPlace: Int

  /// What distinguishes one profile from another.
  enum Identity: Equatable, Sendable {
    case builtIn(ByteString)
    case file(FileIdentity)
  }

  /// The ending of the files of profiles.
  static let ending: ByteString = ".profile"
  /// The most bytes of one: nobody writes a larger one.
  public static let maximumSize = 1 << 20

  /// The line `number`, counted from 1, as a place.
  func origin(_ number: Int) -> Origin { .profile(name: name, path: path, line: number) }

  /// Finds the profile `name`, which is a path if it has a slash.
  ///
  /// If `includer` has the same name, the search begins behind that one.
  static func find(
    _ name: ByteString, _ surroundings: Surroundings, for includer: Profile? = nil
  ) throws(UsageError) -> Profile {
    if name.bytes.contains(UInt8(ascii: "/")) {
      guard let profile = try read(name, name: baseName(name), nextPlace: 0) else {
        throw UsageError("can't read the profile \(name.quoted): No such file or directory")
      }
      return profile
    }
    let start = includer?.name == name ? includer?.nextPlace ?? 0 : 0
    for (place, directory) in surroundings.profileDirectories.enumerated() where place >= start {
      let path = file(name, in: directory)
      if let profile = try read(path, name: name, nextPlace: place + 1) { return profile }
    }
    if start < Int.max, let profile = builtIn(name) { return profile }
    let names = all(surroundings).map(\.name.text)
    let hint = Suggestion.nearest(to: name.text, among: names).map { "; did you mean \($0)?" }
    if (try? FileFacts(at: name.path))?.kind == .regular {
      throw UsageError(
        "there is no profile \(name.quoted); for the file of that name, type ./\(name.quotedForShell)"
      )
    }
    throw UsageError(
      "there is no profile \(name.quoted)" + (hint ?? "; see --list-profiles"))
  }

  /// The built-in profile `name`, even if files have that name.
  static func builtIn(_ name: ByteString) -> Profile? {
    BuiltInProfiles.text(of: name.text).map { text in
      Profile(
        name: name, path: nil, identity: .builtIn(name), lines: split(Array(text.utf8)),
        nextPlace: Int.max)
    }
  }

  private static func file(_ name: ByteString, in directory: ByteString) -> ByteString {
    ByteString(directory.bytes + [UInt8(ascii: "/")] + name.bytes + ending.bytes)
  }

  /// The last part of `path`, without the ending.
  private static func baseName(_ path: ByteString) -> ByteString {
    let name = path.baseName.bytes
    let isEnded = name.count > ending.count && name.suffix(ending.count).elementsEqual(ending.bytes)
    return ByteString(isEnded ? name.dropLast(ending.count) : name)
  }

  /// Reads the file `path`; nil if it does not exist.
  private static func read(
    _ path: ByteString, name: ByteString, nextPlace: Int
  ) throws(UsageError) -> Profile? {
    do throws(SystemCallError) {
      let file = try UserText.open(path.path)
      let text = try Descriptors.contents(of: file.rawValue, limit: maximumSize)
      return Profile(
        name: name, path: path, identity: .file(try file.fileIdentity()), lines: split(text),
        nextPlace: nextPlace)
    } catch {
      if error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory { return nil }
      // HOME may be another user's, as after su(1), and its files were not made for this user.
      if error.errno == .permissionDenied, isOutOfReach(path.path) { return nil }
      if error.errno == .illegalSeek {
        throw UsageError("the profile \(path.quoted) is a FIFO; \(UserText.pipeRemedy)")
      }
      throw UsageError("can't read the profile \(path.quoted): \(error.reason)")
    }
  }

  /// Whether this user may not search a directory on the way to `path`.
  private static func isOutOfReach(_ path: FilePath) -> Bool {
    do throws(SystemCallError) {
      _ = try FileFacts(at: path)
      return false
    } catch {
      return error.errno == .permissionDenied
    }
  }

  private static func split(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
    text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
  }
}

// MARK: - All there are

extension Profile {
  /// A profile as a list shows it.
  struct Entry: Equatable {
    let name: ByteString
    /// The file; nil where it is built in.
    let path: ByteString?
  }

  /// Every profile that would be found by its name, sorted by name.
  static func all(_ surroundings: Surroundings) -> [Entry] {
    var entries: [Entry] = []
    func add(_ entry: Entry) {
      if !entries.contains(where: { $0.name == entry.name }) { entries.append(entry) }
    }
    for directory in surroundings.profileDirectories {
      for file in (try? Directory.names(of: directory.path)) ?? [] {
        let name = file.bytes.dropLast(ending.count)
        guard !name.isEmpty, file.bytes.suffix(ending.count).elementsEqual(ending.bytes) else {
          continue
        }
        add(
          Entry(
            name: ByteString(name), path: Profile.file(ByteString(name), in: directory)))
      }
    }
    for name in BuiltInProfiles.names { add(Entry(name: ByteString(name), path: nil)) }
    return entries.sorted { $0.name.bytes.lexicographicallyPrecedes($1.name.bytes) }
  }

  /// The comment at its beginning, without the marks and the licence.
  var introduction: [String] {
    var texts: [String] = []
    for line in lines {
      guard line.first == UInt8(ascii: "#") else {
        if line.isEmpty && texts.isEmpty { continue }
        break
      }
      let text = line.dropFirst().drop { $0 == UInt8(ascii: " ") }
      if text.starts(with: "SPDX".utf8) { continue }
      texts.append(ByteString(text).text)
    }
    return texts
  }

  /// Its lines that are options, as they are written.
  var options: [String] {
    lines.map { $0.drop { $0 == UInt8(ascii: " ") } }
      .filter { $0.first == UInt8(ascii: "-") }.map { ByteString($0).text }
  }

  /// What it is for: the text of its first comment.
  var summary: String {
    for line in lines {
      let text = line.drop { $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: " ") }
      // The licence does not describe it.
      if text.isEmpty || text.starts(with: "SPDX".utf8) { continue }
      guard line.first == UInt8(ascii: "#") else { return "" }
      return ByteString(text).text
    }
    return ""
  }
}

extension Profile {
  /// A profile with this text, as of a file that nestbox has not written yet.
  init(_ text: [UInt8], as path: ByteString) {
    self.init(
      name: Profile.baseName(path), path: path, identity: .builtIn(path),
      lines: Profile.split(text), nextPlace: 0)
  }
}
