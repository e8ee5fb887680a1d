// SPDX-License-Identifier: Apache-2.0
// The nearest names to one that was mistyped.

/// Guesses at what was meant.
public enum Suggestion {
  /// The candidate that `word` is nearest to; nil where none is near.
  public static func nearest(to word: String, among candidates: [String]) -> String? {
    matches(for: word, among: candidates).first
  }

  /// What `word` may stand for; several where they are equally near.
  ///
  /// The candidate that is the same but for case, dashes and underscores, or that has the same words
  /// in another order; otherwise those that take the fewest insertions, deletions, replacements and
  /// swaps of neighbours, if those are few for its length.
  /// - Parameters:
  ///   - word: What was typed.
  ///   - candidates: What can be typed.
  ///   - synonyms: What words between dashes stand for, put in other words.
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
      // Each missing or additional letter costs one at least.
      abs(typed.count - name.bare.count) > limit ? Int.max : distance(typed, name.bare)
    }
    if let least = distances.min(), least <= limit {
      let nearest = zip(names, distances).filter { $0.1 == least }.map(\.0.name)
      return least == 1 ? nearest : Array(nearest.prefix(4))
    }
    // An abbreviation, if it is one of few.
    let longer = names.filter { $0.bare.starts(with: typed) }
    return longer.count <= 4 ? longer.map(\.name) : []
  }

  /// `names` as a question that ends a message; empty where there is none.
  public static func question(_ names: [String]) -> String {
    names.isEmpty ? "" : "; did you mean \(choice(names))?"
  }

  /// `names` as a choice.
  public static func choice(_ names: [String]) -> String {
    let others = names.dropLast().joined(separator: ", ")
    return (others.isEmpty ? "" : others + " or ") + (names.last ?? "")
  }

  /// How many slips are believed in a name: none but the likeliest in a short one, in which
  /// two would make any other of it.
  private static func limit(_ typed: [UInt8]) -> Int {
    switch typed.count {
    case ...1: 0
    case ...4: 1
    default: max(2, typed.count / 3)
    }
  }

  /// A name in lower case, with dashes for underscores, and none of them in front.
  public static func bare(_ word: String) -> [UInt8] {
    // Text processors make one long dash of two short ones.
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

  /// The words as `synonyms` put them, in one order.
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
