// SPDX-License-Identifier: Apache-2.0
// The name and the mail address with which the user commits, for a sandbox that shows nothing else of
// the user's git settings: those may hold tokens, and name programs.

internal import Linux
internal import SystemPackage
internal import Text

/// The user's identity in git's settings.
struct GitIdentity {
  private var name: ByteString?
  private var mail: ByteString?
  /// Nobody writes a larger file.
  private static let maximumSize = 1 << 20

  /// Reads it as git does: the second file counts more.
  ///
  /// Files that these include are not read.
  /// See git-config(1), "FILES".
  init(_ surroundings: Surroundings) {
    let configured = surroundings.variable("XDG_CONFIG_HOME").flatMap { $0.isEmpty ? nil : $0 }
    let files = [
      (configured ?? surroundings.home.appending("/.config")).appending("/git/config"),
      surroundings.home.appending("/.gitconfig"),
    ]
    for path in files {
      guard let file = try? OwnedDescriptor.open(path.path, .reading),
        let text = try? Descriptors.contents(of: file.rawValue, limit: GitIdentity.maximumSize)
      else { continue }
      read(text)
    }
  }

  /// Settings that say the same and nothing else.
  var settings: ByteString {
    var text = Array("# The identity of the caller.\n[user]\n".utf8)
    for (key, value) in [("name", name), ("email", mail)] {
      guard let value else { continue }
      text += Array("\t\(key) = ".utf8) + GitIdentity.quoted(value) + Array("\n".utf8)
    }
    return ByteString(text)
  }

  private mutating func read(_ text: [UInt8]) {
    var isUser = false
    for line in text.split(separator: UInt8(ascii: "\n")) {
      var line = GitIdentity.trimmed(line)
      if line.first == UInt8(ascii: "["), let end = line.firstIndex(of: UInt8(ascii: "]")) {
        let section = GitIdentity.trimmed(line[line.startIndex + 1..<end])
        isUser = String(decoding: section, as: UTF8.self).lowercased() == "user"
        line = GitIdentity.trimmed(line[(end + 1)...])
      }
      guard isUser, let equals = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
      let key = GitIdentity.trimmed(line[..<equals])
      let value = GitIdentity.value(GitIdentity.trimmed(line[(equals + 1)...]))
      switch String(decoding: key, as: UTF8.self).lowercased() {
      case "name": name = value
      case "email": mail = value
      default: break
      }
    }
  }

  /// A value without its quotation marks, escapes and comment.
  private static func value(_ text: ArraySlice<UInt8>) -> ByteString {
    var value: [UInt8] = []
    var rest = text
    var isQuoted = false
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: "\\"):
        // A name has no newline or tab in it.
        if let next = rest.popFirst() { value.append(next) }
      case UInt8(ascii: "#") where !isQuoted, UInt8(ascii: ";") where !isQuoted:
        return ByteString(trimmed(value[...]))
      default: value.append(byte)
      }
    }
    return ByteString(value)
  }

  private static func quoted(_ value: ByteString) -> [UInt8] {
    let quote = [UInt8(ascii: "\"")]
    let text = value.bytes.filter { $0 >= 0x20 }.flatMap { byte in
      byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
        ? [UInt8(ascii: "\\"), byte] : [byte]
    }
    return quote + text + quote
  }

  private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0d }
    let start = text.drop(while: isBlank)
    return start.prefix(
      (start.lastIndex { !isBlank($0) } ?? start.startIndex - 1) + 1 - start.startIndex)
  }
}
