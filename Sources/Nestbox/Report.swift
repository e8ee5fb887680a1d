// SPDX-License-Identifier: Apache-2.0
// How a command ended.

internal import Foundation

/// Why a command ended.
public enum Outcome: Hashable, Sendable {
  /// By itself, with an exit code.
  case exited(Int32)
  /// By a signal that nestbox did not send.
  case signaled(Int32)
  /// nestbox ended it because of a limit.
  case exceeded(Limit)
  /// The caller ended it, or the task that waited for it was cancelled.
  case cancelled
  /// An outcome that this version does not know.
  case other(String)

  /// A limit.
  public enum Limit: String, Sendable {
    /// The time by the clock.
    case timeout
    /// The memory of all processes together.
    case memory
    /// The time on processors of all processes together.
    case processorTime = "cpu-time"
    /// What was written to standard output and error.
    case output
  }
}

/// What nestbox reports at the end.
///
/// Times are in seconds, sizes in bytes; an unknown figure is nil,
/// never 0.
public struct Report: Hashable, Sendable, Decodable {
  /// The outcome, as nestbox names it.
  public var outcome: String
  /// The command's exit code.
  public var exitCode: Int32?
  /// The signal that ended it.
  public var signal: Int32?
  /// Why it was not started.
  public var error: Failure?
  /// The time by the clock.
  public var wall: Double?
  /// The time on processors in the command's code.
  public var user: Double?
  /// The time on processors in the kernel.
  public var system: Double?
  /// The memory of the largest process.
  public var largestProcess: Int64?
  /// The most memory of all processes together.
  public var memoryPeak: Int64?
  /// The highest number of processes at one time.
  public var processesPeak: Int64?
  /// How much was read from storage.
  public var read: Int64?
  /// How much was written to storage.
  public var written: Int64?
  /// Whether every process was counted.
  public var complete: Bool
  /// Why some may not have been counted.
  public var incompleteBecause: String?
  /// What counted: "control-group", or "parents", from which a command can hide processes.
  public var countedBy: String?

  private enum CodingKeys: String, CodingKey {
    case outcome, signal, error, wall, user, system, read, written, complete
    case exitCode = "exit-code"
    case largestProcess = "max-rss"
    case memoryPeak = "memory-peak"
    case processesPeak = "processes-peak"
    case incompleteBecause = "incomplete-because"
    case countedBy = "counted-by"
  }

  /// Reads a report; nil if there is none, or only a part of one.
  init?(_ bytes: [UInt8]) {
    guard let report = try? JSONDecoder().decode(Report.self, from: Data(bytes)) else { return nil }
    self = report
  }

  var meaning: Outcome {
    if let limit = Outcome.Limit(rawValue: outcome) { return .exceeded(limit) }
    return switch (outcome, exitCode, signal) {
    case ("exited", let code?, _): .exited(code)
    case ("signaled", _, let signal?): .signaled(signal)
    default: .other(outcome)
    }
  }
}

/// A command that has ended.
public struct CommandResult: Hashable, Sendable {
  /// Why it ended.
  public var outcome: Outcome
  /// What it wrote to standard output, as far as it was collected.
  public var output: Output
  /// What it and nestbox wrote to standard error, as far as it was collected.
  public var errors: Output
  /// What it used; nil if it was cancelled before it began, or has entered a running sandbox.
  public var report: Report?

  /// Whether it exited with 0.
  public var succeeded: Bool { outcome == .exited(0) }
}

/// What a command wrote.
public struct Output: Hashable, Sendable {
  /// The bytes.
  public var bytes: [UInt8] = []
  /// Whether there was more than was collected.
  public var isCut = false

  /// The bytes as text, with a replacement character for what is not UTF-8.
  public var text: String { String(decoding: bytes, as: UTF8.self) }
}
