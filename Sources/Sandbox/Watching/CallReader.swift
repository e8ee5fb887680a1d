// SPDX-License-Identifier: Apache-2.0
// Reads from a call's registers and the caller's memory what the call asks for. Nothing here decides
// whether the kernel carries the call out: the caller can change its memory at any time.

package import Linux
internal import Network
package import Seccomp
internal import SystemPackage
package import Text

/// The memory of the process that makes a call.
package protocol CallMemory {
  /// The string at `address`, of at most a path's length; nil if it cannot be read.
  func string(at address: UInt64) -> ByteString?
  /// `count` bytes at `address`; nil if they cannot be read.
  func bytes(at address: UInt64, _ count: Int) -> [UInt8]?
}

/// Something that a call asks for.
package struct AskedFor: Equatable {
  /// What is asked for.
  package let kind: ObservedKind
  /// Where a relative path begins: a descriptor, or nil for the working directory.
  package let directory: CInt?
  /// The path, or what else it is about.
  package let subject: ByteString
}

/// Reads calls.
package enum CallReader {
  /// What `call` asks for; nil for nothing that could be missing.
  package static func read(
    _ call: WatchedCall, _ data: CallData, _ memory: some CallMemory
  ) -> AskedFor? {
    switch call.intent {
    case .capability:
      // unshare(2): a new user namespace gives the capability for the others.
      if call.flags == 0, data.asksForUserNamespace {
        return AskedFor(kind: .userNamespace, directory: nil, subject: "")
      }
      return AskedFor(
        kind: .capability, directory: nil, subject: ByteString(stringLiteral: call.capability))
    case .connect, .bind:
      let asked = address(
        at: argument(call.path, data), argument(call.flags, data), memory,
        isOwn: call.intent == .bind)
      // sendto(2) has the message before the address, which a connected socket does not need.
      guard call.path == 4, data.arguments[4] == 0 || asked?.kind == .nameServer else {
        return asked
      }
      return host(at: data.arguments[1], data.arguments[2], memory) ?? asked
    case .ask: return firstMessage(data, memory)
    case .enterOpen: return nil
    default: break
    }
    guard let place = argument(call.path, data), place != 0,
      let path = memory.string(at: place), !path.isEmpty,
      let kind = kind(of: call, data, memory)
    else { return nil }
    var directory: CInt?
    if call.directory >= 0, path.bytes.first != UInt8(ascii: "/"),
      let number = argument(call.directory, data)
    {
      directory = CInt(truncatingIfNeeded: number)
      if directory == workingDirectory {
        directory = nil
      } else if (directory ?? 0) < 0 {
        return nil
      }
    }
    return AskedFor(kind: kind, directory: directory, subject: path)
  }

  /// AT_FDCWD.
  private static let workingDirectory: CInt = -100

  private static func argument(_ index: Int8, _ data: CallData) -> UInt64? {
    (0..<6).contains(index) ? data.arguments[Int(index)] : nil
  }

  private static func kind(
    of call: WatchedCall, _ data: CallData, _ memory: some CallMemory
  ) -> ObservedKind? {
    switch call.intent {
    case .look: return .look
    case .lookAtLink: return .lookAtLink
    case .read, .enter: return .read
    case .write: return .write
    case .create: return .create
    case .make: return .make
    case .remove: return .remove
    case .replace: return .replace
    case .execute: return .execute
    case .open: return argument(call.flags, data).map { kind(ofOpening: $0) }
    case .openAsDescribed:
      // Flags are the first field of struct open_how.
      guard let place = argument(call.flags, data), let bytes = memory.bytes(at: place, 8) else {
        return .look
      }
      return kind(ofOpening: number(bytes[...]))
    case .access:
      let mode = argument(call.flags, data) ?? 0
      // access(2): X_OK, W_OK, R_OK.
      if mode & 2 != 0 { return .write }
      return mode & 1 != 0 ? .execute : mode & 4 != 0 ? .read : .look
    case .connect, .bind, .ask, .capability, .enterOpen: return nil
    }
  }

  /// See open(2); these flags are the same on all architectures.
  private static func kind(ofOpening flags: UInt64) -> ObservedKind {
    if flags & 0o10_000_000 != 0 { return .look }
    // An unnamed file (O_TMPFILE) is made in the directory that the path names.
    if flags & 0o20_000_000 != 0 { return .write }
    if flags & 0o100 != 0 { return .create }
    return flags & 3 == 0 ? .read : .write
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

// MARK: - Addresses

extension CallReader {
  /// The most bytes of an address (struct sockaddr_storage).
  private static let longest: UInt64 = 128

  private static func address(
    at place: UInt64?, _ length: UInt64?, _ memory: some CallMemory, isOwn: Bool
  ) -> AskedFor? {
    guard let place, place != 0, let length, (2...longest).contains(length),
      let bytes = memory.bytes(at: place, Int(length))
    else { return nil }
    let rest = bytes[2...]
    switch bytes[0] {
    case 1: return local(rest, isOwn)
    case 2 where bytes.count >= 8: return remote(bytes[2..<4], Array(bytes[4..<8]), isOwn)
    case 10 where bytes.count >= 24:
      let address = Array(bytes[8..<24])
      let isMapped = address.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255])
      return remote(bytes[2..<4], isMapped ? Array(address[12...]) : address, isOwn)
    default: return nil
    }
  }

  /// A socket of this machine.
  ///
  /// See unix(7).
  private static func local(_ name: ArraySlice<UInt8>, _ isOwn: Bool) -> AskedFor? {
    guard let first = name.first else { return nil }
    if first == 0 {
      let name = ByteString(name.dropFirst())
      return isOwn || name.isEmpty
        ? nil : AskedFor(kind: .abstractSocket, directory: nil, subject: name)
    }
    return AskedFor(kind: isOwn ? .make : .socket, directory: nil, subject: ByteString(name))
  }

  private static func remote(
    _ port: ArraySlice<UInt8>, _ address: [UInt8], _ isOwn: Bool
  ) -> AskedFor? {
    let port = port.reduce(0) { $0 << 8 | Int($1) }
    if isOwn {
      guard (1..<1024).contains(port) else { return nil }
      return AskedFor(kind: .port, directory: nil, subject: ByteString(String(port)))
    }
    guard let address = IPAddress(address[...]) else { return nil }
    // Port 0 only chooses a route, as getaddrinfo(3) does.
    if port == 0 { return nil }
    return AskedFor(
      kind: port == 53 ? .nameServer : .address, directory: nil,
      subject: ByteString(address.text + " port " + String(port)))
  }
}

// MARK: - Questions to name servers

extension CallReader {
  /// The longest message that is read: questions are short.
  private static let longestQuestion: UInt64 = 512

  /// The host that a message asks a name server for.
  private static func host(
    at place: UInt64, _ length: UInt64, _ memory: some CallMemory
  ) -> AskedFor? {
    guard place != 0, (17...longestQuestion).contains(length),
      let bytes = memory.bytes(at: place, Int(length)),
      case .question(let question) = DNSQuestion.read(bytes[...]), let name = question.name
    else { return nil }
    return AskedFor(kind: .host, directory: nil, subject: ByteString(name.bytes))
  }

  /// The address of the first of several messages, or the host for which it asks a name server.
  ///
  /// The C library asks so for both kinds of addresses; its socket is connected, so that the address of the
  /// server is not known here.
  private static func firstMessage(_ data: CallData, _ memory: some CallMemory) -> AskedFor? {
    // struct mmsghdr of programs with 64 bits: AUDIT_ARCH_64BIT, and not x32.
    guard data.architecture & 0x8000_0000 != 0, data.number & 0x4000_0000 == 0,
      data.arguments[1] != 0, let header = memory.bytes(at: data.arguments[1], 56)
    else { return nil }
    // msg_name and msg_namelen.
    let asked = address(at: number(header[0..<8]), number(header[8..<12]), memory, isOwn: false)
    guard asked == nil || asked?.kind == .nameServer else { return asked }
    // msg_iov and msg_iovlen.
    let (parts, count) = (number(header[16..<24]), number(header[24..<32]))
    guard parts != 0, count == 1, let part = memory.bytes(at: parts, 16) else { return asked }
    return host(at: number(part[0..<8]), number(part[8..<16]), memory) ?? asked
  }
}
