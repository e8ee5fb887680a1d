// SPDX-License-Identifier: Apache-2.0
// The operations on the new root; Operations/ implements them.

public import Linux
public import SystemPackage
public import Text

/// One step in the making of the new root.
///
/// Destinations are paths as they will be inside.
public struct FilesystemOperation: Equatable, Sendable {
  /// The option that asked for it; a pattern asks for several operations.
  public let option: WrittenOption
  /// The operation itself.
  public var action: Action
  /// The permissions of directories created on the way to the destination.
  public var parents: FilePermissions
  /// Whether it was not asked for, but protects what the step before it shows.
  var isGuard = false

  /// Names a step.
  public init(
    _ action: Action, option: WrittenOption,
    parents: FilePermissions = FilePermissions(rawValue: 0o755)
  ) {
    self.action = action
    self.option = option
    self.parents = parents
  }

  /// What may be done with a bound tree.
  public enum Access: Equatable, Sendable {
    /// Reading.
    case readOnly
    /// Reading and writing.
    case readWrite
    /// Reading, writing and opening device files.
    case devices
  }

  /// What a step does.
  public enum Action: Equatable, Sendable {
    /// Shows a file or tree of the host; a missing source is passed over where it is optional.
    case bind(source: FilePath, destination: FilePath, access: Access, isOptional: Bool)
    /// Shows an open file or directory of the host.
    case bindDescriptor(CInt, destination: FilePath, access: Access)
    /// Shows several trees of the host as one.
    case overlay(Overlay, destination: FilePath)
    /// Makes a mount read-only.
    case remountReadOnly(FilePath)
    /// Shows the processes of the sandbox.
    case proc(FilePath)
    /// Makes a minimal directory of devices.
    case dev(FilePath)
    /// Mounts an empty filesystem in memory, of `size` bytes at most.
    case tmpfs(FilePath, permissions: FilePermissions, size: UInt64?)
    /// Mounts the POSIX message queues of the ipc namespace.
    case mqueue(FilePath)
    /// Makes a directory.
    case directory(FilePath, permissions: FilePermissions)
    /// Makes a file with the content of an open descriptor.
    case file(descriptor: CInt, destination: FilePath, permissions: FilePermissions)
    /// Mounts a file with the content of an open descriptor.
    case data(
      descriptor: CInt, destination: FilePath, permissions: FilePermissions, access: Access)
    /// Mounts a read-only file with a text.
    case text(ByteString, FilePath, permissions: FilePermissions)
    /// Mounts lists of users and groups in a directory that name the command's user alone.
    case userFiles(FilePath)
    /// Mounts a hosts file with the sandbox's name.
    case hosts(FilePath)
    /// Covers what exists with something empty of its kind.
    case mask(FilePath)
    /// Covers what matches a pattern, after all other operations.
    case hide(HiddenPattern)
    /// Makes version control settings and hooks in a directory read-only.
    case repositories(FilePath)
    /// Makes the git repository of a directory writable, but not its settings and hooks.
    case commits(FilePath)
    /// Shows a file of the host read-only at its own path, and a link as a link.
    case same(FilePath, isOptional: Bool)
    /// Shows the command's file, and the script of an interpreter, read-only where they lie.
    case program
    /// Shows a file or directory of the host at its own place, and links on the way as links.
    case show(FilePath, access: Access)
    /// Shows a directory of the host as the home directory, and creates it if it is missing.
    case home(FilePath)
    /// Shows the caller's home directory without what is secret; changes vanish with the sandbox.
    case temporaryHome
    /// Shows a directory of the host, writable, and creates it if it is missing.
    case kept(source: FilePath, destination: FilePath)
    /// Shows a directory of the host at its own place, writable; changes go to the layer of a review,
    /// which exists once a launch has begun.
    case review(FilePath, ReviewLayer?)
    /// Shows the X server that DISPLAY names; the host has the name `host`.
    case xServer(host: ByteString?)
    /// Shows the files of the host that the command's arguments name.
    case arguments(access: Access)
    /// Makes the caller's working directory, empty, if it belongs in a private file system.
    case workingDirectory
    /// Makes a symbolic link.
    case symbolicLink(target: ByteString, FilePath)
    /// Changes permissions.
    case permissions(FilePermissions, FilePath)
  }
}

/// Layered trees of the host: a file comes from the topmost layer that has it.
public struct Overlay: Equatable, Sendable {
  /// The layers that are only read, the bottom one first.
  public var sources: [FilePath]
  /// Where writes go.
  public var writes: Writes
  /// More options of overlayfs, as mount(8) takes them.
  public var options: [ByteString]

  /// Which directories these have to be: the source, and the upper and work directories that are kept;
  /// empty where any will do.
  var identities: [FileIdentity] = []

  /// The option that names a source.
  static var sourceOption: String { "--overlay-src" }

  /// The directories of the host that it shows, the top one first.
  var layers: [FilePath] {
    let sources = Array(sources.reversed())
    if case .kept(let upper, _) = writes { return [upper] + sources }
    return sources
  }

  /// Where writes to an overlay go.
  public enum Writes: Equatable, Sendable {
    /// Nowhere: they are refused.
    case refused
    /// To the layer of a review that a launch begins.
    case reviewed
    /// To memory; they are gone with the sandbox.
    case discarded
    /// To the directory `upper` of the host, with `work`, an empty one of the same file system.
    case kept(upper: FilePath, work: FilePath)

    /// Whether they go to the host.
    var areKept: Bool { if case .kept = self { true } else { false } }
  }

  /// Describes an overlay.
  public init(sources: [FilePath], writes: Writes, options: [ByteString] = []) {
    self.sources = sources
    self.writes = writes
    self.options = options
  }
}

/// Where the changes of a directory under review go.
public struct ReviewLayer: Equatable, Sendable {
  /// The directory, without links.
  public var base: FilePath
  /// The upper directory of its overlay.
  public var upper: FilePath
  /// The overlay's work directory.
  public var work: FilePath
  /// Which directories these are.
  public var files: [FileIdentity]

  /// Names a layer.
  public init(base: FilePath, upper: FilePath, work: FilePath, files: [FileIdentity]) {
    (self.base, self.upper, self.work, self.files) = (base, upper, work, files)
  }

  var overlay: Overlay {
    var overlay = Overlay(sources: [base], writes: .kept(upper: upper, work: work))
    overlay.identities = files
    return overlay
  }
}

// MARK: - What every operation has

extension FilesystemOperation.Action {
  /// What an operation takes from outside the new root.
  enum Source: Equatable {
    /// Nothing, or what the operation names itself.
    case nothing
    /// A file or tree of the host.
    case host(FilePath)
    /// An open file or directory of the caller's.
    case open(CInt)
    /// The content of an open file, which is read to its end.
    case content(CInt)
  }

  /// What an operation needs at its destination, or makes there.
  enum Target: Equatable {
    /// A directory to mount on.
    case directory
    /// An empty file to mount on.
    case emptyFile
    /// A file or directory to mount on, as its source is one.
    case kindOfSource
    /// A file that it writes.
    case writtenFile
    /// A symbolic link that it makes.
    case link(to: ByteString)
    /// What is there already.
    case existing
  }

  /// What each operation takes, where it puts that (a path inside, as it was typed), and what it
  /// needs there.
  var ends: (source: Source, destination: FilePath, target: Target) {
    switch self {
    case .bind(let source, let path, _, _): (.host(source), path, .kindOfSource)
    case .bindDescriptor(let number, let path, _): (.open(number), path, .kindOfSource)
    case .overlay(_, let path): (.nothing, path, .directory)
    case .remountReadOnly(let path): (.nothing, path, .existing)
    case .proc(let path): (.nothing, path, .directory)
    case .dev(let path): (.nothing, path, .directory)
    case .tmpfs(let path, _, _): (.nothing, path, .directory)
    case .mqueue(let path): (.nothing, path, .directory)
    case .directory(let path, _): (.nothing, path, .directory)
    case .file(let number, let path, _): (.content(number), path, .writtenFile)
    case .data(let number, let path, _, _): (.content(number), path, .emptyFile)
    case .text(_, let path, _): (.nothing, path, .emptyFile)
    case .userFiles(let path): (.nothing, path, .directory)
    case .hosts(let path): (.nothing, path, .emptyFile)
    case .mask(let path): (.nothing, path, .existing)
    case .hide(let pattern): (.nothing, pattern.text.path, .existing)
    case .repositories(let path): (.nothing, path, .existing)
    case .commits(let path): (.nothing, path, .existing)
    case .same(let path, _): (.host(path), path, .kindOfSource)
    case .program: (.nothing, "/", .existing)
    case .show(let path, _): (.host(path), path, .kindOfSource)
    case .home(let path): (.nothing, path, .directory)
    case .temporaryHome: (.nothing, "~", .directory)
    case .kept(_, let path): (.nothing, path, .directory)
    case .review(let path, _): (.host(path), path, .directory)
    case .xServer: (.nothing, XDisplay.socketInside, .emptyFile)
    case .arguments: (.nothing, "/", .existing)
    case .workingDirectory: (.nothing, "/", .directory)
    case .symbolicLink(let target, let path): (.nothing, path, .link(to: target))
    case .permissions(_, let path): (.nothing, path, .existing)
    }
  }

  /// The overlay that it mounts, if it mounts one; of a directory under review only in a launch.
  var overlay: Overlay? {
    switch self {
    case .overlay(let overlay, _): overlay
    case .review(let path, let layer):
      layer?.overlay ?? Overlay(sources: [path], writes: .reviewed)
    case .temporaryHome: Overlay(sources: ["~"], writes: .discarded)
    default: nil
    }
  }

  /// Whether it gives the command a home directory with files.
  var isHome: Bool {
    switch self {
    case .home, .temporaryHome: true
    default: false
    }
  }

  /// Whether it is carried out after those that show files.
  var isLast: Bool { if case .hide = self { true } else { false } }

  /// Whether it adds to the default profile instead of taking its place.
  public var addsToProfile: Bool {
    switch self {
    case .show, .home, .temporaryHome, .hide, .arguments, .review: true
    case .bind, .bindDescriptor, .overlay, .remountReadOnly, .proc, .dev, .tmpfs, .mqueue,
      .directory, .file, .data, .text, .userFiles, .hosts, .mask, .repositories, .commits, .same,
      .program, .kept, .xServer, .workingDirectory, .symbolicLink, .permissions:
      false
    }
  }

  /// Where the operation puts something, as it was typed.
  public var destination: FilePath { ends.destination }

  /// The path of the host from which the operation takes something, as it was typed.
  var source: FilePath? {
    if case .host(let path) = ends.source { path } else { nil }
  }
}

extension FilesystemOperation {
  /// The caller's descriptor that the operation reads, if any.
  public var descriptor: CInt? {
    switch action.ends.source {
    case .open(let number), .content(let number): number
    case .nothing, .host: nil
    }
  }

  /// The caller's descriptor that the operation reads to its end, if any.
  var content: CInt? {
    if case .content(let number) = action.ends.source { number } else { nil }
  }
}
