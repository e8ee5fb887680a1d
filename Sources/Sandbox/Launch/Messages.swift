// SPDX-License-Identifier: Apache-2.0
// What the processes of a launch say to each other, in messages of a few bytes.

internal import Linux
internal import SystemPackage
internal import Text

/// A message to the monitor.
enum SetupMessage: Equatable {
  /// The child goes on as another process, of which a descriptor comes along.
  case hasMoved
  /// The namespaces are made and have these numbers; the child waits for an answer.
  case isReady([UInt64])
  /// The command exists; a descriptor of it comes along.
  case hasStarted
  /// The command is the last process inside, and has ended.
  case isEnding
  /// The command has ended.
  case hasEnded(Termination)
  /// The launch has made something in a directory of the host, of which a descriptor comes along
  /// where `isElsewhere` is true; otherwise it is the one of the message before.
  case hasLeft(ByteString, FileKind, stamp: UInt64, isElsewhere: Bool)
  /// What has been left so far stays.
  case hasSettled
  /// Init could not go on, and has ended the command.
  case hasFailed(SystemCallError)

  /// The most bytes that a message has: it may hold a number, and a name of the longest kind.
  static let capacity = 5 + 8 + 255

  /// Reads a message; nil where it is none.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 5 else { return nil }
    let number = SetupMessage.number(bytes[1..<5])
    switch bytes[0] {
    case 1: self = .hasMoved
    case 2:
      let starts = stride(from: 5, through: bytes.count - 8, by: 8)
      self = .isReady(starts.map { SetupMessage.number(bytes[$0..<($0 + 8)]) })
    case 3: self = .hasStarted
    case 4: self = .hasEnded(.exited(UInt8(truncatingIfNeeded: number)))
    case 5: self = .hasEnded(.signaled(CInt(truncatingIfNeeded: number)))
    case 6: self = .isEnding
    case 9: self = .hasSettled
    case 8:
      // In that directory, and nowhere else.
      let name = bytes.dropFirst(13)
      guard !name.isEmpty, !name.contains(0), !name.contains(UInt8(ascii: "/")),
        ![".", ".."].contains(ByteString(name))
      else { return nil }
      self = .hasLeft(
        ByteString(name), number & 1 == 0 ? .other : .directory,
        stamp: SetupMessage.number(bytes[5..<13]), isElsewhere: number & 2 != 0)
    case 7:
      self = .hasFailed(
        SystemCallError(
          call: String(decoding: bytes[5...], as: UTF8.self),
          errno: Errno(rawValue: CInt(truncatingIfNeeded: number))))
    default: return nil
    }
  }

  /// The message's bytes.
  var bytes: [UInt8] {
    let (kind, number): (UInt8, Int32) =
      switch self {
      case .hasMoved: (1, 0)
      case .isReady: (2, 0)
      case .hasStarted: (3, 0)
      case .isEnding: (6, 0)
      case .hasSettled: (9, 0)
      case .hasLeft(_, let kind, _, let isElsewhere):
        (8, (kind == .directory ? 1 : 0) + (isElsewhere ? 2 : 0))
      case .hasFailed(let error): (7, error.errno.rawValue)
      case .hasEnded(.exited(let status)): (4, Int32(status))
      case .hasEnded(.signaled(let signal)): (5, signal)
      }
    var bytes = [kind] + SetupMessage.bytes(UInt32(bitPattern: number))
    switch self {
    case .isReady(let numbers): for number in numbers { bytes += SetupMessage.bytes(number) }
    case .hasLeft(let name, _, let stamp, _): bytes += SetupMessage.bytes(stamp) + name.bytes
    case .hasFailed(let error): bytes += error.call.utf8.prefix(64)
    default: break
    }
    return bytes
  }

  private static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<(Number.bitWidth / 8)).map { UInt8(truncatingIfNeeded: number >> Number(8 * $0)) }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
