// SPDX-License-Identifier: Apache-2.0
// The user's directories for downloads and the like, which have names in the user's language.

internal import Linux
internal import SystemPackage
internal import Text

/// The directories that user-dirs.dirs(5) names.
struct UserDirectories {
  private let surroundings: Surroundings
  /// Nobody writes a larger file.
  private static let maximumSize = 1 << 16

  init(_ surroundings: Surroundings) { self.surroundings = surroundings }

  /// Where downloads go.
  var downloads: ByteString {
    let standard = surroundings.home.appending("/Downloads")
    guard let named = named("XDG_DOWNLOAD_DIR") else { return standard }
    // xdg-user-dirs names the home directory when the directory is gone; that is not to be shared.
    let path = named.path.lexicallyNormalized()
    return SharedDirectories(surroundings).kind(of: ByteString(path)) == nil
      ? ByteString(path) : standard
  }

  /// The directory `name`: a path, or one that begins with `$HOME/`, in double quotes.
  private func named(_ name: ByteString) -> ByteString? {
    let configured = surroundings.variable("XDG_CONFIG_HOME").flatMap { $0.isEmpty ? nil : $0 }
    let path = (configured ?? surroundings.home.appending("/.config"))
      .appending("/user-dirs.dirs")
    guard let file = try? OwnedDescriptor.open(path.path, .reading),
      let text = try? Descriptors.contents(of: file.rawValue, limit: UserDirectories.maximumSize)
    else { return nil }
    let start = name.bytes + Array("=\"".utf8)
    var value: ByteString?
    for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: start) {
      let rest = line.dropFirst(start.count).prefix { $0 != UInt8(ascii: "\"") }
      let home = Array("$HOME/".utf8)
      if rest.starts(with: home) {
        value = surroundings.home.appending("/").appending(ByteString(rest.dropFirst(home.count)))
      } else if rest.first == UInt8(ascii: "/") {
        value = ByteString(rest)
      }
    }
    return value
  }
}
