// SPDX-License-Identifier: Apache-2.0
// Starts the executable with files in memory: they carry the options in and the reports out. Unlike
// pipes they cannot fill up.

internal import CLinux
internal import Foundation
internal import Glibc

/// What is started.
struct Start {
  let executable: String
  let options: [String]
  let command: [String]
  /// The words of a task that starts no command of a new sandbox, and so has no report.
  var task: [String]?
  /// Where it starts; nil for the working directory of this process.
  var directory: String?

  /// A started process, and this process's ends of its pipes.
  struct Started {
    let process: pid_t
    let descriptor: CInt
    let files: Files
    let input: CInt
    let output: CInt
    let errors: CInt
  }

  /// Starts it.
  func begin() throws(NestboxError) -> Started {
    var open: [CInt] = []
    var keeps = false
    defer { if !keeps { for number in open { close(number) } } }
    func file() throws(NestboxError) -> CInt {
      let number = unsafe linux_memory_file_with("nestbox", UInt32(MFD_CLOEXEC))
      guard number >= 0 else { throw .system(call: "memfd_create", errno: -number) }
      open.append(number)
      return number
    }
    func pipe() throws(NestboxError) -> (CInt, CInt) {
      var ends: [CInt] = [-1, -1]
      let result = unsafe linux_pipe2(&ends, O_CLOEXEC)
      guard result == 0 else { throw .system(call: "pipe2", errno: -result) }
      open += ends
      return (ends[0], ends[1])
    }
    let arguments = try file()
    try fill(arguments)
    let files = Files(reportFile: try file(), infoFile: try file())
    let (input, output, errors) = (try pipe(), try pipe(), try pipe())
    for end in [input.1, output.0, errors.0] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    let words =
      if let task {
        [executable] + (options.isEmpty ? [] : ["--args", String(arguments)]) + task + command
      } else {
        [
          executable, "--report", String(files.reportFile), "--args", String(arguments),
          "--info-fd", String(files.infoFile), "--die-with-parent", "--",
        ] + command
      }
    let process = try spawn(
      words, [(input.0, 0), (output.1, 1), (errors.1, 2)],
      [arguments, files.reportFile, files.infoFile])
    let descriptor = linux_pidfd_open(process)
    guard descriptor >= 0 else {
      kill(process, SIGKILL)
      _ = waitpid(process, nil, 0)
      throw .system(call: "pidfd_open", errno: -descriptor)
    }
    keeps = true
    for number in [arguments, input.0, output.1, errors.1] { close(number) }
    return Started(
      process: process, descriptor: descriptor, files: files, input: input.1, output: output.0,
      errors: errors.0)
  }

  private func fill(_ file: CInt) throws(NestboxError) {
    var bytes: [UInt8] = []
    for option in options { bytes += Array(option.utf8) + [0] }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { bytes in
        unsafe write(file, bytes.baseAddress, bytes.count)
      }
      guard count > 0 else { throw .system(call: "write", errno: errno) }
      rest = rest.dropFirst(count)
    }
    lseek(file, 0, SEEK_SET)
  }

  /// See posix_spawn(3).
  private func spawn(
    _ words: [String], _ standard: [(CInt, CInt)], _ passed: [CInt]
  ) throws(NestboxError) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
    for (source, number) in standard {
      unsafe posix_spawn_file_actions_adddup2(&actions, source, number)
    }
    if let directory { unsafe _ = linux_spawn_in(&actions, directory) }
    // A copy onto itself clears the flag that closes it on exec.
    for number in passed { unsafe posix_spawn_file_actions_adddup2(&actions, number, number) }
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
    // The command must not inherit the signals that this process ignores or blocks.
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigaddset(&signals, SIGPIPE)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let environment = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
    let pointers = unsafe words.map { unsafe strdup($0) } + [nil]
    let variables = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer { unsafe (pointers + variables).forEach { unsafe free($0) } }
    var process: pid_t = 0
    let result = Starter.shared.run {
      unsafe posix_spawn(&process, executable, &actions, &attributes, pointers, variables)
    }
    guard result == 0 else { throw .system(call: "posix_spawn", errno: result) }
    return process
  }
}

/// The thread that starts every process.
///
/// The sandbox ends with the thread that started it, and the
/// threads of tasks and queues end when they have nothing to do.
private final class Starter: @unchecked Sendable {
  static let shared = Starter()

  private let condition = NSCondition()
  private var work: (() -> Void)?

  private init() {
    Thread.detachNewThread { [self] in
      condition.lock()
      while true {
        while work == nil { condition.wait() }
        work?()
        work = nil
        condition.broadcast()
      }
    }
  }

  /// Calls `body` on the thread, and returns when that has ended.
  func run(_ body: () -> CInt) -> CInt {
    withoutActuallyEscaping(body) { body in
      var result: CInt = 0
      var isDone = false
      condition.lock()
      while work != nil { condition.wait() }
      work = {
        result = body()
        isDone = true
      }
      condition.broadcast()
      while !isDone { condition.wait() }
      condition.unlock()
      return result
    }
  }
}

// MARK: - The files

extension Start {
  /// The files that nestbox writes.
  struct Files: Sendable {
    let reportFile: CInt
    let infoFile: CInt

    func close() {
      for number in [reportFile, infoFile] { Glibc.close(number) }
    }

    func report() -> Report? { Report(contents(of: reportFile)) }

    private func contents(of file: CInt) -> [UInt8] {
      let size = Int(lseek(file, 0, SEEK_END))
      var bytes = [UInt8](repeating: 0, count: max(0, size))
      let count = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe pread(file, buffer.baseAddress, buffer.count, 0)
      }
      return Array(bytes.prefix(max(0, count)))
    }

    private struct Info: Decodable {
      let childPID: CInt

      private enum CodingKeys: String, CodingKey { case childPID = "child-pid" }
    }

    private var child: CInt? {
      let data = Data(contents(of: infoFile))
      return (try? JSONDecoder().decode(Info.self, from: data))?.childPID
    }

    /// A descriptor of the first process inside, if it is a child of `parent`; otherwise -1.
    func firstInside(of parent: pid_t) -> CInt {
      guard let child else { return -1 }
      let descriptor = linux_pidfd_open(child)
      guard descriptor >= 0 else { return -1 }
      // After it was opened: the number could be another process's.
      let status = (try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)) ?? ""
      let fields = status.split(separator: ")").last?.split(separator: " ") ?? []
      if fields.count > 1, fields[1] == "\(parent)" { return descriptor }
      Glibc.close(descriptor)
      return -1
    }

    /// Waits for the first process inside, where nestbox was killed and could not do so.
    func awaitFirstInside() {
      guard let child else { return }
      let descriptor = linux_pidfd_open(child)
      guard descriptor >= 0 else { return }
      var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      // With a limit: the number could be another process's.
      unsafe _ = poll(&request, 1, 5000)
      Glibc.close(descriptor)
    }
  }
}
