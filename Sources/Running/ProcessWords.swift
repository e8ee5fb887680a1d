// SPDX-License-Identifier: Apache-2.0
// The words that processes were started with, which lie in their memory.

internal import Linux
internal import SystemPackage
internal import Text

extension [ProcessFacts] {
  /// The words of each, up to `limit` bytes.
  ///
  /// A process can change its own words, and can keep others from reading them.
  func words(limit: Int = Bound.commandLine) -> [[ByteString]] {
    let lines = BoundedReads.results(count) { index in
      guard let directory = try? ProcessDirectory.of(self[index]) else { return [] }
      return (try? directory.contents(of: "cmdline", limit: limit)) ?? []
    }
    return lines.map { ProcessFacts.words(in: $0 ?? []) }
  }
}

extension ProcessFacts {
  /// The words in /proc/PID/cmdline.
  static func words(in line: [UInt8]) -> [ByteString] {
    var bytes = line[...]
    if bytes.last == 0 { bytes.removeLast() }
    if bytes.isEmpty { return [] }
    let words = bytes.split(separator: 0, omittingEmptySubsequences: false)
    // A process that has overwritten its words, as init has, leaves one word and many empty ones.
    if words.count > 2, words.dropFirst().allSatisfy(\.isEmpty) { return [ByteString(words[0])] }
    return words.map { ByteString($0) }
  }
}
