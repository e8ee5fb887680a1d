// SPDX-License-Identifier: Apache-2.0
// What the processes of a launch say to each other, in messages of a few bytes.

internal import Linux

/// A message to the monitor.
enum SetupMessage: Equatable {
  /// The child goes on as another process, of which a descriptor comes along.
  case hasMoved
  /// The namespaces are made; the child waits for an answer.
  case isReady
  /// The command exists; a descriptor of it comes along.
  case hasStarted
  /// The command is the last process inside, and has ended.
  case isEnding
  /// The command has ended.
  case hasEnded(Termination)

  /// Reads a message; nil where it is none.
  init?(_ bytes: [UInt8]) {
    guard bytes.count == 5 else { return nil }
    var number: UInt32 = 0
    for index in 0..<4 { number |= UInt32(bytes[1 + index]) << UInt32(8 * index) }
    switch bytes[0] {
    case 1: self = .hasMoved
    case 2: self = .isReady
    case 3: self = .hasStarted
    case 4: self = .hasEnded(.exited(UInt8(truncatingIfNeeded: number)))
    case 5: self = .hasEnded(.signaled(CInt(bitPattern: number)))
    case 6: self = .isEnding
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
      case .hasEnded(.exited(let status)): (4, Int32(status))
      case .hasEnded(.signaled(let signal)): (5, signal)
      }
    let bits = UInt32(bitPattern: number)
    return [kind] + [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: bits >> UInt32($0)) }
  }
}
