// SPDX-License-Identifier: Apache-2.0
// What the process that becomes the command reports to the monitor, through a pipe: exec closes the
// pipe, so its end means that the command runs; and if exec fails under a filter, write(2) is the
// call that the filter is least likely to refuse.

internal import Linux
internal import SystemPackage
internal import Text

/// A line of the report on a launch.
enum LaunchReport: Equatable {
  /// Only the last steps remain. If the pipe ends after this, the command was executed; if it ends
  /// without this, the child has died.
  case isExecuting
  /// The launch has failed.
  case hasFailed(LaunchError)
  /// What the failed process found out about the reason.
  case hasFound(ExecutionFinding)

  /// The most bytes of a line, its length included: a pipe takes that many at once, so the write
  /// never blocks (pipe(7)).
  static let capacity = 4096

  /// `isExecuting` as bytes.
  ///
  /// A successful launch reports nothing else, so this avoids the code that the other lines need.
  static var executing: [UInt8] { [1, 0, Kind.isExecuting.rawValue] }

  /// The line as it is written to the pipe.
  var line: [UInt8] {
    var writer = RecordWriter()
    writer.writeFramed(self)
    return writer.bytes
  }

  /// Reads the lines in `bytes`, up to the first malformed one.
  static func lines(_ bytes: [UInt8]) -> (lines: [LaunchReport], isWhole: Bool) {
    var reader = RecordReader(bytes[...])
    var lines: [LaunchReport] = []
    while !reader.isAtEnd {
      guard let line = try? reader.framed(LaunchReport.self) else { return (lines, false) }
      lines.append(line)
    }
    return (lines, true)
  }
}

extension LaunchReport: Record {
  private enum Kind: UInt8 {
    case isExecuting = 1
    case hasFailed, hasFound
  }

  init(from reader: inout RecordReader) throws(MalformedRecord) {
    guard let kind = Kind(rawValue: try reader.number()) else { throw MalformedRecord() }
    switch kind {
    case .isExecuting: self = .isExecuting
    case .hasFailed: self = .hasFailed(try LaunchError(from: &reader))
    case .hasFound: self = .hasFound(try ExecutionFinding(from: &reader))
    }
  }

  func write(to writer: inout RecordWriter) {
    switch self {
    case .isExecuting: writer.write(Kind.isExecuting.rawValue)
    case .hasFailed(let error):
      writer.write(Kind.hasFailed.rawValue)
      error.write(to: &writer)
    case .hasFound(let finding):
      writer.write(Kind.hasFound.rawValue)
      finding.write(to: &writer)
    }
  }
}

// MARK: - Errors

extension LaunchError {
  /// The failure in a report; nil if the report has none.
  init?(in lines: [LaunchReport], isWhole: Bool) {
    var error: LaunchError?
    for case .hasFailed(let failure) in lines where error == nil { error = failure }
    for case .hasFound(let finding) in lines { error?.finding = finding }
    guard let error = error ?? (isWhole ? nil : LaunchError.unreadable) else { return nil }
    self = error
  }

  private static var unreadable: LaunchError {
    LaunchError(.supervise, cause: SystemCallError(call: "read", errno: .ioError))
  }
}

extension LaunchError: Record {
  private static let longestWord = 64
  private static let longestName = 256
  private static let longestPath = 1024

  init(from reader: inout RecordReader) throws(MalformedRecord) {
    guard let action = Action(rawValue: try reader.number()) else { throw MalformedRecord() }
    let errno: CInt = try reader.number()
    let call = try reader.requiredWord(limit: LaunchError.longestWord)
    let option = try reader.word(limit: LaunchError.longestWord)
    let origin = option == nil ? .commandLine : try Origin(from: &reader)
    let subject = try reader.text(limit: LaunchReport.capacity)
    self.init(
      action, option: option.map { WrittenOption($0, at: origin) }, subject: subject,
      cause: SystemCallError(call: call, errno: Errno(rawValue: errno)))
  }

  func write(to writer: inout RecordWriter) {
    writer.write(action.rawValue)
    writer.write(cause.errno.rawValue)
    writer.write(ByteString(cause.call), limit: LaunchError.longestWord)
    writer.write(option.map { ByteString($0.name) }, limit: LaunchError.longestWord)
    option?.origin.write(to: &writer)
    // Last, because it gets the room that the others leave, less four bytes for its length and the
    // line's.
    let room = LaunchReport.capacity - 4 - writer.bytes.count
    writer.write(subject ?? cause.subject, limit: room)
  }

  fileprivate static var limits: (name: Int, path: Int) { (longestName, longestPath) }
}

extension Origin: Record {
  init(from reader: inout RecordReader) throws(MalformedRecord) {
    switch try reader.number(UInt8.self) {
    case 0: self = .commandLine
    case 1: self = .arguments
    case 2:
      let line: Int32 = try reader.number()
      let name = try reader.requiredText(limit: LaunchError.limits.name)
      let path = try reader.text(limit: LaunchError.limits.path)
      self = .profile(name: name, path: path, line: Int(line))
    default: throw MalformedRecord()
    }
  }

  func write(to writer: inout RecordWriter) {
    switch self {
    case .commandLine: writer.write(UInt8(0))
    case .arguments: writer.write(UInt8(1))
    case .profile(let name, let path, let line):
      writer.write(UInt8(2))
      writer.write(Int32(clamping: line))
      writer.write(name, limit: LaunchError.limits.name)
      writer.write(path, limit: LaunchError.limits.path)
    }
  }
}

// MARK: - Findings

extension ExecutionFinding: Record {
  /// The longest path in a finding: a line has room for two.
  private static let longestPath = 1900

  private enum Kind: UInt8 {
    case missing = 1
    case interpreterMissing, carriageReturn, loaderMissing, directory, notExecutable, noExecution
    case foreign, unknownFormat, noShell, unsearchable, descriptor
  }

  init(from reader: inout RecordReader) throws(MalformedRecord) {
    guard let kind = Kind(rawValue: try reader.number()) else { throw MalformedRecord() }
    func text() throws(MalformedRecord) -> ByteString {
      try reader.requiredText(limit: ExecutionFinding.longestPath)
    }
    switch kind {
    case .missing: self = .missing
    case .interpreterMissing: self = .interpreterMissing(try text(), of: try text())
    case .carriageReturn: self = .carriageReturn(try text(), of: try text())
    case .loaderMissing: self = .loaderMissing(try text(), of: try text())
    case .directory: self = .directory(try text())
    case .notExecutable: self = .notExecutable(try text())
    case .noExecution: self = .noExecution(try text())
    case .foreign: self = .foreign(try text(), machine: try reader.number())
    case .unknownFormat: self = .unknownFormat(try text())
    case .noShell: self = .noShell(try text())
    case .unsearchable: self = .unsearchable(try text())
    case .descriptor: self = .descriptor(try text())
    }
  }

  func write(to writer: inout RecordWriter) {
    func write(_ kind: Kind, _ texts: ByteString...) {
      writer.write(kind.rawValue)
      for text in texts { writer.write(text, limit: ExecutionFinding.longestPath) }
    }
    switch self {
    case .missing: write(.missing)
    case .interpreterMissing(let interpreter, let file):
      write(.interpreterMissing, interpreter, file)
    case .carriageReturn(let interpreter, let file): write(.carriageReturn, interpreter, file)
    case .loaderMissing(let loader, let file): write(.loaderMissing, loader, file)
    case .directory(let file): write(.directory, file)
    case .notExecutable(let file): write(.notExecutable, file)
    case .noExecution(let file): write(.noExecution, file)
    case .foreign(let file, let machine):
      write(.foreign, file)
      writer.write(machine)
    case .unknownFormat(let file): write(.unknownFormat, file)
    case .noShell(let file): write(.noShell, file)
    case .unsearchable(let directory): write(.unsearchable, directory)
    case .descriptor(let name): write(.descriptor, name)
    }
  }
}
