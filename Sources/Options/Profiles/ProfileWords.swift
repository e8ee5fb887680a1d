// SPDX-License-Identifier: Apache-2.0
// Words for a line of a profile: what LineReader reads back is what was to be written, whatever bytes
// it has. So no name that a command has chosen can end a line or begin an option.

internal import Sandbox
internal import SystemPackage
public import Text

/// Writes words of profiles, with variables in the place of the caller's own directories.
public struct ProfileWords: Sendable {
  /// Directories with the variables that stand for them, the narrowest first.
  private let places: [(path: [UInt8], variable: String)]

  /// Writes all words as they are.
  public init() { places = [] }

  /// Replaces the directories of this caller: the project around the working directory if there is
  /// one, the directory of the session's sockets, and the home directory.
  public init(_ surroundings: Surroundings, command: [ByteString]) {
    let variables = ProfileVariables(
      surroundings: surroundings, command: command[...], path: nil)
    var places: [(path: [UInt8], variable: String)] = []
    for variable: ProfileVariable in [.project, .runtimeDirectory, .home] {
      guard let value = try? variables.value(of: ByteString(variable.rawValue)),
        value.bytes.first == UInt8(ascii: "/"), value.bytes.last != UInt8(ascii: "/")
      else { continue }
      places.append((Array(value.bytes), variable.rawValue))
    }
    self.places = places
  }

  /// The project that a variable stands for.
  public var project: ByteString? {
    places.first { $0.variable == "PROJECT" }.map { ByteString($0.path) }
  }

  /// Whether the line itself names the project, so that it means another one once something else makes the
  /// project.
  public internal(set) var followsProject = true

  private init(_ places: [(path: [UInt8], variable: String)]) { self.places = places }

  /// The same, but the project has no variable.
  public var withoutProject: ProfileWords {
    ProfileWords(places.filter { $0.variable != "PROJECT" })
  }

  /// `word` as a word of a profile.
  public func word(_ word: ByteString) -> [UInt8] {
    let bytes = word.bytes
    for (path, variable) in places where bytes.starts(with: path) {
      let rest = bytes.dropFirst(path.count)
      guard rest.isEmpty || rest.first == UInt8(ascii: "/") else { continue }
      let text = Array("${\(variable)}".utf8)
      return ProfileWords.isPlain(rest) ? text + rest : ProfileWords.quoted(text, rest)
    }
    let isPlain = !bytes.isEmpty && ProfileWords.isPlain(bytes) && bytes.first != UInt8(ascii: "#")
    return isPlain ? Array(bytes) : ProfileWords.quoted([], bytes)
  }

  /// A line with these words.
  public func line(_ words: [ByteString]) -> [UInt8] {
    var line: [UInt8] = []
    for (index, word) in words.enumerated() {
      if index > 0 { line.append(UInt8(ascii: " ")) }
      line += self.word(word)
    }
    return line
  }

  private static func quoted(_ start: [UInt8], _ bytes: ArraySlice<UInt8>) -> [UInt8] {
    [UInt8(ascii: "\"")] + start + escaped(bytes) + [UInt8(ascii: "\"")]
  }

  /// Bytes as they stand between double quotes, or in the fallback of a variable, which } ends.
  static func escaped(_ bytes: ArraySlice<UInt8>, inFallback: Bool = false) -> [UInt8] {
    var escaped: [UInt8] = []
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\n"): escaped += #"\n"#.utf8
      case UInt8(ascii: "\t"): escaped += #"\t"#.utf8
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "$"):
        escaped += [UInt8(ascii: "\\"), byte]
      case UInt8(ascii: "}") where inFallback: escaped += [UInt8(ascii: "\\"), byte]
      default: escaped.append(byte)
      }
    }
    return escaped
  }

  private static func isPlain(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.allSatisfy { byte in
      byte > 0x20 && byte != 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "$")
        && byte != UInt8(ascii: "\\")
    }
  }

  /// Whether a line with `word` can be printed.
  ///
  /// It neither controls a terminal nor hides a part of itself. Bytes that are not UTF-8 do neither.
  static func isPrintable(_ word: ByteString) -> Bool {
    if word.bytes.contains(where: { $0 < 0x20 && $0 != 9 && $0 != 10 || $0 == 0x7f }) {
      return false
    }
    guard let text = String(validating: word.bytes, as: UTF8.self) else { return true }
    return text.unicodeScalars.allSatisfy {
      $0 == "\n" || $0 == "\t"
        || $0.properties.generalCategory != .control
          && $0.properties.generalCategory != .format
          && $0.properties.generalCategory != .lineSeparator
          && $0.properties.generalCategory != .paragraphSeparator
    }
  }
}
