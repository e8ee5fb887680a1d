// SPDX-License-Identifier: Apache-2.0
// The few primitives that operations on the new root are built from. Two roots implement them:
// `NewRoot` with mounts and descriptors, to launch a sandbox, and `RootModel` with names alone, to
// plan a launch. Each operation is written once, over this protocol.

internal import Linux
internal import SystemPackage
internal import Text

/// A root file system under construction.
protocol RootBuilder: ~Copyable {
  /// A file or directory with all mounts below it: a detached tree, or a place inside.
  associatedtype Tree: ~Copyable
  /// A file of the host, located but not opened for reading.
  associatedtype HostFile: ~Copyable

  /// The resolved sandbox.
  var resolved: ResolvedSandbox { get }
  /// The permissions of directories created on the way to a destination.
  var parents: FilePermissions { get set }
  /// The command's file, if a search would not find it.
  var program: ByteString? { get set }
  /// The terminal among the standard descriptors, if one of them is one.
  var terminal: FilePath? { get }
  /// Makes the command's terminal in an attached devpts, and returns it as a tree.
  mutating func makeTerminal(in terminals: borrowing Tree) throws(SystemCallError) -> Tree

  // MARK: The host

  /// Clones the mount at `path` of the host, and those below it.
  ///
  /// If `followsLink` is false and the path ends in a link, the result cannot be attached.
  mutating func hostTree(_ path: FilePath, followsLink: Bool) throws(SystemCallError) -> Tree
  /// The path that leads to the caller's open file `descriptor`.
  func hostPath(of descriptor: CInt) throws(SystemCallError) -> FilePath
  /// Fails if `tree` is not the open file `descriptor`.
  func require(_ tree: borrowing Tree, toBe descriptor: CInt) throws(SystemCallError)
  /// Whether a directory of another user on the way to `path` of the host may not be searched.
  func isClosedByAnother(_ path: FilePath) -> Bool
  /// The target of the symbolic link at `path` of the host; nil if there is none.
  func hostLinkTarget(_ path: FilePath) throws(SystemCallError) -> ByteString?

  /// The host's root directory.
  func hostRoot() throws(SystemCallError) -> HostFile
  /// The caller's directory.
  func hostWorkingDirectory() throws(SystemCallError) -> HostFile
  /// The entry `name` of a directory of the host; a link is not followed.
  func hostEntry(
    _ name: ByteString, in directory: borrowing HostFile
  ) throws(SystemCallError) -> HostFile
  /// The target of a symbolic link of the host; nil if the file is not a link.
  func linkTarget(of file: borrowing HostFile) throws(SystemCallError) -> ByteString?
  /// Whether a file of the host has any execute permission.
  func isMarkedExecutable(_ file: borrowing HostFile) throws(SystemCallError) -> Bool
  /// Clones the tree at a file of the host, with all mounts below.
  mutating func tree(of file: borrowing HostFile) throws(SystemCallError) -> Tree
  /// Creates the directory `path` of the host, for the caller alone, and its missing parents.
  mutating func makeHostDirectory(_ path: FilePath) throws(SystemCallError)

  // MARK: New file systems

  /// Makes a file system of the type `type`; `configure` gives it its parameters.
  mutating func make(
    _ type: StaticString, _ attributes: MountAttributes,
    _ configure: (borrowing FilesystemContext) throws(SystemCallError) -> Void
  ) throws(SystemCallError) -> Tree
  /// Makes an empty directory in the file system in memory that holds the new root.
  mutating func sharedMemory(_ permissions: FilePermissions) throws(SystemCallError) -> Tree
  /// Makes a tree of one file, to which `fill` writes.
  ///
  /// The file keeps its name: on one without, the kernel mounts nothing, and a sandbox inside the sandbox must
  /// be able to cover it.
  mutating func makeFile(
    _ permissions: FilePermissions,
    _ fill: (borrowing OwnedDescriptor) throws(SystemCallError) -> Void
  ) throws(SystemCallError) -> Tree
  /// A tree of one directory or file, always empty.
  mutating func emptyTree(_ kind: FileKind) throws(SystemCallError) -> Tree
  /// Makes an overlay.
  mutating func makeOverlay(_ overlay: Overlay, for path: FilePath) throws(LaunchError) -> Tree
  /// The proxy's socket for `bus`.
  mutating func socketTree(_ bus: Bus) throws(SystemCallError) -> Tree
  /// Notes that a file system, with everything created in it, vanishes with the sandbox.
  mutating func own(_ tree: borrowing Tree) throws(SystemCallError)

  // MARK: Trees

  /// Whether it is a directory or a file.
  func kind(of tree: borrowing Tree) throws(SystemCallError) -> FileKind
  /// Whether it is a regular file.
  func isRegularFile(_ tree: borrowing Tree) throws(SystemCallError) -> Bool
  /// Whether things created in it vanish with the sandbox.
  func isOwn(_ tree: borrowing Tree) throws(SystemCallError) -> Bool
  /// Whether a place shows the file that the host has at `path`.
  func isHostFile(_ place: borrowing Tree, _ path: FilePath) throws(SystemCallError) -> Bool
  /// Adds restrictions to every mount of a tree; existing ones stay.
  mutating func restrict(
    _ tree: borrowing Tree, _ attributes: MountAttributes, propagation: MountPropagation
  ) throws(SystemCallError)
  /// Adds restrictions to the one mount that begins at a place.
  mutating func restrictMount(
    at place: borrowing Tree, _ attributes: MountAttributes
  ) throws(SystemCallError)
  /// Sets the permissions of a file or directory.
  mutating func setPermissions(
    of tree: borrowing Tree, to permissions: FilePermissions
  ) throws(SystemCallError)
  /// Attaches a tree on a place.
  mutating func attach(
    _ tree: borrowing Tree, on place: borrowing Tree
  ) throws(SystemCallError)
  /// Attaches a tree on `path`; if that does not exist, creates a directory for a directory, or an
  /// empty file for a file.
  mutating func attach(
    _ tree: borrowing Tree, _ kind: FileKind, at path: FilePath
  ) throws(SystemCallError)

  // MARK: Paths, as they will lead inside

  /// Finds the directory `path`, and creates it if it does not exist.
  mutating func directory(
    at path: FilePath, _ permissions: FilePermissions
  ) throws(SystemCallError) -> Tree
  /// Finds what exists at `path`.
  mutating func existing(at path: FilePath) throws(SystemCallError) -> Tree
  /// The entry at `path`, without following a final link; nil if there is none.
  func entry(at path: FilePath) -> RootEntry?
  /// Whether the sandbox itself determines what `path` leads to, even if it leads nowhere.
  func isDecided(_ path: FilePath) -> Bool
  /// Creates the symbolic link `path`, unless it exists with the same target.
  mutating func link(_ path: FilePath, to target: ByteString) throws(SystemCallError)
  /// Writes a file, and creates it if it does not exist; `fill` provides its content.
  mutating func write(
    _ path: FilePath, _ permissions: FilePermissions,
    _ fill: (borrowing OwnedDescriptor) throws(SystemCallError) -> Void
  ) throws(SystemCallError)

  /// The paths of existing files that match.
  func matches(_ paths: HiddenPaths) throws(SystemCallError) -> [FilePath]
  /// Makes version control settings and hooks in the directory `path` read-only.
  mutating func protectRepositories(in path: FilePath) throws(SystemCallError)
  /// Shows the git directories of the work tree `path` read-only, if they lie elsewhere.
  mutating func showGitDirectories(of path: FilePath) throws(LaunchError)
  /// Makes the repository of the work tree `path` writable, but not its settings and hooks.
  mutating func permitCommits(in path: FilePath) throws(SystemCallError)

  // MARK: Names in a directory

  /// The names in a directory.
  func names(in directory: borrowing Tree) throws(SystemCallError) -> [FilePath]
  /// The target of the symbolic link `name`; nil if it is not a link.
  func linkTarget(_ name: FilePath, in directory: borrowing Tree) -> ByteString?
  /// Whether the caller may write to `name`.
  func isWritable(_ name: FilePath, in directory: borrowing Tree) -> Bool
  /// Clones the mount at `name`, and those below it.
  mutating func clone(
    _ name: FilePath, in directory: borrowing Tree
  ) throws(SystemCallError) -> Tree
  /// Attaches a tree on `name`.
  mutating func attach(
    _ tree: borrowing Tree, on name: FilePath, in directory: borrowing Tree
  ) throws(SystemCallError)
  /// Makes an empty directory or file, on which something can be mounted.
  mutating func make(
    _ kind: FileKind, _ name: FilePath, in directory: borrowing Tree
  ) throws(SystemCallError)
  /// Makes the symbolic link `name`.
  mutating func makeLink(
    _ name: FilePath, to target: ByteString, in directory: borrowing Tree
  ) throws(SystemCallError)

  // MARK: For observers

  /// Notes that an operation does nothing, because its object does not exist.
  mutating func passOver()
  /// Warns of a failure that the caller chose to tolerate.
  func warn(of failure: LaunchError)
}

extension RootBuilder where Self: ~Copyable {
  mutating func hostTree(_ path: FilePath) throws(SystemCallError) -> Tree {
    try hostTree(path, followsLink: true)
  }

  mutating func make(
    _ type: StaticString, _ attributes: MountAttributes
  ) throws(SystemCallError) -> Tree {
    try make(type, attributes) { _ throws(SystemCallError) in }
  }

  mutating func restrict(
    _ tree: borrowing Tree, _ attributes: MountAttributes
  ) throws(SystemCallError) {
    try restrict(tree, attributes, propagation: .unchanged)
  }

  mutating func directory(at path: FilePath) throws(SystemCallError) -> Tree {
    try directory(at: path, .standardDirectory)
  }

  /// Runs `body`, and names a failure in it: what could not be done, and to what.
  mutating func step<Result: ~Copyable>(
    _ action: LaunchError.Action, _ subject: @autoclosure () -> ByteString,
    _ body: (inout Self) throws(SystemCallError) -> Result
  ) throws(LaunchError) -> Result {
    do throws(SystemCallError) {
      return try body(&self)
    } catch {
      throw LaunchError(action, subject: error.subject ?? subject(), cause: error)
    }
  }
}

extension FilePermissions {
  /// The permissions of directories created on the way.
  static let standardDirectory = FilePermissions(rawValue: 0o755)
  /// The permissions of directories created for the caller alone.
  static let privateDirectory = FilePermissions(rawValue: 0o700)
  /// The permissions of files created only as mount points.
  static let mountPoint = FilePermissions(rawValue: 0o444)

  /// The permissions as chmod(1) takes them.
  ///
  /// Not by `String(_:radix:)`, which is generic code that is slow when it is first used.
  var octal: ByteString {
    var digits: [UInt8] = []
    var rest = UInt32(rawValue)
    repeat {
      digits.append(UInt8(ascii: "0") + UInt8(rest & 7))
      rest >>= 3
    } while rest != 0
    digits.append(UInt8(ascii: "0"))
    digits.reverse()
    return ByteString(digits)
  }
}
