// SPDX-License-Identifier: Apache-2.0
// The calling process: its identity, attributes and place, and the exec that ends this program.

internal import CLinux
internal import Glibc
public import SystemPackage
public import Text

/// The calling process.
public enum CurrentProcess {
  /// The effective user and group ids.
  public static var identity: (user: UInt32, group: UInt32) { (geteuid(), getegid()) }

  /// The process id.
  public static var number: Int32 { getpid() }

  /// The parent's process id; 0 if the parent is outside this pid namespace.
  public static var parent: Int32 { getppid() }

  /// Releases the instructions and constants of the program, which the kernel reads again when needed.
  ///
  /// See madvise(2).
  public static func releaseImage() { linux_release_image() }

  /// Ends the process at once, without running exit handlers.
  ///
  /// See _exit(2).
  public static func exit(_ status: UInt8) -> Never { _exit(CInt(status)) }

  /// The file that this process executes, or nil if /proc does not say.
  ///
  /// See proc(5).
  public static var executable: FilePath? {
    guard let directory = try? OwnedDescriptor.open("/proc/self", .directory) else { return nil }
    return (try? directory.symbolicLinkTarget("exe"))?.path
  }

  /// The working directory, or nil if no path from the root leads to it.
  ///
  /// See getcwd(2).
  public static var workingDirectory: ByteString? {
    var buffer = [UInt8](zeros: Int(PATH_MAX))
    let result = unsafe buffer.withUnsafeMutableBytes { buffer -> CInt in
      guard let start = buffer.baseAddress else { return -EINVAL }
      return unsafe linux_getcwd(start.assumingMemoryBound(to: CChar.self), buffer.count)
    }
    return result > 0 && buffer[0] == UInt8(ascii: "/") ? ByteString(buffer) : nil
  }

  /// The host's name.
  ///
  /// See gethostname(2).
  public static var hostname: ByteString? {
    var buffer = [UInt8](zeros: Int(HOST_NAME_MAX) + 1)
    let result = unsafe buffer.withUnsafeMutableBytes { buffer -> CInt in
      guard let start = buffer.baseAddress else { return -1 }
      return unsafe gethostname(start.assumingMemoryBound(to: CChar.self), buffer.count)
    }
    return result == 0 ? ByteString(buffer) : nil
  }

  /// Whether `process` is the number of a process, or of one that nobody has waited for yet.
  ///
  /// See kill(2).
  public static func isNumber(_ process: Int32) -> Bool {
    process > 0 && (kill(process, 0) == 0 || errno == EPERM)
  }

  /// Whether `path` leads to a file.
  ///
  /// See access(2), F_OK.
  public static func exists(_ path: ByteString) -> Bool {
    unsafe path.withCString { unsafe access($0, F_OK) == 0 }
  }

  /// The target of the symbolic link at `path`; nil if `path` is not a link.
  ///
  /// See readlink(2).
  public static func symbolicLinkTarget(_ path: FilePath) throws(SystemCallError) -> ByteString? {
    do throws(SystemCallError) {
      return try linkTarget(path, in: AT_FDCWD)
    } catch {
      if error.errno == .invalidArgument { return nil }
      throw error
    }
  }

  /// Makes `path` the working directory.
  ///
  /// See chdir(2).
  public static func changeDirectory(_ path: ByteString) throws(SystemCallError) {
    let result = unsafe path.withCString { unsafe chdir($0) < 0 ? -errno : 0 }
    do throws(SystemCallError) {
      try check(result, "chdir")
    } catch {
      throw error.about(path)
    }
  }

  /// Makes an open directory the working directory.
  ///
  /// See fchdir(2).
  public static func changeDirectory(
    to directory: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    try check(fchdir(directory.rawValue) < 0 ? -errno : 0, "fchdir")
  }

  /// Makes the working directory the root of path lookups.
  ///
  /// See chroot(2).
  public static func changeRootToWorkingDirectory() throws(SystemCallError) {
    try check(unsafe chroot(".") < 0 ? -errno : 0, "chroot")
  }

  /// Sets the mask of permissions that new files lose, and returns the old one.
  ///
  /// See umask(2).
  @discardableResult public static func setFileModeMask(_ mask: UInt32) -> UInt32 {
    umask(mode_t(mask))
  }

  /// Starts a new session, away from the caller's terminal.
  ///
  /// See setsid(2).
  public static func beginSession() throws(SystemCallError) {
    try check(setsid() < 0 ? -errno : 0, "setsid")
  }

  /// Asks the kernel to send SIGKILL to this process when its parent ends.
  public static func dieWithParent() throws(SystemCallError) { try hear(.kill) }

  /// Asks the kernel to send `signal` to this process when its parent ends.
  ///
  /// See prctl(2), PR_SET_PDEATHSIG.
  public static func hear(_ signal: Signal) throws(SystemCallError) {
    try check(
      linux_prctl(PR_SET_PDEATHSIG, CUnsignedLong(signal.rawValue), 0, 0),
      "prctl(PR_SET_PDEATHSIG)")
  }

  /// Becomes another user and group, keeping the permitted capabilities.
  ///
  /// See setresuid(2), prctl(2), PR_SET_KEEPCAPS.
  public static func become(user: UInt32, group: UInt32) throws(SystemCallError) {
    try check(linux_prctl(PR_SET_KEEPCAPS, 1, 0, 0), "prctl(PR_SET_KEEPCAPS)")
    try check(linux_setresgid(group), "setresgid")
    try check(linux_setresuid(user), "setresuid")
  }

  /// Makes this process the new parent of every descendant whose parent ends.
  ///
  /// See prctl(2), PR_SET_CHILD_SUBREAPER.
  public static func becomeSubreaper() throws(SystemCallError) {
    try check(linux_prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0), "prctl(PR_SET_CHILD_SUBREAPER)")
  }

  /// Whether `setHidden` or the kernel has hidden this process.
  ///
  /// See prctl(2), PR_GET_DUMPABLE.
  static var isHidden: Bool { linux_prctl(PR_GET_DUMPABLE, 0, 0, 0) != 1 }

  /// Stops other processes of the same user from tracing this one and from following its links in
  /// /proc, even if they have capabilities in a user namespace that it joins; or allows it again.
  ///
  /// While the process hides, the kernel demands CAP_SYS_PTRACE in the user namespace in which the
  /// program was executed. See prctl(2), PR_SET_DUMPABLE, and ptrace(2).
  public static func setHidden(_ isHidden: Bool) throws(SystemCallError) {
    try check(linux_prctl(PR_SET_DUMPABLE, isHidden ? 0 : 1, 0, 0), "prctl(PR_SET_DUMPABLE)")
  }

  /// Gives up, for good, all privileges that an exec could add.
  ///
  /// See prctl(2), PR_SET_NO_NEW_PRIVS.
  public static func renounceNewPrivileges() throws(SystemCallError) {
    try check(linux_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)")
  }

  /// Puts this process under a system call filter.
  ///
  /// SECCOMP_FILTER_FLAG_SPEC_ALLOW leaves speculation as it is: without it, older kernels slow
  /// down every filtered program to prevent an attack within its own address space.
  /// A filter that is already in force may refuse seccomp(2); prctl(2) then installs the same filter
  /// without that flag.
  /// Each element of `program` is one struct sock_filter, as it lies in memory.
  ///
  /// See seccomp(2), SECCOMP_SET_MODE_FILTER, and prctl(2), PR_SET_SECCOMP.
  public static func installFilter(_ program: [UInt64]) throws(SystemCallError) {
    guard let count = CUnsignedShort(exactly: program.count) else {
      throw SystemCallError(call: "seccomp", errno: .invalidArgument)
    }
    let result = unsafe program.withUnsafeBytes { buffer -> CInt in
      guard let start = buffer.baseAddress else { return -EINVAL }
      return unsafe linux_install_filter(
        start, count, CUnsignedInt(SECCOMP_FILTER_FLAG_SPEC_ALLOW))
    }
    try check(result, "seccomp")
  }

  /// Has SIGALRM end this process after a time; 0 cancels that.
  ///
  /// See alarm(2).
  public static func endAfter(seconds: CUnsignedInt) { alarm(seconds) }

  /// Sleeps.
  ///
  /// See poll(2).
  public static func sleep(milliseconds: Int) { poll(nil, 0, CInt(milliseconds)) }

  /// A random number that an attacker cannot guess.
  ///
  /// See getrandom(2).
  public static func randomNumber() throws(SystemCallError) -> UInt64 {
    var number: UInt64 = 0
    let count = retrying { unsafe linux_random(&number, 8) }
    try check(CInt(count), "getrandom")
    guard count == 8 else { throw SystemCallError(call: "getrandom", errno: .ioError) }
    return number
  }

  /// Executes `path` in place of this program; returns only if that failed.
  ///
  /// A filter can see `word` in the register of a sixth argument, which execve(2) does not have.
  public static func execute(
    _ path: ByteString, arguments: [ByteString], environment: [ByteString], word: UInt64 = 0
  ) -> SystemCallError {
    let result = unsafe path.withCString { path in
      unsafe withPointers(arguments) { arguments in
        unsafe withPointers(environment) { environment in
          unsafe linux_exec(path, arguments, environment, word)
        }
      }
    }
    return failure(result, "execve").about(path)
  }

  /// Executes the open file `program` in place of this program; returns only if that failed.
  ///
  /// See execveat(2).
  public static func execute(
    _ program: CInt, arguments: [ByteString], environment: [ByteString]
  ) -> SystemCallError {
    let result = unsafe withPointers(arguments) { arguments in
      unsafe withPointers(environment) { environment in
        unsafe linux_exec_descriptor(program, arguments, environment)
      }
    }
    return failure(result, "execveat")
  }

  /// Sets the name by which others know this process.
  ///
  /// See prctl(2), PR_SET_NAME.
  public static func setName(_ name: StaticString) {
    _ = linux_prctl(PR_SET_NAME, CUnsignedLong(UInt(bitPattern: unsafe name.utf8Start)), 0, 0)
  }
}

/// Calls `body` with `strings` as an array of C strings that ends with a null pointer.
@unsafe private func withPointers(
  _ strings: [ByteString], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> CInt
) -> CInt {
  // Plain memory: the runtime would first have to make the type of a Swift array of pointers.
  let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
    capacity: strings.count + 1)
  defer { unsafe pointers.deallocate() }
  // `strings` keeps every storage alive and in place until the call returns.
  for (index, string) in strings.enumerated() {
    let pointer = unsafe string.withCString { unsafe UnsafeMutablePointer(mutating: $0) }
    unsafe (pointers + index).initialize(to: pointer)
  }
  unsafe (pointers + strings.count).initialize(to: nil)
  return withExtendedLifetime(strings) { unsafe body(pointers) }
}
