// SPDX-License-Identifier: Apache-2.0
// --read-arguments and --write-arguments: show the files that the command's words name, as paths or as
// the URLs that file managers pass on.

internal import Linux
internal import SystemPackage
internal import Text

extension RootBuilder where Self: ~Copyable {
  /// Shows every file or directory of the host that an argument of the command names.
  mutating func showArguments(_ access: FilesystemOperation.Access) throws(LaunchError) {
    for word in resolved.sandbox.command.dropFirst().prefix(ArgumentWord.most) {
      guard let path = ArgumentWord.path(word), !isSharedByAll(path),
        let walk = try? walk(path), (try? tree(of: walk.file)) != nil
      else { continue }
      try show(path, access)
    }
  }

  /// Whether it is a directory with more in it than a person means to give to a program.
  private func isSharedByAll(_ path: FilePath) -> Bool {
    path.fromWorkingDirectory(resolved.workingDirectory?.path)
      .map { resolved.isShared($0.lexicallyNormalized()) } ?? true
  }
}

/// A word of a command that may name a file.
enum ArgumentWord {
  /// How many words are looked at.
  static let most = 256

  /// The path in a word: the word itself, the value of an option such as `--file=letter.txt`, or the
  /// path of a URL such as `file:///home/user/a%20letter`.
  static func path(_ word: ByteString) -> FilePath? {
    var name = word.bytes
    if name.first == UInt8(ascii: "-") {
      guard let equals = name.firstIndex(of: UInt8(ascii: "=")) else { return nil }
      name = name[(equals + 1)...]
    }
    if name.isEmpty { return nil }
    for scheme in ["file:///", "file://localhost/"] where name.starts(with: scheme.utf8) {
      return decoded(name.dropFirst(scheme.utf8.count - 1))
    }
    return ByteString(name).path
  }

  /// A path with `%` and two digits for some of its bytes; nil if it cannot be one.
  ///
  /// See RFC 8089.
  private static func decoded(_ text: ArraySlice<UInt8>) -> FilePath? {
    var bytes: [UInt8] = []
    var rest = text.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      rest = rest.dropFirst(2)
      guard digits.count == 2, digits.first != UInt8(ascii: "+"),
        let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16), byte != 0
      else { return nil }
      bytes.append(byte)
    }
    return ByteString(bytes).path
  }
}
