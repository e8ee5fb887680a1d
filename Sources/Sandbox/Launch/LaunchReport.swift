// SPDX-License-Identifier: Apache-2.0
// How the child tells the monitor why it failed: one record of a fixed size, written in one call.
// It fits a pipe's buffer, so the write never blocks and never mixes with another (pipe(7)).

internal import Linux
internal import SystemPackage
internal import Text

/// The record of a failed launch.
enum LaunchReport {
  /// The size of a record in bytes.
  static let size = 4096

  /// The byte that goes before the last steps: the end of the report means that the command was
  /// executed where it is all that was said, and otherwise that the child has died.
  static let isExecuting: UInt8 = 0xff

  // action and the origin's kind (1 each), errno and the origin's line (4 each), and the lengths of
  // the texts (2 each); then the texts: option, call, the origin's name and path, and the subject.
  private static let header = 20
  private static let none = 0xffff
  private static let limits = [64, 64, 256, 1024]

  /// The record of `error`; texts that are too long for it are cut.
  static func encode(_ error: LaunchError) -> [UInt8] {
    let origin = OriginParts(error.option?.origin ?? .commandLine)
    var texts: [ArraySlice<UInt8>?] = []
    let first = [
      error.option.map { ByteString($0.name) }, ByteString(error.cause.call), origin.name,
      origin.path,
    ]
    for (text, limit) in zip(first, limits) { texts.append(text?.bytes.prefix(limit)) }
    let room = size - header - texts.reduce(0) { $0 + ($1?.count ?? 0) }
    // No subject is another thing than an empty one.
    texts.append((error.subject ?? error.cause.subject)?.bytes.prefix(room))

    var record = [error.action.rawValue, origin.kind]
    for number in [error.cause.errno.rawValue, origin.line] {
      let bits = UInt32(bitPattern: number)
      for shift in [0, 8, 16, 24] {
        record.append(UInt8(truncatingIfNeeded: bits >> UInt32(shift)))
      }
    }
    for text in texts {
      let length = text?.count ?? none
      record.append(UInt8(truncatingIfNeeded: length))
      record.append(UInt8(truncatingIfNeeded: length >> 8))
    }
    for case let text? in texts { record += text }
    record += [UInt8](repeating: 0, count: size - record.count)
    return record
  }

  /// The error that `record` tells of.
  static func decode(_ record: [UInt8]) -> LaunchError {
    guard record.count == size, let action = LaunchError.Action(rawValue: record[0]) else {
      return LaunchError(.supervise, cause: SystemCallError(call: "read", errno: .ioError))
    }
    let numbers = [2, 6].map { start in
      Int32(
        bitPattern: (0..<4).reduce(0) { $0 | UInt32(record[start + $1]) << UInt32(8 * $1) })
    }
    var rest = record.dropFirst(header)
    var texts: [ByteString?] = []
    for start in stride(from: 10, to: header, by: 2) {
      let length = Int(record[start]) | Int(record[start + 1]) << 8
      texts.append(length == none ? nil : ByteString(rest.prefix(length)))
      if length != none { rest = rest.dropFirst(length) }
    }
    let origin = OriginParts(kind: record[1], name: texts[2], path: texts[3], line: numbers[1])
    return LaunchError(
      action, option: texts[0].map { WrittenOption($0.text, at: origin.origin) },
      subject: texts[4],
      cause: SystemCallError(call: texts[1]?.text ?? "", errno: Errno(rawValue: numbers[0])))
  }
}

/// An origin as the record has it.
private struct OriginParts {
  var kind: UInt8 = 0
  var name: ByteString?
  var path: ByteString?
  var line: Int32 = 0

  init(kind: UInt8, name: ByteString?, path: ByteString?, line: Int32) {
    self.kind = kind
    self.name = name
    self.path = path
    self.line = line
  }

  init(_ origin: Origin) {
    switch origin {
    case .commandLine: break
    case .arguments: kind = 1
    case .profile(let name, let path, let line):
      kind = 2
      self.name = name
      self.path = path
      self.line = Int32(clamping: line)
    }
  }

  var origin: Origin {
    switch kind {
    case 1: .arguments
    case 2: .profile(name: name ?? "", path: path, line: Int(line))
    default: .commandLine
    }
  }
}
