// SPDX-License-Identifier: Apache-2.0
// The caller's surroundings, which profiles and options refer to.

internal import Linux
public import Running
public import SystemPackage
public import Text

/// The caller's surroundings, as far as profiles name them.
public struct Surroundings: Sendable {
  /// The environment, each string of the form `NAME=VALUE`.
  public var environment: [ByteString]
  /// The working directory, if it has a name.
  public var workingDirectory: ByteString?
  /// The user.
  public var user: UInt32
  /// The user's group.
  public var group: UInt32
  /// The directory of the machine's profiles.
  var machineProfiles: ByteString = "/etc/nestbox/profiles"

  /// Describes surroundings.
  public init(
    environment: [ByteString] = [], workingDirectory: ByteString? = nil, user: UInt32 = 0,
    group: UInt32 = 0
  ) {
    self.environment = environment
    self.workingDirectory = workingDirectory
    self.user = user
    self.group = group
  }

  /// The value of a variable of the environment; nil if it is not set.
  public func variable(_ name: ByteString) -> ByteString? {
    let prefix = name.bytes + [UInt8(ascii: "=")]
    for string in environment where string.bytes.starts(with: prefix) {
      return ByteString(string.bytes.dropFirst(prefix.count))
    }
    return nil
  }

  /// The value of a variable; nil if it is not set or empty.
  private func content(_ name: ByteString) -> ByteString? {
    variable(name).flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The user's home directory: from the environment, else from /etc/passwd, else `/`.
  public var home: ByteString {
    content("HOME") ?? UserRecord.find(user)?.home ?? "/"
  }

  /// The user's name: from the environment, else from /etc/passwd, else the user id.
  var userName: ByteString {
    content("USER") ?? content("LOGNAME") ?? UserRecord.find(user)?.name ?? ByteString(String(user))
  }

  /// Where the sockets of the user's session are.
  var runtimeDirectory: ByteString {
    content("XDG_RUNTIME_DIR") ?? ByteString("/run/user/" + String(user))
  }

  /// The directory for locks among the user's launches.
  public var locks: FilePath {
    let path = registry.path
    return path.removingLastComponent().appending((path.lastComponent?.string ?? "") + "-locks")
  }

  /// The directory for reviews.
  public var reviews: FilePath {
    // The XDG base directory specification says to ignore a relative one.
    let configured = content("XDG_STATE_HOME").flatMap {
      $0.bytes.first == UInt8(ascii: "/") ? $0 : nil
    }
    return (configured ?? home.appending("/.local/state")).appending("/nestbox/reviews").path
  }

  /// The names of the user's running sandboxes.
  public var registry: Registry {
    Registry(runtimeDirectory: content("XDG_RUNTIME_DIR"), user: user)
  }

  /// Where to look for profiles, in this order, before the built-in ones.
  var profileDirectories: [ByteString] {
    // The XDG base directory specification says to ignore a relative one.
    let configured = content("XDG_CONFIG_HOME").flatMap {
      $0.bytes.first == UInt8(ascii: "/") ? $0 : nil
    }
    let own = (configured ?? home.appending("/.config")).appending("/nestbox/profiles")
    return [own, machineProfiles]
  }

  /// `path` as an absolute path; nil if it is relative and the working directory has no name.
  public func absolute(_ path: ByteString) -> ByteString? {
    if path.bytes.first == UInt8(ascii: "/") { return path }
    guard let workingDirectory else { return nil }
    let components = path.path.components.filter { $0.kind != .currentDirectory }
    return ByteString(workingDirectory.path.appending(components))
  }
}
