// SPDX-License-Identifier: Apache-2.0
// What a person may have meant by a rule that is none. Each guess is tried: nestbox proposes only what is a rule.

internal import Text

/// A text that is no rule.
struct RuleCorrection {
  typealias Mistake = NetworkRule.Mistake

  private let text: ArraySlice<UInt8>
  /// The option that it was typed for, and whether that denies.
  private let option: String
  private let denies: Bool

  init(_ text: ByteString, _ option: String, denies: Bool) {
    (self.text, self.option, self.denies) = (Array(text.bytes)[...], option, denies)
  }

  /// `mistake`, with what to type instead if that can be guessed.
  func completed(_ mistake: Mistake) -> Mistake {
    if mistake.hasRemedy { return mistake }
    let guesses = [
      transportAtEnd, wholeNetwork, hostOfURL, behindAt, loopback, star, brackets, portNumbers,
      withoutPlace,
    ]
    for guess in guesses {
      guard let guess else { continue }
      do throws(Mistake) {
        try read(guess)
        return Mistake("\(mistake.message); write \(ByteString(guess).quotedForShell)")
      } catch {
        // Such as that of a URL of localhost.
        if error.hasRemedy { return error }
      }
    }
    if let options {
      return Mistake("\(mistake.message); each rule has its own option: \(options)")
    }
    if !text.isEmpty, let port = try? RuleText.port(text.first == colon ? text.dropFirst() : text) {
      return Mistake(
        "\(mistake.message); write '*:\(port)' for all hosts"
          + (denies ? "" : ", or type --net-host \(port) for the caller's localhost"))
    }
    guard let example, (try? read(example)) != nil else { return mistake }
    return Mistake("\(mistake.message), such as \(ByteString(example).quotedForShell)")
  }

  private func read(_ guess: [UInt8]) throws(Mistake) {
    _ = try NetworkRule(RuleText(ByteString(guess), denies: denies))
  }

  private var colon: UInt8 { UInt8(ascii: ":") }
  private var slash: UInt8 { UInt8(ascii: "/") }

  private func index(of byte: Unicode.Scalar) -> Int? { text.firstIndex(of: UInt8(ascii: byte)) }

  /// Where `=` or `@` stands, which end the host and its ports.
  private var placeSign: Int? { index(of: "=") ?? index(of: "@") }
}

// MARK: - Guesses

extension RuleCorrection {
  /// /udp or /tcp stands elsewhere, or has a typing error.
  private var transport: (rest: [UInt8], word: [UInt8])? {
    for index in text.indices where text[index] == slash {
      let word = text[(index + 1)...].prefix { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      }
      guard (2...4).contains(word.count),
        let name = Suggestion.nearest(to: ByteString(word).text, among: ["udp", "tcp"])
      else { continue }
      return (Array(text[..<index]) + text[(index + 1 + word.count)...], [slash] + Array(name.utf8))
    }
    return nil
  }

  private var transportAtEnd: [UInt8]? { transport.map { $0.rest + $0.word } }

  /// The address of a network has bits after the length.
  private var wholeNetwork: [UInt8]? {
    guard let index = index(of: "/"), let address = IPAddress(text: text[..<index]) else {
      return nil
    }
    let digits = text[(index + 1)...].prefix {
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
    }
    let whole = address.v4 == nil ? 128 : 32
    guard let length = UInt32(decimal: digits), length <= whole else { return nil }
    let network = AddressRange(address, length: 128 - whole + Int(length)).text
    return Array(network.utf8) + text[(index + 1 + digits.count)...]
  }

  /// A URL, or the part of one without `https://`.
  private var hostOfURL: [UInt8]? {
    var (rest, scheme): (ArraySlice<UInt8>, ArraySlice<UInt8>?) = (text, nil)
    if let index = index(of: ":"), text[(index + 1)...].starts(with: "//".utf8) {
      (scheme, rest) = (text[..<index], text[(index + 3)...])
    } else if placeSign != nil {
      return nil
    }
    let end = rest.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex
    // Behind the slash of an address stands a length.
    guard scheme != nil || end < rest.endIndex && IPAddress(text: rest[..<end]) == nil else {
      return nil
    }
    rest = rest[..<end]
    if let at = rest.lastIndex(of: UInt8(ascii: "@")) { rest = rest[(at + 1)...] }
    guard let scheme, let port = RuleCorrection.number(scheme), port != 80, port != 443,
      !rest.contains(colon)
    else { return Array(rest) }
    return Array(rest) + [colon] + Array(String(port).utf8)
  }

  /// `user@host`; or ports or nothing behind `@`.
  private var behindAt: [UInt8]? {
    guard let index = index(of: "@") else { return nil }
    let (front, end) = (text[..<index], text[(index + 1)...])
    if end.isEmpty { return Array(front) }
    guard let (range, ports) = try? RuleText.split(end), let ports, AddressRange(text: range) != nil
    else { return DomainName(text: front) == nil ? nil : Array(end) }
    return Array(front) + [colon] + ports + [UInt8(ascii: "@")] + range
  }

  /// A name in the place of the address of localhost, or no name before it.
  private var loopback: [UInt8]? {
    guard let index = index(of: "=") else { return nil }
    var end = text[(index + 1)...]
    let name = Array("localhost".utf8)
    let address = Array("127.0.0.1".utf8)
    let isLocal = end.starts(with: name) || end.starts(with: address)
    guard isLocal else { return nil }
    // Both have as many bytes.
    end = end.dropFirst(name.count)
    if index > text.startIndex { return Array(text[...index]) + address + end }
    return Array(NetworkRule.callersHost.utf8) + end + [text[index]] + address
  }

  /// The dot between * and the name is missing, or *.
  private var star: [UInt8]? {
    let dot = UInt8(ascii: ".")
    if text.first == dot { return [UInt8(ascii: "*")] + text }
    guard text.first == UInt8(ascii: "*") else { return nil }
    return [UInt8(ascii: "*"), dot] + text.dropFirst()
  }

  /// An address of IPv6 without one of its brackets, or without the colon behind them.
  private var brackets: [UInt8]? {
    let (opening, closing) = (UInt8(ascii: "["), UInt8(ascii: "]"))
    if let index = index(of: "]") { return Array(text[...index]) + [colon] + text[(index + 1)...] }
    let inner = text.first == opening ? text.dropFirst() : text
    if IPAddress(text: inner) != nil { return [opening] + inner + [closing] }
    guard let last = inner.lastIndex(of: colon), IPAddress(text: inner[..<last]) != nil else {
      return nil
    }
    return [opening] + inner[..<last] + [closing] + inner[last...]
  }

  /// The name of a port, several colons, or a colon without ports.
  private var portNumbers: [UInt8]? {
    let end = text.lastIndex(of: slash) ?? text.endIndex
    let parts = text[..<end].split(separator: colon, omittingEmptySubsequences: false)
    guard placeSign == nil, parts.count > 1 else { return nil }
    var numbers: [UInt8] = []
    for part in parts.dropFirst() where !part.isEmpty {
      if !numbers.isEmpty { numbers.append(UInt8(ascii: ",")) }
      numbers += RuleCorrection.number(part).map { Array(String($0).utf8) } ?? Array(part)
    }
    return Array(parts[0]) + (numbers.isEmpty ? [] : [colon] + numbers) + text[end...]
  }

  /// A rule that denies has `=` or `@`.
  private var withoutPlace: [UInt8]? {
    denies ? placeSign.map { Array(text[..<$0]) } : nil
  }

  /// The port that programs call `name`.
  private static func number(_ name: ArraySlice<UInt8>) -> UInt16? {
    switch ByteString(name).text {
    case "ssh": 22
    case "http": 80
    case "https": 443
    default: nil
    }
  }

  /// The options for a list of rules; nil if it is none.
  private var options: String? {
    var rules: [[UInt8]] = []
    for part in text.split(whereSeparator: { ",; \t\n".utf8.contains($0) }) {
      let isPort = part.allSatisfy { "0123456789-".utf8.contains($0) }
      if isPort, !rules.isEmpty {
        rules[rules.count - 1] += [UInt8(ascii: ",")] + part
      } else {
        rules.append(Array(part))
      }
    }
    guard (2...8).contains(rules.count) else { return nil }
    var words: [String] = []
    for rule in rules {
      guard (try? read(rule)) != nil else { return nil }
      words.append(option + " " + ByteString(rule).quotedForShell)
    }
    return words.joined(separator: " ")
  }

  /// A rule of the same form: with a name where there is none, or where one cannot be.
  private var example: [UInt8]? {
    guard let index = placeSign else {
      guard let transport, transport.rest.isEmpty else { return nil }
      return Array("example.org:443".utf8) + transport.word
    }
    guard let (host, ports) = try? RuleText.split(text[..<index]) else { return nil }
    var name = Array("api.test".utf8)
    if host.starts(with: "*.".utf8) {
      name = Array("www".utf8) + host.dropFirst()
    } else if DomainName(text: host) != nil {
      return nil
    }
    return name + (ports.map { [colon] + $0 } ?? []) + text[index...]
  }
}
