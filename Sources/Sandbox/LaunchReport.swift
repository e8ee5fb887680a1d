// SPDX-License-Identifier: Apache-2.0
// How the child tells the monitor why it failed: one record of a fixed size, written in one call.
// It fits a pipe's buffer, so the write never blocks and never mixes with another (pipe(7)).

internal import Linux
internal import SystemPackage

/// The record of a failed launch.
enum LaunchReport {
  /// The size of a record in bytes.
  static let size = 4096

  // action, errno (4), and the lengths of option, call (1 each) and subject (2), then the texts.
  private static let header = 9
  private static let none = 0xffff

  /// The record of `error`; a subject that is too long for it is cut.
  static func encode(_ error: LaunchError) -> [UInt8] {
    let option = Array((error.option ?? "").utf8.prefix(64))
    let call = Array(error.cause.call.utf8.prefix(64))
    let room = size - header - option.count - call.count
    let subject = Array((error.subject ?? error.cause.subject)?.bytes.prefix(room) ?? [])
    let code = UInt32(bitPattern: error.cause.errno.rawValue)
    var record = [error.action.rawValue]
    for shift in [0, 8, 16, 24] { record.append(UInt8(truncatingIfNeeded: code >> UInt32(shift))) }
    record.append(UInt8(option.count))
    record.append(UInt8(call.count))
    // No subject is another thing than an empty one.
    let length = (error.subject ?? error.cause.subject) == nil ? none : subject.count
    record.append(UInt8(truncatingIfNeeded: length))
    record.append(UInt8(truncatingIfNeeded: length >> 8))
    record += option + call + subject
    record += [UInt8](repeating: 0, count: size - record.count)
    return record
  }

  /// The error that `record` tells of.
  static func decode(_ record: [UInt8]) -> LaunchError {
    guard record.count == size, let action = LaunchError.Action(rawValue: record[0]) else {
      return LaunchError(.supervise, cause: SystemCallError(call: "read", errno: .ioError))
    }
    var code: UInt32 = 0
    for index in 0..<4 { code |= UInt32(record[1 + index]) << UInt32(8 * index) }
    let length = Int(record[7]) | Int(record[8]) << 8
    let ends = [Int(record[5]), Int(record[6]), length == none ? 0 : length]
    var rest = record.dropFirst(header)
    var texts: [ArraySlice<UInt8>] = []
    for length in ends {
      texts.append(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
    let cause = SystemCallError(
      call: String(decoding: texts[1], as: UTF8.self),
      errno: Errno(rawValue: CInt(bitPattern: code)))
    return LaunchError(
      action, option: texts[0].isEmpty ? nil : String(decoding: texts[0], as: UTF8.self),
      subject: length == none ? nil : ByteString(texts[2]), cause: cause)
  }
}
