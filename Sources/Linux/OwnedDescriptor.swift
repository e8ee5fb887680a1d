// SPDX-License-Identifier: Apache-2.0
// Descriptors that close themselves, and the operations on descriptors of any kind.

internal import CLinux
internal import Glibc
internal import SystemPackage
internal import Text

/// A descriptor with one owner; it closes when its owner's life ends.
public struct OwnedDescriptor: ~Copyable {
  /// The descriptor's number.
  public let rawValue: CInt

  /// Takes over `rawValue`.
  public init(_ rawValue: CInt) {
    self.rawValue = rawValue
  }

  deinit {
    // Neither checked nor repeated: Linux releases the number even if close(2) fails.
    if rawValue >= 0 { close(rawValue) }
  }

  /// No descriptor yet.
  ///
  /// Where it can be replaced later, as an optional of a noncopyable type cannot be borrowed.
  public static var none: OwnedDescriptor { OwnedDescriptor(-1) }

  /// Whether there is a descriptor.
  public var isOpen: Bool { rawValue >= 0 }

  /// Gives up ownership.
  public consuming func release() -> CInt {
    let rawValue = self.rawValue
    discard self
    return rawValue
  }

  /// Calls `body` with the descriptor `number`, which its owner keeps.
  public static func borrowing<Result: ~Copyable, Failure: Error>(
    _ number: CInt, _ body: (borrowing OwnedDescriptor) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let borrowed = OwnedDescriptor(number)
    do throws(Failure) {
      let result = try body(borrowed)
      _ = borrowed.release()
      return result
    } catch {
      _ = borrowed.release()
      throw error
    }
  }

  /// Another descriptor above 2 of the open file `number`, closed on exec.
  ///
  /// See fcntl(2), F_DUPFD_CLOEXEC.
  public static func copy(of number: CInt) throws(SystemCallError) -> OwnedDescriptor {
    OwnedDescriptor(try check(linux_fcntl(number, F_DUPFD_CLOEXEC, 3), "fcntl"))
  }

  /// Makes `number` a descriptor of the same open file, which stays open on exec.
  ///
  /// See dup2(2).
  public borrowing func replace(_ number: CInt) throws(SystemCallError) {
    try check(dup2(rawValue, number) < 0 ? -errno : 0, "dup2")
  }
}

/// A set of numbers of descriptors.
public struct DescriptorSet: Sendable {
  /// The numbers in ascending order.
  ///
  /// Not of type CInt: the library has no array of those ready, and the runtime would have to make
  /// its type during each launch.
  fileprivate private(set) var numbers: [UInt32] = []

  /// An empty set.
  public init() {}

  /// Standard input, output and error.
  public static var standard: DescriptorSet {
    var set = DescriptorSet()
    for number in CInt(0)...2 { set.insert(number) }
    return set
  }

  /// Adds `number`, unless it is negative.
  public mutating func insert(_ number: CInt) {
    guard let number = UInt32(exactly: number) else { return }
    let place = numbers.firstIndex { $0 >= number } ?? numbers.endIndex
    if place < numbers.endIndex, numbers[place] == number { return }
    numbers.insert(number, at: place)
  }

  /// Adds all of `numbers`, unless they are negative.
  public mutating func insert(_ numbers: [CInt]) {
    for number in numbers { insert(number) }
  }
}

/// The two ends of a pipe, both closed on exec.
///
/// See pipe(2).
@frozen public struct Pipe: ~Copyable {
  /// The end to read from.
  public var readEnd: OwnedDescriptor
  /// The end to write to.
  public var writeEnd: OwnedDescriptor

  /// Makes a pipe.
  public init() throws(SystemCallError) {
    let (first, second) = try unsafe makePair("pipe2") { unsafe linux_pipe2($0, O_CLOEXEC) }
    readEnd = OwnedDescriptor(first)
    writeEnd = OwnedDescriptor(second)
  }

  /// Has it hold `size` bytes, if the user's pipes may have as many pages.
  ///
  /// See fcntl(2), F_SETPIPE_SZ.
  public func widen(to size: Int) {
    _ = linux_fcntl(readEnd.rawValue, CInt(LINUX_F_SETPIPE_SZ), CLong(size))
  }

  /// Gives both ends up.
  public consuming func release() -> (read: CInt, write: CInt) {
    (readEnd.release(), writeEnd.release())
  }
}

/// Two connected sockets that keep message boundaries, both closed on exec.
///
/// See unix(7).
@frozen public struct SocketPair: ~Copyable {
  /// This process's end.
  public var ours: OwnedDescriptor
  /// The other process's end.
  public var theirs: OwnedDescriptor

  /// Makes a pair of SOCK_SEQPACKET sockets.
  public init() throws(SystemCallError) {
    let type = CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
    let (first, second) = try unsafe makePair("socketpair") {
      unsafe socketpair(AF_UNIX, type, 0, $0) < 0 ? -errno : 0
    }
    ours = OwnedDescriptor(first)
    theirs = OwnedDescriptor(second)
  }
}

private func makePair(
  _ call: String, _ make: (UnsafeMutablePointer<CInt>) -> CInt
) throws(SystemCallError) -> (CInt, CInt) {
  var pair: InlineArray<2, CInt> = [-1, -1]
  var span = pair.mutableSpan
  let result = unsafe span.withUnsafeMutableBufferPointer { buffer -> CInt in
    guard let start = buffer.baseAddress else { return -EINVAL }
    return unsafe make(start)
  }
  try check(result, call)
  return (pair[0], pair[1])
}

/// The descriptors of this process.
public enum Descriptors {
  /// Whether `number` is open.
  ///
  /// See fcntl(2), F_GETFD.
  public static func isOpen(_ number: CInt) -> Bool {
    linux_fcntl(number, F_GETFD, 0) != -EBADF
  }

  /// Keeps a file that is opened later from getting the number 0, 1 or 2.
  ///
  /// If the caller has closed one of them, an unconnected socket takes the number until exec closes
  /// it, so that the command finds the number closed as well. A file or directory in its place
  /// could be reached through a link to `/proc/self/fd/0` that an earlier command planted.
  public static func occupyStandard() throws(SystemCallError) {
    for number in CInt(0)...2 where !isOpen(number) {
      let filler = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      try check(filler < 0 ? -errno : filler, "socket")
    }
  }

  /// Closes every descriptor except those in `kept`.
  ///
  /// See close_range(2).
  public static func closeAll(except kept: DescriptorSet) throws(SystemCallError) {
    var first: UInt32 = 0
    for keep in kept.numbers {
      if keep > first { try check(linux_close_range(first, keep - 1, 0), "close_range") }
      first = keep + 1
    }
    try check(linux_close_range(first, UInt32.max, 0), "close_range")
  }

  /// Closes `number`.
  ///
  /// See close(2).
  public static func close(_ number: CInt) { _ = Glibc.close(number) }

  /// Tells exec to close `number`.
  ///
  /// See fcntl(2), FD_CLOEXEC.
  public static func closeOnExec(_ number: CInt) throws(SystemCallError) {
    try check(linux_fcntl(number, F_SETFD, CLong(FD_CLOEXEC)), "fcntl")
  }

  /// Tells exec to leave `number` open.
  ///
  /// See fcntl(2), FD_CLOEXEC.
  public static func keepOnExec(_ number: CInt) throws(SystemCallError) {
    try check(linux_fcntl(number, F_SETFD, 0), "fcntl")
  }

  /// Makes `number` a descriptor of the open file `other`, which stays open on exec.
  ///
  /// See dup2(2).
  public static func replace(_ number: CInt, by other: CInt) throws(SystemCallError) {
    try check(dup2(other, number) < 0 ? -errno : 0, "dup2")
  }

  /// Reads a byte from `number`, and waits for it; false at the end of the file.
  ///
  /// See read(2).
  public static func waitForByte(_ number: CInt) throws(SystemCallError) -> Bool {
    var byte: UInt8 = 0
    let result = retrying {
      let count = unsafe read(number, &byte, 1)
      return count < 0 ? -errno : CInt(count)
    }
    return try check(result, "read") > 0
  }

  /// Locks all of `number` for reading, until this process closes the file.
  ///
  /// See fcntl(2), F_SETLK.
  public static func lockForReading(_ number: CInt) throws(SystemCallError) {
    var lock = flock()
    lock.l_type = Int16(F_RDLCK)
    lock.l_whence = Int16(SEEK_SET)
    try check(unsafe linux_fcntl_lock(number, &lock), "fcntl(F_SETLK)")
  }

  /// Reads `number` to its end, in calls of `chunk` bytes; throws if it has more than `limit`
  /// bytes.
  ///
  /// Most files that are read are small, and each page of the chunk is touched.
  public static func contents(
    of number: CInt, chunk: Int = 8192, limit: Int = Int.max
  ) throws(SystemCallError) -> [UInt8] {
    var contents: [UInt8] = []
    try forEachChunk(of: number, size: chunk) { chunk throws(SystemCallError) in
      guard chunk.count <= limit - contents.count else {
        throw SystemCallError(call: "read", errno: .fileTooLarge)
      }
      contents.append(contentsOf: chunk)
      guard contents.count <= limit else {
        throw SystemCallError(call: "read", errno: .fileTooLarge)
      }
    }
    return contents
  }

  /// Copies `number` up to its end to `file`.
  public static func copy(
    from number: CInt, to file: borrowing OwnedDescriptor
  ) throws(SystemCallError) {
    let destination = file.rawValue
    try forEachChunk(of: number, size: 65_536) { chunk throws(SystemCallError) in
      try write(chunk, to: destination)
    }
  }

  private static func forEachChunk(
    of number: CInt, size: Int, _ body: (ArraySlice<UInt8>) throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    var chunk = [UInt8](zeros: size)
    while true {
      let count = retrying {
        unsafe chunk.withUnsafeMutableBytes { buffer -> Int in
          let count = unsafe read(number, buffer.baseAddress, buffer.count)
          return count < 0 ? Int(-errno) : count
        }
      }
      if count == 0 { return }
      if count < 0 { throw failure(CInt(count), "read") }
      try body(chunk[..<count])
    }
  }

  /// Writes `text` to `number`.
  public static func write(_ text: String, to number: CInt) throws(SystemCallError) {
    try write(Array(text.utf8)[...], to: number)
  }

  /// Writes all of `bytes` to `number`.
  public static func write(_ bytes: ArraySlice<UInt8>, to number: CInt) throws(SystemCallError) {
    var written = 0
    while written < bytes.count {
      let count = retrying {
        unsafe bytes.withUnsafeBytes { buffer -> Int in
          let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
          let count = unsafe Glibc.write(number, rest.baseAddress, rest.count)
          return count < 0 ? Int(-errno) : count
        }
      }
      if count < 0 { throw failure(CInt(count), "write") }
      written += count
    }
  }
}
