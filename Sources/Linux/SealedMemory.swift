// SPDX-License-Identifier: Apache-2.0
// Files in memory that nobody can change any more.

internal import CLinux
internal import Glibc
public import SystemPackage
internal import Text

/// Files in memory.
///
/// See memfd_create(2).
public enum SealedMemory {
  /// Makes an empty file, which shows as `/memfd:NAME` in /proc.
  /// - Parameters:
  ///   - name: Its name.
  ///   - isProgram: Whether it can be executed.
  /// - Returns: The file.
  /// - Throws: `SystemCallError`, as the kernel has no such files or no memory.
  public static func make(
    _ name: StaticString, isProgram: Bool = false
  ) throws(SystemCallError) -> OwnedDescriptor {
    let flags = CUnsignedInt(LINUX_MFD_CLOEXEC) | CUnsignedInt(LINUX_MFD_ALLOW_SEALING)
    let mode = CUnsignedInt(isProgram ? LINUX_MFD_EXEC : LINUX_MFD_NOEXEC_SEAL)
    var result = unsafe linux_memory_file_with(name.cString, flags | mode)
    if result == -EINVAL { result = unsafe linux_memory_file_with(name.cString, flags) }
    return OwnedDescriptor(try check(result, "memfd_create"))
  }

  /// Makes an empty file that shows the name `name` in /proc to other processes.
  public static func marker(_ name: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    let result = unsafe name.withPlatformString { unsafe linux_memory_file($0) }
    return OwnedDescriptor(try check(result, "memfd_create"))
  }

  /// Forbids every further change of `file`, for good.
  ///
  /// See fcntl(2), F_ADD_SEALS.
  public static func seal(_ file: CInt) throws(SystemCallError) {
    try check(linux_fcntl(file, CInt(LINUX_F_ADD_SEALS), CLong(LINUX_SEALS)), "fcntl(F_ADD_SEALS)")
  }

  /// Whether nobody can change `file` any more.
  ///
  /// See fcntl(2), F_GET_SEALS.
  public static func isSealed(_ file: CInt) -> Bool {
    let found = linux_fcntl(file, CInt(LINUX_F_GET_SEALS), 0)
    let seals = CInt(LINUX_SEALS)
    return found >= 0 && found & seals == seals
  }
}

/// The program of this process, as a file that others may be able to change.
public enum OwnProgram {
  /// Whether this user could write to the file that this process executes.
  ///
  /// A process inside a sandbox can open the file of any program that is executed there, however it
  /// is executed (/proc/PID/exe), and write to it as soon as no process executes it any more: then
  /// the file is the caller's own nestbox. See CVE-2019-5736.
  public static var isWritable: Bool {
    guard let file = try? OwnedDescriptor.open("/proc/self/exe", .reading) else { return true }
    return unsafe faccessat(AT_FDCWD, "/proc/self/exe", W_OK, AT_EACCESS) == 0
      && !SealedMemory.isSealed(file.rawValue)
  }

  /// Makes a sealed copy of this program.
  public static func copy() throws(SystemCallError) -> OwnedDescriptor {
    let file = try OwnedDescriptor.open("/proc/self/exe", .reading)
    let copy = try SealedMemory.make("nestbox-program", isProgram: true)
    try Descriptors.transfer(from: file.rawValue, to: copy.rawValue)
    try SealedMemory.seal(copy.rawValue)
    return copy
  }

  private static let path: ByteString = "/memfd:nestbox-program (deleted)"

  /// The sealed copy that `process` holds open; nil if it has none, or executes another file than
  /// this process.
  ///
  /// Other programs, such as compositors, hold files of any name and content for their clients.
  public static func copy(
    heldBy process: borrowing ProcessDirectory
  ) throws(SystemCallError) -> OwnedDescriptor? {
    let own = try OwnedDescriptor.open("/proc/self/exe", .location).fileIdentity()
    guard try process.open("exe", .location).fileIdentity() == own else { return nil }
    for name in try process.open("fd", .directory).names() {
      let file = FilePath("fd").pushing(name)
      guard let link = try? process.link(file), link == path else { continue }
      let copy = try process.open(file)
      if SealedMemory.isSealed(copy.rawValue) { return copy }
    }
    return nil
  }
}

extension Descriptors {
  /// Copies all of the file `number`, from its beginning, to the end of another.
  ///
  /// See sendfile(2).
  static func transfer(from number: CInt, to destination: CInt) throws(SystemCallError) {
    while true {
      let count = retrying {
        let count = sendfile(destination, number, nil, 1 << 30)
        return Int(count < 0 ? -Int(errno) : count)
      }
      if count == 0 { return }
      if count < 0 { throw failure(CInt(count), "sendfile") }
    }
  }
}
