// SPDX-License-Identifier: Apache-2.0
// What `${NAME}` means in a profile.

internal import Linux
internal import Sandbox
internal import SystemPackage
internal import Text

/// A variable that profiles have regardless of the environment.
enum ProfileVariable: String, CaseIterable {
  case home = "HOME"
  case user = "USER"
  case userID = "UID"
  case groupID = "GID"
  case workingDirectory = "PWD"
  case project = "PROJECT"
  case runtimeDirectory = "XDG_RUNTIME_DIR"
  case program = "PROGRAM"
  case programDirectory = "PROGRAM_DIR"
  case profileDirectory = "PROFILE_DIR"
  case hostname = "HOSTNAME"
  case downloads = "DOWNLOADS"
  case gitIdentity = "GIT_IDENTITY"
  case x11Socket = "X11_SOCKET"
  case waylandSocket = "WAYLAND_DISPLAY_SOCKET"
  case pipeWireSocket = "PIPEWIRE_SOCKET"
  case pulseAudioSocket = "PULSE_SOCKET"

  /// What the manual says about it.
  var meaning: String {
    switch self {
    case .home: "The user's home directory, from the environment or else from /etc/passwd."
    case .user: "The user's name, from the environment or else from /etc/passwd."
    case .userID: "The caller's user id."
    case .groupID: "The caller's group id."
    case .workingDirectory: "The working directory."
    case .project:
      """
      The root of the tree that the working directory lies in: the nearest directory with .git or the
      like; else with a lock file or the list of a workspace; else with a file such as Cargo.toml,
      go.mod or package.json; else the working directory itself. If the command names a directory
      below with -C, as make(1) and git(1) do: that directory alone. The home directory, one above it,
      one that holds more than a project, such as /tmp, one that configures the account and one of
      another user are never the root. If the working directory is such a one: the directory that -C
      names, if no link leads there; else an error, unless there is a TEXT for this case.
      """
    case .runtimeDirectory: "From the environment, or else /run/user/UID."
    case .program: "The path of the command's file."
    case .programDirectory: "The directory of the command's file."
    case .profileDirectory: "The directory of the profile's file."
    case .hostname: "The host's name."
    case .downloads:
      """
      The user's directory for downloads, as ~/.config/user-dirs.dirs says, or else ~/Downloads.
      """
    case .gitIdentity: "Settings of git with the user's name and mail address alone."
    case .x11Socket: "The socket of the X server that DISPLAY names, if that is on this machine."
    case .waylandSocket:
      """
      The socket of the Wayland compositor: WAYLAND_DISPLAY, or wayland-0, in XDG_RUNTIME_DIR.
      """
    case .pipeWireSocket:
      "The socket of PipeWire: PIPEWIRE_REMOTE, or pipewire-0, in XDG_RUNTIME_DIR."
    case .pulseAudioSocket:
      """
      The socket of PulseAudio, or of PipeWire in its place: as PULSE_SERVER says, or pulse/native in
      XDG_RUNTIME_DIR.
      """
    }
  }

  /// Whether it has no value if the working directory has no name.
  var needsDirectory: Bool { self == .workingDirectory || self == .project }
}

/// The directories that a profile has named by variables, which looked at them.
final class ExaminedDirectories {
  private(set) var paths: [ByteString] = []

  fileprivate func noting(_ path: ByteString?) -> ByteString? {
    if let path, !paths.contains(path) { paths.append(path) }
    return path
  }
}

/// The project, once a profile has named it: the search takes a hundred system calls, and the profiles
/// of a line may name it twenty times.
final class FoundProject {
  fileprivate var path: ByteString??
}

/// The variables of a profile: `ProfileVariable`, then the caller's environment.
struct ProfileVariables {
  let surroundings: Surroundings
  /// The program as it was typed, where there is one, and its arguments.
  let command: ArraySlice<ByteString>
  /// The profile's file, where it is one.
  let path: ByteString?
  /// The directories that the profile has named by `PWD` and `PROJECT`.
  let examined = ExaminedDirectories()
  /// The project of the line, which all profiles share.
  var found = FoundProject()

  /// The value of `name`; nil where it has none.
  func value(of name: ByteString) throws(UsageError) -> ByteString? {
    switch ProfileVariable(rawValue: name.text) {
    case .home: return surroundings.home
    case .user: return surroundings.userName
    case .userID: return ByteString(String(surroundings.user))
    case .groupID: return ByteString(String(surroundings.group))
    case .workingDirectory: return examined.noting(surroundings.workingDirectory)
    case .project:
      if found.path == nil { found.path = .some(try project()) }
      return examined.noting(found.path ?? nil)
    case .runtimeDirectory: return surroundings.runtimeDirectory
    case .program: return try programPath()
    case .programDirectory: return try programPath().map(ProfileVariables.directory)
    case .profileDirectory:
      return path.flatMap(surroundings.absolute).map(ProfileVariables.directory)
    case .hostname: return CurrentProcess.hostname
    case .downloads: return UserDirectories(surroundings).downloads
    case .gitIdentity: return GitIdentity(surroundings).settings
    case .x11Socket: return sockets.x11
    case .waylandSocket: return sockets.wayland
    case .pipeWireSocket: return sockets.pipeWire
    case .pulseAudioSocket: return sockets.pulseAudio
    case nil: return surroundings.variable(name)
    }
  }

  private var sockets: SessionSockets { SessionSockets(surroundings: surroundings) }

  /// The nearest name to one that was mistyped.
  func nearest(to name: ByteString) -> String? {
    let names = surroundings.environment.map {
      ByteString($0.bytes.prefix { $0 != UInt8(ascii: "=") }).text
    }
    let others = (ProfileVariable.allCases.map(\.rawValue) + names).filter { $0 != name.text }
    return Suggestion.nearest(to: name.text, among: others)
  }

  /// The program's file as a path that begins at the root.
  private func programPath() throws(UsageError) -> ByteString? {
    guard let program = command.first else { return nil }
    if program.bytes.contains(UInt8(ascii: "/")) { return surroundings.absolute(program) }
    do throws(SystemCallError) {
      return try ProgramSearch.find(program, in: surroundings.variable("PATH"))
    } catch {
      throw UsageError(
        "can't find out whether \(program.quoted) is a program of PATH: \(error.reason)")
    }
  }

  private static func directory(_ path: ByteString) -> ByteString {
    ByteString(path.path.removingLastComponent())
  }

  /// The narrowest directory that the line names: the one below the working directory that the
  /// command says it will change to, or the tree that the working directory lies in.
  ///
  /// If the working directory holds more than a project, the command may also change elsewhere.
  private func project() throws(UsageError) -> ByteString? {
    guard let directory = surroundings.workingDirectory else { return nil }
    let shared = SharedDirectories(surroundings)
    let kind = shared.kind(of: directory)
    let named = namedDirectory.flatMap { named in
      kind != nil || named.path.starts(with: directory.path) ? named : nil
    }
    if let named, shared.kind(of: named) == nil { return named }
    guard
      let (place, kind) = named.flatMap({ named in shared.kind(of: named).map { (named, $0) } })
        ?? kind.map({ (directory, $0) })
    else { return ProjectTree(surroundings, shared).root(of: directory) }
    throw UsageError(
      "the \(place == directory ? "working " : "")directory \(place.quoted) is \(kind), which holds "
        + "more than a project; change to the project's directory")
  }

  /// The directory of the arguments `-C DIRECTORY`, as make, ninja and git have it, or make's
  /// `--directory`; each is relative to the one before.
  ///
  /// No link may lead to it: an earlier build could have planted one.
  private var namedDirectory: ByteString? {
    var words = command.dropFirst().prefix { $0 != "--" }
    var typed: ByteString?
    while let word = words.popFirst() {
      let next: ByteString
      if word == "-C" || word == "--directory" {
        guard let operand = words.popFirst() else { return nil }
        next = operand
      } else if let prefix = ["-C", "--directory="].first(where: {
        word.bytes.starts(with: $0.utf8)
      }) {
        next = ByteString(word.bytes.dropFirst(prefix.utf8.count))
      } else {
        continue
      }
      typed = typed.map { ByteString($0.path.pushing(next.path)) } ?? next
    }
    guard let typed, let path = surroundings.absolute(typed)?.path.lexicallyNormalized(),
      let directory = try? OwnedDescriptor.open(path, .directory),
      let real = try? Descriptors.path(of: directory.rawValue), real == path
    else { return nil }
    return ByteString(path)
  }
}
