// SPDX-License-Identifier: Apache-2.0
// What `${NAME}` stands for in a profile.

internal import Linux
internal import Sandbox
internal import SystemPackage
internal import Text

/// The variables of a profile: a few of its own, then those of the caller's environment.
struct ProfileVariables {
  let surroundings: Surroundings
  /// The program as it was typed, where there is one, and its arguments.
  let command: ArraySlice<ByteString>
  /// The profile's file, where it is one.
  let path: ByteString?

  /// Those that there are whatever the environment holds.
  static let own = [
    "HOME", "PWD", "PROJECT", "XDG_RUNTIME_DIR", "UID", "GID", "USER", "PROGRAM", "PROGRAM_DIR",
    "PROFILE_DIR", "HOSTNAME", "X11_SOCKET", "WAYLAND_DISPLAY_SOCKET", "PIPEWIRE_SOCKET",
    "PULSE_SOCKET",
  ]

  /// Those of them that have no value where the working directory has no name.
  static let needingDirectory = ["PWD", "PROJECT"]

  /// The value of `name`; nil where it has none.
  func value(of name: ByteString) throws(UsageError) -> ByteString? {
    switch name.text {
    case "HOME": return surroundings.home
    case "PWD": return surroundings.workingDirectory
    case "PROJECT": return try project()
    case "XDG_RUNTIME_DIR": return surroundings.runtimeDirectory
    case "UID": return ByteString(String(surroundings.user))
    case "GID": return ByteString(String(surroundings.group))
    case "USER": return surroundings.userName
    case "PROGRAM": return programPath
    case "PROGRAM_DIR": return programPath.map(ProfileVariables.directory)
    case "PROFILE_DIR":
      return path.flatMap(surroundings.absolute).map(ProfileVariables.directory)
    case "HOSTNAME": return CurrentProcess.hostname
    case "X11_SOCKET": return sockets.x11
    case "WAYLAND_DISPLAY_SOCKET": return sockets.wayland
    case "PIPEWIRE_SOCKET": return sockets.pipeWire
    case "PULSE_SOCKET": return sockets.pulseAudio
    default: return surroundings.variable(name)
    }
  }

  private var sockets: SessionSockets { SessionSockets(surroundings: surroundings) }

  /// The nearest name to one that was mistyped.
  func nearest(to name: ByteString) -> String? {
    let names = surroundings.environment.map {
      ByteString($0.bytes.prefix { $0 != UInt8(ascii: "=") }).text
    }
    let others = (ProfileVariables.own + names).filter { $0 != name.text }
    return Suggestion.nearest(to: name.text, among: others)
  }

  /// The program's file as a path that begins at the root.
  private var programPath: ByteString? {
    guard let program = command.first else { return nil }
    if program.bytes.contains(UInt8(ascii: "/")) { return surroundings.absolute(program) }
    return ProgramSearch.find(program, in: surroundings.variable("PATH"))
  }

  private static func directory(_ path: ByteString) -> ByteString {
    ByteString(path.path.removingLastComponent())
  }

  /// The working directory, if it is one that may be given away as a whole; else the one that the
  /// command says it will change to.
  private func project() throws(UsageError) -> ByteString? {
    guard let directory = surroundings.workingDirectory else { return nil }
    let shared = SharedDirectories(surroundings)
    guard let kind = shared.kind(of: directory) else { return directory }
    if let other = ownDirectory, shared.kind(of: other) == nil { return other }
    throw UsageError(
      "the working directory \(directory.quoted) is \(kind), and more than a project would be "
        + "given away; change to a directory of the project's own")
  }

  /// The directory of an argument `-C DIRECTORY`, as make, ninja and git have it.
  ///
  /// There is no link on the way to it: whatever was built before could have planted one.
  private var ownDirectory: ByteString? {
    let arguments = command.dropFirst().prefix { $0 != "--" }
    guard let index = arguments.firstIndex(of: "-C"), index + 1 < arguments.endIndex,
      let typed = surroundings.absolute(arguments[index + 1])?.path.lexicallyNormalized(),
      let directory = try? OwnedDescriptor.open(typed, .directory),
      let path = try? Descriptors.path(of: directory.rawValue), path == typed
    else { return nil }
    return ByteString(path)
  }
}
