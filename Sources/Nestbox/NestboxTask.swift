// SPDX-License-Identifier: Apache-2.0
// A start of the executable that makes no new sandbox for a command: a question, or something to do.

internal import Foundation

struct NestboxTask {
  private let words: [String]
  private let executable: String?
  private let options: [String]
  private var sandbox: SandboxReference?
  private var review: ReviewReference?

  init(_ words: [String], _ executable: String?, options: [String] = []) {
    self.words = words
    self.executable = executable
    self.options = options
    (sandbox, review) = (nil, nil)
  }

  init(_ words: [String], _ executable: String?, about sandbox: SandboxReference) {
    self.init(words, executable)
    self.sandbox = sandbox
  }

  init(_ words: [String], _ executable: String?, about review: ReviewReference) {
    self.init(words, executable)
    self.review = review
  }

  /// Starts it and waits, whatever its status is.
  func result(_ input: [UInt8], _ limit: Int) async throws(NestboxError) -> CommandResult {
    if limit < 0 { throw .invalidOption("collecting", reason: "expected a number from 0 on") }
    var sandbox = Sandbox()
    sandbox.executable = executable
    // In a directory under review, nestbox would read paths as seen from the working directory. Reports for
    // programs write them as seen from the directory under review.
    let start = Start(
      executable: URL(fileURLWithPath: try sandbox.executablePath()).path, options: options,
      command: [], task: words, directory: review == nil ? nil : "/")
    return try await RunningCommand(start, input, limit, nil).result()
  }

  /// What it prints.
  func output() async throws(NestboxError) -> [UInt8] {
    let result = try await result([], 1 << 28)
    if result.succeeded { return result.output.bytes }
    if let error = notFound(result) { throw error }
    let lines = NestboxTask.lines(result.errors)
    guard case .exited(let status) = result.outcome else {
      throw .taskFailed(option: option, message: "it was ended: \(result.outcome)", status: -1)
    }
    if status == 1, option == "--apply" { throw .changesLeft(lines) }
    throw .taskFailed(option: option, message: lines.joined(separator: "\n"), status: status)
  }

  /// What it prints, as a value.
  func decoded<Value: Decodable>(_ type: Value.Type) async throws(NestboxError) -> Value {
    try decode(type, try await output())
  }

  func decode<Value: Decodable>(
    _ type: Value.Type, _ json: [UInt8]
  ) throws(NestboxError) -> Value {
    guard let value = try? JSONDecoder().decode(type, from: Data(json)) else {
      throw .taskFailed(
        option: option, message: "nestbox printed other JSON than is known", status: 0)
    }
    return value
  }

  /// The error if nestbox says that there is no such sandbox or review.
  func notFound(_ result: CommandResult) -> NestboxError? {
    let line = NestboxTask.lines(result.errors).first ?? ""
    if let sandbox, line.contains("no running sandbox has th") { return .noSuchSandbox(sandbox) }
    if let review, line.contains("no review is called ") { return .noSuchReview(review.name) }
    return nil
  }

  private var option: String {
    words.first { ["--timeout", "--overwrite"].contains($0) == false && $0.hasPrefix("--") } ?? ""
  }

  /// What nestbox said, without its name before each line.
  static func lines(_ errors: Output) -> [String] {
    errors.text.split(separator: "\n").map {
      String($0.hasPrefix("nestbox: ") ? $0.dropFirst("nestbox: ".count) : $0)
    }
  }
}

extension Failure {
  /// A failure as nestbox prints it.
  init(lines: [String]) {
    func line(_ kind: String) -> String? {
      lines.dropFirst().first { $0.hasPrefix(kind) }.map { String($0.dropFirst(kind.count)) }
    }
    self.init(
      message: lines.first ?? "no reason given", option: nil, call: nil, subject: nil, reason: nil,
      cause: line("cause: "), remedy: line("remedy: "))
  }
}
