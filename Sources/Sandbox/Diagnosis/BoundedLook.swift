// SPDX-License-Identifier: Apache-2.0
// Looks at files that may belong to a hostile command, for a bounded time.
//
// A call on a file can wait for ever: for the server of a FUSE or network file system, which may be
// the command's own. The process that waits cannot stop itself, so another one looks.

internal import Linux
internal import Text

/// A look at files in a separate process.
enum BoundedLook {
  /// How long the look may take, in milliseconds, and how many bytes of lines it may give.
  private static let limit = (milliseconds: Patience.milliseconds(4000), bytes: 1 << 16)

  /// The lines that `look` finds, or as many of them as it finds in time.
  static func lines(_ look: () -> [String]) -> [String] {
    do throws(SystemCallError) {
      return try read(look)
    } catch {
      // There may be no other process or pipe, and that may be what is looked for: this process looks,
      // and the kernel ends it if that takes too long. The failure has been reported.
      CurrentProcess.endAfter(seconds: CUnsignedInt(limit.milliseconds / 1000))
      let lines = look()
      CurrentProcess.endAfter(seconds: 0)
      return lines
    }
  }

  private static func read(_ look: () -> [String]) throws(SystemCallError) -> [String] {
    let pipe = try Pipe()
    guard let child = try ChildProcess.clone() else { run(look, pipe.writeEnd.rawValue) }
    let readEnd = pipe.readEnd
    // The child's end: the last line has come when nobody holds it.
    _ = consume pipe.writeEnd
    let deadline = MonotonicClock.milliseconds + limit.milliseconds
    var bytes: [UInt8] = []
    var isWhole = false
    while bytes.count < limit.bytes, !isWhole {
      let left = CInt(clamping: max(deadline - MonotonicClock.milliseconds, 0))
      guard try Descriptors.waitForInput(readEnd.rawValue, milliseconds: left) else { break }
      let chunk = try Descriptors.some(of: readEnd.rawValue, limit.bytes - bytes.count)
      isWhole = chunk.isEmpty
      bytes += chunk
    }
    try? child.descriptor.send(.kill)
    // One that does not end at once is left to its next parent.
    if try Descriptors.waitForInput(child.descriptor.rawValue, milliseconds: isWhole ? 1000 : 0) {
      _ = try? child.wait()
    }
    var lines = bytes.split(separator: 0, omittingEmptySubsequences: false)
    // Behind each line there is a NUL: what follows the last one is cut off.
    lines.removeLast()
    return lines.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func run(_ look: () -> [String], _ number: CInt) -> Never {
    // A key that ends the launcher ends the look.
    try? CurrentProcess.dieWithParent()
    for line in look() {
      let bytes = Array(line.utf8) + [0]
      guard (try? Descriptors.write(bytes[...], to: number)) != nil else { break }
    }
    CurrentProcess.exit(0)
  }
}
