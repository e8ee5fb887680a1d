// SPDX-License-Identifier: Apache-2.0
// Paths with wildcards, in the shell's language.

/// A path with wildcards in its names.
///
/// See glob(7).
public struct PathPattern: Sendable {
  /// The pattern of each name, in order.
  package let components: [ArraySlice<UInt8>]

  /// Reads a pattern; nil unless it begins with a slash.
  public init?(_ text: ByteString) {
    guard text.bytes.first == UInt8(ascii: "/") else { return nil }
    components = text.bytes.split(separator: UInt8(ascii: "/"))
  }

  /// Whether `name` matches `pattern`.
  package static func match(_ name: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    let rest = pattern.dropFirst()
    switch first {
    case UInt8(ascii: "*"):
      return (name.startIndex...name.endIndex).contains { match(name[$0...], rest) }
    case UInt8(ascii: "?"): return !name.isEmpty && match(name.dropFirst(), rest)
    case UInt8(ascii: "["):
      guard let byte = name.first, let (isMember, rest) = membership(of: byte, in: rest) else {
        return name.first == first && match(name.dropFirst(), rest)
      }
      return isMember && match(name.dropFirst(), rest)
    case UInt8(ascii: "\\") where !rest.isEmpty:
      return name.first == rest.first && match(name.dropFirst(), rest.dropFirst())
    default: return name.first == first && match(name.dropFirst(), rest)
    }
  }

  /// Whether `byte` is in the set at the start of `pattern`, and the pattern after the set; nil if
  /// the set has no end.
  private static func membership(
    of byte: UInt8, in pattern: ArraySlice<UInt8>
  ) -> (isMember: Bool, rest: ArraySlice<UInt8>)? {
    let isNegated = pattern.first == UInt8(ascii: "!") || pattern.first == UInt8(ascii: "^")
    var set = isNegated ? pattern.dropFirst() : pattern
    var isMember = false
    var isFirst = true
    while let low = set.popFirst() {
      if low == UInt8(ascii: "]") && !isFirst { return (isMember != isNegated, set) }
      isFirst = false
      var high = low
      if set.first == UInt8(ascii: "-"), let end = set.dropFirst().first, end != UInt8(ascii: "]") {
        high = end
        set = set.dropFirst(2)
      }
      if low <= byte && byte <= high { isMember = true }
    }
    return nil
  }
}
