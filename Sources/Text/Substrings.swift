// SPDX-License-Identifier: Apache-2.0
// Searching in text. The standard library's functions would pull in regular expressions, a tenth of
// the executable.

extension String {
  /// Whether the text contains `part`.
  public func includes(_ part: String) -> Bool { pieces(between: Array(part.utf8)).count > 1 }

  /// The text with `other` in place of each `part`.
  public func replacingAll(_ part: String, by other: String) -> String {
    let pieces = pieces(between: Array(part.utf8))
    return pieces.map { String(decoding: $0, as: UTF8.self) }.joined(separator: other)
  }

  private func pieces(between part: [UInt8]) -> [ArraySlice<UInt8>] {
    let bytes = Array(utf8)
    guard !part.isEmpty else { return [bytes[...]] }
    var pieces: [ArraySlice<UInt8>] = []
    var (start, index) = (0, 0)
    while index + part.count <= bytes.count {
      if bytes[index..<index + part.count].elementsEqual(part) {
        pieces.append(bytes[start..<index])
        index += part.count
        start = index
      } else {
        index += 1
      }
    }
    return pieces + [bytes[start...]]
  }
}
