// SPDX-License-Identifier: Apache-2.0
// Reads that another process can hold up for ever: the kernel gives out a process's arguments and
// environment only while nobody changes that process's memory map, and a process that serves a FUSE
// file system can keep its own map from ever being free. No signal that this process could handle
// ends such a read, so a child reads, and a kill ends it.

internal import SystemPackage

/// Reads by a child, for a bounded time.
public enum BoundedReads {
  /// How long one read may take, and how long all together that take too long, in milliseconds.
  private static let (patience, patienceForAll) = (1000, 3000)
  /// The most bytes of one result.
  private static let longest = 1 << 20

  /// What `read` returns for each number below `count`, which must be short; nil where that takes too
  /// long, or where the kernel gives this process no child.
  public static func results(_ count: Int, _ read: (Int) -> [UInt8]) -> [[UInt8]?] {
    var results: [[UInt8]?] = []
    var waited = 0
    while results.count < count, waited < patienceForAll {
      guard (try? follow(results.count..<count, read, &results)) != nil else { break }
      // The child stopped at this one.
      if results.count < count {
        results.append(nil)
        waited += patience
      }
    }
    while results.count < count { results.append(nil) }
    return results
  }

  /// Has a child read, and takes what it reads in time.
  private static func follow(
    _ numbers: Range<Int>, _ read: (Int) -> [UInt8], _ results: inout [[UInt8]?]
  ) throws(SystemCallError) {
    let pipe = try Pipe()
    guard let child = try ChildProcess.clone() else { run(numbers, read, pipe.writeEnd.rawValue) }
    let readEnd = pipe.readEnd
    _ = consume pipe.writeEnd
    defer {
      try? child.descriptor.send(.kill)
      _ = try? child.wait()
    }
    var bytes: [UInt8] = []
    while try Descriptors.waitForInput(readEnd.rawValue, milliseconds: CInt(patience)) {
      let chunk = try Descriptors.some(of: readEnd.rawValue, 65_536)
      if chunk.isEmpty { return }
      bytes += chunk
      var start = 0
      while let result = result(in: bytes[start...]) {
        results.append(Array(result))
        start = result.endIndex
      }
      bytes.removeFirst(start)
      if results.count == numbers.upperBound { return }
    }
  }

  /// The first result in `bytes`; nil if it has not come whole.
  private static func result(in bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard bytes.count >= 4 else { return nil }
    let length = bytes.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    let rest = bytes.dropFirst(4)
    return rest.count >= length ? rest.prefix(length) : nil
  }

  private static func run(_ numbers: Range<Int>, _ read: (Int) -> [UInt8], _ number: CInt) -> Never
  {
    // A key that ends the launcher ends the child.
    try? CurrentProcess.dieWithParent()
    for index in numbers {
      let result = read(index).prefix(longest)
      let length = (0..<4).map { UInt8(truncatingIfNeeded: result.count >> ($0 * 8)) }
      guard (try? Descriptors.write((length + result)[...], to: number)) != nil else { break }
    }
    CurrentProcess.exit(0)
  }
}
