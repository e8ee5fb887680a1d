// SPDX-License-Identifier: Apache-2.0
// The parts of a string that a byte separates.

/// The parts of a string between separators, empty ones included.
///
/// An iterator, because the runtime would first have to make the type of a list.
public struct Fields: Sequence, IteratorProtocol {
  private var rest: ArraySlice<UInt8>?
  private let separator: UInt8

  /// Starts with the first part of `bytes`.
  public init(_ bytes: ArraySlice<UInt8>, separatedBy separator: UInt8) {
    rest = bytes
    self.separator = separator
  }

  /// The next part.
  public mutating func next() -> ArraySlice<UInt8>? {
    guard let rest else { return nil }
    guard let end = rest.firstIndex(of: separator) else {
      self.rest = nil
      return rest
    }
    self.rest = rest[(end + 1)...]
    return rest[..<end]
  }
}
