// SPDX-License-Identifier: Apache-2.0
// Sockets in the file system that keep messages apart.

internal import CLinux
internal import Glibc
public import SystemPackage
internal import Text

extension OwnedDescriptor {
  /// Makes a socket at `name` in this directory, which `Descriptors.listen` has listen.
  ///
  /// See unix(7), SOCK_SEQPACKET.
  public borrowing func bind(at name: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    try packetSocket(name, isBound: true)
  }

  /// Connects to the socket that listens at `name` in this directory.
  ///
  /// See unix(7), SOCK_SEQPACKET.
  public borrowing func connect(to name: FilePath) throws(SystemCallError) -> OwnedDescriptor {
    try packetSocket(name, isBound: false)
  }

  private borrowing func packetSocket(
    _ name: FilePath, isBound: Bool
  ) throws(SystemCallError) -> OwnedDescriptor {
    // Addresses are short, and this one leads to the open directory.
    let path = FilePath("/proc/self/fd/" + String(rawValue)).pushing(name)
    let result = unsafe path.withPlatformString {
      unsafe linux_packet_socket($0, isBound ? 1 : 0)
    }
    return OwnedDescriptor(try check(result, isBound ? "bind" : "connect"))
  }
}

extension Descriptors {
  /// Has the bound socket `number` listen.
  ///
  /// See listen(2).
  public static func listen(_ number: CInt) throws(SystemCallError) {
    try check(Glibc.listen(number, 128) < 0 ? -errno : 0, "listen")
  }

  /// The process that connected the other end of `number`, or that had it listen; 0 if it cannot be told.
  ///
  /// See unix(7), SO_PEERCRED.
  public static func peerProcess(of number: CInt) -> Int32 { max(linux_peer_process(number), 0) }
}

/// Settings of the kernel for the namespaces of this process.
///
/// See proc_sys(5).
public enum KernelSettings {
  /// Gives the setting `name`, a path below /proc/sys, the value `value`, unless it has that.
  public static func set(_ name: FilePath, to value: String) throws(SystemCallError) {
    let path = FilePath("/proc/sys").pushing(name)
    do throws(SystemCallError) {
      if (try TextFile.text(of: path)).dropLast() == value[...] { return }
      let file = try OwnedDescriptor.open(path, .readingAndWriting)
      try Descriptors.write(value, to: file.rawValue)
    } catch {
      throw error.about(ByteString(path))
    }
  }
}
