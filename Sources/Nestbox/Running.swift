// SPDX-License-Identifier: Apache-2.0
// Runs commands. Nothing here blocks a thread: a queue of Dispatch is called when a pipe or the
// process is ready, and the threads of all queues are shared.

internal import CLinux
internal import Dispatch
internal import Foundation
internal import Glibc

extension Sandbox {
  /// Runs a command and waits for its end.
  ///
  /// If the task is cancelled, everything inside the sandbox is killed, and the result has the outcome
  /// ``Outcome/cancelled``; it comes when nothing is left.
  /// - Parameters:
  ///   - command: The program and its arguments.
  ///   - input: What it reads from standard input.
  ///   - limit: How many bytes of output, and of errors, are collected; the rest is read and dropped.
  ///   - stream: Called with each piece of output when it arrives, one call at a time.
  /// - Returns: The outcome, what it wrote and what it used. Neither a failure of the command nor a
  ///   limit is an error.
  /// - Throws: ``NestboxError`` if the command could not be started.
  public func run(
    _ command: [String], input: [UInt8] = [], collecting limit: Int = 1 << 24,
    stream: (@Sendable (OutputKind, [UInt8]) -> Void)? = nil
  ) async throws(NestboxError) -> CommandResult {
    try await start(command, input: input, collecting: limit, stream: stream).result()
  }

  /// Starts a command.
  ///
  /// Wait for its ``RunningCommand/result()``.
  public func start(
    _ command: [String], input: [UInt8] = [], collecting limit: Int = 1 << 24,
    stream: (@Sendable (OutputKind, [UInt8]) -> Void)? = nil
  ) throws(NestboxError) -> RunningCommand {
    try Sandbox.check(command: command)
    if limit < 0 { throw .invalidOption("collecting", reason: "expected a number from 0 on") }
    return try RunningCommand(
      Start(executable: executablePath(), options: words(), command: command), input, limit, stream)
  }

  /// The executable that will be started.
  /// - Throws: ``NestboxError/executableNotFound(_:)``.
  public func executablePath() throws(NestboxError) -> String {
    let environment = ProcessInfo.processInfo.environment
    if let path = executable ?? environment["NESTBOX"], !path.isEmpty {
      guard Sandbox.isExecutable(path) else { throw .executableNotFound(path) }
      return path
    }
    for directory in (environment["PATH"] ?? "").split(separator: ":")
    where directory.hasPrefix("/") {
      if Sandbox.isExecutable("\(directory)/nestbox") { return "\(directory)/nestbox" }
    }
    throw .executableNotFound(nil)
  }

  private static func isExecutable(_ path: String) -> Bool {
    var isDirectory = ObjCBool(false)
    let files = FileManager.default
    let exists = unsafe files.fileExists(atPath: path, isDirectory: &isDirectory)
    return exists && !isDirectory.boolValue && files.isExecutableFile(atPath: path)
  }
}

/// Where output comes from.
public enum OutputKind: Sendable {
  /// Standard output.
  case output
  /// Standard error.
  case errors
}

/// A command that runs.
///
/// The sandbox ends when this process does.
public final class RunningCommand: Sendable {
  /// nestbox's process; signals to it reach the command.
  public let processIdentifier: Int32
  private let job: Job

  init(
    _ start: Start, _ input: [UInt8], _ limit: Int,
    _ stream: (@Sendable (OutputKind, [UInt8]) -> Void)?
  ) throws(NestboxError) {
    job = try Job(start, input, limit, stream)
    processIdentifier = job.process
  }

  /// Waits for the end.
  ///
  /// If the task is cancelled meanwhile, the command is.
  /// - Throws: ``NestboxError`` if the command could not be started.
  public func result() async throws(NestboxError) -> CommandResult {
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        job.whenEnded { continuation.resume(returning: $0) }
      }
    } onCancel: {
      job.cancel()
    }
    return try result.get()
  }

  /// Sends a signal to the command.
  public func send(_ signal: Int32) { job.send(signal) }

  /// Kills everything inside the sandbox.
  public func cancel() { job.cancel() }
}

/// A job: a command from its start to its end.
///
/// Its state belongs to its queue.
final class Job: @unchecked Sendable {
  typealias Ending = Swift.Result<CommandResult, NestboxError>

  let process: pid_t
  private let queue = DispatchQueue(label: "nestbox")
  private let files: Start.Files
  private let descriptor: CInt
  private let isTask: Bool
  private var texts = [Output(), Output()]
  private var openPipes = 2
  /// What still waits for pipes.
  private var pipes: [any DispatchSourceProtocol] = []
  private var status: CInt?
  private var isCancelled = false
  private var ending: Ending?
  private var waiting: [@Sendable (Ending) -> Void] = []

  init(
    _ start: Start, _ input: [UInt8], _ limit: Int,
    _ stream: (@Sendable (OutputKind, [UInt8]) -> Void)?
  ) throws(NestboxError) {
    let started = try start.begin()
    process = started.process
    descriptor = started.descriptor
    files = started.files
    isTask = start.task != nil
    for (index, pipe) in [started.output, started.errors].enumerated() {
      read(pipe, index, limit, stream)
    }
    write(input[...], to: started.input)
    watch(descriptor) { [self] in
      var status: CInt = 0
      unsafe _ = waitpid(process, &status, 0)
      self.status = status
      endIfDone()
      return true
    }
  }

  func whenEnded(_ body: @escaping @Sendable (Ending) -> Void) {
    queue.async { [self] in
      if let ending { body(ending) } else { waiting.append(body) }
    }
  }

  func send(_ signal: CInt) {
    queue.async { [self] in
      if status == nil { _ = linux_pidfd_send_signal(descriptor, signal) }
    }
  }

  func cancel() {
    queue.async { [self] in
      guard ending == nil else { return }
      isCancelled = true
      guard status == nil else { return }
      if isTask {
        // nestbox passes it on to a command that has entered a sandbox.
        _ = linux_pidfd_send_signal(descriptor, SIGTERM)
        queue.asyncAfter(deadline: .now() + 2) { [self] in
          if status == nil { _ = linux_pidfd_send_signal(descriptor, SIGKILL) }
        }
        return
      }
      let first = files.firstInside(of: process)
      guard first >= 0 else {
        // Nothing runs inside yet, and a process that starts now dies with nestbox.
        _ = linux_pidfd_send_signal(descriptor, SIGKILL)
        return
      }
      // With the first process inside, the kernel ends all others.
      _ = linux_pidfd_send_signal(first, SIGKILL)
      _ = linux_pidfd_send_signal(descriptor, SIGCONT)
      close(first)
    }
  }

  // MARK: Pipes

  /// Calls `body` on the queue when a descriptor is ready, until it returns true.
  private func watch(
    _ descriptor: CInt, forWriting: Bool = false, _ body: @escaping () -> Bool
  ) {
    let source: any DispatchSourceProtocol =
      forWriting
      ? DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: queue)
      : DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
    // This object lives until the source is cancelled.
    source.setEventHandler { if body() { source.cancel() } }
    if isTask { pipes.append(source) }
    source.setCancelHandler {
      close(descriptor)
      source.setEventHandler(handler: nil)
    }
    source.resume()
  }

  private func read(
    _ pipe: CInt, _ index: Int, _ limit: Int, _ stream: (@Sendable (OutputKind, [UInt8]) -> Void)?
  ) {
    var buffer = [UInt8](repeating: 0, count: 65536)
    watch(pipe) { [self] in
      // Dispatch reports the end together with the last data, and only once. So read several pieces,
      // but not so many that other events wait.
      for _ in 0..<8 {
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
          unsafe Glibc.read(pipe, bytes.baseAddress, bytes.count)
        }
        if count < 0, errno == EAGAIN || errno == EINTR { return false }
        guard count > 0 else {
          openPipes -= 1
          endIfDone()
          return true
        }
        let room = max(0, limit - texts[index].bytes.count)
        texts[index].bytes += buffer.prefix(min(count, room))
        if count > room { texts[index].isCut = true }
        stream?(index == 0 ? .output : .errors, Array(buffer.prefix(count)))
      }
      return false
    }
  }

  private func write(_ input: ArraySlice<UInt8>, to pipe: CInt) {
    if input.isEmpty {
      close(pipe)
      return
    }
    var rest = input
    watch(pipe, forWriting: true) {
      let count = unsafe rest.withUnsafeBytes { bytes in
        unsafe Glibc.write(pipe, bytes.baseAddress, bytes.count)
      }
      if count < 0 { return errno != EAGAIN && errno != EINTR }
      rest = rest.dropFirst(count)
      return rest.isEmpty
    }
  }

  // MARK: The end

  private func endIfDone() {
    // Where a cancelled command had entered a sandbox, what it left there may hold the pipes.
    guard let status, openPipes == 0 || isTask && isCancelled, ending == nil else { return }
    for source in pipes { source.cancel() }
    pipes = []
    let report = files.report()
    if isCancelled, report == nil, !isTask { files.awaitFirstInside() }
    files.close()
    let ending = self.ending(report, status)
    self.ending = ending
    for body in waiting { body(ending) }
    waiting = []
  }

  private func ending(_ report: Report?, _ status: CInt) -> Ending {
    let code = status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
    var outcome = Outcome.cancelled
    if isTask {
      if !isCancelled { outcome = code < 0 ? .signaled(-code) : .exited(code) }
      return .success(
        CommandResult(outcome: outcome, output: texts[0], errors: texts[1], report: nil))
    }
    if let report, report.outcome != "not-started" { outcome = report.meaning }
    if isCancelled {
      // Otherwise it had ended before.
      if case .signaled = outcome { outcome = .cancelled }
    } else if let report {
      if report.outcome == "not-started" {
        let failure = Failure(message: "a signal ended the launch before the command was started")
        return .failure(.notStarted(report.error ?? failure, status: code))
      }
    } else {
      return .failure(.reportMissing(status: code))
    }
    return .success(
      CommandResult(outcome: outcome, output: texts[0], errors: texts[1], report: report))
  }
}
