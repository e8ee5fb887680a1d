// SPDX-License-Identifier: Apache-2.0
// Why a command did not run.

/// Why a command did not run.
public enum NestboxError: Error, Hashable, Sendable {
  /// An option, or `command`, has a wrong value; nothing was started.
  case invalidOption(String, reason: String)
  /// There is no executable: the path that was named, or nil where PATH has none.
  case executableNotFound(String?)
  /// nestbox could not make the sandbox, or could not execute the command in it. The status is 127
  /// if there is no such command, 126 if it cannot be executed, otherwise 125.
  case notStarted(Failure, status: Int32)
  /// Something killed nestbox; what the command did is unknown. Everything inside is killed as well.
  case reportMissing(status: Int32)
  /// No running sandbox has the name, or a process with the number.
  case noSuchSandbox(SandboxReference)
  /// No review has the name.
  case noSuchReview(String)
  /// Changes of a review were not applied, such as those of files that the host has changed since;
  /// nestbox names them. The others were applied.
  case changesLeft([String])
  /// nestbox could not do what the option names, for another reason.
  case taskFailed(option: String, message: String, status: Int32)
  /// A call of the kernel failed in this process.
  case system(call: String, errno: Int32)
}

/// Why a command was not started; an unknown part is nil.
public struct Failure: Hashable, Sendable, Decodable {
  /// The sentence that nestbox prints.
  public var message: String
  /// The option that failed.
  public var option: String?
  /// The call of the kernel that failed.
  public var call: String?
  /// The path or name that it concerned.
  public var subject: String?
  /// Why it failed.
  public var reason: String?
  /// The cause.
  public var cause: String?
  /// The remedy.
  public var remedy: String?
}

extension NestboxError: CustomStringConvertible {
  /// The error in words.
  public var description: String {
    switch self {
    case .invalidOption(let option, let reason): "\(option): \(reason)"
    case .executableNotFound(let path?): "\(path) is not an executable file"
    case .executableNotFound(nil): "there is no executable nestbox in PATH; NESTBOX may name one"
    case .notStarted(let failure, _):
      [
        failure.message, failure.cause.map { "cause: \($0)" },
        failure.remedy.map { "remedy: \($0)" },
      ]
      .compactMap { $0 }.joined(separator: "\n")
    case .reportMissing(let status): "nestbox ended with status \(status) and without a report"
    case .noSuchSandbox(let sandbox):
      "no running sandbox has the name or process \(sandbox.word)"
    case .noSuchReview(let name): "no review is called \(name)"
    case .changesLeft(let lines): lines.joined(separator: "\n")
    case .taskFailed(let option, let message, _): "\(option): \(message)"
    case .system(let call, let errno): "\(call) failed with error \(errno)"
    }
  }
}
