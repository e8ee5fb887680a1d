// SPDX-License-Identifier: Apache-2.0
// One direction of a connection, and how bytes move along it.

internal import Linux
internal import SystemPackage

/// Pipes through which the kernel moves bytes from one socket to another without a copy.
///
/// A user may have a limited number of pages in pipes, so that there are few, and only connections that move
/// much get one.
struct PipePool {
  private static let most = 16
  /// How many bytes each holds: with the kernel's 64 KiB, a stream of a few Gbit/s takes three times as many calls.
  private static let size = 256 << 10

  private var free: [(read: CInt, write: CInt)] = []
  private var count = 0

  /// A pipe; nil if all are in use.
  mutating func take() -> (read: CInt, write: CInt)? {
    if let pipe = free.popLast() { return pipe }
    guard count < PipePool.most, let pipe = try? Pipe() else { return nil }
    count += 1
    pipe.widen(to: PipePool.size)
    return pipe.release()
  }

  /// Takes a pipe back.
  mutating func give(_ pipe: (read: CInt, write: CInt), isEmpty: Bool) {
    if isEmpty { return free.append(pipe) }
    Descriptors.close(pipe.read)
    Descriptors.close(pipe.write)
    count -= 1
  }
}

/// One direction of a connection.
struct Way {
  /// Whether the source has sent everything.
  private(set) var hasEnded = false
  /// How many bytes have gone.
  private(set) var moved: UInt64 = 0
  private var pipe: (read: CInt, write: CInt)?
  /// How many bytes are in the pipe.
  private var held = 0

  enum Progress { case waits, more, failed }

  /// How many times the buffer may be filled before others have their turn.
  private static let mostRounds = 8
  /// From so many bytes on, a connection gets a pipe.
  private static let much: UInt64 = 1 << 20
  /// The most bytes that a pipe takes at a time: its places can hold more than a page each.
  private static let mostHeld = 1 << 20

  /// Moves what can be moved.
  mutating func move(_ source: CInt, _ destination: CInt, _ relay: Relay) -> Progress {
    if hasEnded { return InternetSocket.hasFailed(source) ? .failed : .waits }
    if pipe == nil, moved > Way.much { pipe = relay.pipes.take() }
    for _ in 0..<Way.mostRounds {
      let progress =
        pipe.map { splice(source, destination, $0, relay) } ?? copy(source, destination, relay)
      if progress != .more { return progress }
    }
    return .more
  }

  private mutating func end(_ destination: CInt, _ relay: Relay) -> Progress {
    hasEnded = true
    InternetSocket.endSending(destination)
    leave(relay)
    return .waits
  }

  /// Gives the pipe back.
  mutating func leave(_ relay: Relay) {
    if let pipe { relay.pipes.give(pipe, isEmpty: held == 0) }
    pipe = nil
  }

  private mutating func splice(
    _ source: CInt, _ destination: CInt, _ pipe: (read: CInt, write: CInt), _ relay: Relay
  ) -> Progress {
    if held == 0 {
      switch InternetSocket.splice(source, to: pipe.write, Way.mostHeld) {
      case .failed: return .failed
      // Or urgent data stand next (MSG_OOB), before which the kernel says the same.
      case .wouldWait, .bytes(0): return copy(source, destination, relay)
      case .bytes(let count): held = count
      }
    }
    switch InternetSocket.splice(pipe.read, to: destination, held) {
    case .failed: return .failed
    // It says when it can take more.
    case .wouldWait: return .waits
    case .bytes(let count):
      moved &+= UInt64(count)
      held -= count
      return held > 0 ? .waits : .more
    }
  }

  /// What the destination cannot take yet stays at the source.
  private mutating func copy(_ source: CInt, _ destination: CInt, _ relay: Relay) -> Progress {
    switch InternetSocket.peek(source, into: &relay.buffer) {
    case .failed: return .failed
    case .wouldWait: return .waits
    case .bytes(0): return end(destination, relay)
    case .bytes(let count):
      switch InternetSocket.write(destination, relay.buffer, count: count) {
      case .failed: return .failed
      case .wouldWait: return .waits
      case .bytes(let written):
        guard InternetSocket.discard(source, written) == .bytes(written) else { return .failed }
        moved &+= UInt64(written)
        return written < count ? .waits : .more
      }
    }
  }
}
