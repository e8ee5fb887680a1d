// SPDX-License-Identifier: Apache-2.0
// Whether this process executes a file that it could find by name, or one to which only a magic link
// led, such as /proc/self/exe of a launcher outside.

internal import CLinux
internal import Glibc
internal import SystemPackage
public import Text

extension CurrentProcess {
  /// Whether this process is inside a sandbox and executes a file that does not exist there.
  ///
  /// A launcher that executes a script whose first line says `#!/proc/self/exe`, or a link to that,
  /// executes its own file again, inside. Through /proc/PID/exe a command could then reach that
  /// file on the host (compare CVE-2019-5736). Where the file exists inside as well, it lies on
  /// another mount. A caller who types /proc/self/exe as the command means nestbox: the kernel then
  /// was given exactly that name, and of a script or link it was given theirs.
  /// - Parameter name: argv[0]: of a script, the interpreter as the first line names it.
  /// - Returns: Whether it is so.
  public static func executesForeignFile(calledAs name: ByteString?) -> Bool {
    // Commands have no_new_privs, and hardly any other process.
    guard linux_prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0) == 1 else { return false }
    let executed = unsafe linux_executed_path().map { unsafe ByteString(nulTerminated: $0) }
    if executed == "/proc/self/exe" { return false }
    if let file = MountedFile(at: "/proc/self/exe"), let path = executable {
      return MountedFile(at: path) != file
    }
    // Without /proc, or where a filter refuses to read the link, by the names that the kernel was
    // given.
    var names = executed.map { [$0] } ?? []
    if let name, name.bytes.contains(UInt8(ascii: "/")) { names.append(name) }
    return names.contains { name in
      guard let file = MountedFile(at: name.path) else { return false }
      return MountedFile(withoutMagicLinks: name.path) != file
    }
  }
}

/// A file on a certain mount.
private struct MountedFile: Equatable {
  private var device: UInt64 = 0
  private var inode: UInt64 = 0
  private var mount: UInt64 = 0

  /// Follows `path` as exec does; nil where it leads nowhere.
  init?(at path: FilePath) {
    guard let file = try? OwnedDescriptor.open(path, .location) else { return nil }
    self.init(file)
  }

  /// Follows `path` by names alone.
  init?(withoutMagicLinks path: FilePath) {
    let directory = path.isAbsolute ? "/" : CurrentProcess.workingDirectory
    guard let directory, let root = try? OwnedDescriptor.open("/", .directory),
      let file = try? root.openInRoot(directory.path.pushing(path), .location)
    else { return nil }
    self.init(file)
  }

  private init?(_ file: borrowing OwnedDescriptor) {
    if unsafe linux_mounted_file(file.rawValue, &device, &inode, &mount) < 0 { return nil }
  }
}
