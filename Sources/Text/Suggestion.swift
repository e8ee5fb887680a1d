// SPDX-License-Identifier: Apache-2.0
// Suggestions for a mistyped name.

/// Guesses which name a person meant.
public enum Suggestion {
  /// The candidate nearest to `word`; nil if none is near.
  public static func nearest(to word: String, among candidates: [String]) -> String? {
    matches(for: word, among: candidates).first
  }

  /// The names that `word` may mean; several if they are equally near.
  ///
  /// The candidate that differs only in case, dashes and underscores, or in the order of its words;
  /// otherwise the candidates that need the fewest insertions, deletions, replacements and swaps of
  /// neighbours, if those are few for the word's length.
  /// - Parameters:
  ///   - word: The word that a person typed.
  ///   - candidates: The words that exist.
  ///   - synonyms: Other words for the words between dashes.
  /// - Returns: Some of the candidates.
  public static func matches(
    for word: String, among candidates: [String], synonyms: [String: [String]] = [:]
  ) -> [String] {
    let typed = bare(word)
    guard !typed.isEmpty else { return [] }
    let names = candidates.map { (name: $0, bare: bare($0)) }
    for same in [letters, sorted, { translated($0, synonyms) }] {
      let wanted = same(typed)
      let found = names.filter { same($0.bare) == wanted }
      if !found.isEmpty { return found.map(\.name) }
    }
    let limit = limit(typed)
    let distances = names.map { name in
      // Each missing or additional letter costs at least one.
      abs(typed.count - name.bare.count) > limit ? Int.max : distance(typed, name.bare)
    }
    if let least = distances.min(), least <= limit {
      let nearest = zip(names, distances).filter { $0.1 == least }.map(\.0.name)
      return least == 1 ? nearest : Array(nearest.prefix(4))
    }
    // An abbreviation, if only a few names begin with it.
    let longer = names.filter { $0.bare.starts(with: typed) }
    return longer.count <= 4 ? longer.map(\.name) : []
  }

  /// `names` as a question at the end of a message; empty if there are none.
  public static func question(_ names: [String]) -> String {
    names.isEmpty ? "" : "; did you mean \(choice(names))?"
  }

  /// `names` as a choice.
  public static func choice(_ names: [String]) -> String {
    let others = names.dropLast().joined(separator: ", ")
    return (others.isEmpty ? "" : others + " or ") + (names.last ?? "")
  }

  /// How many typing errors a name may have: at most one in a short name, because two turn it into
  /// almost any other.
  private static func limit(_ typed: [UInt8]) -> Int {
    switch typed.count {
    case ...1: 0
    case ...4: 1
    default: max(2, typed.count / 3)
    }
  }

  /// A name in lower case, with dashes in place of underscores, and without leading dashes.
  public static func bare(_ word: String) -> [UInt8] {
    // Text processors replace two short dashes by one long dash.
    let isDash = { (scalar: Unicode.Scalar) in
      scalar == "-" || scalar == "_" || ("\u{2010}"..."\u{2015}").contains(scalar)
        || scalar == "\u{2212}"
    }
    var rest = word.unicodeScalars[...]
    while let first = rest.first, isDash(first) { rest.removeFirst() }
    return String(String.UnicodeScalarView(rest.map { isDash($0) ? "-" : $0 }))
      .lowercased().utf8.map { $0 }
  }

  private static func letters(_ bare: [UInt8]) -> [UInt8] {
    bare.filter { $0 != UInt8(ascii: "-") }
  }

  private static func words(_ bare: [UInt8]) -> [String] {
    bare.split(separator: UInt8(ascii: "-")).map { String(decoding: $0, as: UTF8.self) }
  }

  private static func sorted(_ bare: [UInt8]) -> [UInt8] {
    Array(words(bare).sorted().joined(separator: "-").utf8)
  }

  /// The words, each replaced by its synonyms, in sorted order.
  private static func translated(_ bare: [UInt8], _ synonyms: [String: [String]]) -> [UInt8] {
    let words = Set(words(bare).flatMap { synonyms[$0] ?? [$0] })
    return Array(words.sorted().joined(separator: "-").utf8)
  }

  /// The optimal string alignment distance.
  public static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var before: [Int] = []
    var last = Array(0...b.count)
    for i in 1...max(a.count, 1) where i <= a.count {
      var row = [i]
      for j in 1...max(b.count, 1) where j <= b.count {
        let isSame = a[i - 1] == b[j - 1]
        var cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (isSame ? 0 : 1))
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          cost = min(cost, before[j - 2] + 1)
        }
        row.append(cost)
      }
      before = last
      last = row
    }
    return last[b.count]
  }
}
