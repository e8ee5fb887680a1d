// SPDX-License-Identifier: Apache-2.0
// Which environment variables and files are secrets.

internal import Linux
internal import SystemPackage
internal import Text

/// Guesses which values to hide.
enum Secrets {
  /// Parts of names, between underscores, that are used for secrets.
  private static let words: Set<String> = [
    "TOKEN", "TOKENS", "SECRET", "SECRETS", "PASSWORD", "PASSWD", "PASSPHRASE", "PASS",
    "APIKEY", "CREDENTIAL", "CREDENTIALS", "COOKIE", "PAT", "BEARER", "PGPASSWORD",
    "WEBHOOK", "WEBHOOKS", "DSN",
  ]

  /// Endings of names that are used for keys.
  private static let endings = [
    "API_KEY", "ACCESS_KEY", "ACCESS_KEY_ID", "PRIVATE_KEY", "SECRET_KEY", "ENCRYPTION_KEY",
    "SIGNING_KEY", "TOKEN", "SECRET", "PASSWORD", "_AUTH",
    "_PWD", "AUTH_CONFIG",
  ]

  /// Beginnings of values that well-known services give their keys.
  private static let beginnings = [
    "sk-", "sk_live_", "ghp_", "gho_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "AKIA", "eyJ",
    "-----BEGIN", "https://hooks.",
  ]

  /// Files with keys and passwords outside of home directories, those of which `SecretFiles` names.
  static let systemFiles = [
    "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers",
    "/etc/sudoers.d", "/etc/ssl/private", "/etc/krb5.keytab", "/etc/wireguard", "/root",
  ]

  /// The secret files for a caller with these variables.
  ///
  /// Also those that do not exist yet, and where links lead to them.
  static func files(
    in home: FilePath?, _ environment: [ByteString], on host: any HostFiles
  ) -> [FilePath] {
    let system = systemFiles.map { FilePath($0) }
    guard let home, !home.components.isEmpty else { return system }
    var paths = SecretFiles.paths(in: home, environment)
    for path in paths {
      let place = SecretFiles.place(of: path, on: host)
      if place != path { paths.append(place) }
    }
    // A variable may name a directory with everything in it, which is no secret.
    return system + paths.filter { !home.starts(with: $0) }
  }

  /// What speaks against showing one.
  static let objection = "it is secret, or holds secrets"
  static let objectionToSeveral = "they are secret, or hold secrets"

  /// Whether `path` leads to one of `secrets`, or to a directory with one.
  static func isFile(_ path: FilePath, among secrets: [FilePath]) -> Bool {
    // By bytes, which takes a tenth of the time: learning asks this of thousands of paths.
    let bytes = ByteString(path).bytes
    return secrets.contains { secret in
      let other = ByteString(secret).bytes
      let (outer, inner) = bytes.count < other.count ? (bytes, other) : (other, bytes)
      guard inner.starts(with: outer) else { return false }
      let slash = UInt8(ascii: "/")
      return inner.count == outer.count || outer.last == slash || inner[outer.count] == slash
    }
  }

  /// Whether the variable `name` with this value looks like a secret.
  static func isLikely(_ name: ByteString, _ value: ByteString) -> Bool {
    guard !value.isEmpty else { return false }
    let name = name.text.uppercased()
    if name.split(separator: "_").contains(where: { words.contains(String($0)) }) { return true }
    if endings.contains(where: { name.hasSuffix($0) }) { return true }
    return beginnings.contains { value.text.hasPrefix($0) } || hasCredentials(value.text)
  }

  /// Whether `text` is an address with a password in it: `scheme://user:password@host`.
  private static func hasCredentials(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    let mark = Array("://".utf8)
    guard
      let start = bytes.indices.first(where: { bytes[$0...].starts(with: mark) })
    else { return false }
    let authority = bytes[(start + 3)...].prefix { $0 != UInt8(ascii: "/") }
    guard let at = authority.lastIndex(of: UInt8(ascii: "@")) else { return false }
    return authority[..<at].contains(UInt8(ascii: ":"))
  }

  /// The value as it may be shown.
  static func shown(_ name: ByteString, _ value: ByteString) -> String {
    isLikely(name, value) ? "(hidden: it looks like a secret)" : value.quoted
  }
}

extension ResolvedSandbox {
  /// The files that no message tells a person to show.
  func secretFiles(on host: any HostFiles) -> [FilePath] {
    Secrets.files(in: callerHome.path, inherited, on: host)
  }
}
