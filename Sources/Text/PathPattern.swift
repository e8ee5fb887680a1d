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
    var (rest, open) = (name, pattern)
    // What follows the last asterisk, and where it was tried. An earlier asterisk need not be tried
    // again: it could only leave less to the last one. So the time grows at most with the product
    // of both lengths, for any name that a payload chooses.
    var retry: (rest: ArraySlice<UInt8>, open: ArraySlice<UInt8>)?
    while true {
      if open.first == UInt8(ascii: "*") {
        open = open.dropFirst()
        retry = (rest, open)
      } else if open.isEmpty && rest.isEmpty {
        return true
      } else if let byte = rest.first, let next = step(over: byte, in: open) {
        (rest, open) = (rest.dropFirst(), next)
      } else if let last = retry, !last.rest.isEmpty {
        (rest, open) = (last.rest.dropFirst(), last.open)
        retry = (rest, open)
      } else {
        return false
      }
    }
  }

  /// The rest of a pattern, which does not begin with an asterisk, after its first part has matched
  /// `byte`; nil if it does not match.
  private static func step(
    over byte: UInt8, in pattern: ArraySlice<UInt8>
  ) -> ArraySlice<UInt8>? {
    guard let first = pattern.first else { return nil }
    let rest = pattern.dropFirst()
    switch first {
    case UInt8(ascii: "?"): return rest
    case UInt8(ascii: "["):
      guard let (isMember, rest) = membership(of: byte, in: rest) else {
        return byte == first ? rest : nil
      }
      return isMember ? rest : nil
    case UInt8(ascii: "\\") where !rest.isEmpty:
      return byte == rest.first ? rest.dropFirst() : nil
    default: return byte == first ? rest : nil
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
