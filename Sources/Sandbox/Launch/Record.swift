// SPDX-License-Identifier: Apache-2.0
// The encoding of everything that the processes of a launch tell each other: numbers of a fixed
// size, lowest byte first, and texts after their lengths.
//
// A process next to a hostile one writes some of these records, so a reader believes nothing: each
// field has a bound, and a record is either whole or none at all.

internal import Linux
internal import Text

/// Something that one process of a launch tells another.
protocol Record {
  /// Reads the fields in order.
  init(from reader: inout RecordReader) throws(MalformedRecord)
  /// Writes the fields in the same order.
  func write(to writer: inout RecordWriter)
}

extension Record {
  /// The record as bytes.
  var bytes: [UInt8] {
    var writer = RecordWriter()
    write(to: &writer)
    return writer.bytes
  }

  /// Reads a record that fills `bytes`; nil if they are malformed.
  init?(_ bytes: ArraySlice<UInt8>) {
    var reader = RecordReader(bytes)
    do throws(MalformedRecord) {
      try self.init(from: &reader)
    } catch {
      return nil
    }
    guard reader.isAtEnd else { return nil }
  }
}

/// Bytes that do not form a record.
struct MalformedRecord: Error {}

/// Writes the fields of a record.
struct RecordWriter {
  /// What has been written.
  private(set) var bytes: [UInt8] = []

  /// The length of a text that is absent, which is not the same as an empty one.
  static let absent: UInt16 = .max

  /// Writes a number.
  mutating func write<Number: FixedWidthInteger>(_ number: Number) {
    for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> Number(shift)))
    }
  }

  /// Writes a text, cut to `limit` bytes.
  mutating func write(_ text: ByteString?, limit: Int) {
    guard let text else { return write(RecordWriter.absent) }
    let part = text.bytes.prefix(min(max(limit, 0), Int(RecordWriter.absent) - 1))
    write(UInt16(truncatingIfNeeded: part.count))
    bytes += part
  }

  /// Writes bytes of any number and kind.
  mutating func write(long content: ArraySlice<UInt8>) {
    write(UInt32(truncatingIfNeeded: content.count))
    bytes += content
  }

  /// Writes a text of any length.
  mutating func write(long text: ByteString) { write(long: text.bytes) }

  /// Writes whether something holds.
  mutating func write(flag: Bool) { write(UInt8(flag ? 1 : 0)) }

  /// Writes something that may be absent.
  mutating func write<Value>(
    optional value: Value?, _ body: (inout RecordWriter, Value) -> Void
  ) {
    write(flag: value != nil)
    if let value { body(&self, value) }
  }

  /// Writes several things.
  mutating func write<Value>(list: [Value], _ body: (inout RecordWriter, Value) -> Void) {
    write(UInt32(truncatingIfNeeded: list.count))
    for value in list { body(&self, value) }
  }

  /// Writes a record behind its length.
  mutating func writeFramed(_ record: some Record) {
    let content = record.bytes
    write(UInt16(truncatingIfNeeded: content.count))
    bytes += content
  }
}

/// Reads the fields of a record.
struct RecordReader {
  private var rest: ArraySlice<UInt8>

  /// Begins at the first of `bytes`.
  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  /// Whether everything has been read.
  var isAtEnd: Bool { rest.isEmpty }

  /// Reads a number.
  mutating func number<Number: FixedWidthInteger>(
    _: Number.Type = Number.self
  ) throws(MalformedRecord) -> Number {
    let part = try take(Number.bitWidth / 8)
    var number: Number = 0
    for byte in part.reversed() { number = number << 8 | Number(truncatingIfNeeded: byte) }
    return number
  }

  /// Reads a text of at most `limit` bytes; nil where it is absent.
  mutating func text(limit: Int) throws(MalformedRecord) -> ByteString? {
    let length: UInt16 = try number()
    if length == RecordWriter.absent { return nil }
    guard length <= limit else { throw MalformedRecord() }
    let part = try take(Int(length))
    // A byte string ends at a NUL, so the rest would be lost.
    guard !part.contains(0) else { throw MalformedRecord() }
    return ByteString(part)
  }

  /// Reads a text, which must be there.
  mutating func requiredText(limit: Int) throws(MalformedRecord) -> ByteString {
    guard let text = try text(limit: limit) else { throw MalformedRecord() }
    return text
  }

  /// Reads a text of printable ASCII characters; nil where it is absent.
  ///
  /// Names of options and calls are printed as they are, so other characters could control a
  /// terminal.
  mutating func word(limit: Int) throws(MalformedRecord) -> String? {
    guard let text = try text(limit: limit) else { return nil }
    guard text.bytes.allSatisfy({ (0x20...0x7e).contains($0) }) else { throw MalformedRecord() }
    return text.text
  }

  /// Reads a word, which must be there.
  mutating func requiredWord(limit: Int) throws(MalformedRecord) -> String {
    guard let word = try word(limit: limit) else { throw MalformedRecord() }
    return word
  }

  /// Reads a record that stands behind its length.
  mutating func framed<Content: Record>(_: Content.Type = Content.self) throws(MalformedRecord)
    -> Content
  {
    let length: UInt16 = try number()
    guard let record = Content(try take(Int(length))) else { throw MalformedRecord() }
    return record
  }

  /// Reads bytes of any kind, at most `limit`.
  mutating func longBytes(limit: Int) throws(MalformedRecord) -> ArraySlice<UInt8> {
    let length: UInt32 = try number()
    guard length <= limit else { throw MalformedRecord() }
    return try take(Int(length))
  }

  /// Reads a text of at most `limit` bytes, which may be long.
  mutating func longText(limit: Int) throws(MalformedRecord) -> ByteString {
    let part = try longBytes(limit: limit)
    guard !part.contains(0) else { throw MalformedRecord() }
    return ByteString(part)
  }

  /// Reads whether something holds.
  mutating func flag() throws(MalformedRecord) -> Bool {
    switch try number(UInt8.self) {
    case 0: return false
    case 1: return true
    default: throw MalformedRecord()
    }
  }

  /// Reads something that may be absent.
  mutating func optional<Value>(
    _ body: (inout RecordReader) throws(MalformedRecord) -> Value
  ) throws(MalformedRecord) -> Value? {
    try flag() ? try body(&self) : nil
  }

  /// Reads several things, each of a byte at least.
  mutating func list<Value>(
    _ body: (inout RecordReader) throws(MalformedRecord) -> Value
  ) throws(MalformedRecord) -> [Value] {
    let count: UInt32 = try number()
    guard count <= rest.count else { throw MalformedRecord() }
    var list: [Value] = []
    for _ in 0..<count { list.append(try body(&self)) }
    return list
  }

  private mutating func take(_ count: Int) throws(MalformedRecord) -> ArraySlice<UInt8> {
    guard count <= rest.count else { throw MalformedRecord() }
    let part = rest.prefix(count)
    rest = rest.dropFirst(count)
    return part
  }
}
