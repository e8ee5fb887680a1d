// SPDX-License-Identifier: Apache-2.0
// Messages of DNS: the questions of programs inside and the answers to them, the relay's own questions
// to the host's name servers and what those answer. See RFC 1035, RFC 6891 and RFC 8914.

public import Text

/// The kinds of records that matter here.
public enum DNSType {
  /// An address of IPv4.
  public static let a: UInt16 = 1
  /// An address of IPv6.
  public static let aaaa: UInt16 = 28
  /// Every kind.
  public static let any: UInt16 = 255
  /// What both sides can do beyond the first standard.
  static let options: UInt16 = 41
}

/// How a question was answered.
public enum DNSCode: UInt8, Sendable {
  /// There is an answer, which may be empty.
  case fine = 0
  /// The message is not understood.
  case malformed = 1
  /// The name server could not find out.
  case failed = 2
  /// There is no such name.
  case noName = 3
  /// The kind of question is not known.
  case notImplemented = 4
}

/// Reads the bytes of a message in order, none twice.
struct DNSReader {
  let bytes: ArraySlice<UInt8>
  private(set) var index: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    index = bytes.startIndex
  }

  var isAtEnd: Bool { index == bytes.endIndex }

  mutating func byte() -> UInt8? {
    guard index < bytes.endIndex else { return nil }
    defer { index += 1 }
    return bytes[index]
  }

  mutating func number() -> UInt16? {
    guard let high = byte(), let low = byte() else { return nil }
    return UInt16(high) << 8 | UInt16(low)
  }

  mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard count <= bytes.endIndex - index else { return nil }
    defer { index += count }
    return bytes[index..<(index + count)]
  }

  /// Passes over a name, which may end in a reference to an earlier one.
  mutating func skipName() -> Bool {
    while let length = byte() {
      if length == 0 { return true }
      // References are not followed, so that none can lead in circles.
      if length & 0xc0 == 0xc0 { return byte() != nil }
      guard length & 0xc0 == 0, take(Int(length)) != nil else { return false }
    }
    return false
  }
}

// MARK: - Questions

/// A question of a program inside.
public struct DNSQuestion: Sendable {
  /// The number that the answer repeats.
  public let identifier: UInt16
  /// The name, if hosts can be called so.
  public let name: DomainName?
  /// The kind of records that are asked for.
  public let type: UInt16
  private let isRecursive: Bool
  private let hasOptions: Bool
  /// The question as it was asked: programs compare it byte for byte.
  private let wire: [UInt8]

  /// What to do with a message that comes in.
  public enum Reading: Sendable {
    /// It has one question.
    case question(DNSQuestion)
    /// It is answered by these bytes: it is malformed, or of a kind that is not known.
    case rejected([UInt8])
    /// It gets no answer: it is one itself, or too short.
    case ignored
  }

  private static let headerLength = 12

  /// Reads a message.
  public static func read(_ bytes: ArraySlice<UInt8>) -> Reading {
    var reader = DNSReader(bytes)
    guard bytes.count <= 65_535, let identifier = reader.number(), let flags = reader.number(),
      let questions = reader.number(), let answers = reader.number(),
      let authorities = reader.number(), let additional = reader.number(),
      flags & 0x8000 == 0
    else { return .ignored }
    func rejection(_ code: DNSCode) -> Reading {
      .rejected(header(identifier, flags & 0x0100 != 0, code, questions: 0, answers: 0, options: 0))
    }
    guard flags & 0x7800 == 0 else { return rejection(.notImplemented) }
    guard questions == 1, answers == 0, authorities == 0 else { return rejection(.malformed) }
    let start = reader.index
    guard let name = readName(&reader), let type = reader.number(), let kind = reader.number()
    else { return rejection(.malformed) }
    let wire = Array(bytes[start..<reader.index])
    // The internet's, or any.
    guard kind == 1 || kind == 255 else { return rejection(.notImplemented) }
    var hasOptions = false
    for _ in 0..<min(additional, 4) {
      guard reader.skipName(), let type = reader.number(), reader.take(6) != nil,
        let length = reader.number(), reader.take(Int(length)) != nil
      else { return rejection(.malformed) }
      if type == DNSType.options { hasOptions = true }
    }
    return .question(
      DNSQuestion(
        identifier: identifier, name: DomainName(text: name[...]), type: type,
        isRecursive: flags & 0x0100 != 0, hasOptions: hasOptions, wire: wire))
  }

  /// The text of a name, in which a question may refer to no other.
  ///
  /// A label with a dot in it gives a text that no host is called by.
  private static func readName(_ reader: inout DNSReader) -> [UInt8]? {
    var text: [UInt8] = []
    while let length = reader.byte() {
      if length == 0 { return text }
      guard length <= 63, let label = reader.take(Int(length)) else { return nil }
      if !text.isEmpty { text.append(UInt8(ascii: ".")) }
      guard text.count + label.count <= DomainName.longest else { return nil }
      text += label.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "?") : $0 }
    }
    return nil
  }

  /// The name as it was asked for, in printable characters: `\.` is a dot in a label, `\255` another byte.
  ///
  /// See RFC 1035, 5.1.
  public var text: String {
    var reader = DNSReader(wire[...])
    var text: [UInt8] = []
    while let length = reader.byte(), length > 0, let label = reader.take(Int(length)) {
      if !text.isEmpty { text.append(UInt8(ascii: ".")) }
      for byte in label {
        if byte <= 0x20 || byte >= 0x7f {
          text.append(UInt8(ascii: "\\"))
          text += [100, 10, 1].map { UInt8(ascii: "0") + byte / $0 % 10 }
        } else {
          if ".\\".utf8.contains(byte) { text.append(UInt8(ascii: "\\")) }
          text.append(byte)
        }
      }
    }
    return text.isEmpty ? "." : String(decoding: text, as: UTF8.self)
  }

  private static func header(
    _ identifier: UInt16, _ isRecursive: Bool, _ code: DNSCode, questions: Int, answers: Int,
    options: Int
  ) -> [UInt8] {
    [
      UInt8(identifier >> 8), UInt8(identifier & 0xff),
      // An answer; recursion as it was asked for, and available.
      0x80 | (isRecursive ? 1 : 0), 0x80 | code.rawValue,
      0, UInt8(questions), 0, UInt8(truncatingIfNeeded: answers), 0, 0, 0, UInt8(options),
    ]
  }

  /// For how many seconds a program may keep an answer.
  private static let lifetime: UInt8 = 60

  /// The answer with these addresses.
  public func answer(_ addresses: [IPAddress]) -> [UInt8] {
    var bytes = DNSQuestion.header(
      identifier, isRecursive, .fine, questions: 1, answers: addresses.count,
      options: hasOptions ? 1 : 0)
    bytes += wire
    for address in addresses {
      let data = address.bytes
      // The name is the one at the end of the header.
      bytes += [0xc0, UInt8(DNSQuestion.headerLength), 0]
      bytes.append(UInt8(data.count == 4 ? DNSType.a : DNSType.aaaa))
      bytes += [0, 1, 0, 0, 0, DNSQuestion.lifetime, 0, UInt8(data.count)]
      bytes += data
    }
    return bytes + optionRecord([])
  }

  /// The answer without records; `prohibition` is why the name is kept from the program, for people who
  /// use dig.
  public func answer(_ code: DNSCode, prohibition: String? = nil) -> [UInt8] {
    var data: [UInt8] = []
    if let prohibition {
      let text = Array(prohibition.utf8.prefix(128))
      // The extended error 18, Prohibited.
      data = [0, 15, 0, UInt8(text.count + 2), 0, 18] + text
    }
    return DNSQuestion.header(
      identifier, isRecursive, code, questions: 1, answers: 0, options: hasOptions ? 1 : 0)
      + wire + optionRecord(data)
  }

  /// What this side can do, if the program said what it can.
  private func optionRecord(_ data: [UInt8]) -> [UInt8] {
    guard hasOptions else { return [] }
    // The root's name, the kind, messages of up to 1232 bytes, no flags.
    return [0, 0, UInt8(DNSType.options), 0x04, 0xd0, 0, 0, 0, 0, 0, UInt8(data.count)] + data
  }
}

// MARK: - Answers of the host's name servers

/// A question of the relay to a name server of the host.
public struct DNSQuery: Sendable {
  /// A number that nobody can guess.
  public let identifier: UInt16
  /// The kind of records that are asked for.
  public let type: UInt16
  /// The message.
  public let bytes: [UInt8]
  private let wire: [UInt8]

  /// Asks for the addresses of `name`; with options larger answers are welcome, but some old servers know
  /// no such thing.
  public init(_ identifier: UInt16, _ name: DomainName, _ type: UInt16, hasOptions: Bool) {
    self.identifier = identifier
    self.type = type
    wire = name.wire + [UInt8(type >> 8), UInt8(type & 0xff), 0, 1]
    bytes =
      [
        UInt8(identifier >> 8), UInt8(identifier & 0xff), 1, 0, 0, 1, 0, 0, 0, 0, 0,
        hasOptions ? 1 : 0,
      ] + wire
      + (hasOptions ? [0, 0, UInt8(DNSType.options), 0x04, 0xd0, 0, 0, 0, 0, 0, 0] : [])
  }

  /// What a name server said.
  public struct Answer: Equatable, Sendable {
    /// How it went, as far as that matters.
    public let code: DNSCode
    /// Whether it did not fit in a datagram, so that the server has more to say by a stream.
    public let isCut: Bool
    /// The addresses.
    public let addresses: [IPAddress]
    /// For how many seconds they hold.
    public let lifetime: UInt32
  }

  /// The most addresses of an answer that are used.
  private static let mostAddresses = 32

  /// Reads an answer; nil if it is not one to this question.
  public func answer(_ bytes: ArraySlice<UInt8>) -> Answer? {
    var reader = DNSReader(bytes)
    guard reader.number() == identifier, let flags = reader.number(), flags & 0xf800 == 0x8000,
      reader.number() == 1, let answers = reader.number(), reader.take(4) != nil,
      let question = reader.take(wire.count), isSame(question)
    else { return nil }
    let code = DNSCode(rawValue: UInt8(flags & 0xf)) ?? .failed
    var addresses: [IPAddress] = []
    var lifetime: UInt32 = 60
    for _ in 0..<answers where addresses.count < DNSQuery.mostAddresses {
      guard reader.skipName(), let type = reader.number(), let kind = reader.number(),
        let high = reader.number(), let low = reader.number(), let length = reader.number(),
        let data = reader.take(Int(length))
        // It may have been cut.
      else { break }
      lifetime = min(lifetime, UInt32(high) << 16 | UInt32(low))
      guard kind == 1, type == self.type, data.count == (type == DNSType.a ? 4 : 16),
        let address = IPAddress(data)
      else { continue }
      addresses.append(address)
    }
    return Answer(
      code: code, isCut: flags & 0x0200 != 0, addresses: addresses, lifetime: lifetime)
  }

  /// Whether it is the question of this query; servers may change the case of letters.
  private func isSame(_ question: ArraySlice<UInt8>) -> Bool {
    zip(question, wire).allSatisfy { one, other in
      one == other
        || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(one) && one | 0x20 == other
    }
  }
}
