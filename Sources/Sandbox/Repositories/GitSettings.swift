// SPDX-License-Identifier: Apache-2.0
// Reads the settings of git, as far as they name files that git executes.

internal import SystemPackage
internal import Text

/// One setting.
struct GitSetting: Equatable, Sendable {
  /// The section, in lower case and without the quoted part after it.
  let section: String
  /// The name, in small letters.
  let name: String
  /// The value.
  let value: ByteString

  /// What the value says about files.
  var use: Use? {
    switch (section, name) {
    case ("include", "path"), ("includeif", "path"): .settings
    case ("core", "hookspath"): .path
    case ("alias", _), ("pager", _): .command
    case (_, _) where GitSetting.commands.contains(name): .command
    default: nil
    }
  }

  /// How git uses the value.
  enum Use {
    /// It is the path of a file with more settings.
    case settings
    /// It is the path of a directory with programs.
    case path
    /// It is a command.
    case command
  }

  /// The names of settings that hold a command, in any section; see git-config(1).
  private static let commands: Set<String> = [
    "askpass", "clean", "cmd", "command", "difffilter", "driver", "editor", "external", "fsmonitor",
    "gitproxy", "helper", "pager", "path", "process", "program", "receivepack", "smudge",
    "sshcommand", "textconv", "uploadpack",
  ]

  /// The words of a command that may be paths.
  var words: [ByteString] {
    value.bytes.split { GitSetting.separators.contains($0) }.prefix(256).compactMap { word in
      word.first == UInt8(ascii: "-") ? nil : ByteString(word)
    }
  }

  private static let separators = Set(" \t\n\"'`;|&()<>!".utf8)
}

/// The settings in one of git's files.
///
/// See git-config(1), Syntax.
struct GitSettings {
  /// All of them, in order.
  private(set) var settings: [GitSetting] = []

  private var rest: ArraySlice<UInt8>
  private var section = ""

  /// How large a file may be; larger ones are read up to here.
  static let limit = 1 << 20

  /// Reads `bytes`; what git would refuse is passed over.
  init(_ bytes: [UInt8]) {
    rest = bytes.prefix(GitSettings.limit)
    while let byte = rest.first {
      switch byte {
      case UInt8(ascii: "["): readSection()
      case UInt8(ascii: "#"), UInt8(ascii: ";"): skipLine()
      case _ where GitSettings.isLetter(byte): readSetting()
      default: rest = rest.dropFirst()
      }
    }
  }

  /// Reads `[section]` or `[section "name"]`.
  private mutating func readSection() {
    rest = rest.dropFirst()
    let name = rest.prefix { GitSettings.isOfName($0) || $0 == UInt8(ascii: ".") }
    rest = rest.dropFirst(name.count)
    // The old form `[section.name]` too.
    section = String(
      decoding: name.prefix { $0 != UInt8(ascii: ".") }.map(GitSettings.small), as: UTF8.self)
    var isQuoted = false
    while let byte = rest.popFirst(), byte != UInt8(ascii: "\n") {
      switch byte {
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: "\\") where isQuoted: rest = rest.dropFirst()
      case UInt8(ascii: "]") where !isQuoted: return
      default: break
      }
    }
  }

  private mutating func readSetting() {
    let name = rest.prefix(while: GitSettings.isOfName)
    rest = rest.dropFirst(name.count).drop(while: GitSettings.isBlank)
    // A name alone means `true`.
    guard rest.first == UInt8(ascii: "=") else { return skipLine() }
    rest = rest.dropFirst().drop(while: GitSettings.isBlank)
    let text = String(decoding: name.map(GitSettings.small), as: UTF8.self)
    settings.append(GitSetting(section: section, name: text, value: readValue()))
  }

  private mutating func readValue() -> ByteString {
    var value: [UInt8] = []
    // How much of it stays when blanks at the end are taken away.
    var end = 0
    var isQuoted = false
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "\n"): return ByteString(value[..<end])
      case UInt8(ascii: "\""):
        isQuoted.toggle()
        end = value.count
      case UInt8(ascii: "#") where !isQuoted, UInt8(ascii: ";") where !isQuoted:
        skipLine()
        return ByteString(value[..<end])
      case UInt8(ascii: "\\"):
        guard let escaped = rest.popFirst() else { break }
        if escaped == UInt8(ascii: "\n") { continue }
        value.append(GitSettings.escape(escaped))
        end = value.count
      // A NUL ends no path inside.
      case 0, UInt8(ascii: "\r"): continue
      default:
        value.append(byte)
        if isQuoted || !GitSettings.isBlank(byte) { end = value.count }
      }
    }
    return ByteString(value[..<end])
  }

  private mutating func skipLine() {
    rest = rest.drop { $0 != UInt8(ascii: "\n") }
  }

  private static func escape(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "n"): UInt8(ascii: "\n")
    case UInt8(ascii: "t"), UInt8(ascii: "b"), 0: UInt8(ascii: " ")
    default: byte
    }
  }

  private static func small(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(small(byte))
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    isLetter(byte) || byte == UInt8(ascii: "-")
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }
}
