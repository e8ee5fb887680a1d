// SPDX-License-Identifier: Apache-2.0
// Sandboxes that run: each function starts the executable once and reads its JSON, or its status.

internal import Foundation

/// A running sandbox of this user, as one names it.
public enum SandboxReference: Hashable, Sendable {
  /// The name that it was started with.
  case name(String)
  /// One of its processes, or its monitor.
  case process(Int32)

  var word: String {
    switch self {
    case .name(let name): name
    case .process(let number): String(number)
    }
  }

  fileprivate func check() throws(NestboxError) {
    switch self {
    case .name(let name): try Sandbox.checkName(name, "sandbox")
    case .process(let number) where number <= 0:
      throw .invalidOption("sandbox", reason: "\(number) is not the number of a process")
    case .process: break
    }
  }
}

/// A sandbox that runs, of nestbox or of another tool.
public struct RunningSandbox: Hashable, Sendable, Decodable {
  /// The name that it was started with.
  public var name: String?
  /// The program that made it.
  public var madeBy: String?
  /// Its first process, as this machine numbers it.
  public var process: Int32
  /// nestbox's process outside.
  public var monitor: Int32?
  /// The seconds since it began.
  public var age: Double
  /// How many processes it has.
  public var processes: Int
  /// `host`, `none`, `shared` or `own`.
  public var network: String
  /// Whether it lives on when its command has ended.
  public var kept: Bool
  /// The words of its command.
  public var command: [String]

  private enum CodingKeys: String, CodingKey {
    case name, process, monitor, age, processes, network, kept, command
    case madeBy = "made-by"
  }

  /// How other functions name it.
  public var reference: SandboxReference { name.map { .name($0) } ?? .process(process) }

  /// The sandboxes of this user that run.
  public static func all(executable: String? = nil) async throws(NestboxError) -> [RunningSandbox] {
    struct List: Decodable { let sandboxes: [RunningSandbox] }
    return try await NestboxTask(["--list", "--json"], executable).decoded(List.self).sandboxes
  }
}

/// What there is to know of a running sandbox.
public struct Inspection: Sendable {
  /// The sandbox.
  public var sandbox: RunningSandbox
  /// Each namespace as /proc names it, such as `net:[4026532184]`.
  public var namespaces: [String: String]
  /// Its processes, as this machine numbers them.
  public var processes: [Int32]
  /// The whole report of nestbox(1), `--inspect`, in JSON.
  public var json: [UInt8]
}

extension SandboxReference {
  /// Describes it.
  /// - Throws: ``NestboxError/noSuchSandbox(_:)`` if there is none.
  public func inspect(executable: String? = nil) async throws(NestboxError) -> Inspection {
    struct Facts: Decodable {
      struct Namespace: Decodable { let name: String }
      struct Member: Decodable { let process: Int32 }
      let namespaces: [String: Namespace]
      let members: [Member]
    }
    try check()
    let task = NestboxTask(["--inspect", word, "--json"], executable, about: self)
    let json = try await task.output()
    let facts = try task.decode(Facts.self, json)
    return Inspection(
      sandbox: try task.decode(RunningSandbox.self, json),
      namespaces: facts.namespaces.mapValues(\.name), processes: facts.members.map(\.process),
      json: json)
  }

  /// Runs a command in it, under the protection of its own command.
  ///
  /// A command that exits with 125, 126 or 127 and writes a line that begins with `nestbox: ` looks
  /// like a failure of nestbox. If the task is cancelled, the command gets SIGTERM, and nestbox
  /// SIGKILL 2 seconds later; what the command has started lives on until the sandbox ends.
  /// - Parameters:
  ///   - command: The program and its arguments.
  ///   - input: What it reads from standard input.
  ///   - variables: Variables to set.
  ///   - directory: Where it starts, as a path inside.
  ///   - policy: For a sandbox of another tool with filters of its own: a policy that is as strict.
  ///   - limit: How many bytes of output, and of errors, are collected.
  ///   - executable: As ``Sandbox/executable``.
  /// - Returns: The outcome and what it wrote; there is no report.
  /// - Throws: ``NestboxError/notStarted(_:status:)`` if it could not be started there.
  public func enter(
    _ command: [String], input: [UInt8] = [], variables: [String: String] = [:],
    directory: String? = nil, policy: String? = nil, collecting limit: Int = 1 << 24,
    executable: String? = nil
  ) async throws(NestboxError) -> CommandResult {
    try check()
    try Sandbox.check(command: command)
    var words = ["--enter", word]
    for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
      try Sandbox.check(variable: name, value)
      words += ["--setenv", name, value]
    }
    for (option, value) in [("--chdir", directory), ("--seccomp-policy", policy)] {
      guard let value else { continue }
      try Sandbox.check(value, option)
      words += [option, value]
    }
    let task = NestboxTask(words + ["--"] + command, executable, about: self)
    let result = try await task.result(input, limit)
    if case .exited(let status) = result.outcome, (125...127).contains(status),
      result.errors.text.hasPrefix("nestbox: ")
    {
      if let error = task.notFound(result) { throw error }
      throw .notStarted(Failure(lines: NestboxTask.lines(result.errors)), status: status)
    }
    return result
  }

  /// Ends it: SIGTERM, and after 10 seconds, or `timeout` in whole seconds, SIGKILL to all.
  ///
  /// Returns when nothing is left.
  public func stop(
    timeout: Duration? = nil, executable: String? = nil
  ) async throws(NestboxError) {
    try check()
    var words = ["--stop", word]
    if let timeout {
      guard timeout > .zero, timeout <= .seconds(3600 * 24 * 365) else {
        throw .invalidOption("timeout", reason: "expected a time above 0, of at most a year")
      }
      let (seconds, rest) = timeout.components
      words = ["--timeout", String(seconds + (rest > 0 ? 1 : 0))] + words
    }
    _ = try await NestboxTask(words, executable, about: self).output()
  }

  /// Sends a signal to its command.
  public func send(_ signal: Int32, executable: String? = nil) async throws(NestboxError) {
    try check()
    guard (1...64).contains(signal) else {
      throw .invalidOption("signal", reason: "\(signal) is not the number of a signal")
    }
    _ = try await NestboxTask(["--signal", String(signal), word], executable, about: self).output()
  }
}

extension Sandbox {
  /// Makes a sandbox without a command, which is kept until it is stopped, also when this process
  /// ends.
  ///
  /// It needs a ``name``.
  public func keep() async throws(NestboxError) -> SandboxReference {
    guard let name else {
      throw .invalidOption("--name", reason: "a sandbox that is kept needs a name")
    }
    let task = NestboxTask(["--keep", "--detach"], executable, options: try words())
    let result = try await task.result([], 1 << 16)
    guard case .exited(let status) = result.outcome else {
      throw .reportMissing(status: -1)
    }
    if status != 0 {
      throw .notStarted(Failure(lines: NestboxTask.lines(result.errors)), status: status)
    }
    return .name(name)
  }
}
