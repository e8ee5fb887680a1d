// SPDX-License-Identifier: Apache-2.0
// The module Text is the ground floor: strings of bytes, quoting, patterns, suggestions, JSON.
// Nothing in it calls the kernel, and every other module may use it.
//
// This file: arguments, paths and environment values as Linux stores them, bytes that end with a
// NUL.

internal import Glibc
public import SystemPackage

/// A string of bytes without a NUL, as `execve` passes it.
///
/// `String` would replace bytes that are not UTF-8, and `FilePath` would normalise `a//b/`; the
/// command has to get its words unchanged.
public struct ByteString: Hashable, Sendable {
  /// The bytes and the final NUL, so that the kernel can read them in place.
  @usableFromInline var storage: [UInt8]

  /// Makes a string of the bytes before the first NUL.
  ///
  /// Not generic: during a launch, a generic call between modules costs more than the copy.
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
    var text = text
    self = text.withUTF8 { unsafe ByteString(before: $0) }
  }

  /// Makes a string of the bytes before the first NUL.
  @unsafe private init(before bytes: UnsafeBufferPointer<UInt8>) {
    let end = unsafe bytes.firstIndex(of: 0) ?? bytes.endIndex
    storage = []
    storage.reserveCapacity(end + 1)
    unsafe storage.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[..<end]))
    storage.append(0)
  }

  /// Makes a string of the bytes of `path`.
  public init(_ path: FilePath) {
    self = unsafe path.withPlatformString { unsafe ByteString(nulTerminated: $0) }
  }

  /// Copies a C string.
  @unsafe public init(nulTerminated pointer: UnsafePointer<CChar>) {
    let count = unsafe strlen(pointer) + 1
    storage = []
    storage.reserveCapacity(count)
    unsafe storage.append(contentsOf: UnsafeRawBufferPointer(start: pointer, count: count))
  }

  /// The bytes, without the final NUL.
  public var bytes: ArraySlice<UInt8> { storage.dropLast() }

  /// Hashes all bytes at once; an array would take each by itself.
  public func hash(into hasher: inout Hasher) {
    unsafe storage.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
  }

  /// The number of bytes.
  public var count: Int { storage.count - 1 }

  /// Whether the string has no bytes.
  public var isEmpty: Bool { storage.count == 1 }

  /// The string as text, with a replacement character for bytes that are not UTF-8.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The string as a path, without repeated and trailing slashes.
  public var path: FilePath {
    unsafe withCString { unsafe FilePath(platformString: $0) }
  }

  /// The last part of the string as a path: the bytes after its last slash, without trailing
  /// slashes.
  public var baseName: ByteString {
    // Without a list of the parts, of which the runtime would first have to make the type.
    let slash = UInt8(ascii: "/")
    guard let last = storage.dropLast().lastIndex(where: { $0 != slash }) else { return "" }
    let start = storage[..<last].lastIndex(of: slash).map { $0 + 1 } ?? storage.startIndex
    return ByteString(storage[start...last])
  }

  /// Calls `body` with the string as a C string.
  @inlinable @unsafe public func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
    unsafe storage.withUnsafeBytes { buffer in
      // The storage is never empty, so the buffer has an address.
      guard let start = buffer.baseAddress else { return unsafe body("") }
      return unsafe body(start.assumingMemoryBound(to: CChar.self))
    }
  }
}

extension [UInt8] {
  /// Makes an array of `count` zeros, for a call that fills it.
  ///
  /// `Array(repeating:count:)` comes from the library unspecialised, and asks the runtime for its type
  /// at every call.
  public init(zeros count: Int) {
    self = []
    reserveCapacity(count)
    append(contentsOf: repeatElement(0, count: count))
  }
}

// MARK: - Variables

extension ByteString {
  /// Whether the string has the form `NAME=VALUE`, with this name.
  ///
  /// Setting a variable compares its name with the whole environment, so this makes no slices:
  /// each of them would count references.
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

  /// The value, if the string is the variable `name`.
  public func value(ofVariable name: ByteString) -> ByteString {
    ByteString(storage[(name.count + 1)...])
  }

  /// Makes the string `NAME=VALUE`.
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
  public init(stringLiteral value: StaticString) {
    self = value.withUTF8Buffer { unsafe ByteString(before: $0) }
  }
}

// MARK: - Paths

extension ByteString {
  /// Makes the path of the file `name` in `directory`; `name` alone if `directory` is empty.
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

extension ByteString {
  /// The two strings as one.
  public func appending(_ other: ByteString) -> ByteString { ByteString(bytes + other.bytes) }
}
