// SPDX-License-Identifier: Apache-2.0
// What operations on the new root are made of: the few things that a root can do. Two roots do
// them: `NewRoot` with mounts and descriptors, when a sandbox is launched, and `RootModel` with
// names alone, when a launch is planned. Each operation is written once, over this protocol.

internal import Linux
internal import SystemPackage
internal import Text

/// A root file system in the making.
protocol RootBuilder: ~Copyable {
  /// A file or directory with all that is mounted below it: a tree that is attached nowhere yet, or
  /// a place inside.
  associatedtype Tree: ~Copyable
  /// A file of the host, looked at and not opened.
  associatedtype HostFile: ~Copyable

  /// What was settled for the sandbox as a whole.
  var resolved: ResolvedSandbox { get }
  /// The permissions of directories that are made on the way to a destination.
  var parents: FilePermissions { get set }
  /// The command's file, where the search for it would not find it.
  var program: ByteString? { get set }
  /// The terminal that standard output is, if it is one.
  var terminal: FilePath? { get }

  // MARK: The host

  /// Clones what is mounted at and below `path` of the host.
  ///
  /// Where `followsLink` is false, a link that the path ends in cannot be attached.
  mutating func hostTree(_ path: FilePath, followsLink: Bool) throws(SystemCallError) -> Tree
  /// The path that leads to the caller's open file `descriptor`.
  func hostPath(of descriptor: CInt) throws(SystemCallError) -> FilePath
  /// Fails where `tree` is not the open file `descriptor`.
  func require(_ tree: borrowing Tree, toBe descriptor: CInt) throws(SystemCallError)
  /// What the symbolic link at `path` of the host says; nil where none is there.
  func hostLinkTarget(_ path: FilePath) throws(SystemCallError) -> ByteString?

  /// The host's root directory.
  func hostRoot() throws(SystemCallError) -> HostFile
  /// The caller's directory.
  func hostWorkingDirectory() throws(SystemCallError) -> HostFile
  /// The entry `name` of a directory of the host, be it a link or not.
  func hostEntry(
    _ name: FilePath.Component, in directory: borrowing HostFile
  ) throws(SystemCallError) -> HostFile
  /// The target of a file of the host that is a symbolic link; nil if it is none.
  func linkTarget(of file: borrowing HostFile) throws(SystemCallError) -> ByteString?
  /// Whether the permissions of a file of the host let anybody execute it.
  func isMarkedExecutable(_ file: borrowing HostFile) throws(SystemCallError) -> Bool
  /// Clones the tree at a file of the host, with all mounts below.
  mutating func tree(of file: borrowing HostFile) throws(SystemCallError) -> Tree
  /// Makes the directory `path` of the host for the caller alone, and its parents, where they are
  /// missing.
  mutating func makeHostDirectory(_ path: FilePath) throws(SystemCallError)

  // MARK: New file systems

  /// Makes a file system of the type `type`; `configure` gives it its parameters.
  mutating func make(
    _ type: StaticString, _ attributes: MountAttributes,
    _ configure: (borrowing FilesystemContext) throws(SystemCallError) -> Void
  ) throws(SystemCallError) -> Tree
  /// Makes a tree of one file, to which `fill` writes.
  mutating func makeFile(
    _ permissions: FilePermissions,
    _ fill: (borrowing OwnedDescriptor) throws(SystemCallError) -> Void
  ) throws(SystemCallError) -> Tree
  /// Takes away the name of the tree of one file that was made last.
  ///
  /// Once it is attached: the kernel attaches nothing that has no name.
  mutating func forgetFile() throws(SystemCallError)
  /// A tree of one directory that stays empty.
  mutating func emptyTree() throws(SystemCallError) -> Tree
  /// Makes an overlay.
  mutating func makeOverlay(_ overlay: Overlay, for path: FilePath) throws(LaunchError) -> Tree
  /// The proxy's socket for `bus`.
  mutating func socketTree(_ bus: Bus) throws(SystemCallError) -> Tree
  /// Notes that a file system goes away with the sandbox, and with it what is made in it.
  mutating func own(_ tree: borrowing Tree) throws(SystemCallError)

  // MARK: Trees

  /// Whether it is a directory or a file.
  func kind(of tree: borrowing Tree) throws(SystemCallError) -> FileKind
  /// Whether it is a regular file.
  func isRegularFile(_ tree: borrowing Tree) throws(SystemCallError) -> Bool
  /// Whether what is made in it goes away with the sandbox.
  func isOwn(_ tree: borrowing Tree) throws(SystemCallError) -> Bool
  /// Adds restrictions to every mount of a tree; those that it has already stay.
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
  /// Attaches a tree on `path`; what does not exist is made, a directory for a directory, and an
  /// empty file for a file.
  mutating func attach(
    _ tree: borrowing Tree, _ kind: FileKind, at path: FilePath
  ) throws(SystemCallError)

  // MARK: Paths, as they will lead inside

  /// Finds the directory `path`; where it does not exist it is made.
  mutating func directory(
    at path: FilePath, _ permissions: FilePermissions
  ) throws(SystemCallError) -> Tree
  /// Finds what exists at `path`.
  mutating func existing(at path: FilePath) throws(SystemCallError) -> Tree
  /// What there is by the name `path`, in which the last link is not followed; nil for nothing.
  func entry(at path: FilePath) -> RootEntry?
  /// Whether the sandbox itself says what `path` leads to, be it that it leads nowhere.
  func isDecided(_ path: FilePath) -> Bool
  /// Makes the symbolic link `path`, unless one that says the same is there.
  mutating func link(_ path: FilePath, to target: ByteString) throws(SystemCallError)
  /// Writes a file, which is made where it does not exist; `fill` gives it its content.
  mutating func write(
    _ path: FilePath, _ permissions: FilePermissions,
    _ fill: (borrowing OwnedDescriptor) throws(SystemCallError) -> Void
  ) throws(SystemCallError)

  /// Makes what version control programs obey in the directory `path` read-only.
  mutating func protectRepositories(in path: FilePath) throws(SystemCallError)

  // MARK: Names in a directory

  /// The names in a directory.
  func names(in directory: borrowing Tree) throws(SystemCallError) -> [FilePath]
  /// What the symbolic link `name` says; nil where it is none.
  func linkTarget(_ name: FilePath, in directory: borrowing Tree) -> ByteString?
  /// Whether the caller may write to `name`.
  func isWritable(_ name: FilePath, in directory: borrowing Tree) -> Bool
  /// Clones what is mounted at and below `name`.
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

  // MARK: For whoever watches

  /// Notes that an operation does nothing, as what it concerns does not exist.
  mutating func passOver()
  /// Warns of a failure that the caller said to put up with.
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
  /// The permissions of directories that are made on the way.
  static let standardDirectory = FilePermissions(rawValue: 0o755)
  /// The permissions of directories that are made for the caller alone.
  static let privateDirectory = FilePermissions(rawValue: 0o700)
  /// The permissions of files that are made only to be mounted on.
  static let mountPoint = FilePermissions(rawValue: 0o444)

  /// The permissions as chmod(1) takes them.
  var octal: ByteString { ByteString("0" + String(rawValue, radix: 8)) }
}
