// SPDX-License-Identifier: Apache-2.0
// Namespaces: their kinds, how to make and join them, and the settings of a new one.

internal import CLinux
internal import Glibc
internal import SystemPackage
public import Text

/// Kinds of namespaces.
///
/// The corresponding C constants begin with `CLONE_NEW`.
public struct Namespaces: OptionSet, Sendable, Hashable {
  /// The bits of the C constants.
  public let rawValue: UInt64

  /// The set with these bits.
  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// User and group ids and capabilities.
  ///
  /// See user_namespaces(7).
  public static let user = Namespaces(rawValue: UInt64(CLONE_NEWUSER))
  /// Process ids.
  ///
  /// See pid_namespaces(7).
  public static let pid = Namespaces(rawValue: UInt64(CLONE_NEWPID))
  /// Mount points.
  ///
  /// See mount_namespaces(7).
  public static let mount = Namespaces(rawValue: UInt64(CLONE_NEWNS))
  /// System V IPC and POSIX message queues.
  ///
  /// See ipc_namespaces(7).
  public static let ipc = Namespaces(rawValue: UInt64(CLONE_NEWIPC))
  /// Network devices, addresses, ports and abstract sockets.
  ///
  /// See network_namespaces(7).
  public static let network = Namespaces(rawValue: UInt64(CLONE_NEWNET))
  /// Host name and NIS domain name.
  ///
  /// See uts_namespaces(7).
  public static let uts = Namespaces(rawValue: UInt64(CLONE_NEWUTS))
  /// The cgroup root directory.
  ///
  /// See cgroup_namespaces(7).
  public static let cgroup = Namespaces(rawValue: UInt64(CLONE_NEWCGROUP))
  /// The monotonic and the boot-time clock.
  ///
  /// See time_namespaces(7).
  public static let time = Namespaces(rawValue: UInt64(CLONE_NEWTIME))

  /// Every kind with its name in /proc/PID/ns, in alphabetical order.
  public static let names: [(namespace: Namespaces, name: String)] = [
    (.cgroup, "cgroup"), (.ipc, "ipc"), (.mount, "mnt"), (.network, "net"), (.pid, "pid"),
    (.time, "time"), (.user, "user"), (.uts, "uts"),
  ]

  /// Whether the running kernel has this one kind.
  ///
  /// It lacks the kind only if /proc/self/ns has no file for it, but has the file of mount
  /// namespaces, which every kernel has.
  public var isSupported: Bool {
    guard let name = Namespaces.names.first(where: { $0.namespace == self })?.name else {
      return false
    }
    return !Namespaces.isMissing(name) || Namespaces.isMissing("mnt")
  }

  private static func isMissing(_ name: String) -> Bool {
    let path = FilePath("/proc/self/ns/" + name)
    return unsafe path.withPlatformString { unsafe access($0, F_OK) < 0 && errno == ENOENT }
  }

  /// Moves this process into new namespaces of these kinds; its next child is the first process of
  /// new pid and time namespaces.
  ///
  /// See unshare(2).
  public func unshare() throws(SystemCallError) {
    try check(linux_unshare(CInt(truncatingIfNeeded: rawValue)), "unshare")
  }
}

extension Namespaces {
  /// Moves this process into the namespace of `descriptor`, which must be of this one kind; into a
  /// pid namespace, it moves only future children.
  ///
  /// See setns(2).
  public func join(_ descriptor: CInt) throws(SystemCallError) {
    try check(linux_setns(descriptor, CInt(truncatingIfNeeded: rawValue)), "setns")
  }
}

/// The number that identifies this process's namespace of the kind `name`.
///
/// See namespaces(7).
public func namespaceNumber(_ name: String) throws(SystemCallError) -> UInt64 {
  let path = FilePath("/proc/self/ns/" + name)
  var status = stat()
  let result = unsafe path.withPlatformString { unsafe stat($0, &status) < 0 ? -errno : 0 }
  do throws(SystemCallError) {
    try check(result, "stat")
  } catch {
    throw error.about(ByteString(path))
  }
  return UInt64(status.st_ino)
}

/// The files of this process's namespaces.
public enum NamespaceFiles {
  /// Opens the namespace of the kind `name`; `proc` is an open procfs to use in place of /proc.
  ///
  /// See namespaces(7).
  public static func open(
    _ name: String, through proc: CInt? = nil
  ) throws(SystemCallError) -> OwnedDescriptor {
    let path = FilePath("self/ns/" + name)
    if let proc {
      let result = unsafe path.withPlatformString {
        unsafe linux_openat(proc, $0, O_RDONLY | O_CLOEXEC, 0)
      }
      return OwnedDescriptor(try check(result, "openat"))
    }
    return try OwnedDescriptor.open(FilePath("/proc").pushing(path), .reading)
  }
}

/// The ids of a new user namespace: one user and one group.
public enum IdentityMap {
  /// Maps `inside` to `outside` for users and for groups, and denies `setgroups` first: an
  /// unprivileged process may write gid_map only after that.
  ///
  /// `proc` is an open procfs to use in place of /proc. See user_namespaces(7).
  public static func write(
    user: (inside: UInt32, outside: UInt32), group: (inside: UInt32, outside: UInt32),
    through proc: CInt? = nil
  ) throws(SystemCallError) {
    try write("/proc/self/setgroups", "deny", proc)
    try write("/proc/self/uid_map", line(user.inside, user.outside), proc)
    try write("/proc/self/gid_map", line(group.inside, group.outside), proc)
  }

  /// Whether the ids of this process's user namespace are the host's.
  ///
  /// See user_namespaces(7): only the first namespace maps all ids to themselves, or somebody has
  /// given another one as much.
  public static var isOfHost: Bool {
    guard let file = try? OwnedDescriptor.open("/proc/self/uid_map", .reading),
      let bytes = try? Descriptors.contents(of: file.rawValue, chunk: 128)
    else { return true }
    let words = bytes.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
    return words.map { ByteString($0).text } == ["0", "0", "4294967295"]
  }

  /// Allows at most `count` user namespaces below this process's own.
  ///
  /// See namespaces(7).
  public static func limitUserNamespaces(to count: Int) throws(SystemCallError) {
    try write("/proc/sys/user/max_user_namespaces", ByteString(String(count)), nil)
  }

  /// The line of a map with one id.
  private static func line(_ inside: UInt32, _ outside: UInt32) -> ByteString {
    var line = inside.digits
    line.append(UInt8(ascii: " "))
    line.append(contentsOf: outside.digits)
    line.append(UInt8(ascii: " "))
    line.append(UInt8(ascii: "1"))
    line.append(UInt8(ascii: "\n"))
    return ByteString(line)
  }

  private static func write(
    _ path: StaticString, _ text: ByteString, _ proc: CInt?
  ) throws(SystemCallError) {
    do throws(SystemCallError) {
      let file = try openProc(path, O_WRONLY, proc)
      // The kernel accepts a map only if one call writes all of it, as this one does.
      try Descriptors.write(text.bytes, to: file.rawValue)
    } catch {
      throw error.about(ByteString(path.description))
    }
  }
}

extension UInt32 {
  /// The number in decimal, without making a string.
  fileprivate var digits: [UInt8] {
    var digits: [UInt8] = []
    var rest = self
    repeat {
      digits.insert(UInt8(ascii: "0") + UInt8(rest % 10), at: 0)
      rest /= 10
    } while rest > 0
    return digits
  }
}

/// Opens a file of /proc, or the same file of the open procfs `proc`.
private func openProc(
  _ path: StaticString, _ flags: CInt, _ proc: CInt?
) throws(SystemCallError) -> OwnedDescriptor {
  let mountPoint: StaticString = "/proc/"
  let offset = proc == nil ? 0 : mountPoint.utf8CodeUnitCount
  let result = unsafe linux_openat(proc ?? AT_FDCWD, path.cString + offset, flags | O_CLOEXEC, 0)
  return OwnedDescriptor(try check(result, "open"))
}

/// Settings of new uts, network and time namespaces, made before the command starts.
public enum NamespaceSettings {
  /// Sets the host name.
  ///
  /// See sethostname(2).
  public static func setHostname(_ name: ByteString) throws(SystemCallError) {
    let result = unsafe name.withCString { unsafe linux_set_hostname($0, name.count) }
    try check(result, "sethostname")
  }

  /// Sets the NIS domain name.
  ///
  /// See setdomainname(2).
  public static func setDomainName(_ name: ByteString) throws(SystemCallError) {
    let result = unsafe name.withCString { unsafe linux_set_domainname($0, name.count) }
    try check(result, "setdomainname")
  }

  /// Brings the interface `lo` up; the kernel then adds its addresses.
  ///
  /// See netdevice(7).
  public static func bringLoopbackUp() throws(SystemCallError) {
    let type = CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
    let number = socket(AF_INET, type, 0)
    let socket = OwnedDescriptor(try check(number < 0 ? -errno : number, "socket"))
    let result = unsafe linux_set_interface_flags(socket.rawValue, "lo", Int16(IFF_UP))
    try check(result, "ioctl(SIOCSIFFLAGS)")
  }

  /// Sets the clocks of the time namespace of the next child, in seconds ahead of the host's.
  ///
  /// `proc` is an open procfs to use in place of /proc. See time_namespaces(7).
  public static func setClockOffsets(
    monotonic: Int64, boottime: Int64, through proc: CInt? = nil
  ) throws(SystemCallError) {
    let path: StaticString = "/proc/self/timens_offsets"
    let text = "monotonic \(String(monotonic)) 0\nboottime \(String(boottime)) 0\n"
    do throws(SystemCallError) {
      let file = try openProc(path, O_WRONLY, proc)
      try Descriptors.write(ArraySlice(text.utf8), to: file.rawValue)
    } catch {
      throw error.about(ByteString(path.description))
    }
  }

  /// Moves this process into the time namespace of its future children.
  ///
  /// Kernels before 6.1 move only children, not a process at its exec. See time_namespaces(7).
  public static func enterTimeNamespace(through proc: CInt? = nil) throws(SystemCallError) {
    let namespace = try openProc("/proc/self/ns/time_for_children", O_RDONLY, proc)
    try check(linux_setns(namespace.rawValue, CInt(CLONE_NEWTIME)), "setns")
  }
}
