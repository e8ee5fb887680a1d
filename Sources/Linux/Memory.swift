// SPDX-License-Identifier: Apache-2.0
// Raw memory without an owner in Swift: C strings, and the block of this process's arguments.

internal import Glibc
public import Text

@unsafe func cStringLength(_ pointer: UnsafePointer<CChar>) -> Int { unsafe strlen(pointer) }

/// The arguments and environment that the kernel gave to this process.
@safe public struct ProcessImage {
  /// The arguments, the program's name first.
  public let arguments: [ByteString]
  /// The environment, each string of the form `NAME=VALUE`.
  public let environment: [ByteString]
  private let memory: UnsafeMutableRawBufferPointer

  /// Copies the arguments and the environment of `main`.
  @unsafe public init(
    count: CInt, arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
    environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  ) {
    var argumentStrings: [ByteString] = []
    argumentStrings.reserveCapacity(Int(count))
    var end: UnsafeMutablePointer<CChar>?
    for index in 0..<Int(count) {
      guard let pointer = unsafe arguments[index] else { break }
      argumentStrings.append(unsafe ByteString(nulTerminated: pointer))
      unsafe end = unsafe pointer
    }
    var environmentStrings: [ByteString] = []
    var index = 0
    while let pointer = unsafe environment[index] {
      environmentStrings.append(unsafe ByteString(nulTerminated: pointer))
      unsafe end = unsafe pointer
      index += 1
    }
    self.arguments = argumentStrings
    self.environment = environmentStrings
    if let start = unsafe arguments[0] ?? environment[0], let last = unsafe end {
      let length = unsafe UnsafeMutableRawPointer(last) - UnsafeMutableRawPointer(start)
      unsafe memory = UnsafeMutableRawBufferPointer(
        start: start, count: length + cStringLength(last))
    } else {
      unsafe memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
  }

  /// The block of strings as it is now.
  public var block: [UInt8] { unsafe Array(memory) }

  /// Puts a block of strings back that was overwritten.
  public func restore(_ block: [UInt8]) { unsafe memory.copyBytes(from: block) }

  /// Overwrites the strings that `/proc/PID/cmdline` and `/proc/PID/environ` show with `name`.
  ///
  /// The kernel lays arguments and environment out in one block. See proc(5).
  public func overwrite(with name: StaticString) {
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
    let count = min(name.utf8CodeUnitCount, unsafe memory.count)
    if let start = unsafe memory.baseAddress, count > 0 {
      unsafe start.copyMemory(from: name.utf8Start, byteCount: count)
    }
  }
}
