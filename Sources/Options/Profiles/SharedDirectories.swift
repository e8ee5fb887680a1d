// SPDX-License-Identifier: Apache-2.0
// Directories that hold more than a project: other programs' files, secrets and sockets.

internal import Linux
internal import SystemPackage
internal import Text

/// The directories that a person who shares a project's directory does not mean to share.
struct SharedDirectories {
  private let surroundings: Surroundings

  init(_ surroundings: Surroundings) { self.surroundings = surroundings }

  /// Says what `directory`, a path without links, is if it is one of them, contains one, or lies in
  /// one that configures the account; else nil.
  func kind(of directory: ByteString) -> String? {
    let path = directory.path
    for (shared, kind) in places {
      // The variables may name it through links: the directory itself counts.
      guard let real = SharedDirectories.resolved(shared) else { continue }
      if real == path { return kind }
      if real.starts(with: path) { return "above \(kind)" }
    }
    for shared in settings {
      guard let real = SharedDirectories.resolved(shared) else { continue }
      if path.starts(with: real) { return "part of your account's configuration" }
    }
    if isHidden(path) { return "part of your account's configuration" }
    let programs = surroundings.variable("PATH")?.bytes.split(separator: UInt8(ascii: ":")) ?? []
    for programs in programs where programs.first == UInt8(ascii: "/") {
      if SharedDirectories.resolved(ByteString(programs)) == path {
        return "a directory of your PATH"
      }
    }
    return nil
  }

  private var places: [(ByteString, String)] {
    [
      ("/", "the root directory"), (surroundings.home, "your home directory"),
      (surroundings.runtimeDirectory, "the directory of your session's sockets"),
      ("/tmp", "shared by all users"), ("/var/tmp", "shared by all users"),
      ("/dev/shm", "shared by all users"),
      ("/run", "the directory of the machine's sockets"),
    ]
  }

  /// Directories with secrets or settings, and everything in them.
  private var settings: [ByteString] {
    let names: [ByteString] = [
      "/.ssh", "/.gnupg", "/.config", "/.local/bin", "/.local/share", "/.local/lib", "/.pki",
      "/.password-store", "/.aws", "/.azure", "/.kube", "/.docker", "/.mozilla", "/.thunderbird",
      "/bin", "/.vim", "/.emacs.d", "/.zsh", "/.oh-my-zsh", "/.cargo", "/.rustup", "/.npm", "/.nvm",
      "/.pyenv", "/.rbenv", "/.local/state",
    ]
    return names.map { surroundings.home.appending($0) } + namedByVariables + ["/etc"]
  }

  /// Those that variables name, unless a person keeps them right in the home directory: not all that
  /// lies there is part of one.
  private var namedByVariables: [ByteString] {
    let variables: [ByteString] = [
      "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "GNUPGHOME", "ZDOTDIR", "CARGO_HOME",
    ]
    let home = SharedDirectories.resolved(surroundings.home)
    return variables.compactMap { surroundings.variable($0) }.filter { path in
      guard path.bytes.first == UInt8(ascii: "/"), let home,
        let real = SharedDirectories.resolved(path)
      else { return false }
      return !home.starts(with: real)
    }
  }

  /// Whether `path` is a hidden directory right in the home directory; projects may lie in one.
  private func isHidden(_ path: FilePath) -> Bool {
    guard let home = SharedDirectories.resolved(surroundings.home),
      path.removingLastComponent() == home, let name = path.lastComponent
    else { return false }
    return name.string.hasPrefix(".")
  }

  private static func resolved(_ path: ByteString) -> FilePath? {
    guard let directory = try? OwnedDescriptor.open(path.path, .directory) else { return nil }
    return try? Descriptors.path(of: directory.rawValue)
  }
}
