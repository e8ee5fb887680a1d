// SPDX-License-Identifier: Apache-2.0
// The ground floor: strings of bytes, quoting, patterns, suggestions, JSON. Nothing in this module
// calls the kernel.
//
// This file: arguments, paths and environment values as Linux has them, bytes that end at a NUL.

internal import Glibc
public import SystemPackage

/// A string of bytes without a NUL among them, as `execve` passes it.
///
/// `String` would replace what is not UTF-8, and `FilePath` would normalise `a//b/`; neither may
/// happen to the command's own words.
public struct ByteString: Hashable, Sendable {
  /// The bytes and the NUL that ends them, so that the kernel can be shown them in place.
  @usableFromInline var storage: [UInt8]

  /// Makes a string of the bytes before the first NUL.
  ///
  /// Not generic: on the way to a launch, a generic call between modules costs more than the copy.
  public init(_ bytes: ArraySlice<UInt8>) {
    let end = bytes.firstIndex(of: 0) ?? bytes.endIndex
    storage = []
    storage.reserveCapacity(end - bytes.startIndex + 1)
    storage.append(contentsOf: bytes[..<end])
    storage.append(0)
  }

  /// Makes a string of the bytes before the first NUL.
  public init(_ bytes: [UInt8]) {
    self.init(bytes[...])
  }

  /// Makes a string of the UTF-8 form of `text`.
  public init(_ text: String) {
    self.init(Array(text.utf8)[...])
  }

  /// Makes a string of the bytes of `path`.
  public init(_ path: FilePath) {
    self = unsafe path.withPlatformString { unsafe ByteString(nulTerminated: $0) }
  }

  /// Copies a C string.
  @unsafe public init(nulTerminated pointer: UnsafePointer<CChar>) {
    let count = unsafe strlen(pointer)
    storage = unsafe Array(unsafeUninitializedCapacity: count + 1) { buffer, filled in
      if let start = buffer.baseAddress {
        unsafe UnsafeMutableRawPointer(start).copyMemory(from: pointer, byteCount: count + 1)
      }
      filled = count + 1
    }
  }

  /// The bytes, without the NUL that ends them.
  public var bytes: ArraySlice<UInt8> { storage.dropLast() }

  /// The number of bytes.
  public var count: Int { storage.count - 1 }

  /// Whether there is no byte.
  public var isEmpty: Bool { storage.count == 1 }

  /// The string as text; bytes that are not UTF-8 are replaced.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The string as a path.
  ///
  /// Repeated and trailing slashes are lost.
  public var path: FilePath {
    unsafe withCString { unsafe FilePath(platformString: $0) }
  }

  /// The last part of the string as a path: what follows its last slash, trailing slashes aside.
  public var baseName: ByteString {
    ByteString(bytes.split(separator: UInt8(ascii: "/")).last ?? [])
  }

  /// Calls `body` with the string as C has it.
  @inlinable @unsafe public func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
    unsafe storage.withUnsafeBytes { buffer in
      // The storage is never empty, so the buffer has an address.
      guard let start = buffer.baseAddress else { return unsafe body("") }
      return unsafe body(start.assumingMemoryBound(to: CChar.self))
    }
  }
}

// MARK: - Variables

extension ByteString {
  /// Whether the string is of the form `NAME=VALUE`, with this name.
  ///
  /// An environment is looked through for each variable that is set in it, so this makes no
  /// slices, of which each would be counted.
  public func isVariable(_ name: ByteString) -> Bool {
    guard storage.count > name.storage.count, storage[name.count] == UInt8(ascii: "=") else {
      return false
    }
    return unsafe storage.withUnsafeBytes { own in
      unsafe name.storage.withUnsafeBytes { other in
        guard let own = own.baseAddress, let other = other.baseAddress else { return false }
        return unsafe memcmp(own, other, name.count) == 0
      }
    }
  }

  /// The value of a variable `name`, which the string is.
  public func value(ofVariable name: ByteString) -> ByteString {
    ByteString(storage[(name.count + 1)...])
  }

  /// The variable `name` with its value.
  public init(variable name: ByteString, value: ByteString) {
    storage = []
    storage.reserveCapacity(name.storage.count + value.storage.count)
    storage.append(contentsOf: name.storage)
    storage[name.count] = UInt8(ascii: "=")
    storage.append(contentsOf: value.storage)
  }
}

extension ByteString: ExpressibleByStringLiteral {
  /// Makes a string of a literal.
  public init(stringLiteral value: String) {
    self.init(value)
  }
}

// MARK: - Paths

extension ByteString {
  /// The path of the file `name` in a directory; `name` itself where that is empty.
  public init(directory: ArraySlice<UInt8>, name: ByteString) {
    storage = []
    storage.reserveCapacity(directory.count + 1 + name.storage.count)
    if !directory.isEmpty {
      storage.append(contentsOf: directory)
      storage.append(UInt8(ascii: "/"))
    }
    storage.append(contentsOf: name.storage)
  }
}
